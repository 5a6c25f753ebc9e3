"""Lee del almacén de SQLite. Los hechos sólo se agregan, con su posición: leer lo nuevo es leer lo que está después."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from servicio_central import almacen
from servicio_central.puerto_almacen import Filas, Marca


class LectorSqlite:
    """Una conexión de sólo lectura, aparte de la del centro.

    Raises:
        sqlite3.OperationalError: si el almacén no existe.
    """

    def __init__(self, ruta: Path) -> None:
        self._bd = almacen.leer(ruta)
        archivo = ruta.stat()
        self._identidad = (archivo.st_dev, archivo.st_ino)

    @property
    def identidad(self) -> tuple[int, int]:
        return self._identidad

    def execute(self, consulta: str, valores: Sequence[object] = ()) -> Filas:
        return self._bd.execute(consulta, tuple(valores))

    def nuevos(self, eleccion: str, marca: Marca) -> tuple[list[tuple[str, str]], Marca] | None:
        if marca.hasta:
            fila = self._bd.execute("SELECT huella FROM hechos WHERE posicion = ?", (marca.hasta,)).fetchone()
            if fila is None or fila[0] != marca.ultima:
                return None  # el sistema de archivos reutilizó el inodo: es otro almacén
        filas = self._bd.execute(
            "SELECT posicion, huella, sobre FROM hechos WHERE posicion > ? AND eleccion = ? ORDER BY posicion",
            (marca.hasta, eleccion),
        ).fetchall()
        if filas:
            marca = Marca(filas[-1][0], filas[-1][1], marca.cuantos + len(filas))
        return [(huella, sobre) for _, huella, sobre in filas], marca

    def version(self) -> object:
        return self._bd.execute("PRAGMA data_version").fetchone()

    def close(self) -> None:
        self._bd.close()
