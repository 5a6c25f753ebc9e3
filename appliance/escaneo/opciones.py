"""Qué se le puede pedir al controlador de un escáner: ni un perfil ni nadie elige el aparato ni dónde se escribe.

Es la única lista: la usan quien lee los perfiles, para explicarle a su autor lo que sobra, y quien arma la orden de un
lote, para no correrla.
"""

from __future__ import annotations

import re
from typing import Final

MEDIDAS: Final = ("-l", "-t", "-x", "-y")
"""Las que llevan después sus milímetros, en un argumento aparte."""

_LARGA: Final = re.compile(r"(--[a-z][a-z0-9-]{1,39})(=[\w ./()%-]{1,200})?")
_MEDIDA: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")
_VARIABLE: Final = re.compile(r"SANE_DEBUG_[A-Z0-9_]{1,30}")
_NIVEL: Final = re.compile(r"[0-9]{1,3}")
_DE_SCANIMAGE: Final = (
    *("--device-name", "--format", "--icc-profile", "--list-devices", "--formatted-device-list", "--batch"),
    *("--batch-start", "--batch-count", "--batch-increment", "--batch-double", "--batch-prompt", "--batch-print"),
    *("--accept-md5-only", "--progress", "--output-file", "--dont-scan", "--test", "--all-options", "--help"),
    *("--verbose", "--buffer-size", "--version"),
)


def opcion_prohibida(anterior: str, opcion: str) -> bool:
    """Si esa opción no es una del controlador.

    Args:
        anterior: la que va antes en la lista, o vacía; a `MEDIDAS` le sigue su medida, y nada más lleva una.
    """
    if anterior in MEDIDAS:
        return _MEDIDA.fullmatch(opcion) is None
    if opcion in MEDIDAS:
        return False
    larga = _LARGA.fullmatch(opcion)
    # scanimage acepta abreviaturas: «--out» también es --output-file.
    return larga is None or any(propia.startswith(larga[1]) for propia in _DE_SCANIMAGE)


def variable_prohibida(variable: str, nivel: str) -> bool:
    """Si esa variable de ambiente no es el nivel de depuración de un controlador (`SANE_DEBUG_FUJITSU`, de 0 a 999)."""
    return _VARIABLE.fullmatch(variable) is None or _NIVEL.fullmatch(nivel) is None
