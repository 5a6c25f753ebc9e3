"""El almacén del centro: un SQLite en el que los hechos sólo se agregan.

Lo que no debe cambiar nunca (hechos, bifurcaciones, cuarentena) lo defienden disparadores que rechazan UPDATE, DELETE y
REPLACE; lo demás (latidos, veces, espera, cadenas) es mutable o se rehace. WAL con `synchronous=FULL`: con NORMAL un
apagón puede perder lo ya acusado (medido: en lotes cuesta 2 %).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from servicio_central.almacen_comun import HECHO, AlmacenComun, del_hecho
from servicio_central.cadena import Cadena
from servicio_central.esquema import ESQUEMA, disparadores, ponerse_al_dia
from servicio_central.puerto_almacen import Asentado, Sabido

_AGREGAR: Final = f"INSERT INTO hechos ({', '.join(HECHO)}, recibido) VALUES ({'?,' * len(HECHO)}?)"


class Almacen(AlmacenComun):
    """Una conexión de escritura. Cada caso de uso va entero dentro de `transaccion`."""

    bd: sqlite3.Connection

    compartido = False
    """El candado de la carpeta del centro impide otro escritor."""

    def __init__(self, bd: sqlite3.Connection) -> None:
        super().__init__()
        self.bd = bd
        (self._turno,) = bd.execute("SELECT coalesce(max(ultima), 0) FROM veces").fetchone()
        """Ordena lo apartado por lo visto más recientemente; un reloj no serviría: dos mensajes caen en el mismo
        instante."""

    @classmethod
    def abrir(cls, ruta: Path) -> Almacen:
        """Abre o crea el almacén, con permisos 0600.

        Raises:
            sqlite3.Error: si el archivo no es un almacén o el disco no deja escribir.
        """
        os.close(os.open(ruta, os.O_RDWR | os.O_CREAT, 0o600))
        bd = sqlite3.connect(ruta, timeout=5.0, isolation_level=None, check_same_thread=False)
        bd.execute("PRAGMA journal_mode = WAL")
        bd.execute("PRAGMA synchronous = FULL")
        # Las defensas de un esquema ajeno: un almacén traído de otra parte no corre funciones al abrirse.
        bd.execute("PRAGMA trusted_schema = OFF")
        bd.executescript(f"BEGIN IMMEDIATE;{ESQUEMA}{disparadores()}")
        ponerse_al_dia(bd)
        bd.execute("COMMIT")
        return cls(bd)

    def cerrar(self) -> None:
        self.bd.close()

    @contextmanager
    def transaccion(self) -> Iterator[None]:
        """Todo o nada, y durable al salir.

        Raises:
            sqlite3.Error: si no se pudo; nada de lo hecho dentro queda.
        """
        self.bd.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.bd.execute("COMMIT")
        except BaseException:
            self._olvidar_llenos()
            # SQLite pudo haber deshecho ya la transacción (disco lleno).
            if self.bd.in_transaction:
                self.bd.execute("ROLLBACK")
            raise

    def tomar(self, equipos: Collection[str], lugares: Collection[tuple[str, str, int]]) -> Sabido:
        raise NotImplementedError("nadie más escribe: no hay de quién apartar")

    def agregar(self, hecho: Asentado, recibido: str) -> None:
        """Agrega un hecho nuevo al final."""
        self.bd.execute(_AGREGAR, (*del_hecho(hecho), recibido))

    def guardar_cadena(self, equipo: str, epoca: str, cadena: Cadena) -> None:
        self.bd.execute(
            "INSERT INTO cadenas VALUES (?,?,?,?) ON CONFLICT (equipo, epoca)"
            " DO UPDATE SET contiguo = excluded.contiguo, huella = excluded.huella",
            (equipo, epoca, cadena.contiguo, cadena.huella),
        )

    def _apartar_lo_de_nadie(self) -> None:
        """Nadie más escribe."""

    def _ya_visto(self, clave: str) -> bool:
        self._turno += 1
        visto = self.bd.execute("UPDATE veces SET veces = veces + 1, ultima = ? WHERE clave = ?", (self._turno, clave))
        return visto.rowcount > 0

    def _primera_vez(self, clave: str) -> None:
        self.bd.execute("INSERT INTO veces VALUES (?, 1, ?)", (clave, self._turno))


def leer(ruta: Path) -> sqlite3.Connection:
    """Conexión de sólo lectura, aparte de la del centro: en WAL nadie espera a nadie.

    Raises:
        sqlite3.OperationalError: si el almacén no existe.
    """
    bd = sqlite3.connect(f"file:{ruta.resolve()}?mode=ro", uri=True, timeout=5.0, isolation_level=None)
    bd.execute("PRAGMA query_only = ON")
    return bd
