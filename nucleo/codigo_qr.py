"""El contenido del QR que identifica un acta: dice de qué casilla y elección es; nunca trae votos.

Ocho campos unidos con `|`, en el orden que usa el área de pruebas del INE (`docs/dominio.md` §5.2):
`ID_ESTADO|ID_DISTRITO|TIPO_ACTA|SECCION|ID_CASILLA|TIPO_CASILLA|EXT_CONTIGUA|ID_TIPO_CANDIDATURA`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nucleo.casilla import TIPOS, Casilla
from nucleo.eleccion import Eleccion

_TIPO_ACTA: Final = re.compile(r"[0-9A-Z]{1,6}")
_CANDIDATURA: Final = re.compile(r"[A-Z0-9_]{1,20}")


class CodigoInvalido(ValueError):
    """Lo leído no es el código de un acta."""


@dataclass(frozen=True, slots=True)
class CodigoDeActa:
    """Lo que dice el QR. `distrito` es 0 si la casilla no tiene; `candidatura` es la clave de la elección."""

    entidad: int
    distrito: int
    tipo_acta: str
    seccion: int
    numero: int
    tipo: str
    ext_contigua: int
    candidatura: str

    @property
    def clave_casilla(self) -> str:
        return f"{self.entidad:02d}{self.seccion:04d}{self.tipo}{self.numero:02d}{self.ext_contigua:02d}"


def codigo_de(casilla: Casilla, eleccion: Eleccion) -> str:
    """Texto del QR para el acta de esa casilla y elección."""
    return "|".join(
        (
            f"{casilla.entidad:02d}",
            f"{casilla.distrito or 0:02d}",
            eleccion.tipo_acta_de(casilla),
            f"{casilla.seccion:04d}",
            f"{casilla.numero:02d}",
            casilla.tipo,
            f"{casilla.ext_contigua:02d}",
            eleccion.clave,
        )
    )


def leer_codigo(texto: str) -> CodigoDeActa:
    """Inversa de `codigo_de`. No consulta el catálogo: eso toca a quien lo lee.

    Raises:
        CodigoInvalido: si no son ocho campos con su forma.
    """
    campos = texto.split("|")
    if len(campos) != 8:
        raise CodigoInvalido(f"tiene {len(campos)} campos y deben ser 8")
    entidad, distrito, tipo_acta, seccion, numero, tipo, ext, candidatura = campos
    if tipo not in TIPOS or len(tipo) != 1:
        raise CodigoInvalido(f"tipo de casilla desconocido: {tipo[:10]!r}")
    if _TIPO_ACTA.fullmatch(tipo_acta) is None or _CANDIDATURA.fullmatch(candidatura) is None:
        raise CodigoInvalido("el tipo de acta o la elección no tienen su forma")
    return CodigoDeActa(
        _numero("entidad", entidad, 2),
        _numero("distrito", distrito, 3),
        tipo_acta,
        _numero("sección", seccion, 4),
        _numero("número de casilla", numero, 4),
        tipo,
        _numero("extraordinaria contigua", ext, 2),
        candidatura,
    )


def _numero(nombre: str, texto: str, cifras: int) -> int:
    if not (texto.isascii() and texto.isdigit() and len(texto) <= cifras):
        raise CodigoInvalido(f"{nombre}: {texto[:10]!r} no es un número de hasta {cifras} cifras")
    return int(texto)
