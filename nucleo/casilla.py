"""La casilla aprobada y su clave de once posiciones.

CLAVE_CASILLA = entidad(2) + sección(4) + tipo(1) + id(2) + extraordinaria contigua(2): `200003C0100` (LEEME IECM 2024).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

TIPOS: Final = "BCESMAP"
"""Básica, contigua, extraordinaria, especial, mesa del extranjero, voto anticipado, prisión preventiva."""

_FORMA: Final = re.compile(r"([0-9]{2})([0-9]{4})([BCESMAP])([0-9]{2})([0-9]{2})")


class ClaveInvalida(ValueError):
    """El texto no tiene la forma de una CLAVE_CASILLA."""


@dataclass(frozen=True, slots=True)
class Casilla:
    """Una casilla del catálogo aprobado por los consejos distritales."""

    entidad: int
    seccion: int
    tipo: str
    numero: int
    ext_contigua: int
    distrito: int | None
    distrito_nombre: str
    municipio: int | None
    municipio_nombre: str
    ubicacion: int
    """1 urbana, 2 no urbana."""
    lista_nominal: int
    representantes: int
    """Representaciones acreditadas; su forma de contarlas la fija el instituto (dominio §4.2)."""

    clave: str = field(init=False, repr=False, compare=False)
    """Se escribe una sola vez: en un corte se pide cien mil veces."""

    def __post_init__(self) -> None:
        clave = f"{self.entidad:02d}{self.seccion:04d}{self.tipo}{self.numero:02d}{self.ext_contigua:02d}"
        object.__setattr__(self, "clave", clave)

    @property
    def especial(self) -> bool:
        return self.tipo == "S"

    @property
    def lugar(self) -> str:
        """Su municipio; si el catálogo no lo trae, su distrito; vacío si tampoco (voto en el extranjero)."""
        return self.municipio_nombre or self.distrito_nombre


@dataclass(frozen=True, slots=True)
class PartesDeClave:
    """Lo que dice una CLAVE_CASILLA por sí sola, exista o no en el catálogo."""

    entidad: int
    seccion: int
    tipo: str
    numero: int
    ext_contigua: int


def partir_clave(clave: str) -> PartesDeClave:
    """Descompone una CLAVE_CASILLA.

    Raises:
        ClaveInvalida: si no son exactamente once posiciones con esa forma.
    """
    forma = _FORMA.fullmatch(clave)
    if forma is None:
        raise ClaveInvalida(f"{clave[:40]!r} no tiene la forma de una clave de casilla como 200003C0100")
    entidad, seccion, tipo, numero, ext = forma.groups()
    return PartesDeClave(int(entidad), int(seccion), tipo, int(numero), int(ext))
