"""Muchos kioscos en un solo proceso: el enlace, el almacén y el transporte de producción, por turnos en un hilo.

Se corre como proceso aparte. Dice `listos`, espera un renglón en la entrada, y al vaciarse todas las bandejas escribe
en JSON a los cuántos segundos se vació cada una, cuántos sobres mandó y cuánta CPU usó.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from appliance.enlace.ajustes import Ajustes
from appliance.enlace.carril_de_ordenes import CarrilDeOrdenes
from appliance.enlace.ciclo import Enlace
from appliance.enlace.transporte_mqtt import TransporteMqtt, contexto_tls
from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo, leer_publica
from appliance.reloj import RelojDelSistema
from ensayo.medicion_enlace.banco import abrir_almacen
from ensayo.medicion_enlace.material import noche
from nucleo.problema import Rechazo
from nucleo.temas import Carril

_HECHOS: Final = f"/{Carril.HECHOS.value}"
AJUSTES: Final = Ajustes(sondeo_s=0.0)
"""Los de producción, salvo el sondeo: quien atiende a cientos por turnos no puede esperar en ninguno."""

_MIRAR_S: Final = 0.1
_VUELTA_S: Final = Ajustes().sondeo_s / 2
"""Lo menos que dura una vuelta por todos: sin esto se gastaría el núcleo en preguntar a quien no tiene nada."""


class _Contado(TransporteMqtt):
    """El de producción, que además cuenta los sobres que salen."""

    mandados: ClassVar[int] = 0

    def publicar(self, tema: str, carga: bytes) -> bool:
        salio = super().publicar(tema, carga)
        _Contado.mandados += salio and tema.endswith(_HECHOS)
        return salio


def armar(carpeta: Path) -> Enlace:
    """El enlace de ese kiosco, como `appliance.arranque.abrir_enlace` pero sin leer cada vez la misma definición."""
    identidad, proceso = leer_identidad(carpeta), noche().proceso
    almacen, reloj = abrir_almacen(carpeta), RelojDelSistema(proceso.huso)
    llave_centro = leer_publica(carpeta / "centro.pub.pem")
    tls = contexto_tls(carpeta / "ca.pem", carpeta / "tls.pem", carpeta / "tls.key")
    destino = (identidad.broker_host, identidad.broker_puerto)
    return Enlace(
        almacen=almacen,
        identidad=identidad,
        proceso=proceso.clave,
        firmante=LlaveDeArchivo(carpeta / "llave.pem", identidad.equipo),
        llave_centro=llave_centro,
        reloj=reloj,
        version="medicion",
        fabrica=lambda testamento: _Contado(*destino, identidad.equipo, tls, testamento),
        ajustes=AJUSTES,
        # Una espera de reconexión no debe detener a los demás: aquí sólo se deja pasar el turno.
        dormir=lambda _segundos: None,
        azar=random.Random(identidad.equipo),
        ordenes=CarrilDeOrdenes(almacen, identidad, proceso.clave, llave_centro, reloj, _sin_paquete),
    )


def _sin_paquete(_datos: bytes) -> Rechazo:
    return Rechazo("MEDICION", "aquí no se reciben definiciones", "esto es una medición", "ninguno")


def drenar(enlaces: Sequence[Enlace], plazo: float) -> list[float]:
    """Atiende a todos por turnos y devuelve a los cuántos segundos quedó vacía cada bandeja; menos si vence el
    plazo."""
    inicio = mirado = time.monotonic()
    vivos = [(enlace, enlace.pasos()) for enlace in enlaces]
    faltan, vacias = list(enlaces), list[float]()
    while faltan and (ahora := time.monotonic()) - inicio < plazo:
        for _, pasos in vivos:
            next(pasos)
        time.sleep(max(0.0, ahora + _VUELTA_S - time.monotonic()))
        if ahora - mirado > _MIRAR_S:
            mirado = ahora
            siguen = [e for e in faltan if e.almacen.resumen().pendientes]
            vacias += [time.monotonic() - inicio] * (len(faltan) - len(siguen))
            faltan = siguen
    return vacias


def principal() -> None:
    """Punto de entrada del proceso."""
    lector = argparse.ArgumentParser()
    lector.add_argument("--carpeta", type=Path, required=True)
    lector.add_argument("--equipos", required=True)
    lector.add_argument("--plazo", type=float, default=300.0)
    opciones = lector.parse_args()
    enlaces = [armar(opciones.carpeta / equipo) for equipo in opciones.equipos.split(",")]
    print("listos", flush=True)
    sys.stdin.readline()
    antes = time.process_time()
    vacias = drenar(enlaces, opciones.plazo)
    cpu = time.process_time() - antes
    print(json.dumps({"vacias": vacias, "cpu": cpu, "mandados": _Contado.mandados}), flush=True)


if __name__ == "__main__":
    principal()
