"""Lo que los procesos del kiosco le dicen a quien los arrancó. Ninguno se detiene por no poder decirlo."""

from __future__ import annotations

import contextlib
import sys


def decir(linea: str) -> None:
    """Escribe un renglón en la salida de errores; si está llena o cerrada, lo calla."""
    # La salida suele ir a un archivo del mismo disco que se llenó: perder un renglón no vale perder el enlace.
    with contextlib.suppress(OSError, ValueError):
        print(linea, file=sys.stderr, flush=True)


def anunciar(linea: str) -> None:
    """Como `decir`, en la salida normal."""
    with contextlib.suppress(OSError, ValueError):
        print(linea, flush=True)
