"""Los acuses que tocan a una cadena después de un lote: lo acumulado, lo suelto, lo que falta y lo apartado."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TypeVar

from nucleo.acuse import MAXIMO_APARTADOS, MAXIMO_FALTAN, MAXIMO_SUELTOS, Acuse, Apartado, CorteCubierto
from servicio_central.cadena import Cadena

_T = TypeVar("_T")


def armar_acuses(
    equipo: str,
    epoca: str,
    cadena: Cadena,
    vistas: Collection[int],
    apartados: Sequence[tuple[str, str]],
    otros_apartados: Sequence[tuple[str, str]],
    hora: datetime,
    corte: CorteCubierto | None = None,
) -> list[Acuse]:
    """Acuses de una cadena: al menos uno, y los que hagan falta para decir todo lo visto en el lote.

    Args:
        vistas: secuencias que llegaron en el lote.
        apartados: (huella, código) de lo que en el lote no se pudo aceptar.
        otros_apartados: los de antes, que van si queda lugar.
        corte: lo que el último corte publicado incluye de esta cadena.
    """
    primero = sorted(s for s in vistas if s in cadena.sueltos)
    otros = _girados(sorted(s for s in cadena.sueltos if s not in vistas), hora)
    faltan = tuple(cadena.faltan()[:MAXIMO_FALTAN])
    trozos = zip_longest(
        _en_trozos(primero, otros, MAXIMO_SUELTOS),
        _en_trozos(apartados, otros_apartados, MAXIMO_APARTADOS),
        fillvalue=(),
    )
    return [
        Acuse(
            equipo,
            epoca,
            cadena.contiguo,
            cadena.huella,
            tuple((s, cadena.sueltos[s].huella) for s in sorted(sueltos)),
            faltan,
            tuple(Apartado(h, c) for h, c in aparte),
            hora,
            corte,
        )
        for sueltos, aparte in trozos
    ]


def _girados(otros: list[int], hora: datetime) -> list[int]:
    """Si no caben todos, los de cada acuse empiezan en otro lado: quien oiga varios acaba por saber de todos."""
    if len(otros) <= MAXIMO_SUELTOS:
        return otros
    inicio = int(hora.timestamp() * 1000) % len(otros)
    return otros[inicio:] + otros[:inicio]


def _en_trozos(vistos: Sequence[_T], otros: Sequence[_T], cabida: int) -> list[Sequence[_T]]:
    """Trozos de a lo más `cabida`, al menos uno, con todo lo visto en el lote y, en lo que sobre, lo demás.

    Si siempre se anunciaran los mismos, el kiosco reenviaría el resto para siempre sin enterarse de que ya está.
    """
    sitio = max(1, -(-len(vistos) // cabida)) * cabida
    todos = [*vistos, *otros][:sitio]
    return [todos[i : i + cabida] for i in range(0, len(todos), cabida)] or [[]]
