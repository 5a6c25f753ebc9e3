"""Las tablas del almacén del centro y los disparadores que defienden lo que sólo se agrega."""

from __future__ import annotations

import sqlite3
from dataclasses import MISSING, fields
from typing import Final

from nucleo.latido import Latido
from servicio_central import solo_se_agrega

ESQUEMA: Final = """
CREATE TABLE IF NOT EXISTS hechos (
  posicion INTEGER PRIMARY KEY,
  huella TEXT NOT NULL UNIQUE,
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, secuencia INTEGER NOT NULL, previo TEXT NOT NULL,
  eleccion TEXT NOT NULL, casilla TEXT, tipo TEXT NOT NULL,
  creado TEXT NOT NULL, recibido TEXT NOT NULL, sobre TEXT NOT NULL,
  UNIQUE (equipo, epoca, secuencia)
) STRICT;
CREATE INDEX IF NOT EXISTS hechos_de_acta ON hechos (casilla, eleccion);
CREATE INDEX IF NOT EXISTS hechos_con_imagen ON hechos (posicion) WHERE tipo IN ('imagen', 'fuera_de_catalogo');
CREATE TABLE IF NOT EXISTS bifurcaciones (
  id INTEGER PRIMARY KEY,
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, secuencia INTEGER NOT NULL,
  huella_contada TEXT NOT NULL, huella TEXT NOT NULL UNIQUE, sobre TEXT NOT NULL, recibido TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS bifurcaciones_equipo ON bifurcaciones (equipo);
CREATE TABLE IF NOT EXISTS cuarentena (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE, huella TEXT NOT NULL, equipo TEXT, tema TEXT NOT NULL,
  codigo TEXT NOT NULL, causa TEXT NOT NULL, tamano INTEGER NOT NULL, bytes BLOB NOT NULL, primera_vez TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS cuarentena_equipo ON cuarentena (equipo);
CREATE TABLE IF NOT EXISTS veces (
  clave TEXT PRIMARY KEY, veces INTEGER NOT NULL, ultima INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS desbordes (
  clave TEXT PRIMARY KEY, veces INTEGER NOT NULL, ultima_vez TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS en_espera (
  huella TEXT PRIMARY KEY, equipo TEXT NOT NULL, tema TEXT NOT NULL,
  codigo TEXT NOT NULL, causa TEXT NOT NULL, bytes BLOB NOT NULL, desde TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS en_espera_equipo ON en_espera (equipo);
CREATE TABLE IF NOT EXISTS cadenas (
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, contiguo INTEGER NOT NULL, huella TEXT NOT NULL,
  PRIMARY KEY (equipo, epoca)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latidos (
  equipo TEXT PRIMARY KEY, catd TEXT NOT NULL, epoca TEXT NOT NULL, sesion TEXT NOT NULL, motivo TEXT NOT NULL,
  secuencia INTEGER NOT NULL, huella TEXT NOT NULL, pendientes INTEGER NOT NULL, apartados INTEGER NOT NULL,
  hora TEXT NOT NULL, reloj TEXT NOT NULL, disco_libre INTEGER NOT NULL, version TEXT NOT NULL,
  recibido TEXT NOT NULL, retroceso INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latidos_vistos (
  equipo TEXT NOT NULL, sesion TEXT NOT NULL, hora TEXT NOT NULL,
  PRIMARY KEY (equipo, sesion, hora)
) STRICT, WITHOUT ROWID;
"""

DEL_LATIDO: Final = {
    c.name: f"TEXT NOT NULL DEFAULT '{c.default}'"
    if isinstance(c.default, str)
    else f"INTEGER NOT NULL DEFAULT {c.default}"
    for c in fields(Latido)
    if c.default is not MISSING
}
"""Columnas de `latidos` que se fueron agregando: las de los campos que un kiosco anterior no manda."""


def ponerse_al_dia(bd: sqlite3.Connection) -> None:
    """Agrega a `latidos` las columnas que le falten, dentro de la transacción abierta. Nada de lo guardado cambia."""
    tiene = {renglon[1] for renglon in bd.execute("PRAGMA table_info(latidos)")}
    for columna, tipo in DEL_LATIDO.items():
        if columna not in tiene:
            bd.execute(f"ALTER TABLE latidos ADD COLUMN {columna} {tipo}")


_INTOCABLES: Final = {
    "hechos": "huella = NEW.huella OR posicion = NEW.posicion"
    " OR (equipo = NEW.equipo AND epoca = NEW.epoca AND secuencia = NEW.secuencia)",
    "bifurcaciones": "huella = NEW.huella OR id = NEW.id",
    "cuarentena": "sha256 = NEW.sha256 OR id = NEW.id",
}
"""Tabla → qué renglón sustituiría un REPLACE."""


def disparadores() -> str:
    """Los disparadores que rechazan cambiar, borrar o reemplazar lo intocable."""
    return solo_se_agrega.disparadores(_INTOCABLES)
