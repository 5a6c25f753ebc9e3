"""En qué corte salió publicado lo que este kiosco mandó.

Cada acuse dice el último corte publicado y hasta qué secuencia de este equipo incluye. Un acta salió a más tardar en el
primer corte, de los que aquí se supieron, que cubre el hecho con que se verificó y en que no estaba en duda (otro
kiosco pudo leerla distinto); si el enlace estuvo caído durante un corte anterior, ése no se supo y no se inventa.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from nucleo.acuse import CorteCubierto
from nucleo.captura import Verificada, estado_de
from nucleo.hechos import Captura, Correccion, HechoDeActa, Revision

NO_SE_SABE: Final = "*"
"""En lugar de las actas en duda de un corte: eran demasiadas para decirlas, y de ninguna se promete nada."""


@dataclass(frozen=True, slots=True)
class CorteSabido:
    """Un corte publicado y hasta dónde incluye a este kiosco."""

    hora: datetime
    contiguo: int
    en_duda: frozenset[str] = frozenset()
    """Actas que ahí no salieron por estar en duda, o `NO_SE_SABE`."""

    def incluye(self, secuencia: int, acta: str) -> bool:
        return self.contiguo >= secuencia and acta not in self.en_duda and NO_SE_SABE not in self.en_duda


def recordar(conexion: sqlite3.Connection, corte: CorteCubierto) -> None:
    """Guarda lo que dijo un acuse, dentro de la transacción abierta. De un corte vale lo más que haya cubierto."""
    hora = corte.hora.astimezone(UTC).isoformat()
    conexion.execute(
        "INSERT INTO cortes VALUES (?, ?) ON CONFLICT (hora) DO UPDATE SET contiguo = max(contiguo, excluded.contiguo)",
        (hora, corte.contiguo),
    )
    conexion.execute("DELETE FROM dudas WHERE corte = ?", (hora,))
    dudas = (NO_SE_SABE,) if corte.en_duda is None else corte.en_duda
    conexion.executemany("INSERT INTO dudas VALUES (?, ?)", [(hora, acta) for acta in dudas])


def cortes(conexion: sqlite3.Connection) -> tuple[CorteSabido, ...]:
    """Los cortes que este kiosco conoce, del primero al último."""
    dudas: dict[str, set[str]] = {}
    for corte, acta in conexion.execute("SELECT corte, acta FROM dudas"):
        dudas.setdefault(corte, set()).add(acta)
    filas = conexion.execute("SELECT hora, contiguo FROM cortes ORDER BY hora")
    return tuple(CorteSabido(datetime.fromisoformat(h), n, frozenset(dudas.get(h, ()))) for h, n in filas)


def corte_que_cubre(sabidos: Sequence[CorteSabido], secuencia: int, acta: str = "") -> datetime | None:
    """Hora (UTC) del primer corte en que salió esa acta («elección/casilla»), verificada con el hecho de esa secuencia.

    `None` si todavía ninguno, o si el centro dijo que no salió por estar en duda.
    """
    return next((c.hora for c in sabidos if secuencia and c.incluye(secuencia, acta)), None)


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
