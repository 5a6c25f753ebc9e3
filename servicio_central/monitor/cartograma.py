"""El mapa de la sala: un cartograma SVG con un recuadro por distrito, hecho en el servidor.

La definición no trae geometría, así que los distritos van en rejilla y por número: siempre en el mismo lugar. Si algún
día la trae, `formas` dibuja cada distrito con la suya.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from servicio_central.monitor.alarmas import en_palabras
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco, Lugar
from servicio_central.monitor.umbrales import Umbrales
from servicio_central.monitor.vista import SIN_CALOR, calor_de, edad_de

ANCHO: Final = 104
ALTO: Final = 74
_SEPARACION: Final = 6
_LETRAS: Final = 10


@dataclass(frozen=True, slots=True)
class Recuadro:
    """Un distrito en el dibujo. `forma` es el trazo SVG si la definición lo trae."""

    distrito: int
    titulo: str
    nombre: str
    avance: str
    estado: str
    calor: int
    x: int
    y: int
    lleno: int
    """De 0 a `ANCHO`: cuánto de la barra de avance."""
    forma: str = ""


@dataclass(frozen=True, slots=True)
class Cartograma:
    """El dibujo completo, en unidades del SVG."""

    ancho: int
    alto: int
    recuadros: tuple[Recuadro, ...]


def dibujar(
    lugares: Sequence[Lugar],
    kioscos: Sequence[Kiosco],
    ahora: datetime,
    umbrales: Umbrales,
    columnas: int = 0,
    formas: Mapping[int, str] | None = None,
) -> Cartograma:
    """Coloca y colorea los distritos; cada uno, como el peor de los kioscos que le mandan actas.

    Args:
        columnas: cuántos por renglón; 0 para lo más parecido a un cuadrado.
        formas: distrito → trazo SVG («d») en coordenadas del recuadro; quien falte se dibuja como recuadro.
    """
    por_renglon = columnas or max(1, math.ceil(math.sqrt(len(lugares) * 0.8)))
    por_nombre = {k.equipo: k for k in kioscos}
    recuadros = []
    for i, lugar in enumerate(lugares):
        suyos = [por_nombre[e] for e in lugar.equipos if e in por_nombre]
        calor, estado = _peor(suyos, ahora, umbrales)
        recuadros.append(
            Recuadro(
                lugar.distrito,
                f"Distrito {lugar.distrito} {lugar.nombre}: {lugar.con_hechos:,} de {lugar.esperadas:,} actas con "
                f"algo en el centro; {len(suyos)} CATD; {estado}",
                lugar.nombre if len(lugar.nombre) <= _LETRAS else lugar.nombre[: _LETRAS - 1] + "…",
                f"{lugar.con_hechos:,}/{lugar.esperadas:,}",
                estado,
                calor,
                _SEPARACION + (i % por_renglon) * (ANCHO + _SEPARACION),
                _SEPARACION + (i // por_renglon) * (ALTO + _SEPARACION),
                0 if not lugar.esperadas else (ANCHO - 16) * lugar.con_hechos // lugar.esperadas,
                (formas or {}).get(lugar.distrito, ""),
            )
        )
    renglones = math.ceil(len(lugares) / por_renglon) if lugares else 0
    return Cartograma(
        _SEPARACION + por_renglon * (ANCHO + _SEPARACION), _SEPARACION + renglones * (ALTO + _SEPARACION),
        tuple(recuadros),
    )  # fmt: skip


def _peor(kioscos: Sequence[Kiosco], ahora: datetime, umbrales: Umbrales) -> tuple[int, str]:
    if not kioscos:
        return SIN_CALOR, "sin actas"
    peor = max(kioscos, key=lambda k: (k.estado.callado, calor_de(k, ahora, umbrales), edad_de(k, ahora)))
    callados = sum(k.estado.callado for k in kioscos)
    calor = max(calor_de(k, ahora, umbrales) for k in kioscos)
    if callados:
        return calor, f"▲ {callados} sin señal"
    if peor.estado in (EstadoDeEnlace.NUNCA, EstadoDeEnlace.BAJA):
        return calor, peor.estado.value
    edad = max(edad_de(k, ahora) for k in kioscos)
    return calor, "● al día" if edad < umbrales.calor_s[0] else f"● {en_palabras(edad)}"
