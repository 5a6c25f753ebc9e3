"""Descomprimir sin que un archivo de 1 MB ocupe 1 GB de memoria."""

from __future__ import annotations

import zlib


class DemasiadoGrande(ValueError):
    """El contenido descomprimido rebasa el tope."""


def descomprimir(datos: bytes, tope: int) -> bytes:
    """Contenido de un gzip de un solo miembro; nunca ocupa más de `tope` bytes.

    Raises:
        DemasiadoGrande: si el contenido rebasa el tope.
        ValueError: si no es un gzip, está cortado o trae algo después.
    """
    lector = zlib.decompressobj(wbits=31)
    try:
        contenido = lector.decompress(datos, tope + 1)
    except zlib.error as error:
        raise ValueError("no es un gzip íntegro") from error
    if len(contenido) > tope:
        raise DemasiadoGrande(f"descomprimido rebasa {tope} bytes")
    if not lector.eof or lector.unused_data:
        raise ValueError("el gzip está cortado o trae bytes de más")
    return contenido
