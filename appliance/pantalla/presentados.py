"""De quién es el gafete que se acaba de leer en cada estación, mientras teclea su NIP.

Se olvida en un minuto y al reiniciar: quien sólo pasó su gafete todavía no ha entrado.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

CADUCA_S: Final = 60.0
_MEMORIA: Final = 50


class Presentados:
    """Se puede compartir entre hilos.

    Args:
        monotonico: segundos de un reloj que no retrocede.
    """

    def __init__(self, monotonico: Callable[[], float] = time.monotonic) -> None:
        self._monotonico = monotonico
        self._de: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._turno = Lock()

    def presentar(self, estacion: str, persona: str) -> None:
        with self._turno:
            self._de.pop(estacion, None)
            self._de[estacion] = (persona, self._monotonico())
            while len(self._de) > _MEMORIA:
                self._de.popitem(last=False)

    def en(self, estacion: str) -> str:
        """La clave de quien se presentó, o vacío."""
        with self._turno:
            persona, hora = self._de.get(estacion, ("", 0.0))
            return persona if persona and self._monotonico() - hora <= CADUCA_S else ""

    def olvidar(self, estacion: str) -> None:
        with self._turno:
            self._de.pop(estacion, None)
