"""Con qué letra está escrita una base: codificación, separador, fin de línea y adornos (dominio §7.2)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nucleo.base_oficial.ilegible import BaseIlegible

SEPARADORES: Final = "|,;\t"

_NOMBRES: Final = {"|": "barra vertical", ",": "coma", ";": "punto y coma", "\t": "tabulador"}

_UTF_16_Y_32: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Dialecto:
    """Forma del archivo leído."""

    separador: str
    codificacion: str
    """`ascii`, `utf-8`, `cp1252` o `latin-1`."""
    bom: bool
    fin_de_linea: str
    """`LF`, `CRLF` o `CR`."""
    linea_sep: bool
    """Si empieza con `sep=|`, la instrucción que entiende Excel."""
    adornos: tuple[str, ...]
    """Cómo venían protegidas las celdas: `'x`, `'x'`, `="x"`."""

    def describir(self) -> str:
        """Una frase para una persona."""
        partes = [
            f"separado por {_NOMBRES[self.separador]}",
            self.codificacion + (" con BOM" if self.bom else ""),
        ]
        partes.append(f"renglones con {self.fin_de_linea}")
        if self.linea_sep:
            partes.append("primera línea sep=")
        if self.adornos:
            partes.append("celdas adornadas " + " ".join(self.adornos))
        return ", ".join(partes)


def decodificar(crudo: bytes, nombre: str) -> tuple[str, str, bool]:
    """Texto, codificación y si traía BOM.

    Raises:
        BaseIlegible: si es UTF-16 o trae bytes nulos (un binario).
    """
    if crudo.startswith(_UTF_16_Y_32) or b"\0" in crudo:
        raise BaseIlegible(
            nombre,
            0,
            "el contenido no es un texto CSV",
            "es una hoja de cálculo o un archivo guardado como «texto Unicode»",
            "descargue otra vez el archivo original, sin abrirlo ni guardarlo con otro programa",
        )
    bom = crudo.startswith(codecs.BOM_UTF8)
    cuerpo = crudo.removeprefix(codecs.BOM_UTF8)
    try:
        return cuerpo.decode("utf-8"), "ascii" if cuerpo.isascii() else "utf-8", bom
    except UnicodeDecodeError:
        pass
    try:
        # En latin-1 los bytes 0x80 a 0x9f son controles que nadie escribe: si los hay, es la página de Windows.
        if re.search(rb"[\x80-\x9f]", cuerpo):
            return cuerpo.decode("cp1252"), "cp1252", bom
    except UnicodeDecodeError:
        pass
    return cuerpo.decode("latin-1"), "latin-1", bom


def fin_de_linea(texto: str) -> str:
    """`LF`, `CRLF` o `CR`, el que más aparezca."""
    crlf = texto.count("\r\n")
    cuentas = {"LF": texto.count("\n") - crlf, "CRLF": crlf, "CR": texto.count("\r") - crlf}
    return max(cuentas, key=lambda fin: cuentas[fin])


def separador(linea: str) -> str:
    """El separador que más aparece en una línea de nombres; coma si no hay ninguno."""
    return max(SEPARADORES, key=linea.count) if any(s in linea for s in SEPARADORES) else ","


def adornos(celdas: Iterable[str]) -> tuple[str, ...]:
    """Qué adornos llevan las celdas, sin repetir y en orden fijo."""
    vistos = set()
    for celda in celdas:
        texto = celda.strip()
        if texto.startswith('="'):
            vistos.add('="x"')
        elif texto.startswith("'"):
            vistos.add("'x'" if texto.endswith("'") and len(texto) > 1 else "'x")
    return tuple(sorted(vistos))
