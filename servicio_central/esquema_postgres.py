"""Las mismas tablas que `esquema`, para PostgreSQL, con los mismos candados sobre lo que sólo se agrega.

Las crea su dueño (`python -m servicio_central.esquema_postgres | psql …`); el centro entra con otra cuenta, que sólo
puede leer y agregar. Los disparadores lo vuelven a decir, y valen hasta para una réplica (`ENABLE ALWAYS`).
"""

from __future__ import annotations

from typing import Final

from servicio_central.esquema import DEL_LATIDO

CUENTA: Final = "prep"
"""Con la que entra el centro. No es dueña de nada: no puede quitar un disparador."""

_TABLAS: Final = """
CREATE TABLE IF NOT EXISTS almacen (
  uno boolean PRIMARY KEY DEFAULT true CHECK (uno),
  identidad uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO almacen DEFAULT VALUES ON CONFLICT DO NOTHING;
CREATE SEQUENCE IF NOT EXISTS turnos;
CREATE TABLE IF NOT EXISTS hechos (
  posicion bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lote xid8 NOT NULL DEFAULT pg_current_xact_id(),
  huella text NOT NULL UNIQUE,
  equipo text NOT NULL, epoca text NOT NULL, secuencia bigint NOT NULL, previo text NOT NULL,
  eleccion text NOT NULL, casilla text, tipo text NOT NULL,
  creado text NOT NULL, recibido text NOT NULL, sobre text NOT NULL,
  UNIQUE (equipo, epoca, secuencia)
);
CREATE INDEX IF NOT EXISTS hechos_nuevos ON hechos (eleccion, lote);
CREATE INDEX IF NOT EXISTS hechos_de_acta ON hechos (casilla, eleccion);
CREATE INDEX IF NOT EXISTS hechos_con_imagen ON hechos (posicion) WHERE tipo IN ('imagen', 'fuera_de_catalogo');
CREATE TABLE IF NOT EXISTS bifurcaciones (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  equipo text NOT NULL, epoca text NOT NULL, secuencia bigint NOT NULL,
  huella_contada text NOT NULL, huella text NOT NULL UNIQUE, sobre text NOT NULL, recibido text NOT NULL
);
CREATE INDEX IF NOT EXISTS bifurcaciones_equipo ON bifurcaciones (equipo);
CREATE TABLE IF NOT EXISTS cuarentena (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sha256 text NOT NULL UNIQUE, huella text NOT NULL, equipo text, tema text NOT NULL,
  codigo text NOT NULL, causa text NOT NULL, tamano bigint NOT NULL, bytes bytea NOT NULL, primera_vez text NOT NULL
);
CREATE INDEX IF NOT EXISTS cuarentena_equipo ON cuarentena (equipo);
CREATE TABLE IF NOT EXISTS veces (
  clave text PRIMARY KEY, veces bigint NOT NULL, ultima bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS desbordes (
  clave text PRIMARY KEY, veces bigint NOT NULL, ultima_vez text NOT NULL
);
CREATE TABLE IF NOT EXISTS en_espera (
  huella text PRIMARY KEY, equipo text NOT NULL, tema text NOT NULL,
  codigo text NOT NULL, causa text NOT NULL, bytes bytea NOT NULL, desde text NOT NULL
);
CREATE INDEX IF NOT EXISTS en_espera_equipo ON en_espera (equipo);
CREATE TABLE IF NOT EXISTS cadenas (
  equipo text NOT NULL, epoca text NOT NULL, contiguo bigint NOT NULL, huella text NOT NULL,
  PRIMARY KEY (equipo, epoca)
);
CREATE TABLE IF NOT EXISTS latidos (
  equipo text PRIMARY KEY, catd text NOT NULL, epoca text NOT NULL, sesion text NOT NULL, motivo text NOT NULL,
  secuencia bigint NOT NULL, huella text NOT NULL, pendientes bigint NOT NULL, apartados bigint NOT NULL,
  hora text NOT NULL, reloj text NOT NULL, disco_libre bigint NOT NULL, version text NOT NULL,
  recibido text NOT NULL, retroceso integer NOT NULL
);
CREATE TABLE IF NOT EXISTS latidos_vistos (
  equipo text NOT NULL, sesion text NOT NULL, hora text NOT NULL,
  PRIMARY KEY (equipo, sesion, hora)
);
CREATE OR REPLACE FUNCTION solo_se_agrega() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%: sólo se agrega', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

INTOCABLES: Final = ("hechos", "bifurcaciones", "cuarentena")
_MUTABLES: Final = ("veces", "desbordes", "en_espera", "cadenas", "latidos", "latidos_vistos")


def esquema() -> str:
    """El SQL completo. Se puede correr otra vez sobre lo ya creado."""
    partes = [_TABLAS]
    for columna, tipo in DEL_LATIDO.items():
        partes.append(f"ALTER TABLE latidos ADD COLUMN IF NOT EXISTS {columna} {tipo.replace('INTEGER', 'bigint')};")
    for tabla in INTOCABLES:
        partes.append(
            f"CREATE OR REPLACE TRIGGER {tabla}_no_cambia BEFORE UPDATE OR DELETE OR TRUNCATE ON {tabla}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION solo_se_agrega();\n"
            f"ALTER TABLE {tabla} ENABLE ALWAYS TRIGGER {tabla}_no_cambia;"
        )
    partes.append(
        "DO $$ BEGIN\n"
        f"IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{CUENTA}') THEN CREATE ROLE {CUENTA} LOGIN; END IF;\n"
        "END $$;"
    )
    partes.append(f"GRANT SELECT, INSERT ON {', '.join(INTOCABLES)} TO {CUENTA};")
    partes.append(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(_MUTABLES)} TO {CUENTA};")
    partes.append(f"GRANT SELECT ON almacen TO {CUENTA};\nGRANT USAGE ON SEQUENCE turnos TO {CUENTA};")
    return "BEGIN;\n" + "\n".join(partes) + "\nCOMMIT;\n"


if __name__ == "__main__":
    print(esquema())
