"""El tiempo de la noche: una fila de sucesos por hora, que se cumplen uno tras otro sin esperar a nadie."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from appliance.reloj import VIRTUAL


class Tiempo:
    """Segundos desde que empezó la noche. Dos sucesos del mismo instante ocurren en el orden en que se pidieron."""

    def __init__(self, inicio: datetime) -> None:
        self.segundos = 0.0
        self._inicio = inicio
        self._fila: list[tuple[float, int, Callable[[], None]]] = []
        self._turno = count()

    def ahora(self) -> datetime:
        """La hora verdadera, la que ningún kiosco conoce con certeza."""
        return self._inicio + timedelta(seconds=self.segundos)

    def dentro_de(self, segundos: float, hacer: Callable[[], None]) -> None:
        """Anota un suceso."""
        heapq.heappush(self._fila, (self.segundos + max(0.0, segundos), next(self._turno), hacer))

    def correr(self, hasta: float, basta: Callable[[], bool] = lambda: False) -> bool:
        """Cumple lo anotado hasta ese segundo, o hasta que `basta`; dice si bastó."""
        while self._fila and self._fila[0][0] <= hasta:
            self.segundos, _, hacer = heapq.heappop(self._fila)
            hacer()
            if basta():
                return True
        self.segundos = max(self.segundos, hasta)
        return basta()


class RelojDeKiosco:
    """El reloj de un kiosco: el verdadero más un desfase que las desgracias mueven."""

    def __init__(self, tiempo: Tiempo) -> None:
        self._tiempo = tiempo
        self.desfase = timedelta(0)
        self.sin_pila = False

    def ahora(self) -> datetime:
        if self.sin_pila:
            return self._tiempo.ahora().replace(year=1970)
        return self._tiempo.ahora() + self.desfase

    def calidad(self) -> str:
        return VIRTUAL

    def monotonico(self) -> float:
        return self._tiempo.segundos
