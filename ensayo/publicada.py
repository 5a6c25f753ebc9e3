"""Una base publicada como la usan los ensayos: cada renglón, un diccionario con los nombres de columna de 2024."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nucleo.base_oficial import columnas, paquetes
from nucleo.base_oficial.celdas import limpiar
from nucleo.base_oficial.lectura import BaseLeida, leer_csv


@dataclass(frozen=True)
class Publicada:
    """Base leída, con sus renglones por nombre. Las celdas van sin adornos."""

    base: BaseLeida
    renglones: tuple[Mapping[str, str], ...]
    votos: tuple[str, ...]
    """Columnas de votación, en el orden del archivo."""

    @property
    def resumen(self) -> Mapping[str, str]:
        return self.base.resumen

    @property
    def corte(self) -> datetime | None:
        return self.base.corte


def leer_publicada(ruta: Path) -> list[Publicada]:
    """Todas las bases que trae un archivo o paquete. Raises: BaseIlegible, OSError."""
    return [publicada(leer_csv(a.contenido, a.nombre)) for a in paquetes.bases(ruta.read_bytes(), ruta.name)]


def publicada(base: BaseLeida) -> Publicada:
    """Nombra las celdas de una base ya leída."""
    nombres = [columnas.canonica(n) or n for n in base.columnas]
    renglones = tuple(dict(zip(nombres, map(limpiar, r.celdas), strict=True)) for r in base.renglones)
    return Publicada(base, renglones, _nombres(nombres, base.votos))


def _nombres(nombres: Sequence[str], lugares: Sequence[int]) -> tuple[str, ...]:
    return tuple(nombres[lugar] for lugar in lugares)
