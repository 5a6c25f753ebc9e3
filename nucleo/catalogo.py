"""El catálogo de casillas aprobadas: un CSV, una casilla por renglón, en el orden en que se publican.

Estricto con lo que haría mentir a un total (claves, duplicados, números) y tolerante con lo que sólo es raro,
que queda como aviso. Junta todos los defectos: quien corrige un catálogo de once mil renglones no debe
descubrirlos de uno en uno.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from nucleo.avisos_catalogo import SIN_DIVISION, avisos_de
from nucleo.casilla import Casilla, ClaveInvalida, partir_clave
from nucleo.problema_archivo import Problema

COLUMNAS: Final = (
    "CLAVE_CASILLA",
    "ID_DISTRITO",
    "DISTRITO",
    "ID_MUNICIPIO",
    "MUNICIPIO",
    "UBICACION",
    "LISTA_NOMINAL",
    "REPRESENTANTES",
)
"""Encabezado exacto, en cualquier orden."""

MAXIMO_RENGLONES: Final = 250_000
"""El país entero instaló unas 170 mil casillas en 2024; más que esto es otro archivo."""
MAXIMO_LINEA: Final = 1_000
"""Caracteres por renglón."""
MAXIMO_BYTES: Final = 64 * 2**20
"""Tamaño del CSV ya descomprimido: 250 000 renglones de 256 bytes."""
MAXIMO_PROBLEMAS: Final = 100
"""Defectos que se enumeran; el resto se cuenta. Con un separador equivocado falla cada renglón."""

_MAXIMO_NOMBRE: Final = 100
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Catalogo:
    """Lo que se leyó. Si `problemas` no está vacío, `casillas` está incompleto y no debe usarse."""

    casillas: Mapping[str, Casilla]
    """CLAVE_CASILLA → casilla, en el orden del archivo."""
    lineas: Mapping[str, int]
    """CLAVE_CASILLA → línea del archivo."""
    problemas: tuple[Problema, ...]
    avisos: tuple[Problema, ...]
    """Rarezas que no impiden usarlo: sección sin básica, lista nominal en cero, sección en dos distritos."""


def leer_catalogo(datos: bytes, nombre: str = "casillas.csv") -> Catalogo:
    """Lee el CSV del catálogo.

    Args:
        datos: bytes UTF-8, con o sin BOM, con renglones terminados en LF o CRLF.
        nombre: cómo llamar al archivo en los problemas.
    """
    lectura = _Lectura(nombre)
    if len(datos) > MAXIMO_BYTES:
        lectura.problema(
            0,
            f"mide más de {MAXIMO_BYTES // 2**20} MiB",
            "no es el catálogo de casillas",
            "revise qué archivo es",
        )
    else:
        lectura.leer(datos)
    return lectura.catalogo()


@dataclass
class _Lectura:
    nombre: str
    casillas: dict[str, Casilla] = field(default_factory=dict)
    lineas: dict[str, int] = field(default_factory=dict)
    problemas: list[Problema] = field(default_factory=list)
    avisos: tuple[Problema, ...] = ()
    nombres: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    """(columna, número) → (nombre, línea donde apareció por primera vez)."""

    def problema(self, linea: int, que: str, causa: str, siguiente: str) -> None:
        self.problemas.append(Problema(self.nombre, linea, que, causa, siguiente))

    def catalogo(self) -> Catalogo:
        problemas = self.problemas[:MAXIMO_PROBLEMAS]
        if sobran := len(self.problemas) - len(problemas):
            problemas.append(
                Problema(
                    self.nombre,
                    self.problemas[MAXIMO_PROBLEMAS].linea,
                    f"hay {sobran} problemas más, desde esta línea",
                    "un mismo error repetido en muchos renglones",
                    "corrija los primeros y vuelva a leer",
                )
            )
        return Catalogo(self.casillas, self.lineas, tuple(problemas), self.avisos)

    def leer(self, datos: bytes) -> None:
        try:
            texto = datos.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            linea = datos[: error.start].count(b"\n") + 1
            self.problema(
                linea,
                "hay bytes que no son UTF-8",
                "se guardó como «CSV (delimitado por comas)» de Excel, que usa Windows-1252",
                "guárdelo como «CSV UTF-8»",
            )
            return
        renglones = [renglon.removesuffix("\r") for renglon in texto.split("\n")]
        if renglones[-1] == "":
            renglones.pop()
        if not renglones:
            self.problema(0, "está vacío", "se guardó a medias", "vuelva a exportar el catálogo aprobado")
            return
        if len(renglones) - 1 > MAXIMO_RENGLONES:
            self.problema(
                MAXIMO_RENGLONES + 2,
                f"tiene más de {MAXIMO_RENGLONES} casillas",
                "no es el catálogo de una entidad",
                "revise qué archivo es",
            )
            return
        columnas = self._encabezado(renglones[0])
        if columnas is None:
            return
        if len(renglones) == 1:
            self.problema(1, "no trae ninguna casilla", "se exportó sólo el encabezado", "vuelva a exportarlo")
        for linea, renglon in enumerate(renglones[1:], 2):
            celdas = self._celdas(linea, renglon)
            if celdas is not None and self._del_tamano(linea, celdas, columnas):
                self._casilla(linea, dict(zip(columnas, celdas, strict=True)))
        self.avisos = avisos_de(self.casillas, self.lineas, self.nombre)

    def _celdas(self, linea: int, renglon: str) -> list[str] | None:
        # De uno en uno: así una comilla sin cerrar se señala donde está y no al final del archivo.
        if len(renglon) > MAXIMO_LINEA:
            self.problema(
                linea,
                f"el renglón tiene más de {MAXIMO_LINEA} caracteres",
                "se perdieron los saltos de línea",
                "vuelva a exportar el catálogo",
            )
            return None
        try:
            celdas = next(csv.reader([renglon], strict=True), [])
        except csv.Error:
            self.problema(
                linea,
                "hay una comilla sin pareja",
                "un nombre con comillas o con salto de línea",
                "quite la comilla",
            )
            return None
        celdas = [celda.strip() for celda in celdas]
        if not all(celda.isprintable() for celda in celdas):
            self.problema(
                linea,
                "hay caracteres invisibles",
                "se copió desde otro programa o los renglones terminan en CR",
                "vuelva a escribir el renglón",
            )
            return None
        return celdas

    def _del_tamano(self, linea: int, celdas: Sequence[str], columnas: Sequence[str]) -> bool:
        if not any(celdas):
            self.problema(linea, "el renglón está en blanco", "sobra un salto de línea", "bórrelo")
        elif len(celdas) != len(columnas):
            self.problema(
                linea,
                f"tiene {len(celdas)} columnas y deben ser {len(columnas)}",
                "un nombre con coma y sin comillas, o celdas borradas",
                "entrecomille el nombre o complete el renglón",
            )
        return len(celdas) == len(columnas) and any(celdas)

    def _encabezado(self, renglon: str) -> list[str] | None:
        columnas = self._celdas(1, renglon)
        if columnas is None:
            return None
        antes = len(self.problemas)
        for sobra in dict.fromkeys(c for c in columnas if c not in COLUMNAS):
            parecida = difflib.get_close_matches(sobra[:80].upper(), COLUMNAS, 1)
            self.problema(
                1,
                f"la columna {sobra[:40]!r} no existe",
                f"¿quiso decir {parecida[0]}?" if parecida else "el separador no es la coma, o es otro archivo",
                f"el encabezado debe ser {','.join(COLUMNAS)}",
            )
        for repetida in sorted({c for c in columnas if c in COLUMNAS and columnas.count(c) > 1}):
            self.problema(1, f"la columna {repetida} está repetida", "se pegó dos veces", "deje una sola")
        for falta in (c for c in COLUMNAS if c not in columnas):
            self.problema(
                1,
                f"falta la columna {falta}",
                "se exportó otro formato",
                f"el encabezado debe ser {','.join(COLUMNAS)}",
            )
        return columnas if len(self.problemas) == antes else None

    def _casilla(self, linea: int, celda: Mapping[str, str]) -> None:
        antes = len(self.problemas)
        try:
            partes = partir_clave(celda["CLAVE_CASILLA"])
        except ClaveInvalida as error:
            self.problema(
                linea,
                str(error),
                "la hoja de cálculo la convirtió en número o le quitó ceros",
                "escríbala con once posiciones: entidad, sección, tipo, número y extraordinaria contigua",
            )
            return
        distrito, distrito_nombre = self._division(linea, celda, "ID_DISTRITO", "DISTRITO", partes.tipo)
        municipio, municipio_nombre = self._division(linea, celda, "ID_MUNICIPIO", "MUNICIPIO", partes.tipo)
        casilla = Casilla(
            partes.entidad,
            partes.seccion,
            partes.tipo,
            partes.numero,
            partes.ext_contigua,
            distrito,
            distrito_nombre,
            municipio,
            municipio_nombre,
            self._entero(linea, celda, "UBICACION", 1, 2),
            self._entero(linea, celda, "LISTA_NOMINAL", 0, 99_999),
            self._entero(linea, celda, "REPRESENTANTES", 0, 999),
        )
        if casilla.especial and casilla.lista_nominal:
            self.problema(
                linea,
                f"la casilla especial {casilla.clave} tiene lista nominal {casilla.lista_nominal}",
                "se anotaron sus boletas; las especiales no tienen lista nominal",
                "escriba 0; el tope de boletas va en `boletas_especial`",
            )
        if casilla.clave in self.lineas:
            self.problema(
                linea,
                f"la casilla {casilla.clave} ya estaba en la línea {self.lineas[casilla.clave]}",
                "se pegaron dos listas que se enciman",
                "deje un solo renglón",
            )
        if len(self.problemas) == antes:
            self.casillas[casilla.clave] = casilla
            self.lineas[casilla.clave] = linea

    def _division(
        self, linea: int, celda: Mapping[str, str], col_id: str, col_nombre: str, tipo: str
    ) -> tuple[int | None, str]:
        nombre = celda[col_nombre]
        if len(nombre) > _MAXIMO_NOMBRE:
            self.problema(
                linea,
                f"{col_nombre} tiene más de {_MAXIMO_NOMBRE} caracteres",
                "se juntaron dos celdas",
                "abrévielo como en el acta",
            )
        if not celda[col_id]:
            if nombre and tipo not in SIN_DIVISION:
                self.problema(
                    linea, f"{col_nombre} trae nombre y {col_id} no", "se borró la celda", f"escriba {col_id}"
                )
            return None, nombre
        numero = self._entero(linea, celda, col_id, 1, 999)
        if not nombre:
            self.problema(
                linea, f"{col_id} trae número y {col_nombre} no", "se borró la celda", f"escriba {col_nombre}"
            )
        else:
            visto, donde = self.nombres.setdefault((col_nombre, numero), (nombre, linea))
            if visto != nombre:
                self.problema(
                    linea,
                    f"{col_nombre} {numero} se llama aquí {nombre!r} y en la línea {donde} {visto!r}",
                    "un número equivocado o un nombre escrito de dos formas",
                    "déjelos iguales",
                )
        return numero, nombre

    def _entero(self, linea: int, celda: Mapping[str, str], columna: str, minimo: int, maximo: int) -> int:
        texto = celda[columna]
        # Ocho cifras bastan para rechazar con calma; int() con miles de cifras es lento y luego falla.
        if texto.isascii() and texto.isdigit() and len(texto) <= 8 and minimo <= int(texto) <= maximo:
            return int(texto)
        self.problema(
            linea,
            f"{columna} dice {texto[:20]!r}",
            "está vacío, es negativo o la hoja de cálculo le puso comas o decimales",
            f"escriba un entero de {minimo} a {maximo}, sólo con cifras",
        )
        return minimo
