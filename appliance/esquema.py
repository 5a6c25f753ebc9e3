"""Las tablas del almacén del kiosco y los candados que la propia base impone.

`hechos` y `bitacora` son de sólo agregar: los disparadores rechazan UPDATE, DELETE y REPLACE aunque quien escriba sea
otro programa, y rechazan también un hecho que no encadene con el último. De `bandeja` no se borra nada.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from appliance.contenido import hecho_de
from appliance.esquema_de_trabajo import TABLAS_DE_TRABAJO
from appliance.imagenes_declaradas import declarar
from nucleo.eventos import BITACORA_NUEVA

VERSION: Final = 4
"""`PRAGMA user_version` de este esquema."""

ANTERIOR: Final = 3
"""La versión que se sabe poner al día; de las de antes no quedó ningún kiosco."""

_TABLAS: Final = """
CREATE TABLE pertenencia (
    equipo TEXT NOT NULL, epoca TEXT NOT NULL, proceso TEXT NOT NULL, modo TEXT NOT NULL
) STRICT;

CREATE TABLE hechos (
    secuencia INTEGER PRIMARY KEY,
    huella    TEXT NOT NULL UNIQUE,
    previo    TEXT NOT NULL,
    sobre     TEXT NOT NULL,
    eleccion  TEXT NOT NULL,
    casilla   TEXT,
    tipo      TEXT NOT NULL,
    creado    TEXT NOT NULL
) STRICT;
CREATE INDEX hechos_por_acta ON hechos (eleccion, casilla);

CREATE TABLE bandeja (
    secuencia  INTEGER PRIMARY KEY REFERENCES hechos (secuencia),
    estado     TEXT NOT NULL DEFAULT 'pendiente' CHECK (estado IN ('pendiente', 'cerrado')),
    cerrado_en TEXT,
    apartado   TEXT
) STRICT;
CREATE INDEX bandeja_pendiente ON bandeja (secuencia) WHERE estado = 'pendiente';

CREATE TABLE encargos (
    eleccion TEXT NOT NULL, casilla TEXT NOT NULL, persona TEXT NOT NULL, desde TEXT NOT NULL,
    PRIMARY KEY (eleccion, casilla)
) STRICT, WITHOUT ROWID;

CREATE TABLE bitacora (
    renglon INTEGER PRIMARY KEY,
    hora    TEXT NOT NULL,
    evento  TEXT NOT NULL,
    persona TEXT NOT NULL,
    acta    TEXT NOT NULL,
    detalle TEXT NOT NULL,
    previo  TEXT NOT NULL,
    huella  TEXT NOT NULL
) STRICT;

