"""La historia de un enlace como línea de tiempo SVG: un tramo por estado, con palabras además de color."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from servicio_central.monitor.historia import Cambio
from servicio_central.monitor.retrato import EstadoDeEnlace
from servicio_central.monitor.vista import CLASES

ANCHO: Final = 1000
_CADA: Final = (5, 15, 30, 60, 120, 240)
"""Minutos entre marcas; se toma lo que dé doce o menos."""


@dataclass(frozen=True, slots=True)
class Tramo:
    """Un estado que duró. `x` y `ancho` en milésimas del dibujo."""

    x: int
    ancho: int
    clase: str
    titulo: str


@dataclass(frozen=True, slots=True)
class Marca:
    """Una hora en el eje."""

    x: int
    texto: str


@dataclass(frozen=True, slots=True)
class Linea:
    """El dibujo completo."""

    tramos: tuple[Tramo, ...]
    marcas: tuple[Marca, ...]


def dibujar(cambios: Sequence[Cambio], desde: datetime, hasta: datetime, huso: str) -> Linea:
    """Los tramos entre esas horas; antes del primer cambio no se sabe y queda en blanco."""
    local = ZoneInfo(huso)
    tramos = []
    for i, cambio in enumerate(cambios):
        fin = cambios[i + 1].hora if i + 1 < len(cambios) else hasta
        inicio, fin = max(cambio.hora, desde), min(fin, hasta)
        if inicio >= fin:
            continue
        x = _x(inicio, desde, hasta)
        dicho = f"{cambio.estado.value} de {inicio.astimezone(local):%H:%M:%S} a {fin.astimezone(local):%H:%M:%S}"
        if cambio.salida and cambio.estado is EstadoDeEnlace.EN_LINEA:
            dicho += f", por {cambio.salida}"
        # Un corte de segundos también se tiene que ver.
        tramos.append(Tramo(x, max(2, _x(fin, desde, hasta) - x), CLASES[cambio.estado], dicho))
    return Linea(tuple(tramos), _marcas(desde, hasta, local))


def _x(hora: datetime, desde: datetime, hasta: datetime) -> int:
    return int(ANCHO * ((hora - desde) / (hasta - desde)))


def _marcas(desde: datetime, hasta: datetime, local: ZoneInfo) -> tuple[Marca, ...]:
    minutos = (hasta - desde) / timedelta(minutes=1)
    cada = next((c for c in _CADA if minutos / c <= 10), _CADA[-1])
    hora = desde.astimezone(local).replace(minute=0, second=0, microsecond=0)
    marcas = []
    while hora < hasta:
        if hora > desde:
            marcas.append(Marca(_x(hora, desde, hasta), f"{hora:%H:%M}"))
        hora += timedelta(minutes=cada)
    return tuple(marcas)
