"""Qué almacén tiene el centro de una carpeta: el único lugar que escoge."""

from __future__ import annotations

from pathlib import Path

from servicio_central import ajustes
from servicio_central.almacen import Almacen
from servicio_central.lector_sqlite import LectorSqlite
from servicio_central.puerto_almacen import Lector, PuertoAlmacen


def abrir(carpeta: Path) -> PuertoAlmacen:
    """El almacén donde escribe la ingesta. Raises: uno de `puerto_almacen.ERRORES`."""
    return Almacen.abrir(carpeta / ajustes.ALMACEN)


def leer(carpeta: Path) -> Lector:
    """Una conexión de sólo lectura al mismo almacén. Raises: uno de `puerto_almacen.ERRORES`."""
    return LectorSqlite(carpeta / ajustes.ALMACEN)


def hay(carpeta: Path) -> bool:
    """Si el almacén ya se creó."""
    return (carpeta / ajustes.ALMACEN).exists()
