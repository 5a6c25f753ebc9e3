"""Que un archivo quede entero o no quede, aunque se vaya la luz: aparte, fsync, renombrar, fsync del directorio."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import Final

TEMPORAL: Final = ".a-medias-"
"""Con que empieza el nombre de lo que aún no está completo."""


def escribir(destino: Path, contenido: bytes, permisos: int = 0o600) -> None:
    """Deja `contenido` en `destino`, cuya carpeta ya existe; si no se puede, queda lo que había. Raises: OSError."""
    descriptor, nombre = tempfile.mkstemp(prefix=TEMPORAL, dir=destino.parent)
    try:
        with os.fdopen(descriptor, "wb") as archivo:
            archivo.write(contenido)
            archivo.flush()
            os.fchmod(archivo.fileno(), permisos)
            os.fsync(archivo.fileno())
        Path(nombre).replace(destino)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(nombre).unlink()
        raise
    asegurar(destino.parent)


def asegurar(carpeta: Path) -> None:
    """fsync de la carpeta: que el nombre nuevo sobreviva al apagón. Raises: OSError."""
    descriptor = os.open(carpeta, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disco_lleno(error: OSError) -> bool:
    """Si lo que faltó fue lugar: en el disco, en la cuota o en el tope del archivo."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
