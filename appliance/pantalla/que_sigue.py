"""Qué debe hacer ahora quien está en el inicio: el único botón azul de su pantalla."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.personas import Papel, Persona
from nucleo.hechos import IdActa

PRACTICA: Final = "/practica"
SIGUIENTE: Final = "/siguiente"


@dataclass(frozen=True, slots=True)
class Pendiente:
    """Lo que hay por hacer en el kiosco. Son cuentas de actas."""

    por_leer: int = 0
    """Las que le tocan a esa persona."""
    por_revisar: Sequence[IdActa] = ()
    sin_imagen: int = 0
    verificadas: int = 0


def que_sigue(persona: Persona, pendiente: Pendiente, *, sin_practica: bool = False) -> str:
    """La ruta de lo que le toca ahora: primero lo que ya la espera; si nada, con lo que empieza su papel.

    Args:
        sin_practica: si es su primera vez en un kiosco de capacitación.
    """
    if sin_practica:
        return PRACTICA
    if pendiente.por_leer:
        return SIGUIENTE
    if pendiente.por_revisar and persona.puede(Papel.VERIFICACION):
        acta = pendiente.por_revisar[0]
        return f"/revision/{acta.eleccion}/{acta.casilla}"
    if pendiente.sin_imagen and persona.puede(Papel.DIGITALIZACION):
        return "/digitalizacion"
    if pendiente.verificadas and persona.puede(Papel.VERIFICACION) and not persona.puede(*_EMPIEZAN):
        return "/cotejo"
    return next((ruta for papel, ruta in _EMPIEZAN.items() if persona.puede(papel)), SIGUIENTE)


_EMPIEZAN: Final = {
    Papel.COORDINACION: "/coordinacion",
    Papel.ACOPIO: "/acopio",
    Papel.DIGITALIZACION: "/digitalizacion",
}
