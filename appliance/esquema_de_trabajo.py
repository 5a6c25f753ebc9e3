"""Las tablas con que se trabaja y que no son el libro: turnos, borradores, hojas por identificar, etiquetas.

Nada de esto se publica ni se firma; si se perdiera, se perdería comodidad, no un acta. Aun así se escriben con la misma
durabilidad que el libro, en el mismo archivo: una captura a medias sobrevive a un apagón.
"""

from __future__ import annotations

from typing import Final

TABLAS_DE_TRABAJO: Final = """
CREATE TABLE turnos (
    estacion  TEXT PRIMARY KEY,
    persona   TEXT NOT NULL UNIQUE,
    desde     TEXT NOT NULL,
    visto     TEXT NOT NULL,
    bloqueado INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE intentos (
    persona TEXT NOT NULL, desde TEXT NOT NULL, fallas INTEGER NOT NULL, ultima TEXT NOT NULL,
    PRIMARY KEY (persona, desde)
) STRICT, WITHOUT ROWID;

CREATE TABLE borradores (
    eleccion TEXT NOT NULL, casilla TEXT NOT NULL, persona TEXT NOT NULL, clase TEXT NOT NULL,
    vuelta INTEGER NOT NULL, renglon TEXT NOT NULL, valor TEXT NOT NULL, imagen TEXT NOT NULL, hora TEXT NOT NULL,
    PRIMARY KEY (eleccion, casilla, persona, clase, vuelta, renglon)
) STRICT, WITHOUT ROWID;

CREATE TABLE senalados (
    eleccion TEXT NOT NULL, casilla TEXT NOT NULL, persona TEXT NOT NULL, vuelta INTEGER NOT NULL,
    leido TEXT NOT NULL, hora TEXT NOT NULL,
    PRIMARY KEY (eleccion, casilla, persona, vuelta)
) STRICT, WITHOUT ROWID;

CREATE TABLE redigitalizar (
    eleccion TEXT NOT NULL, casilla TEXT NOT NULL, sha256 TEXT NOT NULL, persona TEXT NOT NULL,
    motivo TEXT NOT NULL, hora TEXT NOT NULL,
    PRIMARY KEY (eleccion, casilla)
) STRICT, WITHOUT ROWID;

CREATE TABLE hojas (
    hoja           INTEGER PRIMARY KEY,
    lote           TEXT NOT NULL,
    numero         INTEGER NOT NULL,
    estado         TEXT NOT NULL CHECK (estado IN ('recibida', 'dudosa', 'asignada', 'fuera', 'descartada')),
    digitalizacion TEXT NOT NULL,
    persona        TEXT NOT NULL,
    hora           TEXT NOT NULL,
    origen         TEXT NOT NULL,
    sha256         TEXT NOT NULL DEFAULT '',
    lectura        TEXT NOT NULL DEFAULT '',
    eleccion       TEXT,
    casilla        TEXT,
    motivo         TEXT NOT NULL DEFAULT '',
    detalle        TEXT NOT NULL DEFAULT '',
    UNIQUE (origen)
) STRICT;
CREATE INDEX hojas_por_estado ON hojas (estado);
CREATE INDEX hojas_por_imagen ON hojas (sha256);
CREATE INDEX hojas_por_lote ON hojas (lote);

CREATE TABLE lotes (
    lote           TEXT PRIMARY KEY,
    digitalizacion TEXT NOT NULL,
    persona        TEXT NOT NULL,
    hora           TEXT NOT NULL,
    entraron       INTEGER NOT NULL DEFAULT 0,
    a_medias       INTEGER NOT NULL DEFAULT 0,
    fin            TEXT NOT NULL DEFAULT '',
    falla          TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE etiquetas (
    nonce TEXT PRIMARY KEY, eleccion TEXT NOT NULL, casilla TEXT NOT NULL, persona TEXT NOT NULL, hora TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cortes (
    hora TEXT PRIMARY KEY, contiguo INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cajas (
    caja TEXT NOT NULL, relacion INTEGER NOT NULL, cerrada TEXT NOT NULL, persona TEXT NOT NULL,
    reabierta TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (caja, relacion)
) STRICT, WITHOUT ROWID;
"""
