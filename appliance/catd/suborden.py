"""La forma de una suborden de `./prep catd`. Agregar otra es un módulo con su `SUBORDEN` y un renglón en `registro`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.dispositivos.perfiles import CARPETA

BIEN: Final = 0
NO_COINCIDE: Final = 1
USO: Final = 2


@dataclass(frozen=True, slots=True)
class Suborden:
    """Lo que el lanzador necesita saber de ella."""

    nombre: str
    descripcion: str
    preparar: Callable[[ArgumentParser], None]
    """Declara sus argumentos."""
    correr: Callable[[Namespace], int]
    """Devuelve 0 si todo está bien, 1 si algo no coincide. Puede levantar `Falla`: se dice y se sale con 1."""


def con_perfiles(argumentos: ArgumentParser) -> None:
    """Declara `--perfiles`, que comparten las que leen perfiles."""
    argumentos.add_argument("--perfiles", type=Path, default=CARPETA, metavar="DIR", help="carpeta de los perfiles")
