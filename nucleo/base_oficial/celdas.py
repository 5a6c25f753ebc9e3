"""Lo que hay dentro de una celda publicada, sin los adornos con que se protegió de la hoja de cálculo."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import Final

from nucleo.campo import ILEGIBLE, MAXIMO, SIN_DATO, Campo, Numero

_ENTERO: Final = re.compile(r"\d+|\d{1,3}(?:,\d{3})+", re.ASCII)


class Marca(Enum):
    """Lo que una celda de datos puede traer en lugar de un campo del acta."""

    VACIA = ""
    NO_EXISTE = "-"
    SIN_ACTA = "SIN ACTA"
    NO_APLICA = "N/A"
    DESCONOCIDA = "?"


_PALABRAS: Final[dict[str, Campo | Marca]] = {
    "": Marca.VACIA,
    "-": Marca.NO_EXISTE,
    "--": Marca.NO_EXISTE,
    "ILEGIBLE": ILEGIBLE,
    "SIN DATO": SIN_DATO,
    "SIN DATOS": SIN_DATO,
    "SIN ACTA": Marca.SIN_ACTA,
    "N/A": Marca.NO_APLICA,
}


def limpiar(celda: str) -> str:
    """Quita adornos: `="230085B0100"`, `'200003C0100` y `'280749C0200'` dejan sólo la clave."""
    texto = celda.strip()
    if texto.startswith('="') and texto.endswith('"') and len(texto) > 2:
        texto = texto[2:-1]
    if texto.startswith("'"):
        texto = texto[1:].removesuffix("'")
    return texto.strip()


def llano(texto: str) -> str:
    """Mayúsculas sin acentos y con espacios sencillos, para comparar palabras entre institutos."""
    partes = unicodedata.normalize("NFKD", texto)
    # Sólo se quitan los acentos: borrar todo lo que no es ASCII volvería vacía una celda con cifras de otro alfabeto.
    return " ".join("".join(c for c in partes if not unicodedata.combining(c)).upper().split())


def entero(celda: str) -> int | None:
    """Entero publicado, con o sin comas de millares (`1,187,254`); `None` si no lo es."""
    texto = limpiar(celda)
    if _ENTERO.fullmatch(texto) is None or len(texto) > 15:
        return None
    return int(texto.replace(",", ""))


def campo(celda: str) -> Campo | Marca:
    """Campo del acta que dice la celda, o la marca que ocupa su lugar."""
    numero = entero(celda)
    if numero is not None:
        return Numero(numero) if numero <= MAXIMO else Marca.DESCONOCIDA
    return _PALABRAS.get(llano(limpiar(celda)), Marca.DESCONOCIDA)
