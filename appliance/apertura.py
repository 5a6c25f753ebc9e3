"""Abrir el almacén: crearlo si falta, exigir que sea de este kiosco y comprobar que no esté dañado."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Final

from appliance import esquema
from appliance.disco import ESPERA_S, danado
from appliance.falla import Falla
from appliance.permisos import nacer_reservado, reservar
from nucleo.sobre import CADENA_NUEVA, huella

ESLABONES: Final = 500
"""Cuántos hechos, del último hacia atrás, se comprueban al abrir (cerca de 20 ms)."""


def conectar(ruta: Path, dueno: tuple[str, str, str, str]) -> sqlite3.Connection:
    """Conexión lista para escribir con WAL y `synchronous=FULL`, sin transacciones implícitas.

    Args:
        dueno: equipo, época, proceso y modo a los que debe pertenecer.

    Raises:
        Falla: ALMACEN_DANADO, ALMACEN_AJENO, PERMISOS o DISCO.
        sqlite3.Error: por causas físicas; las explica `appliance.disco.explicada`.
    """
    nacer_reservado(ruta)
    # SQLite da a -wal y -shm los permisos del almacén; éstos pudieron quedar de antes.
    reservar(ruta, *(ruta.with_name(ruta.name + fin) for fin in ("-wal", "-shm")))
    conexion = sqlite3.connect(ruta, timeout=ESPERA_S, isolation_level=None, check_same_thread=False)
    try:
        _preparar(conexion, dueno)
        _comprobar(conexion, ruta)
    except BaseException:
        conexion.close()
        raise
    return conexion


def _preparar(conexion: sqlite3.Connection, dueno: tuple[str, str, str, str]) -> None:
    _poner_wal(conexion)
    conexion.execute("PRAGMA synchronous = FULL")
    conexion.execute("PRAGMA foreign_keys = ON")
    if conexion.execute("PRAGMA user_version").fetchone()[0] == 0:
        conexion.execute("BEGIN IMMEDIATE")
        try:
            # Otro proceso pudo crearlo mientras se esperaba el turno.
            if conexion.execute("PRAGMA user_version").fetchone()[0] == 0:
                esquema.crear(conexion, CADENA_NUEVA)
                conexion.execute("INSERT INTO pertenencia VALUES (?, ?, ?, ?)", dueno)
            conexion.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                conexion.execute("ROLLBACK")
            raise
    version = conexion.execute("PRAGMA user_version").fetchone()[0]
    if version not in (esquema.ANTERIOR, esquema.VERSION):
        raise danado(f"su versión es {version} y este programa usa la {esquema.VERSION}")
    inscrito = conexion.execute("SELECT equipo, epoca, proceso, modo FROM pertenencia").fetchone()
    if inscrito != dueno:
        raise Falla(
            "ALMACEN_AJENO",
            f"El almacén es de {' '.join(inscrito or ('nadie',))} y este kiosco es {' '.join(dueno)}",
            "se copió de otro kiosco, o se volvió a inscribir sobre una carpeta usada",
            "no lo borre: apártelo y use la carpeta que creó la inscripción",
        )
    if version == esquema.ANTERIOR:
        _actualizar(conexion)


def _actualizar(conexion: sqlite3.Connection) -> None:
    conexion.execute("BEGIN IMMEDIATE")
    try:
        # Otro proceso pudo hacerlo mientras se esperaba el turno.
        if conexion.execute("PRAGMA user_version").fetchone()[0] == esquema.ANTERIOR:
            esquema.actualizar(conexion)
        conexion.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            conexion.execute("ROLLBACK")
        raise


def _poner_wal(conexion: sqlite3.Connection) -> None:
    # Cambiar a WAL pide el archivo entero y no siempre respeta la espera: si varios abren a la vez, se insiste.
    limite = time.monotonic() + ESPERA_S
    while True:
        try:
            modo = conexion.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "SQLITE_BUSY" not in error.sqlite_errorname or time.monotonic() > limite:
                raise
            time.sleep(0.02)
            continue
        if modo != "wal":
            raise Falla(
                "DISCO",
                "El disco del kiosco no admite el modo WAL de SQLite",
                "la carpeta está en una unidad de red o compartida",
                "ponga la carpeta del kiosco en un disco local",
            )
        return


def _comprobar(conexion: sqlite3.Connection, ruta: Path) -> None:
    revision = conexion.execute("PRAGMA quick_check(1)").fetchone()[0]
    if revision != "ok":
        raise danado(f"{ruta}: {revision}")
    filas = conexion.execute(
        "SELECT secuencia, huella, previo, sobre FROM hechos ORDER BY secuencia DESC LIMIT ?", (ESLABONES,)
    ).fetchall()
    for (secuencia, propia, previo, sobre), anterior in zip(filas, [*filas[1:], None], strict=False):
        esperado = anterior[1] if anterior else (CADENA_NUEVA if secuencia == 1 else previo)
        seguido = anterior is None or anterior[0] == secuencia - 1
        if huella(sobre) != propia or previo != esperado or not seguido:
            raise danado(f"{ruta}: el hecho {secuencia} no encadena con el anterior")
    faltan = conexion.execute(
        "SELECT count(*) FROM hechos WHERE secuencia NOT IN (SELECT secuencia FROM bandeja)"
    ).fetchone()[0]
    if faltan:
        raise danado(f"{ruta}: {faltan} hechos sin renglón en la bandeja")
