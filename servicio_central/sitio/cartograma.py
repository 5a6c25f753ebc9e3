"""El mapa sin geografía: una tesela hexagonal por distrito o municipio, en panal y por número.

El catálogo no dice dónde queda cada división, así que nadie debe leer vecindad en el dibujo; lo que sí promete es que
cada una está siempre en el mismo sitio y que todas miden lo mismo.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

RADIO: Final = 50
"""Del centro a un vértice, en unidades del dibujo."""
MEDIO: Final = 43
"""Del centro a un lado: 50 por raíz de tres medios, en enteros."""
_HUECO: Final = 3


@dataclass(frozen=True, slots=True)
class Panal:
    """Centros de las teselas, en el orden pedido, y el tamaño del dibujo."""

    ancho: int
    alto: int
    centros: tuple[tuple[int, int], ...]


def panal(cuantas: int) -> Panal:
    """Coloca las teselas en renglones alternados de `c` y `c-1`, con el último centrado."""
    if cuantas <= 0:
        return Panal(2 * MEDIO, 2 * RADIO, ((MEDIO, RADIO),) * 0)
    columnas = _columnas(cuantas)
    renglones: list[int] = []
    faltan = cuantas
    while faltan:
        caben = max(columnas - len(renglones) % 2, 1)
        renglones.append(min(caben, faltan))
        faltan -= renglones[-1]
    paso, alto_paso = 2 * MEDIO + _HUECO, 3 * RADIO // 2 + _HUECO
    centros = []
    for y, cuantos in enumerate(renglones):
        caben = max(columnas - y % 2, 1)
        # Un renglón incompleto se centra sin salirse de la cuadrícula del panal.
        corrido = (caben - cuantos) // 2
        inicio = MEDIO + (y % 2) * paso // 2 + corrido * paso
        centros += [(inicio + x * paso + _HUECO, RADIO + y * alto_paso + _HUECO) for x in range(cuantos)]
    ancho = 2 * MEDIO + (columnas - 1) * paso + 2 * _HUECO
    return Panal(ancho, 2 * RADIO + (len(renglones) - 1) * alto_paso + 2 * _HUECO, tuple(centros))


def _columnas(cuantas: int) -> int:
    """Más ancho que alto, prefiriendo que el último renglón quede lleno."""
    ideal = max(isqrt(cuantas * 3 // 2), 1)
    if cuantas <= 3:
        return cuantas
    return min((ideal, ideal + 1, ideal + 2), key=lambda c: (_sobran(cuantas, c), c))


def _sobran(cuantas: int, columnas: int) -> int:
    doble = 2 * columnas - 1
    resto = cuantas % doble
    if resto in (0, columnas):
        return 0
    return columnas - resto if resto < columnas else doble - resto


HEXAGONO: Final = f"M0-{RADIO}L{MEDIO}-{RADIO // 2}V{RADIO // 2}L0 {RADIO}L-{MEDIO} {RADIO // 2}V-{RADIO // 2}Z"
"""Contorno de una tesela con el centro en el origen."""
