"""Leer la carga de lo firmado: JSON estricto y luego su forma, con una sola manera de decir que no la tiene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from joserfc.errors import JoseError

from nucleo.sobre import SobreInvalido, leer_json

_T = TypeVar("_T")

_SIN_FORMA: Final = (KeyError, TypeError, ValueError, AttributeError, JoseError)
"""Lo que lanza un lector cuando falta un campo, es de otra clase o su valor no cabe."""


def leer_carga(carga: bytes, leer: Callable[[dict[str, Any]], _T], que: str) -> _T:
    """Lo que `leer` saca de esa carga. Lo usa quien abre y también quien sella: nadie firma lo que no se podría abrir.

    Args:
        que: de qué se trata, con su artículo; va en el error.

    Raises:
        SobreInvalido: FORMA.
    """
    dato = leer_json(carga)
    try:
        return leer(dato)
    except _SIN_FORMA as error:
        raise SobreInvalido("FORMA", f"{que} no tiene la forma esperada") from error
