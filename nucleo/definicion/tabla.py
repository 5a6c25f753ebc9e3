"""Leer una tabla de TOML con sus tipos y juntar todos los defectos, cada uno con su línea.

Una clave ausente o inválida se anota una vez y se sustituye por un valor neutro, para seguir leyendo el resto
del archivo.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from nucleo.definicion.esquema import ESQUEMA
from nucleo.definicion.localizador import Localizador, Ruta
from nucleo.problema_archivo import Problema


@dataclass(frozen=True, slots=True)
class Forma:
    """Qué textos se aceptan, y cómo se le explica a quien escribió otra cosa."""

    patron: re.Pattern[str]
    descripcion: str


COLUMNA: Final = Forma(
    re.compile(r"[A-Z][A-Z0-9_]{0,39}"),
    "mayúsculas, cifras y guion bajo, hasta 40 posiciones, como PVEM o DIP_LOC",
)
NOMBRE: Final = Forma(
    re.compile(r"(?=\S).{1,200}(?<=\S)"), "un texto de 1 a 200 caracteres, sin espacios en los extremos"
)
LIBRE: Final = Forma(re.compile(r".{0,200}"), "un texto de hasta 200 caracteres")

_TIPOS: Final[Mapping[type, str]] = {
    str: "un texto entre comillas",
    bool: "true o false",
    int: "un entero",
    float: "un número con decimales",
    list: "una lista",
    dict: "una tabla",
    datetime: "una fecha con hora",
    date: "una fecha sin hora",
    time: "una hora sin fecha",
}


def nombre_de_tipo(dato: object) -> str:
    """El tipo de un valor de TOML, dicho en español."""
    return _TIPOS.get(type(dato), "otra cosa")


@dataclass
class Lectura:
    """Un archivo que se está leyendo y los defectos que lleva."""

    archivo: str
    localizador: Localizador
    problemas: list[Problema] = field(default_factory=list)

    def problema(self, ruta: Ruta, que: str, causa: str, siguiente: str) -> None:
        self.problemas.append(Problema(self.archivo, self.localizador.linea(ruta), que, causa, siguiente))


class Tabla:
    """Una tabla del archivo; al construirla se anotan las claves que sobran y faltan según `ESQUEMA[nombre]`."""

    def __init__(self, lectura: Lectura, ruta: Ruta, dato: Mapping[str, object], nombre: str) -> None:
        self.ruta: Final = ruta
        self._lectura = lectura
        self._dato = dato
        self._nombre = nombre
        self._revisar_claves()

    def _revisar_claves(self) -> None:
        claves = ESQUEMA[self._nombre]
        donde = f"en [{self._nombre}]" if self._nombre else "al inicio, fuera de las tablas"
        for llave in self._dato:
            if llave not in claves.todas:
                parecida = difflib.get_close_matches(llave[:80], claves.todas, 1)
                self.problema(
                    f"la clave «{llave[:60]}» no se conoce {donde}",
                    f"¿quiso decir «{parecida[0]}»?" if parecida else "está en otra tabla, o sobra",
                    f"las que se aceptan ahí son {', '.join(claves.todas)}",
                    llave,
                )
        for llave in claves.obligatorias:
            if llave not in self._dato:
                self.problema(
                    f"falta «{llave}» {donde}",
                    "se omitió al escribir la definición, o quedó en otra tabla",
                    f"agregue «{llave}» (docs/definicion.md dice qué lleva)",
                )

    def problema(self, que: str, causa: str, siguiente: str, *dentro: str | int) -> None:
        """Anota un defecto en la línea de `dentro` (clave, índice…) o en la de la tabla."""
        self._lectura.problema((*self.ruta, *dentro), que, causa, siguiente)

    def defectos(self) -> int:
        """Cuántos lleva anotados el archivo: quien depende de otra tabla sabe así si se leyó bien."""
        return len(self._lectura.problemas)

    def linea(self, *dentro: str | int) -> int:
        return self._lectura.localizador.linea((*self.ruta, *dentro))

    def __contains__(self, llave: str) -> bool:
        return llave in self._dato

    def _de_tipo(self, llave: str, tipo: type) -> object | None:
        """El valor si está y es exactamente de ese tipo (en TOML `true` no es un entero); si no, `None`."""
        dato = self._dato.get(llave)
        if dato is not None and type(dato) is not tipo:
            self._mal_tipo(dato, tipo, llave)
            return None
        return dato

    def _mal_tipo(self, dato: object, tipo: type, *dentro: str | int) -> None:
        self.problema(
            f"«{dentro[0]}» es {nombre_de_tipo(dato)} y debe ser {_TIPOS[tipo]}",
            "sobran o faltan comillas o corchetes",
            f"escriba {_TIPOS[tipo]}",
            *dentro,
        )

    def texto(self, llave: str, forma: Forma = NOMBRE, defecto: str = "") -> str:
        """Texto con esa forma; `defecto` si falta o no la tiene."""
        dato = self._de_tipo(llave, str)
        return dato if isinstance(dato, str) and self._con_forma(dato, forma, llave) else defecto

    def _con_forma(self, dato: str, forma: Forma, *dentro: str | int) -> bool:
        bien = forma.patron.fullmatch(dato) is not None and dato.isprintable()
        if not bien:
            self.problema(
                f"«{dentro[0]}» dice {dato[:60]!r}",
                "tiene caracteres o un largo que ahí no se admiten",
                f"escriba {forma.descripcion}",
                *dentro,
            )
        return bien

    def uno_de(self, llave: str, permitidos: tuple[str, ...], defecto: str) -> str:
        dato = self._de_tipo(llave, str)
        if not isinstance(dato, str) or dato in permitidos:
            return defecto if dato is None else str(dato)
        parecido = difflib.get_close_matches(dato[:80], permitidos, 1)
        self.problema(
            f"«{llave}» dice {dato[:60]!r}",
            f"¿quiso decir {parecido[0]!r}?" if parecido else "no es ninguno de los valores que se admiten",
            f"escriba uno de {', '.join(permitidos)}",
            llave,
        )
        return defecto

    def entero(self, llave: str, minimo: int, maximo: int, defecto: int = 0) -> int:
        dato = self._de_tipo(llave, int)
        if isinstance(dato, int) and not minimo <= dato <= maximo:
            self.problema(
                # Un entero de TOML puede tener miles de cifras.
                f"«{llave}» es {dato if abs(dato) < 10**12 else 'un número enorme'}",
                f"se admite de {minimo} a {maximo}",
                f"escriba un entero de {minimo} a {maximo}",
                llave,
            )
            return defecto
        return dato if isinstance(dato, int) else defecto

    def logico(self, llave: str, defecto: bool = False) -> bool:
        dato = self._de_tipo(llave, bool)
        return dato if isinstance(dato, bool) else defecto

    def momento(self, llave: str) -> datetime | None:
        """Fecha y hora con desfase; `None` si falta o no lo dice."""
        dato = self._de_tipo(llave, datetime)
        if not isinstance(dato, datetime):
            return None
        if dato.utcoffset() is None:
            self.problema(
                f"«{llave}» no dice su desfase",
                "sin él no se sabe a qué hora de qué huso se refiere",
                f"escríbalo con desfase, como {dato.isoformat()}-06:00",
                llave,
            )
            return None
        return dato

    def textos(self, llave: str, forma: Forma) -> tuple[str, ...] | None:
        """Lista de textos con esa forma, sin los inválidos; `None` si falta."""
        dato = self._de_tipo(llave, list)
        if not isinstance(dato, list):
            return None
        return tuple(
            e for i, e in enumerate(dato) if self._elemento(e, str, llave, i) and self._con_forma(e, forma, llave, i)
        )

    def listas(self, llave: str, forma: Forma) -> tuple[tuple[str, ...], ...] | None:
        """Lista de listas de textos; `None` si falta."""
        dato = self._de_tipo(llave, list)
        if not isinstance(dato, list):
            return None
        return tuple(
            tuple(
                e
                for j, e in enumerate(lista)
                if self._elemento(e, str, llave, i, j) and self._con_forma(e, forma, llave, i, j)
            )
            for i, lista in enumerate(dato)
            if self._elemento(lista, list, llave, i)
        )

    def enteros(self, llave: str) -> tuple[int, ...] | None:
        """Lista de enteros positivos; `None` si falta."""
        dato = self._de_tipo(llave, list)
        if not isinstance(dato, list):
            return None
        return tuple(e for i, e in enumerate(dato) if self._elemento(e, int, llave, i))

    def _elemento(self, dato: object, tipo: type, *dentro: str | int) -> bool:
        if type(dato) is not tipo:
            self._mal_tipo(dato, tipo, *dentro)
        return type(dato) is tipo

    def tabla(self, llave: str, nombre: str) -> Tabla | None:
        dato = self._de_tipo(llave, dict)
        return Tabla(self._lectura, (*self.ruta, llave), dato, nombre) if isinstance(dato, dict) else None

    def tablas(self, llave: str, nombre: str) -> Iterator[Tabla]:
        """Cada elemento de un arreglo de tablas (`[[…]]`)."""
        dato = self._dato.get(llave)
        if isinstance(dato, dict):
            que = f"«{llave}» es una sola tabla y debe ser una lista de tablas"
            self.problema(que, "corchetes sencillos en el encabezado", f"use [[…{llave}]]", llave)
            return
        dato = self._de_tipo(llave, list)
        for i, elemento in enumerate(dato if isinstance(dato, list) else ()):
            if self._elemento(elemento, dict, llave, i):
                yield Tabla(self._lectura, (*self.ruta, llave, i), elemento, nombre)

    def por_sigla(self, llave: str) -> dict[str, str] | None:
        """Tabla de sigla → texto (`abreviaturas`, `porcentajes`); `None` si falta o algún valor no es texto."""
        dato = self._de_tipo(llave, dict)
        if not isinstance(dato, dict):
            return None
        # Una lista, y no all() sobre la marcha: hay que señalar todos los que no sirven.
        sirven = [self._elemento_de_sigla(valor, llave, sigla) for sigla, valor in dato.items()]
        return dato if all(sirven) else None

    def _elemento_de_sigla(self, dato: object, llave: str, sigla: str) -> bool:
        if not isinstance(dato, str):
            self.problema(
                f"«{llave}.{sigla[:40]}» es {nombre_de_tipo(dato)} y debe ser un texto entre comillas",
                "un número con decimales en binario no puede guardar 53.33 exactamente"
                if isinstance(dato, float)
                else "faltan las comillas",
                "escríbalo entre comillas",
                llave,
                sigla,
            )
        return isinstance(dato, str)
