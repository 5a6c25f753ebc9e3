"""Escribir para que sobreviva a un corte de luz: archivo temporal, fsync, renombre, fsync de la carpeta."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def escribir(ruta: Path, contenido: bytes, permisos: int = 0o644) -> None:
    """Escribe o sustituye `ruta` de una vez: quien la lea ve lo de antes o lo nuevo, nunca la mitad."""
    _escribir(ruta, contenido, permisos, None)


def sustituir(ruta: Path, contenido: bytes, permisos: int = 0o644) -> None:
    """Como `escribir`, pero conserva dueño y modo del que estaba; si no estaba, el dueño de la carpeta y `permisos`.

    Es para lo que lee otra cuenta: root que lo reescribe a su nombre la deja sin leerlo, y nadie se entera.
    """
    try:
        dato = ruta.stat()
        permisos = stat.S_IMODE(dato.st_mode)
    except FileNotFoundError:
        dato = ruta.parent.stat()
    _escribir(ruta, contenido, permisos, (dato.st_uid, dato.st_gid))


def _escribir(ruta: Path, contenido: bytes, permisos: int, dueno: tuple[int, int] | None) -> None:
    provisional = ruta.with_name(f".{ruta.name}.{os.getpid()}")
    try:
        # Nunca se sigue lo que alguien haya dejado con ese nombre: la carpeta puede ser de una cuenta menos confiable.
        provisional.unlink(missing_ok=True)
        _volcar(provisional, contenido, permisos, os.O_EXCL, dueno)
        provisional.replace(ruta)
    except BaseException:
        provisional.unlink(missing_ok=True)
        raise
    sincronizar(ruta.parent)


def crear(ruta: Path, contenido: bytes, permisos: int = 0o600) -> None:
    """Como `escribir`, pero nunca pisa lo que ya está.

    Raises:
        FileExistsError: si `ruta` existe.
    """
    _volcar(ruta, contenido, permisos, os.O_EXCL)
    sincronizar(ruta.parent)


def sincronizar(carpeta: Path) -> None:
    """fsync de la carpeta: sin él, el nombre recién puesto se puede perder aunque el contenido esté en disco."""
    descriptor = os.open(carpeta, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def carpeta_privada(ruta: Path) -> Path:
    """Crea la carpeta con permisos 0700 (o la deja como está) y la devuelve."""
    ruta.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ruta


def tomar(ruta: Path, *, esperar: bool = True) -> int:
    """Toma para sí ese archivo (o carpeta) y devuelve el descriptor; se suelta al cerrarlo o al morir el proceso.

    Raises:
        BlockingIOError: si otro lo tiene y no se quiso esperar.
    """
    como = os.O_RDONLY if ruta.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(ruta, como, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if esperar else fcntl.LOCK_NB))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def turno(ruta: Path) -> Iterator[None]:
    """Espera a que nadie más tenga tomado `ruta` y lo tiene mientras dura el bloque."""
    descriptor = tomar(ruta)
    try:
        yield
    finally:
        os.close(descriptor)


def _volcar(ruta: Path, contenido: bytes, permisos: int, modo: int, dueno: tuple[int, int] | None = None) -> None:
    descriptor = os.open(ruta, os.O_WRONLY | os.O_CREAT | modo, permisos)
    with os.fdopen(descriptor, "wb") as archivo:
        if dueno is not None:
            with suppress(PermissionError):  # sólo root regala archivos; a los demás ya les quedó suyo
                os.fchown(descriptor, *dueno)
            os.fchmod(descriptor, permisos)
        archivo.write(contenido)
        archivo.flush()
        os.fsync(archivo.fileno())
