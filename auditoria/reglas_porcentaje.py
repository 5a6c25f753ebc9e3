"""Las aritméticas con que se ha llegado a un porcentaje, para nombrar la que explica uno publicado.

Sólo la primera cumple el Anexo 13 y vive en `nucleo.porcentaje`. Las demás usan punto flotante a propósito:
reproducen defectos observados (dominio §3.2) y no sirven para publicar.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from nucleo import porcentaje


@dataclass(frozen=True, slots=True)
class Aritmetica:
    """Una manera de pasar de (parte, total) a texto con cuatro decimales."""

    nombre: str
    calcular: Callable[[int, int], str]


def _flotante(parte: int, total: int) -> float:
    return parte * 100 / total


def _truncar(valor: float) -> float:
    return math.trunc(valor * 10_000) / 10_000


def _truncado(parte: int, total: int) -> str:
    return f"{_truncar(_flotante(parte, total)):.4f}"


def truncado_dos_veces(parte: int, total: int) -> str:
    """El porcentaje truncado dos veces en doble precisión, como lo publicó Oaxaca en 2022 (dominio §3.2)."""
    if total == 0:
        return "0.0000"
    return f"{_truncar(_truncar(_flotante(parte, total))):.4f}"


def _redondeado(parte: int, total: int) -> str:
    # Mitad hacia arriba, en enteros: dos veces la diezmilésima más uno, entre dos.
    return porcentaje.de_diezmilesimas((parte * 2_000_000 + total) // (2 * total))


EXACTA: Final = Aritmetica("truncamiento exacto con enteros", porcentaje.a_texto)

ALTERNATIVAS: Final = (
    Aritmetica("truncamiento doble en punto flotante", truncado_dos_veces),
    Aritmetica("truncamiento simple en punto flotante", _truncado),
    Aritmetica("redondeo", _redondeado),
)
"""Las que no cumplen, en el orden en que se prueban.

La doble va antes porque es la observada (Oaxaca 2022).
"""


def iguales(publicado: str, calculado: str) -> bool:
    """Si dos textos son el mismo número, aunque uno omita ceros finales (`0` y `0.0000`)."""
    try:
        return Decimal(publicado) == Decimal(calculado)
    except InvalidOperation:
        return False


def con_cuatro_decimales(publicado: str) -> bool:
    """Si el texto lleva los cuatro decimales que pide el Anexo 13."""
    return len(publicado.partition(".")[2]) == 4


def que_lo_explica(publicado: str, parte: int, total: int) -> Aritmetica | None:
    """La primera aritmética que reproduce lo publicado, empezando por la exacta; `None` si ninguna."""
    if iguales(publicado, EXACTA.calcular(parte, total)):
        return EXACTA
    if total == 0:
        return None
    return next((a for a in ALTERNATIVAS if iguales(publicado, a.calcular(parte, total))), None)
