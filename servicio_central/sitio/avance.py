"""Lo que se dice del avance de unas actas: cuántas se esperan, cuántas hay, cuántas suman, y qué falta y por qué."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nucleo.inconsistencias import CODIGOS
from nucleo.publicacion.fichas import FichaDivision, FichaEleccion, Situacion
from nucleo.publicacion.parcial import Parcial
from servicio_central.sitio import cifras, palabras
from servicio_central.sitio.competidoras import Competidora, competidora

ORDEN_DE_CAUSAS: Final = {c: i for i, c in enumerate([*(s.value for s in Situacion), *CODIGOS])}


@dataclass(frozen=True, slots=True)
class Falta:
    """Actas esperadas que no suman por una misma causa."""

    causa: str
    titulo: str
    explicacion: str
    actas: int


@dataclass(frozen=True, slots=True)
class Avance:
    """Actas de un ámbito, con sus porcentajes ya escritos; todos son de las esperadas."""

    esperadas: int
    capturadas: int
    contabilizadas: int
    inconsistentes: int
    fuera: int
    por_ciento_capturadas: str
    por_ciento_contabilizadas: str
    por_ciento_inconsistentes: str
    faltan: tuple[Falta, ...]
    total_faltan: int
    votos: int
    participacion: str
    participaron: int
    lista_nominal: int
    con_especiales: bool
    """Si la participación ya incluye las casillas especiales: sólo en el último corte."""
    ancho_contabilizadas: int
    ancho_capturadas: int
    """Milésimas de las esperadas, para la barra."""


def avance_de(p: Parcial, ultimo: bool) -> Avance:
    """Los números de un parcial, listos para escribirse."""
    r = p.resumen(ultimo)
    causas = sorted(p.faltantes, key=lambda c: (ORDEN_DE_CAUSAS.get(c, len(ORDEN_DE_CAUSAS)), c)) if p.faltantes else []
    faltan = tuple(Falta(c, *palabras.causa(c), p.faltantes[c]) for c in causas if p.faltantes[c])
    return Avance(
        r.esperadas,
        r.capturadas,
        r.contabilizadas,
        r.inconsistentes,
        r.fuera_catalogo,
        cifras.por_ciento(*r.porcentaje_capturadas),
        cifras.por_ciento(*r.porcentaje_contabilizadas),
        cifras.por_ciento(*r.porcentaje_inconsistencias),
        faltan,
        r.esperadas - r.contabilizadas,
        r.votos_c_cs,
        cifras.por_ciento(*r.participacion),
        *r.participacion,
        ultimo,
        cifras.milesimas(r.contabilizadas, r.esperadas),
        cifras.milesimas(r.capturadas, r.esperadas),
    )


@dataclass(frozen=True, slots=True)
class Delantera:
    """Quién va adelante: nadie, una candidatura o varias empatadas."""

    quienes: tuple[Competidora, ...]
    votos: int
    por_ciento: str
    segunda: Competidora | None
    """La que sigue; `None` si hay empate o nadie más tiene votos."""
    ventaja: int

    @property
    def nombres(self) -> str:
        return cifras.enumerar([q.nombre for q in self.quienes])


def delantera_de(f: FichaEleccion | FichaDivision, donde: int | None = None) -> Delantera:
    """Quién va adelante según la ficha, y por cuántos votos. Un empate se dice como empate."""
    quienes = tuple(competidora(clave, f.eleccion, donde) for clave in f.adelante)
    if not quienes:
        return Delantera((), 0, "", None, 0)
    votos = f.por_candidatura[f.adelante[0]]
    demas = [(n, c) for c, n in f.por_candidatura.items() if c not in f.adelante and competidora(c, f.eleccion).letra]
    segunda, ventaja = None, 0
    if len(quienes) == 1 and demas:
        cuantos = max(n for n, _ in demas)
        iguales: Sequence[str] = [c for n, c in demas if n == cuantos]
        segunda = competidora(iguales[0], f.eleccion, donde) if cuantos and len(iguales) == 1 else None
        ventaja = votos - cuantos
    return Delantera(quienes, votos, cifras.por_ciento(votos, sum(f.por_candidatura.values())), segunda, ventaja)
