"""Lo que una base deja ver de su elección sin que nadie la defina: partidos, combinaciones, tope y jornada."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from nucleo.base_oficial import columnas
from nucleo.base_oficial.lectura import BaseLeida

_INDEPENDIENTE: Final = re.compile(r"(CAND_?IND|CAND_?SP|CI|CSP)_?\d*")
_PREFIJO_DE_COALICION: Final = re.compile(r"(C|CO|CC)_")

BOLETAS_ESPECIAL: Final = 1000
"""Tope por omisión de una casilla especial (dominio §4.2.4)."""

_DOMINGO: Final = 6

_MAXIMO_COALICION: Final = 10
"""La mayor vista es de 6 (57 combinaciones); una inventada de 40 tendría un billón y no se enumera."""


@dataclass(frozen=True, slots=True)
class Planilla:
    """Los renglones de votación, por clase, con el nombre de su columna."""

    partidos: tuple[str, ...]
    independientes: tuple[str, ...]
    combinaciones: dict[str, tuple[str, ...]]
    """Columna → partidos que la forman."""

    def coaliciones(self) -> tuple[tuple[str, ...], ...]:
        """Las combinaciones que no están dentro de otra mayor."""
        conjuntos = {frozenset(p): p for p in self.combinaciones.values()}
        return tuple(p for c, p in conjuntos.items() if not any(c < otro for otro in conjuntos))

    def faltantes(self) -> tuple[tuple[str, ...], ...]:
        """Subconjuntos de una coalición sin columna: con n partidos debe haber 2ⁿ − n − 1 (dominio §5.3)."""
        hay = {frozenset(p) for p in self.combinaciones.values()}
        return tuple(
            grupo
            for coalicion in self.coaliciones()
            if len(coalicion) <= _MAXIMO_COALICION
            for cuantos in range(2, len(coalicion))
            for grupo in combinations(coalicion, cuantos)
            if frozenset(grupo) not in hay
        )


def planilla(base: BaseLeida) -> Planilla:
    """Deduce qué es cada columna de votos por su nombre."""
    finales = {c.nombre for c in columnas.FINALES_DE_VOTO}
    nombres = [base.columnas[lugar] for lugar in base.votos]
    nombres = [n for n in nombres if columnas.canonica(n) not in finales]
    independientes = tuple(n for n in nombres if _INDEPENDIENTE.fullmatch(columnas.normalizar(n)))
    sueltos = [n for n in nombres if n not in independientes and not re.search("[_-]", n)]
    combinadas = {}
    for nombre in nombres:
        if nombre not in independientes and nombre not in sueltos:
            if forman := _partes(nombre, sueltos):
                combinadas[nombre] = forman
            else:
                sueltos.append(nombre)
    return Planilla(tuple(sueltos), independientes, combinadas)


def _partes(nombre: str, partidos: Sequence[str]) -> tuple[str, ...]:
    """Partidos de una combinación, aunque vayan abreviados (`PV` por PVEM en Oaxaca).

    Vacío si alguno no se reconoce.
    """
    siglas = re.split("[_-]", _PREFIJO_DE_COALICION.sub("", nombre, count=1))
    forman = tuple(_partido(sigla, partidos) for sigla in siglas)
    return tuple(p for p in forman if p) if all(forman) and len(forman) > 1 else ()


def _partido(sigla: str, partidos: Sequence[str]) -> str:
    if sigla in partidos:
        return sigla
    parecidos = [p for p in partidos if len(sigla) > 1 and (p.startswith(sigla) or sigla.startswith(p))]
    return parecidos[0] if len(parecidos) == 1 else ""


@dataclass(frozen=True, slots=True)
class TopeEspecial:
    """Cuántos votos caben en una casilla especial, según lo que el instituto marcó y lo que no."""

    boletas: int | None
    """`None` si el archivo no permite saberlo."""
    con_representantes: bool
    explicacion: str
    marcadas: tuple[tuple[int, int], ...] = ()
    """(votos, representaciones) de las especiales que el instituto marcó."""

    def de(self, representantes: int) -> int | None:
        """Tope de una casilla con esas representaciones."""
        if self.boletas is None:
            return None
        return self.boletas + (representantes if self.con_representantes else 0)

    def delata(self, votos: int, representantes: int) -> str:
        """Por qué excede una especial sin marcar cuando el tope no se pudo deducir; vacío si no consta."""
        if self.boletas is not None:
            return ""
        for otra, suyos in self.marcadas:
            # Con o sin representaciones, si en la marcada no caben, en ésta tampoco.
            if votos > otra and votos - representantes > otra - suyos:
                return f"suma {votos} votos sin observación y se marcó otra especial con {otra}"
        if votos > 2 * BOLETAS_ESPECIAL + representantes:
            return f"suma {votos} votos, más del doble de las {BOLETAS_ESPECIAL} boletas de una especial"
        return ""


def tope_especial(marcadas: Iterable[tuple[int, int]], sin_marcar: Iterable[tuple[int, int]]) -> TopeEspecial:
    """Deduce el tope de las especiales.

    Args:
        marcadas: (votos, representaciones) de las actas especiales con la observación «excede».
        sin_marcar: lo mismo de las que no la tienen.
    """
    arriba, abajo = list(marcadas), list(sin_marcar)
    if not arriba and not abajo:
        return TopeEspecial(BOLETAS_ESPECIAL, False, "1000 boletas por omisión: aún no hay actas especiales")
    visto = _visto([v for v, _ in abajo], [v for v, _ in arriba])
    sin_rep, con_rep = (
        all(v > BOLETAS_ESPECIAL + r * suma for v, r in arriba)
        and all(v <= BOLETAS_ESPECIAL + r * suma for v, r in abajo)
        for suma in (0, 1)
    )
    if sin_rep and con_rep:
        return TopeEspecial(BOLETAS_ESPECIAL, False, f"1000 boletas; sumar o no representaciones da igual aquí{visto}")
    if sin_rep:
        return TopeEspecial(BOLETAS_ESPECIAL, False, f"1000 boletas sin sumar representaciones{visto}")
    if con_rep:
        return TopeEspecial(BOLETAS_ESPECIAL, True, f"1000 boletas más representaciones{visto}")
    mayor = max((v for v, _ in abajo), default=0)
    if arriba and mayor < min(v for v, _ in arriba):
        return TopeEspecial(mayor, False, f"distinto de 1000{visto}")
    return TopeEspecial(None, False, f"no se puede deducir del archivo{visto}", tuple(arriba))


def _visto(abajo: list[int], arriba: list[int]) -> str:
    partes = []
    if abajo:
        partes.append(f"la mayor sin marcar tiene {max(abajo)} votos")
    if arriba:
        partes.append(f"la menor marcada, {min(arriba)}")
    return f" ({' y '.join(partes)})" if partes else ""


def apertura(corte: datetime | None) -> datetime | None:
    """Las 8:00 del domingo de la jornada: antes de esa hora no puede existir un acta.

    La jornada es el domingo del corte o el anterior; así se ha votado siempre, también en extraordinarias.
    """
    if corte is None:
        return None
    domingo = corte - timedelta(days=(corte.weekday() - _DOMINGO) % 7)
    return domingo.replace(hour=8, minute=0, second=0, tzinfo=None)
