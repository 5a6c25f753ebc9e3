"""El pulso de quien llena un acta: cifras, tachones y firmas de trazo suelto, siempre iguales para la misma acta."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PIL import ImageDraw

Trazo = tuple[tuple[float, float], ...]
"""Puntos de una raya continua, dentro de un cuadro de lado 1."""

_CIFRAS: Final[Mapping[str, tuple[Trazo, ...]]] = {
    "0": (((0.5, 0.0), (0.15, 0.2), (0.05, 0.55), (0.25, 0.95), (0.6, 1.0), (0.9, 0.7), (0.9, 0.3), (0.5, 0.0)),),
    "1": (((0.25, 0.25), (0.55, 0.0), (0.5, 1.0)),),
    "2": (((0.1, 0.25), (0.4, 0.0), (0.8, 0.1), (0.8, 0.4), (0.1, 1.0), (0.95, 0.95)),),
    "3": (
        ((0.1, 0.1), (0.5, 0.0), (0.85, 0.2), (0.45, 0.45), (0.9, 0.65), (0.75, 0.95), (0.4, 1.0), (0.05, 0.85)),
    ),
    "4": (((0.4, 0.0), (0.05, 0.6), (0.95, 0.6)), ((0.7, 0.3), (0.65, 1.0))),
    "5": (((0.85, 0.0), (0.25, 0.0), (0.15, 0.45), (0.65, 0.4), (0.9, 0.7), (0.6, 1.0), (0.1, 0.9)),),
    "6": (((0.75, 0.0), (0.25, 0.4), (0.1, 0.75), (0.4, 1.0), (0.85, 0.85), (0.7, 0.55), (0.15, 0.65)),),
    "7": (((0.05, 0.05), (0.9, 0.0), (0.35, 1.0)), ((0.3, 0.5), (0.75, 0.48))),
    "8": (
        ((0.8, 0.15), (0.4, 0.0), (0.2, 0.25), (0.85, 0.75), (0.5, 1.0), (0.1, 0.8), (0.75, 0.3), (0.8, 0.15)),
    ),
    "9": (((0.8, 0.2), (0.4, 0.0), (0.15, 0.3), (0.45, 0.5), (0.85, 0.2), (0.75, 0.6), (0.55, 1.0)),),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pulso:
    """Escribe sobre un lienzo de Pillow; todas las medidas son píxeles."""

    azar: random.Random
    lapiz: ImageDraw.ImageDraw
    tinta: int
    grueso: int

    def cifra(self, signo: str, x: float, y: float, ancho: float, alto: float) -> None:
        """Un dígito dentro de esa casilla, con su desvío y su inclinación."""
        azar = self.azar.random
        w, h = ancho * (0.45 + 0.15 * azar()), alto * (0.6 + 0.15 * azar())
        x0 = x + (ancho - w) * (0.3 + 0.4 * azar())
        y0 = y + (alto - h) * (0.3 + 0.4 * azar())
        inclina = h * (0.3 * azar() - 0.1)
        for trazo in _CIFRAS[signo]:
            puntos = [(x0 + u * w + (1 - v) * inclina, y0 + v * h) for u, v in trazo]
            self.lapiz.line(puntos, self.tinta, self.grueso)

    def numero(self, cifras: str, x: float, y: float, paso: float, ancho: float, alto: float) -> None:
        """Cada cifra en su recuadro; si son más que los recuadros, se aprietan."""
        paso = min(paso, ancho / len(cifras))
        for i, signo in enumerate(cifras):
            self.cifra(signo, x + i * paso, y, paso, alto)

    def tachon(self, x: float, y: float, ancho: float, alto: float) -> None:
        """Hay tinta y nadie puede leerla."""
        puntos = [(x + ancho * self.azar.random(), y + alto * self.azar.random()) for _ in range(24)]
        self.lapiz.line(puntos, self.tinta, self.grueso)

    def firma(self, x: float, y: float, ancho: float, alto: float) -> None:
        """Un garabato de izquierda a derecha."""
        puntos = [(x + ancho * i / 14, y + alto * self.azar.random()) for i in range(15)]
        self.lapiz.line(puntos, self.tinta, self.grueso)
