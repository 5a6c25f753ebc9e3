"""Con qué programa se cuenta: la huella que va en la puesta en ceros y que cualquiera puede volver a calcular."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_RAIZ: Final = Path(__file__).resolve().parent.parent.parent
_PAQUETES: Final = ("nucleo", "servicio_central")


@cache
def huella_del_programa() -> str:
    """SHA-256 de los archivos del centro y del núcleo, en orden: nombre, un cero y el SHA-256 de cada uno."""
    suma = hashlib.sha256()
    for paquete in _PAQUETES:
        for archivo in sorted((_RAIZ / paquete).rglob("*")):
            if archivo.is_file() and "__pycache__" not in archivo.parts:
                suma.update(str(archivo.relative_to(_RAIZ)).encode() + b"\0")
                suma.update(hashlib.sha256(archivo.read_bytes()).digest())
    return suma.hexdigest()
