"""Una sección que el catálogo parte entre varias divisiones: quien la busca la quiere entera, en una sola página."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nucleo.publicacion.fichas import FichaSeccion
from nucleo.publicacion.parcial import sumar


def juntar(partes: Sequence[FichaSeccion]) -> FichaSeccion:
    """La página de todas sus partes; no es de ninguna división."""
    primera = partes[0]
    actas = tuple(sorted((a for p in partes for a in p.actas), key=lambda a: a.casilla.clave))
    nombres = dict.fromkeys(p.division_nombre for p in partes if p.division_nombre)
    return replace(
        primera,
        division=None,
        division_nombre=" y ".join(nombres),
        parcial=sumar(p.parcial for p in partes),
        actas=actas,
    )
