"""El calendario de desgracias de una noche: qué falla, a quién, cuándo y por cuánto, sacado de la semilla.

Es una lista de valores: quitarle renglones da otra noche igual de buena, y así se reduce la que falla.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NOCHE_S: Final = 150.0
"""Segundos virtuales en que la gente trabaja y las cosas fallan; después todo se compone."""

DE_KIOSCO: Final = (
    "matar kiosco",
    "matar kiosco confirmando",
    "cortar cable",
    "enmudecer cable",
    "llenar disco del kiosco",
    "reloj adelantado",
    "reloj atrasado",
    "reloj sin pila",
)
DEL_CENTRO: Final = ("matar centro", "matar centro confirmando", "matar broker", "llenar disco del centro")
RARAS: Final = (
    "clonar llave",
    "restaurar kiosco",
    "restaurar centro",
    "regreso simultaneo",
    "dar de baja",
    "definicion incompleta",
    "kiosco hostil",
)
CLASES: Final = (*DE_KIOSCO, *DEL_CENTRO, *RARAS)


@dataclass(frozen=True)
class Desgracia:
    """Una falla. `dura` son los segundos hasta que alguien la compone."""

    segundo: float
    clase: str
    quien: int
    dura: float
    suerte: float
    """De 0 a 1: lo que la clase quiera decidir sin volver a tirar los dados."""

    def __str__(self) -> str:
        return f"{self.segundo:5.0f} s · {self.clase} · kiosco {self.quien} · {self.dura:.0f} s"


def calendario_de(azar: random.Random, kioscos: int) -> tuple[Desgracia, ...]:
    """Las desgracias de una noche, en orden."""
    clases = [azar.choice(DE_KIOSCO) for _ in range(azar.randint(1, 2 + 2 * min(kioscos, 8)))]
    clases += [azar.choice(DEL_CENTRO) for _ in range(azar.randint(0, 5))]
    clases += azar.sample(RARAS, azar.choice((0, 1, 1, 2, 3)))
    desgracias = [_una(azar, clase, kioscos) for clase in clases]
    return tuple(sorted(desgracias, key=lambda d: d.segundo))


def _una(azar: random.Random, clase: str, kioscos: int) -> Desgracia:
    segundo = azar.uniform(5.0, NOCHE_S * 0.85)
    return Desgracia(segundo, clase, azar.randrange(kioscos), azar.choice((1.0, 5.0, 15.0, 40.0)), azar.random())


def sin(desgracias: Sequence[Desgracia], cual: int) -> tuple[Desgracia, ...]:
    """El calendario sin ese renglón."""
    return tuple(d for i, d in enumerate(desgracias) if i != cual)
