"""Lo que dice cada medida: la meta, lo medido, la referencia de la misma corrida, la razón y si se cumple."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Decir = Callable[[str], None]
"""Por donde una medida cuenta cómo va."""


@dataclass(frozen=True)
class Renglon:
    """Una cifra con su meta. `razon` ya dice contra qué es."""

    que: str
    meta: str
    medido: str
    referencia: str
    razon: str
    cumple: bool


@dataclass(frozen=True)
class Medida:
    """Una de las seis, con lo que hace falta saber para no leer de más sus cifras."""

    letra: str
    titulo: str
    renglones: tuple[Renglon, ...]
    notas: tuple[str, ...] = ()

    @property
    def cumple(self) -> bool:
        """Si se cumplen todas sus metas; sin ninguna cifra, no."""
        return bool(self.renglones) and all(r.cumple for r in self.renglones)

    def texto(self, *, juzgar: bool = True) -> str:
        """Varios renglones, para imprimirse. Sin `juzgar`, no dice si se cumple."""
        partes = [f"{self.letra}) {self.titulo}" + f": {'SE CUMPLE' if self.cumple else 'NO SE CUMPLE'}" * juzgar]
        for r in self.renglones:
            partes.append(f"   {r.que}: {r.medido} (meta: {r.meta})" + f" {'sí' if r.cumple else 'NO'}" * juzgar)
            partes.append(f"      referencia: {r.referencia}; razón: {r.razon}")
        return "\n".join([*partes, *(f"   · {nota}" for nota in self.notas)])


def percentil(valores: Sequence[float], cuanto: float) -> float:
    """El menor valor con al menos ese porcentaje (0 a 100) de los demás en él o por debajo. Raises: ValueError, sin
    valores."""
    if not valores:
        raise ValueError("no hay nada medido")
    return sorted(valores)[max(0, math.ceil(len(valores) * cuanto / 100) - 1)]
