"""Puertos de la propia máquina para lo que un ensayo levanta."""

from __future__ import annotations

import random
import socket
from contextlib import closing
from typing import Final

_RANGO: Final = range(20_000, 32_000)
"""Debajo de los que el núcleo reparte solo (32768 en adelante, ip(7)): ninguna conexión de paso se lo lleva antes."""

_AZAR: Final = random.SystemRandom()
"""Dos ensayos a la vez, aun con la misma semilla, no deben proponer los mismos."""


def puerto_libre() -> int:
    """Uno que nadie escucha en este momento. Raises: OSError, si no quedara ninguno."""
    while True:
        puerto = _AZAR.choice(_RANGO)
        with closing(socket.socket()) as enchufe:
            try:
                enchufe.bind(("127.0.0.1", puerto))
            except OSError:
                continue
            return puerto


def puertos_libres(cuantos: int) -> list[int]:
    """Varios, distintos entre sí. Raises: como `puerto_libre`."""
    puertos: set[int] = set()
    while len(puertos) < cuantos:
        puertos.add(puerto_libre())
    return sorted(puertos)
