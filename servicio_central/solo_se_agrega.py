"""Los disparadores de SQLite que defienden una tabla a la que sólo se agrega."""

from __future__ import annotations

from collections.abc import Mapping


def disparadores(tablas: Mapping[str, str]) -> str:
    """El SQL que rechaza cambiar, borrar o reemplazar un renglón. Se puede volver a correr.

    Args:
        tablas: de cada una, qué renglón sustituiría un REPLACE, que no dispara los disparadores de DELETE.
    """
    partes = []
    for tabla, choque in tablas.items():
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
