"""Abrir un archivo publicado comprimido y comprobar que ahí no viene nada más.

Un gzip puede llevar un nombre, un comentario, otro gzip detrás o bits sueltos al final, y casi nadie los ve.
"""

from __future__ import annotations

import zlib
from typing import Final

from auditoria.verificar.lector import MAXIMO_BYTES
from nucleo.gzip_acotado import descomprimir
from nucleo.publicacion.mentira import Mentira

_CABEZA: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02"
"""gzip, deflate, sin nombre ni comentario ni fecha, nivel 9 (RFC 1952 §2.3)."""
_SISTEMAS: Final = (3, 255)
"""Unix o desconocido: según la versión de Python."""
_LARGO: Final = 10
_COLA: Final = 8


def abrir(ruta: str, datos: bytes) -> bytes:
    """El contenido. Raises: Mentira, si no es exactamente un gzip de los que aquí se escriben."""
    try:
        contenido = descomprimir(datos, MAXIMO_BYTES)
    except ValueError as error:
        raise Mentira(ruta, str(error), "un gzip íntegro", "El archivo se alteró o se copió a medias.") from error
    if not datos.startswith(_CABEZA) or datos[_LARGO - 1] not in _SISTEMAS or _trae_bits_de_mas(datos, contenido):
        raise Mentira(
            ruta,
            "un gzip con datos que no son del contenido",
            "uno sin nombre, comentario, fecha ni bits de más",
            "Alguien escondió algo en el archivo, o lo volvió a comprimir.",
        )
    return contenido


def _trae_bits_de_mas(datos: bytes, contenido: bytes) -> bool:
    """Si en el último byte de deflate hay un 1 después de donde termina: nadie lo lee, y ahí debe haber ceros.

    El bit 1 más alto, o es del contenido, o es de más: se apaga y se ve si algo cambia.
    """
    ultimo = datos[-_COLA - 1]
    if not ultimo:
        return False
    apagado = ultimo & ~(1 << (ultimo.bit_length() - 1))
    lector = zlib.decompressobj(wbits=31)
    try:
        igual = lector.decompress(datos[: -_COLA - 1] + bytes((apagado,)) + datos[-_COLA:], len(contenido) + 1)
    except zlib.error:
        return False
    return lector.eof and igual == contenido
