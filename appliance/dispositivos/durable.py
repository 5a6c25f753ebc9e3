"""Escribir un archivo entero o nada, y decirle a una persona por qué no se pudo."""

from __future__ import annotations

import errno
from pathlib import Path

from appliance import durable
from nucleo.problema import Rechazo


def escribir(destino: Path, contenido: bytes, permisos: int = 0o644) -> Rechazo | None:
    """Deja `contenido` en `destino`, cuya carpeta ya existe. Si no se puede, lo que había sigue igual; dice por qué."""
    try:
        durable.escribir(destino, contenido, permisos)
    except OSError as error:
        return no_se_escribio(destino, error)
    return None


def no_se_escribio(destino: Path, error: OSError) -> Rechazo:
    """Por qué el disco no admitió ese archivo."""
    que = f"No se escribió {destino}"
    if durable.disco_lleno(error):
        return Rechazo("DISCO_LLENO", que, "el disco está lleno", "libere espacio y repita; lo que había sigue igual")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        causa = "esta cuenta no puede escribir ahí, o el disco es de sólo lectura"
        return Rechazo("SIN_PERMISO", que, causa, "repita como administrador (root)")
    return Rechazo(
        "DISCO", f"{que} ({error.strerror})", "la carpeta no está o el disco falla", "revise la ruta y repita"
    )
