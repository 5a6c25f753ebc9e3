"""La cadena de un equipo en una época: hasta dónde está completa y encadenada, y qué hay después del hueco.

Valores puros: se rehacen desde los hechos guardados (`de_eslabones`) y avanzan con cada hecho nuevo (`agregar`); las
pruebas exigen que ambos caminos lleguen a lo mismo. `contiguo` sólo avanza si el `previo` del siguiente es la huella
del anterior.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nucleo.sobre import CADENA_NUEVA


@dataclass(frozen=True, slots=True)
class Eslabon:
    """Lo que une un sobre con el anterior."""

    huella: str
    previo: str


@dataclass
class Cadena:
    """Estado de una cadena. `sueltos` son los guardados más allá de `contiguo`, por secuencia."""

    contiguo: int = 0
    huella: str = CADENA_NUEVA
    sueltos: dict[int, Eslabon] = field(default_factory=dict)
    anunciada: int = field(default=0, compare=False)
    """Última secuencia que el equipo dijo tener en su latido."""

    def agregar(self, secuencia: int, eslabon: Eslabon) -> None:
        """Incorpora un sobre guardado y avanza cuanto se pueda."""
        self.sueltos[secuencia] = eslabon
        while (siguiente := self.sueltos.get(self.contiguo + 1)) is not None and siguiente.previo == self.huella:
            self.contiguo += 1
            self.huella = siguiente.huella
            del self.sueltos[self.contiguo]

    def conoce(self, secuencia: int) -> bool:
        """Si ya se agregó el sobre de esa secuencia."""
        return secuencia <= self.contiguo or secuencia in self.sueltos

    @property
    def rota(self) -> bool:
        """El siguiente sobre está, pero no encadena: alguien reescribió la historia del equipo."""
        return self.contiguo + 1 in self.sueltos

    @property
    def ultima(self) -> int:
        """Mayor secuencia guardada; 0 si ninguna."""
        return max(self.sueltos, default=self.contiguo)

    def faltan(self) -> list[tuple[int, int]]:
        """Rangos [desde, hasta] que existen (hay posteriores, o el latido los anunció) y no han llegado."""
        rangos = []
        esperado = self.contiguo + 1
        for secuencia in sorted(self.sueltos):
            if secuencia > esperado:
                rangos.append((esperado, secuencia - 1))
            esperado = secuencia + 1
        if self.anunciada >= esperado:
            rangos.append((esperado, self.anunciada))
        return rangos


def de_eslabones(eslabones: Iterable[tuple[int, Eslabon]]) -> Cadena:
    """La cadena que resulta de todos los sobres guardados, en cualquier orden."""
    cadena = Cadena()
    for secuencia, eslabon in eslabones:
        cadena.agregar(secuencia, eslabon)
    return cadena
