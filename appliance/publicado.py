"""En qué corte salió publicado lo que este kiosco mandó.

Cada acuse dice el último corte publicado y hasta qué secuencia de este equipo incluye. Un acta salió a más tardar en el
primer corte, de los que aquí se supieron, que cubre el hecho con que se verificó; si el enlace estuvo caído durante un
corte anterior, ése no se supo y no se inventa.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nucleo.acuse import CorteCubierto
from nucleo.captura import Verificada, estado_de
from nucleo.hechos import Captura, Correccion, HechoDeActa, Revision


@dataclass(frozen=True, slots=True)
class CorteSabido:
    """Un corte publicado y hasta dónde incluye a este kiosco."""

    hora: datetime
    contiguo: int


def recordar(conexion: sqlite3.Connection, corte: CorteCubierto) -> None:
    """Guarda lo que dijo un acuse, dentro de la transacción abierta. De un corte vale lo más que haya cubierto."""
    conexion.execute(
        "INSERT INTO cortes VALUES (?, ?) ON CONFLICT (hora) DO UPDATE SET contiguo = max(contiguo, excluded.contiguo)",
        (corte.hora.astimezone(UTC).isoformat(), corte.contiguo),
    )


def cortes(conexion: sqlite3.Connection) -> tuple[CorteSabido, ...]:
    """Los cortes que este kiosco conoce, del primero al último."""
    filas = conexion.execute("SELECT hora, contiguo FROM cortes ORDER BY hora")
    return tuple(CorteSabido(datetime.fromisoformat(h), n) for h, n in filas)


def corte_que_cubre(sabidos: Sequence[CorteSabido], secuencia: int) -> datetime | None:
    """Hora (UTC) del primer corte que incluye esa secuencia; `None` si todavía ninguno."""
    return next((c.hora for c in sabidos if secuencia and c.contiguo >= secuencia), None)


def secuencia_verificada(historia: Sequence[tuple[int, HechoDeActa]]) -> int:
    """Secuencia del último hecho que hizo falta para verificar el acta; 0 si no está verificada."""
    estado = estado_de(h for _, h in historia)
    if not isinstance(estado, Verificada):
        return 0
    lecturas = (
        s
        for s, h in historia
        if isinstance(h, Captura | Correccion | Revision)
        and h.vuelta == estado.vuelta
        and h.hora <= estado.verificacion
    )
    return max(lecturas, default=0)
