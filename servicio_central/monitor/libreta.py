"""La libreta de la sala: `operacion.sqlite`, aparte del almacén de hechos, donde queda lo que operación hizo y vio.

Lo que cuenta una historia (accesos, cambios de enlace, alarmas, notas, dictámenes) sólo se agrega: lo defienden
disparadores, como en el almacén. Sólo cuentas y sesiones se modifican, y cada cambio deja su renglón en los accesos.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final

from servicio_central.solo_se_agrega import disparadores

ARCHIVO: Final = "operacion.sqlite"

_ESQUEMA: Final = """
CREATE TABLE IF NOT EXISTS cuentas (
  nombre TEXT PRIMARY KEY, papel TEXT NOT NULL, resumen TEXT NOT NULL, secreto TEXT NOT NULL,
  activa INTEGER NOT NULL, ultimo_paso INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sesiones (
  resumen TEXT PRIMARY KEY, cuenta TEXT NOT NULL, forma TEXT NOT NULL, ip TEXT NOT NULL,
  creada TEXT NOT NULL, vista TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accesos (
  id INTEGER PRIMARY KEY, hora TEXT NOT NULL, suceso TEXT NOT NULL, cuenta TEXT NOT NULL, ip TEXT NOT NULL,
  detalle TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS accesos_cuenta ON accesos (cuenta, id);
CREATE INDEX IF NOT EXISTS accesos_ip ON accesos (ip, id);
CREATE TABLE IF NOT EXISTS cambios (
  id INTEGER PRIMARY KEY, hora TEXT NOT NULL, equipo TEXT NOT NULL, antes TEXT NOT NULL, estado TEXT NOT NULL,
  salida TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS cambios_equipo ON cambios (equipo, id);
CREATE TABLE IF NOT EXISTS episodios (
  id INTEGER PRIMARY KEY, clave TEXT NOT NULL, tipo TEXT NOT NULL, gravedad TEXT NOT NULL, equipo TEXT NOT NULL,
  hora TEXT NOT NULL, que TEXT NOT NULL, causa TEXT NOT NULL, siguiente TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS episodios_equipo ON episodios (equipo, id);
CREATE TABLE IF NOT EXISTS cierres (
  episodio INTEGER PRIMARY KEY REFERENCES episodios (id), hora TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS notas (
  id INTEGER PRIMARY KEY, episodio INTEGER NOT NULL REFERENCES episodios (id), hora TEXT NOT NULL, quien TEXT NOT NULL,
  reconoce INTEGER NOT NULL, texto TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notas_episodio ON notas (episodio, id);
CREATE TABLE IF NOT EXISTS propuestas (
  id INTEGER PRIMARY KEY, caso TEXT NOT NULL, hasta INTEGER NOT NULL, hora TEXT NOT NULL, quien TEXT NOT NULL,
  dictamen TEXT NOT NULL, nota TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS propuestas_caso ON propuestas (caso, id);
CREATE TABLE IF NOT EXISTS resoluciones (
  propuesta INTEGER PRIMARY KEY REFERENCES propuestas (id), hora TEXT NOT NULL, quien TEXT NOT NULL,
  confirma INTEGER NOT NULL, nota TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pedidos (
  id INTEGER PRIMARY KEY, equipo TEXT NOT NULL, accion TEXT NOT NULL, texto TEXT NOT NULL, desde TEXT NOT NULL,
  hora TEXT NOT NULL, quien TEXT NOT NULL, motivo TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS pedidos_equipo ON pedidos (equipo, id);
CREATE TABLE IF NOT EXISTS respuestas (
  pedido INTEGER PRIMARY KEY REFERENCES pedidos (id), hora TEXT NOT NULL, quien TEXT NOT NULL,
  autoriza INTEGER NOT NULL, nota TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS dos_personas_ordenan BEFORE INSERT ON respuestas
  WHEN (SELECT quien FROM pedidos WHERE id = NEW.pedido) = NEW.quien
  BEGIN SELECT RAISE(ABORT, 'quien pide no autoriza'); END;
CREATE TRIGGER IF NOT EXISTS dos_personas BEFORE INSERT ON resoluciones
  WHEN (SELECT quien FROM propuestas WHERE id = NEW.propuesta) = NEW.quien
  BEGIN SELECT RAISE(ABORT, 'quien propone no confirma'); END;
"""

_LLAVES: Final = {
    "accesos": "id",
    "cambios": "id",
    "episodios": "id",
    "cierres": "episodio",
    "notas": "id",
    "propuestas": "id",
    "resoluciones": "propuesta",
    "pedidos": "id",
    "respuestas": "pedido",
}
"""Tabla a la que sólo se agrega → su llave."""

_SOLO_SE_AGREGA: Final = {tabla: f"{llave} = NEW.{llave}" for tabla, llave in _LLAVES.items()}


class Libreta:
    """Una conexión que comparten los hilos de la sala, de uno en uno."""

    def __init__(self, bd: sqlite3.Connection) -> None:
        self._bd = bd
        self._turno = RLock()

    @classmethod
    def abrir(cls, ruta: Path) -> Libreta:
        """Abre o crea la libreta, con permisos 0600: guarda los secretos del segundo factor.

        Raises:
            sqlite3.Error: si el archivo no es una libreta o el disco no deja escribir.
            OSError: si no se puede crear.
        """
        os.close(os.open(ruta, os.O_RDWR | os.O_CREAT, 0o600))
        bd = sqlite3.connect(ruta, timeout=5.0, isolation_level=None, check_same_thread=False)
        bd.row_factory = sqlite3.Row
        bd.execute("PRAGMA journal_mode = WAL")
        bd.execute("PRAGMA synchronous = FULL")
        bd.execute("PRAGMA foreign_keys = ON")
        bd.execute("PRAGMA trusted_schema = OFF")
        bd.executescript(f"BEGIN IMMEDIATE;{_ESQUEMA}{disparadores(_SOLO_SE_AGREGA)}COMMIT;")
        return cls(bd)

    def cerrar(self) -> None:
        with self._turno:
            self._bd.close()

    @contextmanager
    def transaccion(self) -> Iterator[sqlite3.Connection]:
        """Todo o nada, y durable al salir. Se puede anidar: manda la de afuera.

        Raises:
            sqlite3.Error: si no se pudo; nada de lo hecho dentro queda.
        """
        with self._turno:
            if self._bd.in_transaction:
                yield self._bd
                return
            self._bd.execute("BEGIN IMMEDIATE")
            try:
                yield self._bd
                self._bd.execute("COMMIT")
            except BaseException:
                if self._bd.in_transaction:
                    self._bd.execute("ROLLBACK")
                raise

    def filas(self, consulta: str, valores: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Todos los renglones de una consulta."""
        with self._turno:
            return self._bd.execute(consulta, tuple(valores)).fetchall()

    def fila(self, consulta: str, valores: Sequence[object] = ()) -> sqlite3.Row | None:
        """El primer renglón, o `None`."""
        with self._turno:
            primera: sqlite3.Row | None = self._bd.execute(consulta, tuple(valores)).fetchone()
            return primera

    def agregar(self, consulta: str, valores: Sequence[Any]) -> int:
        """Un INSERT suelto y durable; devuelve el número del renglón."""
        with self.transaccion() as bd:
            return int(bd.execute(consulta, tuple(valores)).lastrowid or 0)
