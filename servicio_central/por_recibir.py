"""Qué imágenes declaradas faltan por recibir, de cada equipo: lo que la sala de operación muestra."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from servicio_central.declaradas import Declaradas
from servicio_central.imagenes import Imagenes, es_huella

_REPOSO_NS: Final = 2 * 10**9
"""Una carpeta cambiada hace menos que esto se vuelve a mirar: dos cambios seguidos pueden llevar la misma hora."""


@dataclass(frozen=True, slots=True)
class Faltan:
    """Imágenes de un equipo que no están completas. `bytes` es lo que sus hechos dicen que miden."""

    imagenes: int
    bytes: int


class PorRecibir:
    """Mira la carpeta de un centro, desde cualquier hilo o proceso que no sea el que recibe (cada quien la suya).

    Sólo lista las carpetas que cambiaron: con treinta mil imágenes, preguntar por cada una tardaría más que la noche
    en cambiar.
    """

    def __init__(self, carpeta: Path) -> None:
        self._raiz = Imagenes(carpeta).raiz
        self._declaradas = Declaradas.de_carpeta(carpeta)
        self._completas: set[str] = set()
        self._miradas: dict[str, int] = {}

    def pendientes_por_equipo(self) -> Mapping[str, Faltan]:
        """Sólo los equipos a los que les falta alguna. Raises: uno de `puerto_almacen.ERRORES`, OSError."""
        self._declaradas.refrescar()
        self._mirar()
        faltan = {}
        for equipo in self._declaradas.equipos():
            pendientes = [n for h, n in self._declaradas.de(equipo).items() if h not in self._completas]
            if pendientes:
                faltan[equipo] = Faltan(len(pendientes), sum(pendientes))
        return faltan

    def _mirar(self) -> None:
        # Lo completo no deja de estarlo, así que sólo se agrega.
        ahora = time.time_ns()
        with os.scandir(self._raiz) as carpetas:
            for carpeta in carpetas:
                if len(carpeta.name) != 2 or not carpeta.is_dir(follow_symlinks=False):
                    continue
                cambio = carpeta.stat().st_mtime_ns
                if self._miradas.get(carpeta.name) != cambio:
                    self._completas.update(r.name for r in Path(carpeta.path).iterdir() if es_huella(r.name))
                    if ahora - cambio > _REPOSO_NS:
                        self._miradas[carpeta.name] = cambio
