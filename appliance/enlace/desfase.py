"""Cuánto difiere el reloj del kiosco del reloj del centro, sin decir nunca más de lo que consta.

El centro firma la hora en cada acuse. Entre que se mandó un latido y llegó su acuse el reloj del centro marcó esa hora,
así que la diferencia cae entre dos cotas tan separadas como la ida y vuelta. Se dice la menor que cabe en ellas: si
cero cabe, no consta desfase alguno.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_RECIENTES: Final = 8


@dataclass(frozen=True, slots=True)
class _Cotas:
    menor: timedelta
    mayor: timedelta

    @property
    def ancho(self) -> timedelta:
        return self.mayor - self.menor


class Desfase:
    """Lo que se sabe de los últimos latidos contestados. Las horas llevan huso y son del reloj que se juzga."""

    def __init__(self) -> None:
        self._mandado: datetime | None = None
        self._cotas: deque[_Cotas] = deque(maxlen=_RECIENTES)

    def mande(self, hora: datetime) -> None:
        """Salió un latido a esa hora del kiosco."""
        self._mandado = hora

    def contesto(self, hora_del_centro: datetime, hora: datetime) -> None:
        """Llegó, a esa hora del kiosco, el primer acuse después del último latido; los siguientes no dicen más."""
        if self._mandado is None:
            return
        mandado, self._mandado = self._mandado, None
        if hora < mandado:
            # El reloj se corrigió hacia atrás entre uno y otro: nada de lo anterior vale.
            self._cotas.clear()
            return
        self._cotas.append(_Cotas(mandado - hora_del_centro, hora - hora_del_centro))

    def milisegundos(self) -> int:
        """Kiosco menos centro, según la vuelta más rápida de las últimas; 0 si no se sabe o no consta."""
        if not self._cotas:
            return 0
        cotas = min(self._cotas, key=lambda c: c.ancho)
        if cotas.menor > timedelta():
            return cotas.menor // timedelta(milliseconds=1)
        return -(-cotas.mayor // timedelta(milliseconds=1)) if cotas.mayor < timedelta() else 0
