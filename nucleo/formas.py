"""Las formas que se repiten en todo lo firmado, y leerlas de un JSON sin creerle nada."""

from __future__ import annotations

import re
from typing import Any, Final

EQUIPO: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,38}")
"""El nombre de un kiosco o de un CATD: también es un nivel de tema MQTT y el CN de un certificado."""
EPOCA: Final = re.compile(r"[0-9a-f]{16}")
HEX64: Final = re.compile(r"[0-9a-f]{64}")
"""Un SHA-256."""
CORTO: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,80}")
"""Claves de proceso, modos y versiones."""


def texto(dato: object, forma: re.Pattern[str]) -> str:
    """Ese dato, si es un texto que cumple entera la forma. Raises: ValueError."""
    if not isinstance(dato, str) or forma.fullmatch(dato) is None:
        raise ValueError(f"{str(dato)[:40]!r} no tiene la forma esperada")
    return dato


def entero(dato: object, desde: int = 0, antes_de: int = 2**53) -> int:
    """Ese dato, si es un entero (un booleano no lo es) de `desde` a `antes_de` - 1. Raises: ValueError.

    Más allá de 2**53 dos lectores de JSON ya no leerían lo mismo (RFC 8259 §6).
    """
    if not isinstance(dato, int) or isinstance(dato, bool) or not desde <= dato < antes_de:
        raise ValueError(f"{str(dato)[:40]!r} no es un entero de {desde} a {antes_de - 1}")
    return dato


def lista(dato: object, maximo: int) -> list[Any]:
    """Ese dato, si es una lista de a lo más `maximo`. Raises: ValueError."""
    if not isinstance(dato, list) or len(dato) > maximo:
        raise ValueError(f"no es una lista de hasta {maximo}")
    return dato
