"""Lo que la autoridad excluyó: cuánto es, de quién, y qué cambia en lo publicado.

Excluir no borra: los hechos siguen en el almacén y a la vista, y los cortes anteriores no cambian. Qué se cuenta lo
decide `servicio_central.lectura` con el padrón; aquí sólo se dice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nucleo.computo import Resumen
from nucleo.padron import Padron
from nucleo.publicacion.json_publico import piezas
from servicio_central import almacenes, publicado


@dataclass(frozen=True, slots=True)
class Excluidos:
    """Los hechos aceptados de una época que no se cuentan. `hechos` puede ser 0: la exclusión llegó antes que ellos."""

    equipo: str
    epoca: str
    hasta: int
    """Última secuencia que se cuenta."""
    motivo: str
    hechos: int

    def __str__(self) -> str:
        desde = f"después de la {self.hasta}" if self.hasta else "en toda la cadena"
        return f"{self.hechos} hechos de {self.equipo}, {desde}, no se cuentan: {self.motivo}"


def contar(carpeta: Path, padron: Padron) -> tuple[Excluidos, ...]:
    """Cuántos hechos aceptados alcanza cada exclusión del padrón, por equipo y época.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    if not padron.exclusiones:
        return ()
    consulta = "SELECT count(*) FROM hechos WHERE equipo = ? AND epoca = ? AND secuencia > ?"
    with closing(almacenes.leer(carpeta)) as bd:
        return tuple(
            Excluidos(nombre, epoca, x.hasta, x.motivo, bd.execute(consulta, (nombre, epoca, x.hasta)).fetchone()[0])
            for nombre, epoca, x in padron.exclusiones
        )


def nuevas(antes: Padron, ahora: Padron) -> frozenset[tuple[str, str]]:
    """(equipo, época) cuya exclusión no es la misma en los dos padrones: se puso, se movió o se quitó."""
    viejas = {(n, p): x.hasta for n, p, x in antes.exclusiones}
    actuales = {(n, p): x.hasta for n, p, x in ahora.exclusiones}
    return frozenset(c for c in viejas.keys() | actuales.keys() if viejas.get(c) != actuales.get(c))


def recortar(cadenas: Mapping[tuple[str, str], int], padron: Padron | None) -> dict[tuple[str, str], int]:
    """Lo contiguo de cada cadena, sin lo excluido: de eso no se dice «publicada»."""
    topes = {} if padron is None else {(n, p): x.hasta for n, p, x in padron.exclusiones}
    return {clave: min(n, topes.get(clave, n)) for clave, n in cadenas.items()}


def aviso(anterior: Path, padron: Padron | None, resumenes: Sequence[tuple[str, Resumen]]) -> str:
    """Qué cambia por las exclusiones respecto del corte que se publicaba; vacío si son las mismas o no bajó nada.

    Args:
        anterior: la carpeta de ese corte; si no se puede leer, no se compara.
    """
    actual = piezas.padron(padron)
    try:
        dato = publicado.leer_resumen(anterior)
        mismas = (dato.get("padron") or {}).get("exclusiones", []) == (actual or {}).get("exclusiones", [])
        if mismas:
            return ""
        cambios = [
            f"{eleccion} pasa de {antes} a {resumen.capturadas} actas capturadas"
            for eleccion, resumen in resumenes
            if (antes := int(dato["elecciones"][eleccion]["resumen"]["ACTAS_CAPTURADAS"])) > resumen.capturadas
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    if not cambios:
        return ""
    return f"cambiaron las exclusiones de la autoridad: {'; '.join(cambios)}. Los cortes anteriores no cambian"
