"""La bandeja de órdenes: lo que operación pidió a cada kiosco, quién lo pidió y en qué quedó.

Vive en su propio archivo, `ordenes.sqlite`: no es parte del libro de hechos y perderla no pierde nada. Se manda una a
la vez por equipo, la más vieja sin obedecer, hasta que su latido diga que la obedeció o hasta que caduque. Se puede
usar desde varios procesos e hilos: cada operación abre y cierra su conexión.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from nucleo.orden import MAXIMA_VIGENCIA, Orden, Que, TomarDefinicion, a_datos, de_datos, sellar_orden
from nucleo.padron import Padron
from nucleo.sobre import Firmante, SobreInvalido
from servicio_central.tropiezo import Tropiezo

ARCHIVO: Final = "ordenes.sqlite"
VIGENCIA: Final = timedelta(hours=1)
"""Lo que vale una orden si no se dice otra cosa: pasada una hora, lo que la motivó ya es otra cosa."""

VIGENCIA_DE_DEFINICION: Final = MAXIMA_VIGENCIA
"""Una definición nueva sigue haciendo falta aunque el kiosco tarde en volver."""

_ESQUEMA: Final = """
CREATE TABLE IF NOT EXISTS ordenes (
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, numero INTEGER NOT NULL,
  orden TEXT NOT NULL, datos TEXT NOT NULL, quien TEXT NOT NULL,
  hora TEXT NOT NULL, caduca TEXT NOT NULL, obedecida TEXT,
  PRIMARY KEY (equipo, epoca, numero)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dichas (
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, numero INTEGER NOT NULL,
  PRIMARY KEY (equipo, epoca)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bajadas (
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, numero INTEGER NOT NULL, hora TEXT NOT NULL,
  PRIMARY KEY (equipo, epoca, numero)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS ordenes_no_delete BEFORE DELETE ON ordenes
BEGIN SELECT RAISE(ABORT, 'ordenes: sólo se agrega'); END;
CREATE TRIGGER IF NOT EXISTS ordenes_no_update
BEFORE UPDATE OF equipo, epoca, numero, orden, datos, quien, hora, caduca ON ordenes
BEGIN SELECT RAISE(ABORT, 'ordenes: sólo se anota que se obedeció'); END;
"""


class Estado(Enum):
    """En qué está una orden."""

    ESPERA = "espera"
    OBEDECIDA = "obedecida"
    CADUCA = "caduca"
    """Nadie la obedeció a tiempo."""


@dataclass(frozen=True, slots=True)
class OrdenGuardada:
    """Una orden y lo que pasó con ella. `obedecida` es cuándo lo supo el centro; `bajada`, cuándo se le dio por primera
    vez al bróker, que no es que el kiosco la tenga."""

    equipo: str
    epoca: str
    numero: int
    que: Que
    quien: str
    hora: datetime
    caduca: datetime
    obedecida: datetime | None
    bajada: datetime | None = None

    def estado(self, ahora: datetime) -> Estado:
        """En qué está a esa hora."""
        if self.obedecida is not None:
            return Estado.OBEDECIDA
        return Estado.CADUCA if ahora >= self.caduca else Estado.ESPERA


class BandejaDeOrdenes:
    """La bandeja de un centro.

    Raises:
        sqlite3.Error: cualquiera de sus operaciones, si el archivo no se puede leer o escribir.
    """

    def __init__(self, carpeta: Path, proceso: str, modo: str) -> None:
        self._ruta = carpeta / ARCHIVO
        self._proceso = proceso
        self._modo = modo
        os.close(os.open(self._ruta, os.O_RDWR | os.O_CREAT, 0o600))
        with self._escribiendo() as bd:
            for orden in _separadas(_ESQUEMA):
                bd.execute(orden)

    def ordenar(
        self,
        padron: Padron,
        equipo: str,
        que: Que,
        quien: str,
        *,
        vigencia: timedelta | None = None,
        ahora: datetime | None = None,
    ) -> tuple[OrdenGuardada, ...]:
        """Deja una orden para ese equipo, en cada una de sus épocas. Sale en cuanto el kiosco esté en línea.

        Args:
            quien: la cuenta de quien la pide; queda guardada.

        Raises:
            Tropiezo: ORDEN, si el equipo no está vigente, falta quién, o la orden no se puede firmar.
        """
        hora = (ahora or datetime.now(UTC)).replace(microsecond=0)
        vale = vigencia or (VIGENCIA_DE_DEFINICION if isinstance(que, TomarDefinicion) else VIGENCIA)
        inscrito = padron.equipos.get(equipo)
        if inscrito is None or not inscrito.vigente or not inscrito.epocas:
            raise _mal(f"{equipo} no está vigente en el padrón {padron.version}", "se dio de baja o se tecleó mal")
        if not quien.strip():
            raise _mal("falta quién lo ordena", "la sesión se cerró")
        with self._escribiendo() as bd:
            nuevas = []
            for epoca in sorted(inscrito.epocas):
                # El kiosco puede recordar más que nosotros, si este archivo se perdió: se sigue después de lo que dijo.
                (numero,) = bd.execute(
                    "SELECT 1 + max(coalesce((SELECT max(numero) FROM ordenes WHERE equipo = :e AND epoca = :p), 0),"
                    " coalesce((SELECT numero FROM dichas WHERE equipo = :e AND epoca = :p), 0))",
                    {"e": equipo, "p": epoca},
                ).fetchone()
                guardada = OrdenGuardada(equipo, epoca, numero, que, quien.strip(), hora, hora + vale, None)
                self._exigir_firmable(guardada)
                bd.execute(
                    "INSERT INTO ordenes VALUES (?,?,?,?,?,?,?,?,NULL)",
                    (
                        equipo,
                        epoca,
                        numero,
                        *a_datos(que),
                        guardada.quien,
                        hora.isoformat(),
                        guardada.caduca.isoformat(),
                    ),
                )
                nuevas.append(guardada)
        return tuple(nuevas)

    def por_mandar(self, equipo: str, epoca: str, ahora: datetime) -> OrdenGuardada | None:
        """La más vieja que ese kiosco no ha obedecido y no ha caducado."""
        return next((o for o in self.de(equipo) if o.epoca == epoca and o.estado(ahora) is Estado.ESPERA), None)

    def con_espera(self, ahora: datetime) -> frozenset[tuple[str, str]]:
        """(equipo, época) con algo por mandar."""
        with closing(self._abrir()) as bd:
            filas = bd.execute("SELECT equipo, epoca, caduca FROM ordenes WHERE obedecida IS NULL")
            return frozenset((e, p) for e, p, caduca in filas if ahora < datetime.fromisoformat(caduca))

    def obedecio(self, equipo: str, epoca: str, numero: int, ahora: datetime) -> None:
        """El latido de ese kiosco dice que la última que obedeció es ésa.

        Las anteriores sin obedecer las saltó (caducaron o llegaron después): ya nunca las obedecerá, y caducan solas.
        """
        with self._escribiendo() as bd:
            bd.execute(
                "INSERT INTO dichas VALUES (?,?,?) ON CONFLICT (equipo, epoca)"
                " DO UPDATE SET numero = max(numero, excluded.numero)",
                (equipo, epoca, numero),
            )
            bd.execute(
                "UPDATE ordenes SET obedecida = ? WHERE equipo = ? AND epoca = ? AND numero = ? AND obedecida IS NULL",
                (ahora.isoformat(), equipo, epoca, numero),
            )

    def bajo(self, equipo: str, epoca: str, numero: int, ahora: datetime) -> None:
        """Se le dio al bróker. Sólo cuenta la primera vez."""
        with self._escribiendo() as bd:
            bd.execute("INSERT OR IGNORE INTO bajadas VALUES (?,?,?,?)", (equipo, epoca, numero, ahora.isoformat()))

    def de(self, equipo: str) -> tuple[OrdenGuardada, ...]:
        """Todas las de un equipo, por época y número."""
        return self._leer("o.equipo = ?", equipo)

    def recientes(self, desde: datetime) -> tuple[OrdenGuardada, ...]:
        """Las de todos los equipos que se pidieron desde esa hora o que aún valían entonces, por equipo."""
        return self._leer("o.caduca >= ?", desde.astimezone(UTC).isoformat())

    def marca(self) -> object:
        """Distinta si algo cambió. Raises: OSError."""
        dato = self._ruta.stat()
        return dato.st_ino, dato.st_mtime_ns, dato.st_size

    def dicha(self, equipo: str, epoca: str) -> int:
        """La última que ese kiosco dijo haber obedecido; 0 si ninguna."""
        with closing(self._abrir()) as bd:
            fila = bd.execute("SELECT numero FROM dichas WHERE equipo = ? AND epoca = ?", (equipo, epoca)).fetchone()
        return int(fila[0]) if fila else 0

    def firmar(self, guardada: OrdenGuardada, firmante: Firmante) -> str:
        """El JWS que se manda. Raises: SobreInvalido."""
        return sellar_orden(self._orden(guardada), firmante)

    def _leer(self, condicion: str, valor: str) -> tuple[OrdenGuardada, ...]:
        with closing(self._abrir()) as bd:
            filas = bd.execute(
                "SELECT o.equipo, o.epoca, o.numero, o.orden, o.datos, o.quien, o.hora, o.caduca, o.obedecida, b.hora"
                " FROM ordenes o LEFT JOIN bajadas b USING (equipo, epoca, numero)"
                f" WHERE {condicion} ORDER BY o.equipo, o.epoca, o.numero",
                (valor,),
            ).fetchall()
        return tuple(
            OrdenGuardada(
                equipo,
                epoca,
                numero,
                de_datos(orden, datos),
                quien,
                datetime.fromisoformat(hora),
                datetime.fromisoformat(caduca),
                None if obedecida is None else datetime.fromisoformat(obedecida),
                None if bajada is None else datetime.fromisoformat(bajada),
            )
            for equipo, epoca, numero, orden, datos, quien, hora, caduca, obedecida, bajada in filas
        )

    def _orden(self, g: OrdenGuardada) -> Orden:
        return Orden(self._proceso, self._modo, g.equipo, g.epoca, g.numero, g.hora, g.caduca, g.que)

    def _exigir_firmable(self, guardada: OrdenGuardada) -> None:
        try:
            sellar_orden(self._orden(guardada), _SinLlave())
        except SobreInvalido as error:
            raise _mal(f"la orden no se puede mandar: {error}", "el texto es largo o la vigencia no sirve") from error

    def _abrir(self) -> sqlite3.Connection:
        bd = sqlite3.connect(self._ruta, timeout=1.0, isolation_level=None)
        bd.execute("PRAGMA trusted_schema = OFF")
        return bd

    @contextmanager
    def _escribiendo(self) -> Iterator[sqlite3.Connection]:
        with closing(self._abrir()) as bd:
            bd.execute("BEGIN IMMEDIATE")
            try:
                yield bd
                bd.execute("COMMIT")
            except BaseException:
                if bd.in_transaction:
                    bd.execute("ROLLBACK")
                raise


class _SinLlave:
    """Para comprobar la forma antes de guardar: quien ordena no tiene por qué tener la llave del centro."""

    @property
    def identidad(self) -> str:
        return "centro"

    def firmar(self, _tipo: object, _carga: bytes) -> str:
        return ""


def _separadas(texto: str) -> list[str]:
    ordenes, parte = [], ""
    for renglon in texto.splitlines():
        parte += renglon + "\n"
        if parte.strip() and sqlite3.complete_statement(parte):
            ordenes.append(parte)
            parte = ""
    return ordenes


def _mal(que: str, causa: str) -> Tropiezo:
    return Tropiezo("ORDEN", que, causa, "corrija y repita")
