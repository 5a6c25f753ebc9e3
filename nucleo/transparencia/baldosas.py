"""Las baldosas: el árbol cortado en archivos de hasta 256 huellas que, llenos, ya no cambian (C2SP tlog-tiles).

La baldosa del nivel L guarda nodos del nivel 8·L del árbol: en la 0 van las huellas de las hojas y en cada una de más
arriba, las raíces de baldosas llenas. La que aún no se llena lleva su ancho en la ruta, y por eso tampoco cambia.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from nucleo.transparencia.arbol import TAMANO_HUELLA, Arbol

ALTURA: Final = 8
"""Niveles del árbol que abarca una baldosa."""
ANCHO: Final = 1 << ALTURA
"""Huellas de una baldosa llena: 8 KiB."""
ENTRADAS: Final = -1
"""El «nivel» de los paquetes de entradas, que van en baldosas paralelas a las del nivel 0."""

_RUTA: Final = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_NIVELES: Final = 64


class BaldosaInvalida(ValueError):
    """Una baldosa o un paquete de entradas falta, no se entiende o miente. El texto nombra su ruta y la causa."""

    def __init__(self, ruta: str, causa: str) -> None:
        super().__init__(f"{ruta}: {causa}")
        self.ruta = ruta
        self.causa = causa


class Baldosa(NamedTuple):
    """Cuál es: nivel (`ENTRADAS` si es un paquete), lugar en él y cuántas huellas o entradas lleva, de 1 a 256."""

    nivel: int
    indice: int
    ancho: int = ANCHO

    @property
    def llena(self) -> bool:
        return self.ancho == ANCHO

    @property
    def ruta(self) -> str:
        """La dirección, relativa a la raíz del registro: `tile/0/x001/234.p/17`, `tile/entries/000`."""
        nivel = "entries" if self.nivel == ENTRADAS else str(self.nivel)
        digitos = str(self.indice)
        digitos = digitos.zfill(-(-len(digitos) // 3) * 3)
        grupos = [digitos[i : i + 3] for i in range(0, len(digitos), 3)]
        numero = "/".join([*(f"x{g}" for g in grupos[:-1]), grupos[-1]])
        return f"tile/{nivel}/{numero}" + ("" if self.llena else f".p/{self.ancho}")


def leer_ruta(ruta: str) -> Baldosa:
    """La baldosa de esa ruta, escrita exactamente como aquí se escribe: a cada una le toca una sola.

    Raises:
        BaldosaInvalida: si no es la ruta de ninguna.
    """
    partes = _RUTA.fullmatch(ruta)
    if partes is not None:
        nivel = ENTRADAS if partes[1] == "entries" else int(partes[1])
        indice = int(partes[2].replace("/", "").replace("x", ""))
        baldosa = Baldosa(nivel, indice, ANCHO if partes[3] is None else int(partes[3]))
        if nivel < _NIVELES and baldosa.ancho <= ANCHO and baldosa.ruta == ruta:
            return baldosa
    raise BaldosaInvalida(ruta[:80], "no es la ruta de una baldosa")


def ancho_de(nivel: int, indice: int, tamano: int) -> int:
    """Cuántas lleva esa baldosa en un árbol de `tamano` hojas: de 0, si aún no existe, a 256."""
    cuantas = tamano >> (ALTURA * max(nivel, 0))
    return min(max(cuantas - indice * ANCHO, 0), ANCHO)


def baldosas_nuevas(viejo: int, nuevo: int) -> Iterator[Baldosa]:
    """Las que hay que escribir, o bajar, cuando el árbol pasa de `viejo` a `nuevo` hojas; de cero, todas.

    Primero las entradas y luego de abajo arriba: quien se interrumpe a la mitad no deja una huella sin lo que resume.

    Raises:
        ValueError: si el árbol no crece, o se pide un tamaño negativo.
    """
    if not 0 <= viejo <= nuevo:
        raise ValueError(f"un registro no pasa de {viejo} a {nuevo} hojas")
    for nivel in range(ENTRADAS, _NIVELES):
        antes, ahora = (tamano >> (ALTURA * max(nivel, 0)) for tamano in (viejo, nuevo))
        if not ahora:
            return
        if antes == ahora:
            continue
        for indice in range(antes // ANCHO, -(-ahora // ANCHO)):
            yield Baldosa(nivel, indice, ancho_de(nivel, indice, nuevo))


def bytes_de(baldosa: Baldosa, arbol: Arbol) -> bytes:
    """Lo que lleva una baldosa de huellas: 32 bytes por cada una.

    Raises:
        PruebaInvalida: si el árbol aún no llega hasta ahí.
    """
    return arbol.nodos(ALTURA * baldosa.nivel, baldosa.indice * ANCHO, baldosa.ancho)


def leer_huellas(baldosa: Baldosa, datos: bytes) -> bytes:
    """Las huellas de una baldosa que llegó de fuera.

    Raises:
        BaldosaInvalida: si no mide lo que debe.
    """
    if len(datos) != baldosa.ancho * TAMANO_HUELLA:
        debe = f"{baldosa.ancho} huellas, {baldosa.ancho * TAMANO_HUELLA}"
        raise BaldosaInvalida(baldosa.ruta, f"mide {len(datos)} bytes y son {debe}: está cortada o no es ésa")
    return datos
