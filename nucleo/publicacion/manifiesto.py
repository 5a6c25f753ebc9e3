"""El manifiesto: qué archivos forman un corte y la huella de cada uno, sin comprimir.

Quien tenga el manifiesto puede tomar los archivos de cualquier parte y saber si son los mismos. Los de una sección se
listan en el suyo (`ELE/s/NNNN/manifiesto.json`) y éste en el del corte: así el del corte es pequeño, y lo de una
sección que no cambió no se vuelve a escribir. Es texto con forma única: un corte tiene un solo manifiesto posible.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nucleo.publicacion import rutas

VERSION: Final = 1
MAXIMO_BYTES: Final = 64 * 1024 * 1024
"""Ninguno pasa de unos megabytes; más es un disparate o un ataque."""

_HUELLA: Final = re.compile(r"[0-9a-f]{64}")
_PASO: Final = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}"
_RUTA: Final = re.compile(rf"{_PASO}(?:/{_PASO})*")
_MAXIMO_RUTA: Final = 300


class ManifiestoInvalido(ValueError):
    """Los bytes no son los de un manifiesto."""


@dataclass(frozen=True, slots=True)
class Archivo:
    """Huella y tamaño de un contenido sin comprimir."""

    sha256: str
    bytes: int


def archivo_de(contenido: bytes) -> Archivo:
    return Archivo(hashlib.sha256(contenido).hexdigest(), len(contenido))


@dataclass(frozen=True)
class Manifiesto:
    """Los archivos de una carpeta. Las rutas son relativas a ella, con `/` y sin la terminación de compresión."""

    de: str
    """El nombre del corte, o la carpeta de la sección (`GUB/s/0085`)."""
    archivos: Mapping[str, Archivo]

    def a_bytes(self) -> bytes:
        """Su única forma: JSON en UTF-8, un archivo por renglón, en orden de ruta.

        Raises:
            ManifiestoInvalido: si una ruta no es relativa y llana.
        """
        for ruta in self.archivos:
            _exigir_ruta(ruta)
        # Una ruta llana y una huella no tienen nada que JSON escriba de otro modo.
        filas = (
            f'["{ruta}","{self.archivos[ruta].sha256}",{self.archivos[ruta].bytes}]' for ruta in sorted(self.archivos)
        )
        cabeza = json.dumps({"v": VERSION, "de": self.de}, separators=(",", ":"))[:-1]
        cuerpo = ",\n".join(filas)
        return f'{cabeza},"archivos":[\n{cuerpo}\n]}}\n'.encode()


def leer(datos: bytes) -> Manifiesto:
    """Inversa estricta de `Manifiesto.a_bytes`: unos bytes que dicen lo mismo de otro modo se rechazan.

    Raises:
        ManifiestoInvalido: con la causa.
    """
    if len(datos) > MAXIMO_BYTES:
        raise ManifiestoInvalido(f"mide {len(datos)} bytes y el tope es {MAXIMO_BYTES}")
    try:
        dato = json.loads(datos)
    except (ValueError, RecursionError) as error:
        raise ManifiestoInvalido(f"no es JSON ({error})") from error
    if not isinstance(dato, dict) or list(dato) != ["v", "de", "archivos"] or dato["v"] != VERSION:
        raise ManifiestoInvalido("no tiene exactamente v, de y archivos, de la versión conocida")
    if not isinstance(dato["de"], str) or not isinstance(dato["archivos"], list):
        raise ManifiestoInvalido("«de» no es un texto o «archivos» no es una lista")
    manifiesto = Manifiesto(dato["de"], dict(_fila(fila) for fila in dato["archivos"]))
    if manifiesto.a_bytes() != datos:
        raise ManifiestoInvalido("no está escrito en su forma única: hay repetidos, otro orden u otros espacios")
    return manifiesto


def seccion_de(ruta: str) -> str | None:
    """La carpeta de sección a que pertenece una ruta del corte (`GUB/s/0085`); `None` si a ninguna."""
    pasos = ruta.split("/")
    return "/".join(pasos[:3]) if len(pasos) == 4 and pasos[1] == "s" else None


def ruta_del_de_seccion(carpeta: str) -> str:
    """Dónde está el manifiesto de una sección, dentro del corte."""
    return f"{carpeta}/{rutas.MANIFIESTO}"


def _fila(fila: Any) -> tuple[str, Archivo]:
    if not isinstance(fila, list) or len(fila) != 3:
        raise ManifiestoInvalido("una fila no son ruta, huella y tamaño")
    ruta, huella, tamano = fila
    if not isinstance(ruta, str) or not isinstance(huella, str) or _HUELLA.fullmatch(huella) is None:
        raise ManifiestoInvalido(f"{str(ruta)[:60]!r}: la huella no es un SHA-256 hexadecimal")
    if type(tamano) is not int or not 0 <= tamano < 2**40:
        raise ManifiestoInvalido(f"{ruta[:60]!r}: el tamaño no es una cantidad de bytes")
    _exigir_ruta(ruta)
    return ruta, Archivo(huella, tamano)


def _exigir_ruta(ruta: str) -> None:
    # Quien espeja escribe estas rutas en su disco: una sola `..` le sobrescribiría lo que no es suyo.
    if len(ruta) > _MAXIMO_RUTA or _RUTA.fullmatch(ruta) is None:
        raise ManifiestoInvalido(f"{ruta[:60]!r} no es una ruta relativa y llana")
