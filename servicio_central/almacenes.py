"""Qué almacén tiene el centro de una carpeta: el único lugar que escoge."""

from __future__ import annotations

from pathlib import Path

from servicio_central import ajustes
from servicio_central.almacen import Almacen
from servicio_central.lector_sqlite import LectorSqlite
from servicio_central.puerto_almacen import Lector, PuertoAlmacen

# psycopg sólo se carga donde de verdad hay un PostgreSQL: con SQLite no tiene por qué estar.


def abrir(carpeta: Path) -> PuertoAlmacen:
    """El almacén donde escribe la ingesta.

    Raises:
        uno de `puerto_almacen.ERRORES`; Tropiezo si `centro.toml` no se entiende.
    """
    if dsn := ajustes.dsn_de(carpeta):
        from servicio_central.almacen_postgres import AlmacenPostgres
        from servicio_central.conexion_postgres import revisar_dsn

        revisar_dsn(dsn)
        return AlmacenPostgres(dsn)
    return Almacen.abrir(carpeta / ajustes.ALMACEN)


def leer(carpeta: Path) -> Lector:
    """Una conexión de sólo lectura al mismo almacén. Raises: lo mismo."""
    if dsn := ajustes.dsn_de(carpeta):
        from servicio_central.lector_postgres import LectorPostgres

        return LectorPostgres(dsn)
    return LectorSqlite(carpeta / ajustes.ALMACEN)


def hay(carpeta: Path) -> bool:
    """Si el almacén ya se creó. Raises: lo mismo."""
    if dsn := ajustes.dsn_de(carpeta):
        from servicio_central.lector_postgres import existe

        return existe(dsn)
    return (carpeta / ajustes.ALMACEN).exists()
