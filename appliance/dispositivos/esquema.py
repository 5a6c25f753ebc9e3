"""Qué llaves acepta un perfil, tabla por tabla, y qué forma tiene cada texto. Es el único lugar donde se enumeran."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from nucleo.definicion.esquema import Claves
from nucleo.definicion.tabla import Forma, Lectura, Tabla

RAIZ: Final = ""

ESQUEMA: Final[Mapping[str, Claves]] = {
    RAIZ: Claves(
        ("clave", "clase", "marca", "modelo"),
        ("simulado", "notas", "usb", "sane", "lector", "firmware", "diagnostico", "fallas"),
    ),
    "usb": Claves(("vid", "pid", "verificado", "fuente"), ("modo",)),
    "sane": Claves(("backend", "origen", "dispositivo", "modos", "verificado", "fuente"), ("entorno",)),
    "lector": Claves(("modo", "sufijo")),
    "firmware": Claves(("version", "fuente"), ("archivo", "destino", "sha256")),
    "diagnostico": Claves(("pasos",)),
    "fallas": Claves(("clave",), ("estados", "dice", "que", "causa", "siguiente")),
}

COMUNES: Final[Mapping[str, Claves]] = {
    RAIZ: Claves(("fallas",)),
    "fallas": Claves(("clave", "que", "causa", "siguiente"), ("estados", "dice")),
}
"""Las de `fallas.toml`: ahí las palabras son obligatorias, porque de ahí las toman los perfiles."""

ESTADOS: Final = (
    *("GOOD", "UNSUPPORTED", "CANCELLED", "DEVICE_BUSY", "INVAL", "EOF"),
    *("JAMMED", "NO_DOCS", "COVER_OPEN", "IO_ERROR", "NO_MEM", "ACCESS_DENIED"),
)
"""`SANE_Status`, en el orden de sane.h: la posición es el número."""

SUFIJOS: Final = ("CR", "LF", "CRLF", "TAB")
ORIGENES: Final = ("debian", "fabricante")

CLAVE: Final = Forma(re.compile(r"[a-z][a-z0-9_]{0,39}"), "minúsculas, cifras y guion bajo, como fujitsu_fi_7160")
ROTULO: Final = Forma(re.compile(r"(?=\S).{1,60}(?<=\S)"), "un texto de 1 a 60 caracteres")
FRASE: Final = Forma(
    re.compile(r"(?=\S).{1,299}[^\s.]"), "una frase de 2 a 300 caracteres, sin punto final (se agrega al decirla)"
)
HEX4: Final = Forma(re.compile(r"[0-9a-f]{4}"), "cuatro cifras hexadecimales en minúsculas, como 04c5")
REVISION: Final = Forma(re.compile(r"([0-9a-f]{4})?"), "cuatro cifras hexadecimales, como 0100, o nada")
BACKEND: Final = Forma(re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}"), "el nombre del controlador, como fujitsu")
EXPRESION: Final = Forma(re.compile(r".{1,200}"), "una expresión regular de hasta 200 caracteres")
ARCHIVO: Final = Forma(re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,59})?"), "el nombre de un archivo, sin carpeta")
DESTINO: Final = Forma(
    re.compile(r"(/usr/(local/)?share/sane(/[A-Za-z0-9][A-Za-z0-9_.-]{0,59}){1,4})?"),
    "una ruta dentro de /usr/share/sane o /usr/local/share/sane, sin «..»",
)
SHA256: Final = Forma(re.compile(r"([0-9a-f]{64})?"), "64 cifras hexadecimales en minúsculas, o nada")
MODO: Final = re.compile(r"[a-z][a-z_]{0,29}")


class TablaDePerfil(Tabla):
    """La `Tabla` de la casa, con las llaves de un perfil en vez de las de la definición de un proceso."""

    def __init__(
        self,
        lectura: Lectura,
        ruta: tuple[str | int, ...],
        dato: Mapping[str, object],
        nombre: str,
        esquema: Mapping[str, Claves],
    ) -> None:
        self._esquema = esquema
        super().__init__(lectura, ruta, dato, nombre)

    def _revisar_claves(self) -> None:
        claves = self._esquema[self._nombre]
        donde = f"en [{self._nombre}]" if self._nombre else "al inicio, fuera de las tablas"
        for llave in self._dato:
            if llave not in claves.todas:
                siguiente = f"las que se aceptan ahí son {', '.join(claves.todas)}"
                self.problema(
                    f"la llave «{llave[:60]}» no se conoce {donde}", "sobra o está mal escrita", siguiente, llave
                )
        for llave in claves.obligatorias:
            if llave not in self._dato:
                causa = "se omitió al escribir el perfil, o quedó en otra tabla"
                self.problema(f"falta «{llave}» {donde}", causa, f"agregue «{llave}»")

    def tabla(self, llave: str, nombre: str) -> TablaDePerfil | None:
        dato = self._de_tipo(llave, dict)
        if not isinstance(dato, dict):
            return None
        return TablaDePerfil(self._lectura, (*self.ruta, llave), dato, nombre, self._esquema)

    def tablas(self, llave: str, nombre: str) -> Iterator[TablaDePerfil]:
        dato = self._dato.get(llave)
        if isinstance(dato, dict):
            que = f"«{llave}» es una sola tabla y debe ser una lista de tablas"
            self.problema(que, "corchetes sencillos en el encabezado", f"use [[{llave}]]", llave)
            return
        dato = self._de_tipo(llave, list)
        for i, elemento in enumerate(dato if isinstance(dato, list) else ()):
            if self._elemento(elemento, dict, llave, i):
                yield TablaDePerfil(self._lectura, (*self.ruta, llave, i), elemento, nombre, self._esquema)

    def pares(self, llave: str) -> Mapping[str, object]:
        """Una tabla de llaves libres; vacía si falta."""
        dato = self._de_tipo(llave, dict)
        return dato if isinstance(dato, dict) else {}
