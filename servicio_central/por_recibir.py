"""Qué imágenes declaradas faltan por recibir, de cada equipo: lo que la sala de operación muestra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from servicio_central.declaradas import Declaradas
from servicio_central.imagenes import Imagenes


@dataclass(frozen=True, slots=True)
class Faltan:
    """Imágenes de un equipo que no están completas. `bytes` es lo que sus hechos dicen que miden."""

    imagenes: int
    bytes: int


class PorRecibir:
    """Mira la carpeta de un centro, desde cualquier hilo o proceso que no sea el que recibe (cada quien la suya)."""

    def __init__(self, carpeta: Path) -> None:
        self._imagenes = Imagenes(carpeta)
        self._declaradas = Declaradas.de_carpeta(carpeta)
        self._completas: set[str] = set()

    def pendientes_por_equipo(self) -> Mapping[str, Faltan]:
        """Sólo los equipos a los que les falta alguna. Raises: uno de `puerto_almacen.ERRORES`."""
        self._declaradas.refrescar()
        faltan = {}
        for equipo in self._declaradas.equipos():
            pendientes = {h: n for h, n in self._declaradas.de(equipo).items() if not self._completa(h)}
            if pendientes:
                faltan[equipo] = Faltan(len(pendientes), sum(pendientes.values()))
        return faltan

    def _completa(self, sha256: str) -> bool:
        # Lo completo no deja de estarlo: no se vuelve a mirar el disco.
        if sha256 not in self._completas and self._imagenes.contiene(sha256):
            self._completas.add(sha256)
        return sha256 in self._completas
