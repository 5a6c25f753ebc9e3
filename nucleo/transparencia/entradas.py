"""Los paquetes de entradas: lo que dice cada hoja, de 256 en 256, con su tamaño por delante (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nucleo.transparencia.baldosas import Baldosa, BaldosaInvalida

MAXIMO_ENTRADA: Final = 2**16 - 1
"""Bytes: el tamaño va en dos."""

_TAMANO: Final = 2


class EntradaNoCabe(ValueError):
    """Una hoja es más grande de lo que un paquete puede decir."""


def empaquetar(entradas: Iterable[bytes]) -> bytes:
    """Cada entrada con su tamaño por delante, en dos bytes, el más significativo primero.

    Raises:
        EntradaNoCabe: si alguna mide más de 65,535 bytes.
    """
    partes: list[bytes] = []
    for entrada in entradas:
        if len(entrada) > MAXIMO_ENTRADA:
            raise EntradaNoCabe(f"la hoja mide {len(entrada):,} bytes y en el registro caben {MAXIMO_ENTRADA:,}")
        partes += len(entrada).to_bytes(_TAMANO, "big"), entrada
    return b"".join(partes)


def leer_paquete(baldosa: Baldosa, datos: bytes) -> list[bytes]:
    """Las entradas de un paquete que llegó de fuera: tantas como dice su ancho, ni una más.

    Raises:
        BaldosaInvalida: si le faltan o le sobran bytes.
    """
    entradas, lugar = [], 0
    for numero in range(baldosa.ancho):
        inicio = lugar + _TAMANO
        fin = inicio + int.from_bytes(datos[lugar:inicio], "big")
        if fin > len(datos):
            raise BaldosaInvalida(baldosa.ruta, f"se acaba a media entrada {numero} de {baldosa.ancho}: está cortado")
        entradas.append(datos[inicio:fin])
        lugar = fin
    if lugar != len(datos):
        raise BaldosaInvalida(baldosa.ruta, f"trae {len(datos) - lugar} bytes después de la última entrada")
    return entradas
