"""La última lectura, mientras esté fresca: un gafete leído hace rato no entra después a otra pantalla."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from typing import Final

CADUCA_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Lectura:
    """`hora` son segundos del reloj monotónico."""

    texto: str
    hora: float


class Buzon:
    """Guarda una sola lectura; la nueva sustituye a la que nadie recogió. Sirve entre hilos."""

    def __init__(self, monotonico: Callable[[], float] = time.monotonic) -> None:
        self._monotonico = monotonico
        self._condicion = Condition()
        self._lectura: Lectura | None = None

    def dejar(self, texto: str) -> None:
        with self._condicion:
            self._lectura = Lectura(texto, self._monotonico())
            self._condicion.notify_all()

    def recoger(self, desde: float | None = None) -> Lectura | None:
        """La lectura si aún no caduca, y deja el buzón vacío.

        Args:
            desde: si se da, sólo vale lo leído a partir de esa hora monotónica: la de abrir la pantalla que la pide.
        """
        with self._condicion:
            lectura, self._lectura = self._lectura, None
        if lectura is None or self._monotonico() - lectura.hora > CADUCA_S:
            return None
        return lectura if desde is None or lectura.hora >= desde else None

    def esperar(self, plazo_s: float, desde: float | None = None) -> Lectura | None:
        """Como `recoger`, pero espera a que llegue una, a lo más ese tiempo."""
        limite = time.monotonic() + plazo_s
        while True:
            if (lectura := self.recoger(desde)) is not None:
                return lectura
            with self._condicion:
                if not self._condicion.wait_for(lambda: self._lectura is not None, limite - time.monotonic()):
                    return None
