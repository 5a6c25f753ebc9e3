"""Cuándo volver a ofrecer lo que estaba cerrado y el centro ya no dice tener (`appliance.bandeja`).

El centro contesta una por una las que no cuenta, apartándolas; de las que sí tiene no dice nada, porque su acuse habla
del otro disco. Por eso lo mismo se ofrece cada vez más despacio, y lo que cambia, en cuanto cambia.
"""

from __future__ import annotations

from typing import Final

TOPE_S: Final = 300.0
"""Lo más que se espera para ofrecer otra vez lo mismo."""


class LoDudoso:
    """Lo ofrecido en una conexión. Los tiempos son segundos de un reloj monótono; `espera_s`, la primera espera."""

    def __init__(self, espera_s: float) -> None:
        self._primera_s = espera_s
        self._espera_s = espera_s
        self._visto: tuple[int, ...] = ()
        self._proxima = 0.0

    def toca(self, en_duda: tuple[int, ...], ahora: float) -> list[tuple[int, int]]:
        """Los rangos [desde, hasta] que hay que volver a dar ya."""
        if en_duda != self._visto:
            self._visto, self._espera_s = en_duda, self._primera_s
        elif ahora < self._proxima:
            return []
        else:
            self._espera_s = min(self._espera_s * 2, TOPE_S)
        self._proxima = ahora + self._espera_s
        return [(secuencia, secuencia) for secuencia in sorted(en_duda)]
