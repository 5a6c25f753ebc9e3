"""Escribir en la máquina de quien vigila para que sobreviva a un corte de luz: nunca a medias y nunca hacia atrás."""

from __future__ import annotations

import os
from pathlib import Path


def escribir(ruta: Path, datos: bytes, permisos: int = 0o644) -> None:
    """Sustituye `ruta` de una vez; al volver ya está en el disco. Raises: OSError."""
    provisional = ruta.with_name(f".{ruta.name}.{os.getpid()}")
    provisional.unlink(missing_ok=True)
    descriptor = os.open(provisional, os.O_WRONLY | os.O_CREAT | os.O_EXCL, permisos)
    with os.fdopen(descriptor, "wb") as archivo:
        archivo.write(datos)
        archivo.flush()
        os.fsync(archivo.fileno())
    provisional.replace(ruta)
    sincronizar(ruta.parent)


def apuntar(enlace: Path, destino: str) -> None:
    """Hace que `enlace` apunte ahí, de una vez. Raises: OSError."""
    provisional = enlace.with_name(f".{enlace.name}.{os.getpid()}")
    provisional.unlink(missing_ok=True)
    provisional.symlink_to(destino)
    provisional.replace(enlace)
    sincronizar(enlace.parent)


def sincronizar(carpeta: Path) -> None:
    """fsync de la carpeta: sin él, un nombre recién puesto se puede perder. Raises: OSError."""
    descriptor = os.open(carpeta, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
