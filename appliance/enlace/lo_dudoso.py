"""Cuándo volver a ofrecer lo que estaba cerrado y el centro ya no dice tener (`appliance.bandeja`).

El centro contesta una por una las que no cuenta, apartándolas; de las que sí tiene no dice nada, porque su acuse habla
del otro disco. Por eso cada una se ofrece cada vez más despacio, y la que aparece, en cuanto aparece.
"""

from __future__ import annotations

from typing import Final

TOPE_S: Final = 300.0
"""Lo más que se espera para ofrecer otra vez lo mismo."""


class LoDudoso:
    """Lo ofrecido en una conexión. Los tiempos son segundos de un reloj monótono; `espera_s`, la primera espera."""

    def __init__(self, espera_s: float) -> None:
        self._primera_s = espera_s
        self._ofrecidas: dict[int, tuple[float, float]] = {}
        """Secuencia → cuánto se espera, y hasta cuándo, para ofrecerla otra vez."""

    def toca(self, en_duda: tuple[int, ...], ahora: float) -> list[tuple[int, int]]:
        """Los rangos [desde, hasta] que hay que volver a dar ya."""
        # Cada una por su cuenta: el centro no nombra las mismas en todos sus acuses, y ofrecer pide otro acuse.
        tocan = [s for s in sorted(en_duda) if ahora >= self._ofrecidas.get(s, (0.0, ahora))[1]]
        for secuencia in tocan:
            antes = self._ofrecidas.get(secuencia)
            espera_s = self._primera_s if antes is None else min(antes[0] * 2, TOPE_S)
            self._ofrecidas[secuencia] = (espera_s, ahora + espera_s)
        return [(secuencia, secuencia) for secuencia in tocan]
