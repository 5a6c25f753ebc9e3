"""Las tablas del almacén del centro y los disparadores que defienden lo que sólo se agrega."""

from __future__ import annotations

from typing import Final

ESQUEMA: Final = """
CREATE TABLE IF NOT EXISTS hechos (
  posicion INTEGER PRIMARY KEY,
  huella TEXT NOT NULL UNIQUE,
  equipo TEXT NOT NULL, epoca TEXT NOT NULL, secuencia INTEGER NOT NULL, previo TEXT NOT NULL,
  eleccion TEXT NOT NULL, casilla TEXT, tipo TEXT NOT NULL,
  creado TEXT NOT NULL, recibido TEXT NOT NULL, sobre TEXT NOT NULL,
  UNIQUE (equipo, epoca, secuencia)
) STRICT;
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

_INTOCABLES: Final = {
    "hechos": "huella = NEW.huella OR posicion = NEW.posicion"
    " OR (equipo = NEW.equipo AND epoca = NEW.epoca AND secuencia = NEW.secuencia)",
    "bifurcaciones": "huella = NEW.huella OR id = NEW.id",
    "cuarentena": "sha256 = NEW.sha256 OR id = NEW.id",
}
"""Tabla → qué renglón sustituiría un REPLACE, que no dispara los disparadores de DELETE."""


def disparadores() -> str:
    """Los disparadores que rechazan cambiar, borrar o reemplazar lo intocable."""
    partes = []
    for tabla, choque in _INTOCABLES.items():
        for suceso, condicion in (
            ("UPDATE", ""),
            ("DELETE", ""),
            ("INSERT", f"WHEN EXISTS (SELECT 1 FROM {tabla} WHERE {choque})"),
        ):
            partes.append(
                f"CREATE TRIGGER IF NOT EXISTS {tabla}_no_{suceso.lower()} BEFORE {suceso} ON {tabla} {condicion}"
                f" BEGIN SELECT RAISE(ABORT, '{tabla}: sólo se agrega'); END;"
            )
    return "\n".join(partes)
