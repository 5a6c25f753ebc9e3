"""Por cuál salida toca conectarse: al caer una, la siguiente; y de regreso a la preferida sin ir y venir.

Estando en otra, la preferida se prueba tres veces seguidas a lo largo de la `estancia` antes de regresar. Si recae
pronto, la estancia siguiente se dobla; si aguanta, vuelve a ser la de siempre. Decide y nada más: no toca la red.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from appliance.enlace.salidas import Salida

PRUEBAS: Final = 3
"""Pruebas buenas seguidas para regresar."""

ESTANCIA_MAXIMA_S: Final = 1800.0
FIRME: Final = 10
"""Estancias que debe durar la preferida, ya de regreso, para que se le vuelva a creer como al principio."""


class Relevo:
    """Los instantes son segundos del mismo cronómetro.

    Args:
        salidas: una o más, la preferida primero.
        estancia_s: lo menos que se pasa en otra salida antes de regresar a la preferida.
    """

    def __init__(self, salidas: Sequence[Salida], estancia_s: float, azar: random.Random) -> None:
        self.salidas = tuple(salidas)
        self._base = estancia_s
        self._azar = azar
        self._cual = 0
        self._estancia = estancia_s
        self._regreso: float | None = None
        self._buenas = 0
        self._prueba: float | None = None
        """Cuándo toca probar la preferida; `None` si no hay que probarla."""

    @property
    def actual(self) -> Salida:
        return self.salidas[self._cual]

    @property
    def preferida(self) -> Salida:
        return self.salidas[0]

    def contesto(self, ahora: float) -> None:
        """El centro contestó por la salida de ahora."""
        if self._cual and self._prueba is None:
            self._posponer(ahora)

    def cayo(self, ahora: float) -> None:
        """Por la salida de ahora no se pudo, se cayó o el centro calló: toca la siguiente."""
        if not self._cual and self._regreso is not None:
            pronto = ahora - self._regreso < FIRME * self._base
            maxima = max(self._base, ESTANCIA_MAXIMA_S)
            self._estancia = min(2 * self._estancia, maxima) if pronto else self._base
            self._regreso = None
        self._cual = (self._cual + 1) % len(self.salidas)
        self._buenas, self._prueba = 0, None

    def toca_probar(self, ahora: float) -> bool:
        """Si hay que probar la preferida, sin soltar la que sirve."""
        return self._prueba is not None and ahora >= self._prueba

    def probada(self, bien: bool, ahora: float) -> None:
        """Cómo salió la prueba."""
        if self._cual:
            self._buenas = self._buenas + 1 if bien else 0
            self._posponer(ahora)

    def conviene_regresar(self) -> bool:
        return self._cual != 0 and self._buenas >= PRUEBAS

    def regresar(self, ahora: float) -> None:
        """Toca la preferida otra vez."""
        self._cual, self._buenas, self._prueba, self._regreso = 0, 0, None, ahora

    def _posponer(self, ahora: float) -> None:
        # Con azar: cien kioscos que perdieron el cable a la vez no lo prueban a la vez.
        self._prueba = ahora + self._azar.uniform(0.75, 1.25) * self._estancia / PRUEBAS
