"""Diferencia estructural entre dos transcripciones de la misma acta."""

from __future__ import annotations

from nucleo.acta import Asentado


def campos_distintos(una: Asentado, otra: Asentado) -> tuple[str, ...]:
    """Nombres de los campos que difieren, en el orden de captura; `SinDato` e `Ilegible` son lecturas distintas."""
    a, b = una.campos(), otra.campos()
    nombres = list(a) + [n for n in b if n not in a]
    return tuple(n for n in nombres if a.get(n) != b.get(n))
