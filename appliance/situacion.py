"""Lo que el kiosco recuerda entre arranques y no es del libro: una tabla de llave y texto."""

from __future__ import annotations

import sqlite3


def leer(conexion: sqlite3.Connection, llave: str) -> str:
    """Lo recordado con esa llave; vacío si nada."""
    fila = conexion.execute("SELECT valor FROM situacion WHERE llave = ?", (llave,)).fetchone()
    return str(fila[0]) if fila else ""


def poner(conexion: sqlite3.Connection, llave: str, valor: str) -> None:
    """Recuerda, dentro de la transacción abierta; un valor vacío se olvida."""
    if valor:
        conexion.execute("INSERT OR REPLACE INTO situacion VALUES (?, ?)", (llave, valor))
    else:
        conexion.execute("DELETE FROM situacion WHERE llave = ?", (llave,))