CREATE TABLE situacion (llave TEXT PRIMARY KEY, valor TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TRIGGER hechos_encadenan BEFORE INSERT ON hechos
WHEN NEW.secuencia IS NOT (SELECT coalesce(max(secuencia), 0) + 1 FROM hechos)
  OR NEW.previo IS NOT coalesce((SELECT huella FROM hechos ORDER BY secuencia DESC LIMIT 1), '{cadena_nueva}')
  OR EXISTS (SELECT 1 FROM hechos WHERE huella = NEW.huella)
BEGIN SELECT RAISE(ABORT, 'un hecho sólo se agrega al final de la cadena'); END;

CREATE TRIGGER bandeja_no_retrocede BEFORE UPDATE ON bandeja
WHEN NEW.secuencia <> OLD.secuencia OR (OLD.estado = 'cerrado' AND NEW.estado <> 'cerrado')
BEGIN SELECT RAISE(ABORT, 'un renglón cerrado de la bandeja no se vuelve a abrir'); END;

CREATE TRIGGER bandeja_no_reemplaza BEFORE INSERT ON bandeja
WHEN EXISTS (SELECT 1 FROM bandeja WHERE secuencia = NEW.secuencia)
BEGIN SELECT RAISE(ABORT, 'la bandeja ya tiene ese renglón'); END;

CREATE TRIGGER bitacora_encadena BEFORE INSERT ON bitacora
WHEN NEW.renglon <> -1 AND NEW.renglon <= (SELECT coalesce(max(renglon), 0) FROM bitacora)
  OR NEW.previo IS NOT coalesce((SELECT huella FROM bitacora ORDER BY renglon DESC LIMIT 1), '{bitacora_nueva}')
BEGIN SELECT RAISE(ABORT, 'la bitácora sólo se agrega al final de su cadena'); END;

CREATE TRIGGER pertenencia_unica BEFORE INSERT ON pertenencia
WHEN EXISTS (SELECT 1 FROM pertenencia)
BEGIN SELECT RAISE(ABORT, 'este almacén ya tiene dueño'); END;
"""

_DE_IMAGENES: Final = """
CREATE TABLE imagenes (
    sha256    TEXT PRIMARY KEY,
    secuencia INTEGER NOT NULL REFERENCES hechos (secuencia),
    bytes     INTEGER NOT NULL,
    recibidos INTEGER NOT NULL DEFAULT 0,
    estado    TEXT NOT NULL DEFAULT 'pendiente' CHECK (estado IN ('pendiente', 'completa')),
    nota      TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX imagenes_pendientes ON imagenes (secuencia) WHERE estado = 'pendiente';

CREATE TABLE avances (id INTEGER PRIMARY KEY, hora TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;

CREATE TABLE dudas (corte TEXT NOT NULL, acta TEXT NOT NULL, PRIMARY KEY (corte, acta)) STRICT, WITHOUT ROWID;

CREATE TRIGGER imagenes_no_retrocede BEFORE UPDATE ON imagenes
WHEN NEW.sha256 <> OLD.sha256 OR (OLD.estado = 'completa' AND NEW.estado <> 'completa')
BEGIN SELECT RAISE(ABORT, 'una imagen entregada no se vuelve a abrir'); END;

CREATE TRIGGER imagenes_no_reemplaza BEFORE INSERT ON imagenes
WHEN EXISTS (SELECT 1 FROM imagenes WHERE sha256 = NEW.sha256)
BEGIN SELECT RAISE(ABORT, 'esa imagen ya está anotada'); END;
"""
"""Las de la versión 4: qué imágenes faltan, cuánto avanzan, y qué actas no salieron en un corte por estar en duda."""

_INTOCABLES: Final = ("hechos", "bitacora", "pertenencia")
_IMBORRABLES: Final = (*_INTOCABLES, "bandeja", "imagenes")


def crear(conexion: sqlite3.Connection, cadena_nueva: str) -> None:
    """Crea las tablas y candados, dentro de la transacción abierta por quien llama.

    Args:
        cadena_nueva: `previo` del primer hecho de la época.
    """
    libro = _TABLAS.format(cadena_nueva=cadena_nueva, bitacora_nueva=BITACORA_NUEVA)
    for orden in _ordenes(libro) + _ordenes(_DE_IMAGENES) + _candados() + _ordenes(TABLAS_DE_TRABAJO):
        conexion.execute(orden)
    conexion.execute(f"PRAGMA user_version = {VERSION}")


def actualizar(conexion: sqlite3.Connection) -> None:
    """Lleva un almacén de la versión 3 a ésta, dentro de la transacción abierta. Del libro no cambia nada.

    Las imágenes ya declaradas se anotan como pendientes: antes no viajaban, y el centro no tiene ninguna.
    """
    for orden in [*_ordenes(_DE_IMAGENES), _candado("imagenes", "DELETE")]:
        conexion.execute(orden)
    filas = conexion.execute(
        "SELECT secuencia, sobre FROM hechos WHERE tipo IN ('imagen', 'fuera_de_catalogo') ORDER BY secuencia"
    ).fetchall()
    for secuencia, sobre in filas:
        declarar(conexion, hecho_de(sobre), secuencia)
    conexion.execute(f"PRAGMA user_version = {VERSION}")


def _ordenes(texto: str) -> list[str]:
    # executescript confirmaría la transacción abierta; por eso se separan las órdenes a mano.
    ordenes, pendiente = [], ""
    for renglon in texto.splitlines():
        pendiente += renglon + "\n"
        if pendiente.strip() and sqlite3.complete_statement(pendiente):
            ordenes.append(pendiente)
            pendiente = ""
    return ordenes


def _candados() -> list[str]:
    return [_candado(t, "UPDATE") for t in _INTOCABLES] + [_candado(t, "DELETE") for t in _IMBORRABLES]


def _candado(tabla: str, orden: str) -> str:
    return (
        f"CREATE TRIGGER {tabla}_sin_{orden.lower()} BEFORE {orden} ON {tabla} "
        f"BEGIN SELECT RAISE(ABORT, 'la tabla {tabla} no admite {orden}'); END"
    )
