"""Escribir un archivo entero o nada, aunque se vaya la luz: aparte, fsync, renombrar, fsync del directorio."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import Final

from nucleo.problema import Rechazo

_TEMPORAL: Final = ".a-medias-"


def escribir(destino: Path, contenido: bytes, permisos: int = 0o644) -> Rechazo | None:
    """Deja `contenido` en `destino`, cuya carpeta ya existe. Si no se puede, lo que había sigue igual; dice por qué."""
    try:
        _escribir(destino, contenido, permisos)
    except OSError as error:
        return no_se_escribio(destino, error)
    return None


def no_se_escribio(destino: Path, error: OSError) -> Rechazo:
    """Por qué el disco no admitió ese archivo."""
    que = f"No se escribió {destino}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Rechazo("DISCO_LLENO", que, "el disco está lleno", "libere espacio y repita; lo que había sigue igual")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        causa = "esta cuenta no puede escribir ahí, o el disco es de sólo lectura"
        return Rechazo("SIN_PERMISO", que, causa, "repita como administrador (root)")
    return Rechazo(
        "DISCO", f"{que} ({error.strerror})", "la carpeta no está o el disco falla", "revise la ruta y repita"
    )


def _escribir(destino: Path, contenido: bytes, permisos: int) -> None:
    descriptor, nombre = tempfile.mkstemp(prefix=_TEMPORAL, dir=destino.parent)
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
    carpeta = os.open(destino.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(carpeta)
    finally:
        os.close(carpeta)
