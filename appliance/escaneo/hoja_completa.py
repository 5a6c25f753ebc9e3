"""¿Está entera esta hoja? Se comprueba el archivo, no lo que dijo el controlador: un PNM trae escrito cuánto mide.

`scanimage` no revisa lo que escribe: con el disco lleno renombra como buena una hoja cortada.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from appliance import durable

_ENCABEZADO: Final = 512
"""Bytes que bastan para el de scanimage, con su comentario."""
_PNM: Final = re.compile(rb"P([456])\s+(?:#[^\n]*\n\s*)*(\d{1,6})\s+(?:#[^\n]*\n\s*)*(\d{1,6})\s")
_MAXIMO_TONO: Final = re.compile(rb"(?:#[^\n]*\n\s*)*(\d{1,5})\s")


def tamano_debido(encabezado: bytes) -> int | None:
    """Los bytes que debe medir ese PNM binario, o `None` si no es uno o no tiene píxeles."""
    inicio = _PNM.match(encabezado)
    if inicio is None:
        return None
    clase, ancho, alto = (int(g) for g in inicio.groups())
    if ancho == 0 or alto == 0:
        return None
    if clase == 4:
        return inicio.end() + (ancho + 7) // 8 * alto
    tono = _MAXIMO_TONO.match(encabezado, inicio.end())
    if tono is None or not 0 < int(tono[1]) < 65536:
        return None
    por_pixel = (3 if clase == 6 else 1) * (2 if int(tono[1]) > 255 else 1)
    return tono.end() + ancho * alto * por_pixel


def esta_entera(ruta: Path) -> bool:
    """Si el archivo es un PNM con todos sus píxeles. Raises: OSError."""
    descriptor = os.open(ruta, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as archivo:
        debido = tamano_debido(archivo.read(_ENCABEZADO))
        return debido is not None and debido == os.fstat(archivo.fileno()).st_size


def hacer_durable(provisional: Path, destino: Path) -> None:
    """fsync del contenido, su nombre definitivo y fsync de la carpeta: desde aquí sobrevive a un apagón.

    Raises:
        OSError: si no se pudo; `destino` no queda, o queda completo.
        FileExistsError: si ya había algo con ese nombre, que nunca se pisa.
    """
    descriptor = os.open(provisional, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.link(provisional, destino, follow_symlinks=False)
    provisional.unlink()
    durable.asegurar(destino.parent)
