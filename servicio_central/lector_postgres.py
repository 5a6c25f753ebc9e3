"""Lee del almacén de PostgreSQL, siempre del primario: el corte debe ver todo lo que ya se acusó.

Con varios escritores, las posiciones no se confirman en orden: quien lea «lo que está después de la última» pierde las
que se confirman tarde. Se lee desde la transacción más vieja que seguía abierta la vez anterior (`xmin`), se salta lo
ya leído y se cuenta todo: si la cuenta no da, se vuelve a leer desde el principio.
"""

from __future__ import annotations

from collections.abc import Sequence

from servicio_central.conexion_postgres import Postgres
from servicio_central.puerto_almacen import Filas, Marca


class LectorPostgres:
    """Una conexión que no puede escribir. Raises: FallaDelAlmacen si no hay primario que conteste."""

    def __init__(self, dsn: str) -> None:
        opciones = {"default_transaction_read_only": "on", "default_transaction_isolation": "repeatable\\ read"}
        self._bd = Postgres(dsn, "primary", opciones)
        (identidad,) = self._bd.execute("SELECT identidad FROM almacen").fetchone() or (None,)
        self._identidad = str(identidad)

    @property
    def identidad(self) -> str:
        return self._identidad

    def execute(self, consulta: str, valores: Sequence[object] = ()) -> Filas:
        return self._bd.execute(consulta, valores)

    def nuevos(self, eleccion: str, marca: Marca) -> tuple[list[tuple[str, str]], Marca] | None:
        horizonte, total = self._bd.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, (SELECT count(*) FROM hechos WHERE eleccion = ?)",
            (eleccion,),
        ).fetchone() or ("0", 0)
        filas = self._bd.execute(
            "SELECT lote::text, huella, sobre FROM hechos WHERE eleccion = ? AND lote >= ?::text::xid8"
            " ORDER BY posicion",
            (eleccion, str(marca.hasta)),
        ).fetchall()
        nuevos = [(huella, sobre) for _, huella, sobre in filas if huella not in marca.vistas]
        cuantos = marca.cuantos + len(nuevos)
        if cuantos != total:
            return None  # otro primario volvió a usar números de transacción ya leídos
        vistas = frozenset(huella for lote, huella, _ in filas if int(lote) >= int(horizonte))
        return nuevos, Marca(int(horizonte), cuantos=cuantos, vistas=vistas)

    def version(self) -> object:
        # Hasta dónde va el WAL: también lo mueven las tareas del servidor, y entonces sólo se mira de más.
        return self._bd.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()

    def close(self) -> None:
        self._bd.close()


def existe(dsn: str) -> bool:
    """Si el almacén ya se creó. Raises: FallaDelAlmacen."""
    bd = Postgres(dsn, "primary", {})
    try:
        (tabla,) = bd.execute("SELECT to_regclass('hechos')").fetchone() or (None,)
        return tabla is not None
    finally:
        bd.close()
