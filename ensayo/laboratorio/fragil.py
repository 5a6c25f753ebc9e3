"""Un disco que falla donde duele: se va la luz antes, a la mitad o después de confirmar, o ya no cabe un byte.

La conexión es la de SQLite, con su WAL y su `synchronous`; sólo se interpone quien decide cuándo muere. Lo que queda en
el disco se copia en ese instante: a media confirmación, el WAL cortado en un byte cualquiera de lo que faltaba por
sincronizar. Si el almacén no pidiera `synchronous=FULL`, un apagón se llevaría todo lo que no está en el archivo
principal: así el laboratorio nota la diferencia.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Final

_FULL: Final = 2
_SIN_TOPE: Final = 2**31 - 3


class Muerte(BaseException):
    """Se fue la luz, o `kill -9`. No es `Exception`: ningún programa atrapa su propia muerte."""


class Momento(Enum):
    """Cuándo muere respecto de la siguiente confirmación."""

    ANTES = "antes de confirmar"
    A_MEDIAS = "a media confirmación"
    DESPUES = "después de confirmar y antes de decirlo"


class ConexionFragil:
    """Hace de `sqlite3.Connection` para un almacén que puede morir."""

    def __init__(self, bd: sqlite3.Connection, ruta: Path, azar: random.Random) -> None:
        self._bd = bd
        self._ruta = ruta
        self._azar = azar
        self._trampa: Momento | None = None
        self._congelada: Path | None = None
        self.al_morir: Callable[[Momento], None] = lambda _momento: None

    def armar(self, momento: Momento | None) -> None:
        """La siguiente confirmación será la última; con `None`, ya no."""
        self._trampa = momento

    def execute(self, consulta: str, *valores: Any) -> sqlite3.Cursor:
        if self._congelada is not None:
            raise Muerte
        if consulta == "COMMIT" and self._trampa is not None:
            self._morir_confirmando(self._trampa)
        return self._bd.execute(consulta, *valores)

    @property
    def in_transaction(self) -> bool:
        return self._congelada is None and self._bd.in_transaction

    def close(self) -> None:
        self._bd.close()

    def __getattr__(self, nombre: str) -> Any:
        return getattr(self._bd, nombre)

    # ----------------------------------------------------------------------------------------------------------- disco

    def llenar_disco(self) -> None:
        """Ni una página más de las que ya tiene."""
        (paginas,) = self._bd.execute("PRAGMA page_count").fetchone()
        self._bd.execute(f"PRAGMA max_page_count = {paginas}")

    def vaciar_disco(self) -> None:
        self._bd.execute(f"PRAGMA max_page_count = {_SIN_TOPE}")

    # ---------------------------------------------------------------------------------------------------------- muerte

    def congelar(self) -> None:
        """Guarda lo que hay en el disco en este instante; desde aquí la conexión ya no hace nada."""
        if self._congelada is None:
            self._copiar(_tamano(self._wal))

    def revivir(self) -> None:
        """Suelta la conexión muerta y pone en su lugar lo que quedó en el disco."""
        self.congelar()
        assert self._congelada is not None
        self._bd.close()
        poner_en_lugar(self._congelada, self._ruta)

    def copiar_a(self, ruta: Path) -> None:
        """Copia lo durable de ahora, como un respaldo o el clon de un disco."""
        copiar(self._ruta, ruta)

    @property
    def _wal(self) -> Path:
        return self._ruta.with_name(self._ruta.name + "-wal")

    def _morir_confirmando(self, momento: Momento) -> None:
        antes = _tamano(self._wal)
        if momento is not Momento.ANTES:
            self._bd.execute("COMMIT")
        despues = _tamano(self._wal)
        if momento is Momento.A_MEDIAS and despues > antes:
            despues = self._azar.randrange(antes, despues)
        self._copiar(despues if momento is not Momento.ANTES else antes)
        self.al_morir(momento)
        raise Muerte

    def _copiar(self, bytes_del_wal: int) -> None:
        congelada = self._ruta.with_name(f"congelado-{self._ruta.name}")
        copiar(self._ruta, congelada)
        wal = congelada.with_name(congelada.name + "-wal")
        (sincronia,) = self._bd.execute("PRAGMA synchronous").fetchone()
        if sincronia < _FULL:
            wal.unlink(missing_ok=True)
        elif wal.exists():
            with wal.open("r+b") as archivo:
                archivo.truncate(bytes_del_wal)
                if self._azar.random() < 0.3:
                    # Lo que el disco traía de antes más allá de lo escrito.
                    archivo.seek(0, 2)
                    archivo.write(self._azar.randbytes(self._azar.randrange(1, 6000)))
        self._congelada = congelada


def copiar(origen: Path, destino: Path) -> None:
    """Copia un SQLite en uso por este mismo hilo, con su WAL."""
    for fin in ("", "-wal"):
        de, a = origen.with_name(origen.name + fin), destino.with_name(destino.name + fin)
        a.unlink(missing_ok=True)
        if de.exists():
            shutil.copyfile(de, a)
            a.chmod(0o600)


def poner_en_lugar(origen: Path, destino: Path) -> None:
    """Lo copiado toma el lugar del almacén, que ya nadie tiene abierto."""
    for fin in ("", "-wal", "-shm"):
        de, a = origen.with_name(origen.name + fin), destino.with_name(destino.name + fin)
        a.unlink(missing_ok=True)
        if fin != "-shm" and de.exists():
            de.rename(a)


def _tamano(ruta: Path) -> int:
    return ruta.stat().st_size if ruta.exists() else 0
