"""Lo que de ninguna manera se puede ahorrar, medido en la misma corrida: firmas, lotes y una vuelta sin red."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from ensayo.medicion_enlace.material import capturas, centro_aparte, noche
from ensayo.medir import confirmar, preparar, verificar
from ensayo.tuberia import EQUIPO, montar
from nucleo.acuse import abrir_acuse
from servicio_central.ingesta import LOTE, mensaje_de_hecho


@dataclass(frozen=True)
class Limite:
    """Segundos por sobre de «verificar + lote confirmado», a secas: de CPU y de pared."""

    cpu: float
    pared: float


def limite(carpeta: Path, sobres: int) -> Limite:
    """Verifica las firmas de tantos sobres de verdad y confirma sus bytes en SQLite, en lotes como los del centro."""
    carpeta.mkdir()
    _, llave, mensajes = preparar(sobres, carpeta)
    publica = llave.get_op_key("verify")
    assert isinstance(publica, ec.EllipticCurvePublicKey)
    lotes = [mensajes[i : i + LOTE] for i in range(0, len(mensajes), LOTE)]
    cpu, pared = time.process_time(), time.perf_counter()
    verificar(publica, mensajes)
    confirmar(carpeta / "referencia.sqlite", lotes)
    return Limite((time.process_time() - cpu) / sobres, (time.perf_counter() - pared) / sobres)


def vueltas_sin_red(carpeta: Path, veces: int) -> list[float]:
    """Segundos de cada vuelta en un solo proceso: asentar, ingerir de a uno y comprobar el acuse; los dos SQLite en
    el mismo disco. Es lo que queda del camino si se quitan bróker, TLS, sondeo y espera del lote."""
    carpeta.mkdir()
    tuberia = montar(carpeta, noche().proceso, noche().inicio)
    ingesta, _, llave = centro_aparte(tuberia, noche(), carpeta / "centro.sqlite")
    almacen, segundos = tuberia.mesa.almacen, []
    for hecho, _ in zip(capturas(), range(veces), strict=False):
        inicio = time.perf_counter()
        (asiento,) = almacen.asentar([hecho], hecho.hora, "virtual")
        (sobre,) = almacen.sobres(asiento.secuencia, asiento.secuencia)
        resultado = ingesta.procesar([mensaje_de_hecho(tuberia.ambito, EQUIPO, sobre.sobre)])
        almacen.cerrar(abrir_acuse(resultado.acuses[0][1], llave.llave), hecho.hora)
        segundos.append(time.perf_counter() - inicio)
    almacen.desconectar()
    return segundos
