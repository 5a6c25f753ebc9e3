"""Lo que hacen las personas de un kiosco esa noche: los hechos de unas cuantas actas, a su hora.

Hay de todo: actas en que dos lecturas coinciden, en que difieren y las decide una tercera, que se recapturan, que nunca
llegan, y actas que dos CATD capturan sin saberlo.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ensayo.laboratorio.proceso import RENGLONES
from ensayo.proceso_inventado import ELECCION
from nucleo.acta import Asentado, Digitalizacion, MotivoSinActa, Origen
from nucleo.campo import Campo, Numero
from nucleo.hechos import (
    Acopio,
    Captura,
    Correccion,
    FueraDeCatalogo,
    Hecho,
    IdActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
)
from nucleo.trozo import MAXIMO_DATOS

Hacer = Callable[[datetime], Hecho]
"""El hecho, con la hora del kiosco en que de verdad se haga."""


@dataclass(frozen=True)
class Tarea:
    """Una acción de una persona, a ese segundo de la noche."""

    segundo: float
    hacer: Hacer
    imagen: bytes = b""
    """La que se guarda en el disco antes de asentar el hecho que la nombra."""


@dataclass(frozen=True)
class _Digitalizar:
    hacer: Hacer
    imagen: bytes


def guion_de(azar: random.Random, casillas: Sequence[str], hechos: int, desde: float, hasta: float) -> list[Tarea]:
    """Tareas para asentar `hechos` hechos sobre esas casillas, de un segundo a otro."""
    pasos: list[Hacer | _Digitalizar] = []
    orden = list(casillas)
    while len(pasos) < hechos:
        if not orden:
            orden = list(casillas)
        pasos += _de_un_acta(azar, orden.pop(0))
    # Las personas trabajan a ratos: horas sueltas y de pronto varias cosas casi juntas.
    segundos = sorted(azar.uniform(desde, hasta) for _ in pasos[:hechos])
    return [
        Tarea(s, p.hacer, p.imagen) if isinstance(p, _Digitalizar) else Tarea(s, p)
        for s, p in zip(segundos, pasos, strict=False)
    ]


def _de_un_acta(azar: random.Random, casilla: str) -> Iterator[Hacer | _Digitalizar]:
    acta = IdActa(ELECCION, casilla)
    suerte = azar.random()
    if suerte < 0.07:
        folio = f"F{azar.randrange(10**6)}"
        yield lambda h: FueraDeCatalogo(
            *(ELECCION, folio, h, Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "", "b" * 64, "digital-1")
        )
        return
    if suerte < 0.14:
        yield lambda h: SinActa(acta, h, MotivoSinActa.PAQUETE_SIN_BOLSA, "acopio-1", "coordina-1")
        if suerte < 0.10:
            return
    # De uno a tres trozos; y alguna imagen que ya no está en el disco cuando le toca.
    imagen = azar.randbytes(azar.randrange(200, 3 * MAXIMO_DATOS))
    sha256, guardada = hashlib.sha256(imagen).hexdigest(), azar.random() < 0.95
    yield lambda h: Acopio(acta, h, Origen.CATD, "ACTA PREP", "", "acopio-1")
    yield _Digitalizar(
        lambda h: Imagen(acta, h, sha256, len(imagen), Digitalizacion.ESCANER, "digital-1"), imagen if guardada else b""
    )
    yield from _una_vuelta(azar, acta, 1)
    if azar.random() < 0.12:
        yield lambda h: Recaptura(acta, 2, h, "coordina-1", "el papel no coincide")
        yield from _una_vuelta(azar, acta, 2)


def _una_vuelta(azar: random.Random, acta: IdActa, vuelta: int) -> Iterator[Hacer]:
    votos = {r: azar.randrange(90) for r in RENGLONES}
    yield _captura(acta, vuelta, "captura-1", votos)
    difieren = azar.sample(RENGLONES, azar.choice((0, 0, 0, 1, 2)))
    otros = votos | {r: votos[r] + 1 for r in difieren}
    yield _captura(acta, vuelta, "captura-2", otros)
    if not difieren:
        return
    terca = azar.random() < 0.3
    leidos: dict[str, Campo] = {r: Numero(votos[r] + 7 * terca) for r in difieren}
    yield lambda h: Correccion(acta, vuelta, h, "captura-3", leidos)
    if terca:
        yield lambda h: Revision(acta, vuelta, h, ("revisa-1", "revisa-2"), {r: Numero(votos[r]) for r in difieren})


def _captura(acta: IdActa, vuelta: int, persona: str, votos: dict[str, int]) -> Hacer:
    campos: dict[str, Campo] = {r: Numero(n) for r, n in votos.items()}
    total = Numero(sum(votos.values()))
    asentado = Asentado(campos, Numero(100), total, Numero(0), total, total)
    return lambda h: Captura(acta, vuelta, h, persona, asentado)
