"""Valores de muestra para las pruebas; quien usa hypothesis los necesita fuera de una *fixture*."""

from __future__ import annotations

from ensayo.proceso_inventado import proceso_inventado
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso


def proceso_chico() -> Proceso:
    """Tres casillas (básica, contigua y especial) y cuatro renglones de votación, uno de coalición."""
    casillas = (
        Casilla(20, 1, "B", 1, 0, 1, "Acatlán", 2, "Acatlán de Pérez Figueroa", 1, 500, 8),
        Casilla(20, 1, "C", 1, 0, 1, "Acatlán", 2, "Acatlán de Pérez Figueroa", 1, 499, 8),
        Casilla(20, 2, "S", 1, 0, 2, "Tuxtepec", 184, "San Juan Bautista Tuxtepec", 2, 0, 8),
    )
    return proceso_inventado("prueba2022", "Proceso de prueba 2022", "Va por la prueba", casillas)
