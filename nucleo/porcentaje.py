"""Porcentajes con cuatro decimales truncados, en enteros.

El Anexo 13 pide cuatro posiciones, con ceros finales y sin redondear (LEEME INE e IECM 2024, variables de
resumen). Se divide en enteros porque el punto flotante ya publicó un porcentaje equivocado: Oaxaca 2022, 4356
de 5707 es 76.3273 y salió 76.3272.
"""

from __future__ import annotations

from typing import Final

_UNIDADES: Final = 10_000
"""Diezmilésimas que hay en un punto porcentual."""


def diezmilesimas(parte: int, total: int) -> int:
    """Porcentaje de `parte` en `total`, truncado, en diezmilésimas de punto: 45.8559 % es 458559.

    Un total de cero da cero: antes de la primera acta el porcentaje publicado es `0.0000`.

    Raises:
        ValueError: si alguna cantidad es negativa.
    """
    if parte < 0 or total < 0:
        raise ValueError(f"no hay porcentaje de {parte} entre {total}: las cantidades no son negativas")
    return parte * 100 * _UNIDADES // total if total else 0


def de_diezmilesimas(valor: int) -> str:
    """Forma publicada de un porcentaje en diezmilésimas: 458559 es `45.8559`."""
    entero, decimales = divmod(valor, _UNIDADES)
    return f"{entero}.{decimales:04d}"


def a_texto(parte: int, total: int) -> str:
    """Porcentaje publicado: `a_texto(2617, 5707)` es `45.8559`; con total cero, `0.0000`.

    Raises:
        ValueError: si alguna cantidad es negativa.
    """
    return de_diezmilesimas(diezmilesimas(parte, total))
