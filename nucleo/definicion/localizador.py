"""En qué línea de un TOML está cada cosa.

`tomllib` entrega valores sin posición, y un error sin línea obliga a buscar a ojo en un archivo de mil
renglones. Este módulo no valida nada: recorre un texto que `tomllib` ya aceptó y anota dónde comienza cada
tabla, clave y elemento de lista.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final

Ruta = tuple[str | int, ...]
"""Camino desde la raíz: `("elecciones", 0, "coaliciones", 1, "partidos")`. Los enteros cuentan desde cero."""

_HUECO: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_CADENA: Final = re.compile(
    # Cuantificadores posesivos: nunca retroceden, y un texto de 1 MB se recorre una sola vez.
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}'
    r"|'''(?:[^']++|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\]++|\\.)*+"'
    r"|'[^']*+'",
    re.DOTALL,
)
_SUELTO: Final = re.compile(r"[^,\]}\n#]+")
_CLAVE_DESNUDA: Final = re.compile(r"[A-Za-z0-9_-]+")
_ESPACIO: Final = re.compile(r"[ \t]*")


class Localizador:
    """Índice de líneas de un TOML válido. Construirlo con un texto que `tomllib` rechaza no está definido."""

    def __init__(self, texto: str) -> None:
        # tomllib también iguala los finales de línea antes de leer.
        self._texto = texto.replace("\r\n", "\n")
        self._finales = [m.start() for m in re.finditer("\n", self._texto)]
        self._lineas: dict[Ruta, int] = {(): 1}
        self._cuentas: dict[Ruta, int] = {}
        self._recorrer()

    def linea(self, ruta: Ruta) -> int:
        """Línea (desde 1) donde comienza `ruta`; si no está escrita, la de lo más cercano que la contiene."""
        while ruta not in self._lineas:
            ruta = ruta[:-1]
        return self._lineas[ruta]

    def _anotar(self, ruta: Ruta, posicion: int) -> None:
        self._lineas.setdefault(ruta, bisect_right(self._finales, posicion - 1) + 1)

    def _recorrer(self) -> None:
        texto = self._texto
        actual: Ruta = ()
        i = self._saltar(0)
        while i < len(texto):
            if texto[i] == "[":
                actual, i = self._encabezado(i)
            else:
                i = self._asignacion(i, actual)
            i = self._saltar(i)

    def _saltar(self, i: int) -> int:
        hueco = _HUECO.match(self._texto, i)
        return hueco.end() if hueco else i

    def _encabezado(self, inicio: int) -> tuple[Ruta, int]:
        doble = self._texto.startswith("[[", inicio)
        partes, i = self._clave(inicio + (2 if doble else 1))
        ruta: Ruta = ()
        for parte in partes[:-1]:
            ruta = self._dentro((*ruta, parte))
            self._anotar(ruta, inicio)
        ruta = (*ruta, partes[-1])
        if doble:
            cuenta = self._cuentas[ruta] = self._cuentas.get(ruta, 0) + 1
            self._anotar(ruta, inicio)
            ruta = (*ruta, cuenta - 1)
        # Una tabla implícita ([a.b] antes de [a]) cede su línea al encabezado que la nombra.
        self._lineas.pop(ruta, None)
        self._anotar(ruta, inicio)
        return ruta, i + (2 if doble else 1)

    def _dentro(self, ruta: Ruta) -> Ruta:
        """La tabla que esa ruta nombra ahora: si es un arreglo de tablas, su último elemento."""
        return (*ruta, self._cuentas[ruta] - 1) if ruta in self._cuentas else ruta

    def _asignacion(self, inicio: int, tabla: Ruta) -> int:
        partes, i = self._clave(inicio)
        for n in range(1, len(partes) + 1):
            self._anotar((*tabla, *partes[:n]), inicio)
        return self._valor(self._saltar(i + 1), (*tabla, *partes))

    def _clave(self, i: int) -> tuple[tuple[str, ...], int]:
        """Partes de una clave con puntos y la posición de lo que la sigue (`=` o `]`)."""
        partes: list[str] = []
        while True:
            i = self._sin_espacios(i)
            if self._texto[i] in "\"'":
                fin = self._fin_cadena(i)
                # Los escapes de una clave entre comillas los descifra quien sabe hacerlo.
                partes.append(tomllib.loads(f"k = {self._texto[i:fin]}")["k"])
            else:
                desnuda = _CLAVE_DESNUDA.match(self._texto, i)
                fin = desnuda.end() if desnuda else i + 1
                partes.append(self._texto[i:fin])
            i = self._sin_espacios(fin)
            if not self._texto.startswith(".", i):
                return tuple(partes), i
            i += 1

    def _sin_espacios(self, i: int) -> int:
        espacio = _ESPACIO.match(self._texto, i)
        return espacio.end() if espacio else i

    def _fin_cadena(self, i: int) -> int:
        cadena = _CADENA.match(self._texto, i)
        return cadena.end() if cadena else i + 1

    def _valor(self, i: int, ruta: Ruta) -> int:
        """Recorre el valor que comienza en `i` y devuelve la posición que le sigue."""
        match self._texto[i]:
            case '"' | "'":
                return self._fin_cadena(i)
            case "[":
                return self._lista(i, ruta)
            case "{":
                return self._tabla_en_linea(i, ruta)
            case _:
                suelto = _SUELTO.match(self._texto, i)
                return suelto.end() if suelto else i + 1

    def _lista(self, i: int, ruta: Ruta) -> int:
        i, indice = self._saltar(i + 1), 0
        while self._texto[i] != "]":
            self._anotar((*ruta, indice), i)
            i = self._saltar(self._valor(i, (*ruta, indice)))
            indice += 1
            if self._texto[i] == ",":
                i = self._saltar(i + 1)
        return i + 1

    def _tabla_en_linea(self, i: int, ruta: Ruta) -> int:
        i = self._saltar(i + 1)
        while self._texto[i] != "}":
            i = self._saltar(self._asignacion(i, ruta))
            if self._texto[i] == ",":
                i = self._saltar(i + 1)
        return i + 1
