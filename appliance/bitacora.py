"""La bitácora del kiosco: se encadena renglón a renglón y se manda al centro en hojas, dentro de la cadena firmada.

Los eventos se declaran en `nucleo/eventos.toml`. Una hoja se asienta como cualquier hecho (`hoja_pendiente`), así que
sobrevive a un enlace caído y a la mochila igual que las actas.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from nucleo.eventos import BITACORA_NUEVA, RenglonDeBitacora, encadenar, eventos
from nucleo.hechos import MAXIMO_DETALLE, MAXIMO_RENGLONES_DE_BITACORA, HojaDeBitacora

_MANDADA = "bitacora_mandada"


def anotar(conexion: sqlite3.Connection, renglon: RenglonDeBitacora) -> None:
    """Agrega un renglón, dentro de la transacción abierta. Raises: KeyError si el evento no está declarado."""
    eventos()[renglon.evento]
    detalle = "".join(c if c.isprintable() else "?" for c in renglon.detalle)[:MAXIMO_DETALLE]
    limpio = RenglonDeBitacora(renglon.hora, renglon.evento, renglon.persona, renglon.acta[:90], detalle)
    previo = _ultima_huella(conexion)
    conexion.execute(
        "INSERT INTO bitacora (hora, evento, persona, acta, detalle, previo, huella) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            limpio.hora,
            limpio.evento,
            limpio.persona,
            limpio.acta,
            limpio.detalle,
            previo,
            encadenar(previo, limpio),
        ),
    )


def hoja_pendiente(conexion: sqlite3.Connection, hora: datetime) -> HojaDeBitacora | None:
    """La siguiente hoja por mandar, o `None`. Quien la asienta llama a `marcar_mandada` en la misma transacción."""
    filas = conexion.execute(
        "SELECT renglon, hora, evento, persona, acta, detalle, previo FROM bitacora WHERE renglon > ? "
        "ORDER BY renglon LIMIT ?",
        (_mandada(conexion), MAXIMO_RENGLONES_DE_BITACORA),
    ).fetchall()
    if not filas:
        return None
    return HojaDeBitacora(hora, filas[0][0], filas[0][6], tuple(RenglonDeBitacora(*fila[1:6]) for fila in filas))


def marcar_mandada(conexion: sqlite3.Connection, hoja: HojaDeBitacora) -> None:
    """Recuerda hasta dónde se ha mandado."""
    ultimo = hoja.desde + len(hoja.renglones) - 1
    conexion.execute("INSERT OR REPLACE INTO situacion VALUES (?, ?)", (_MANDADA, str(ultimo)))


def _mandada(conexion: sqlite3.Connection) -> int:
    fila = conexion.execute("SELECT valor FROM situacion WHERE llave = ?", (_MANDADA,)).fetchone()
    return int(fila[0]) if fila else 0


def _ultima_huella(conexion: sqlite3.Connection) -> str:
    fila = conexion.execute("SELECT huella FROM bitacora ORDER BY renglon DESC LIMIT 1").fetchone()
    return str(fila[0]) if fila else BITACORA_NUEVA
