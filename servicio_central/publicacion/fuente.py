"""Lo que hay en el almacén para publicar: los hechos nuevos desde la última vez, y los sobres que se pidan.

Quien corta sigue vivo entre corte y corte: lee cada hecho una vez. Si el almacén ya no es el mismo (se restauró, o el
relevo de PostgreSQL volvió a usar números), lo dice y se empieza de nuevo.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nucleo.publicacion.reserva import HechoRegistrado, registrado_de
from servicio_central import almacenes, imagenes
from servicio_central.puerto_almacen import Lector, Marca

BITACORA: Final = ""
"""La «elección» de los hechos que no son de ninguna."""

_TANDA: Final = 400
"""Huellas por consulta: SQLite no admite cualquier cantidad de valores."""


@dataclass
class Fuente:
    """Raises, en todo lo que se le pide: uno de `puerto_almacen.ERRORES`."""

    carpeta: Path
    _marcas: dict[str, Marca] = field(default_factory=dict)
    _identidad: Hashable = None

    def nuevos(self, elecciones: Sequence[str]) -> tuple[list[HechoRegistrado], bool]:
        """Los aceptados que no se habían leído, con la bitácora, y si hubo que empezar de nuevo: entonces son todos."""
        with closing(almacenes.leer(self.carpeta)) as bd:
            bd.execute("BEGIN")
            leidos = self._leer(bd, elecciones) if bd.identidad == self._identidad else None
            de_nuevo = leidos is None
            if leidos is None:
                self._marcas, self._identidad = {}, bd.identidad
                leidos = self._leer(bd, elecciones) or []
        return leidos, de_nuevo

    def sobres(self, huellas: Collection[str]) -> dict[str, str]:
        """El JWS compacto de cada uno."""
        todas = sorted(huellas)
        sobres: dict[str, str] = {}
        with closing(almacenes.leer(self.carpeta)) as bd:
            for i in range(0, len(todas), _TANDA):
                tanda = todas[i : i + _TANDA]
                donde = ",".join("?" * len(tanda))
                sobres |= dict(bd.execute(f"SELECT huella, sobre FROM hechos WHERE huella IN ({donde})", tanda))
        return sobres

    def imagenes(self) -> frozenset[str]:
        """SHA-256 de las que ya están completas."""
        raiz = self.carpeta / imagenes.CARPETA
        carpetas = [r for r in raiz.glob("??") if r.is_dir()]
        return frozenset(e.name for r in carpetas for e in os.scandir(r) if imagenes.es_huella(e.name))

    def _leer(self, bd: Lector, elecciones: Sequence[str]) -> list[HechoRegistrado] | None:
        hechos: list[HechoRegistrado] = []
        marcas: dict[str, Marca] = {}
        for eleccion in (*elecciones, BITACORA):
            leido = bd.nuevos(eleccion, self._marcas.get(eleccion, Marca()))
            if leido is None:
                return None
            nuevos, marcas[eleccion] = leido
            hechos += [registrado_de(huella, sobre) for huella, sobre in nuevos]
        self._marcas = marcas
        return hechos
