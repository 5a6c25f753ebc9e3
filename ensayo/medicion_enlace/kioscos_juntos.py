"""Muchos kioscos en un solo proceso: el enlace, el almacén y el transporte de producción, en un hilo.

Cada uno despierta cuando le llega algo o se cumple su espera, como si corriera solo; lo que no puede es esperar por su
cuenta, porque detendría a los demás.

Se corre como proceso aparte. Dice `listos`, espera un renglón en la entrada, y al vaciarse todas las bandejas escribe
en JSON a los cuántos segundos se vació cada una, cuántos sobres mandó y cuánta CPU usó.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from appliance.enlace.ajustes import Ajustes
from appliance.enlace.carril_de_ordenes import CarrilDeOrdenes
from appliance.enlace.ciclo import Enlace
from appliance.enlace.transporte import Mensaje
from appliance.enlace.transporte_mqtt import TransporteMqtt, contexto_tls
from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo, leer_publica
from appliance.reloj import RelojDelSistema
from ensayo.medicion_enlace.banco import abrir_almacen
from ensayo.medicion_enlace.material import noche
from nucleo.problema import Rechazo
from nucleo.temas import Carril

_HECHOS: Final = f"/{Carril.HECHOS.value}"
_MIRAR_S: Final = 0.25
_JUNTAR_S: Final = 0.005
"""Lo que se deja juntar antes de cada vuelta: buscar a quién le toca cuesta lo que atenderlo."""


class _Contado(TransporteMqtt):
    """El de producción, que no espera en su enchufe y cuenta los sobres que salen."""

    mandados: ClassVar[int] = 0

    def publicar(self, tema: str, carga: bytes) -> bool:
        salio = super().publicar(tema, carga)
        _Contado.mandados += salio and tema.endswith(_HECHOS)
        return salio

    def bombear(self, segundos: float) -> list[Mensaje]:
        return super().bombear(0.0)

    @property
    def descriptor(self) -> int:
        """El de su enchufe; -1 si no está abierto."""
        enchufe = self._cliente.socket()
        return -1 if enchufe is None else enchufe.fileno()

    @property
    def descifrado(self) -> bool:
        """Si hay algo por leer que el sistema ya no ve, porque TLS lo descifró junto con lo anterior."""
        enchufe = self._cliente.socket()
        return isinstance(enchufe, ssl.SSLSocket) and enchufe.pending() > 0


class Kiosco:
    """Un enlace, el transporte que tiene abierto y cuándo despertarlo si no le llega nada."""

    def __init__(self, carpeta: Path) -> None:
        self.toca = 0.0
        self.descriptor = -1
        self._transporte: _Contado | None = None
        self.enlace = _armar(carpeta, self._abrir)
        self._pasos = self.enlace.pasos()

    def paso(self) -> None:
        """Lo atiende una vez."""
        espera = next(self._pasos)
        abierto = self._transporte
        self.descriptor = -1 if abierto is None else abierto.descriptor
        self.toca = 0.0 if abierto is not None and abierto.descifrado else time.monotonic() + espera

    def _abrir(self, transporte: _Contado) -> _Contado:
        self._transporte = transporte
        return transporte


def _armar(carpeta: Path, abrir: Callable[[_Contado], _Contado]) -> Enlace:
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
        fabrica=lambda testamento: abrir(_Contado(*destino, identidad.equipo, tls, testamento)),
        ajustes=Ajustes(),
        # Una espera de reconexión no debe detener a los demás: se cumple afuera, con lo que dice cada paso.
        dormir=lambda _segundos: None,
        azar=random.Random(identidad.equipo),
        ordenes=CarrilDeOrdenes(almacen, identidad, proceso.clave, llave_centro, reloj, _sin_paquete),
    )


def _sin_paquete(_datos: bytes) -> Rechazo:
    return Rechazo("MEDICION", "aquí no se reciben definiciones", "esto es una medición", "ninguno")


def drenar(kioscos: Sequence[Kiosco], plazo: float) -> list[float]:
    """Los atiende a todos y devuelve a los cuántos segundos quedó vacía cada bandeja; menos si vence el plazo."""
    inicio = mirado = time.monotonic()
    enchufes, de_quien = select.poll(), dict[int, Kiosco]()
    faltan, vacias = [k.enlace for k in kioscos], list[float]()
    while faltan and (ahora := time.monotonic()) - inicio < plazo:
        time.sleep(_JUNTAR_S)
        espera_s = min(_MIRAR_S, min(k.toca for k in kioscos) - time.monotonic())
        for descriptor, suceso in enchufes.poll(max(0.0, espera_s * 1000)):
            de_quien[descriptor].toca = 0.0
            if suceso & select.POLLNVAL:
                # Lo cerró quien lo tenía.
                enchufes.unregister(descriptor)
                del de_quien[descriptor]
        for kiosco in kioscos:
            if kiosco.toca <= time.monotonic():
                kiosco.paso()
                if de_quien.get(kiosco.descriptor) is not kiosco and kiosco.descriptor >= 0:
                    de_quien[kiosco.descriptor] = kiosco
                    enchufes.register(kiosco.descriptor, select.POLLIN)
        if ahora - mirado > _MIRAR_S:
            mirado = ahora
            siguen = [e for e in faltan if e.almacen.pendientes(limite=1) or e.almacen.resumen().pendientes]
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
    kioscos = [Kiosco(opciones.carpeta / equipo) for equipo in opciones.equipos.split(",")]
    print("listos", flush=True)
    sys.stdin.readline()
    antes = time.process_time()
    vacias = drenar(kioscos, opciones.plazo)
    cpu = time.process_time() - antes
    print(json.dumps({"vacias": vacias, "cpu": cpu, "mandados": _Contado.mandados}), flush=True)


if __name__ == "__main__":
    principal()
