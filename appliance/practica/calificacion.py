"""Qué tan bien leyó una persona las actas de muestra, renglón por renglón y con la regla de cada falla."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.practica.lecciones import Leccion
from nucleo.campo import Campo
from nucleo.hechos import Captura, HechoDeActa


@dataclass(frozen=True, slots=True)
class Fallo:
    """Un renglón que no se leyó como debía. `porque` es la regla, si la lección la explica."""

    clave: str
    puesto: Campo
    correcto: Campo
    porque: str


@dataclass(frozen=True)
class Calificacion:
    """Cómo leyó alguien una lección. `aciertos` de `total` renglones."""

    leccion: Leccion
    aciertos: int
    total: int
    fallos: tuple[Fallo, ...]
    hora: datetime


def calificar(leccion: Leccion, historia: Sequence[HechoDeActa], persona: str) -> Calificacion | None:
    """La calificación de la lectura de esa persona, o `None` si aún no la ha leído. Cuenta su primera lectura."""
    captura = next((h for h in historia if isinstance(h, Captura) and h.persona == persona), None)
    if captura is None:
        return None
    campos = captura.asentado.campos()
    fallos = tuple(
        Fallo(clave, campos[clave], correcto, leccion.porque.get(clave, ""))
        for clave, correcto in leccion.respuestas.items()
        if campos[clave] != correcto
    )
    return Calificacion(leccion, len(campos) - len(fallos), len(campos), fallos, captura.hora)


def tiempo(calificaciones: Sequence[Calificacion], empezo: datetime | None) -> timedelta | None:
    """Cuánto tardó, desde que empezó hasta su última lectura; `None` si no ha leído ninguna."""
    if not calificaciones or empezo is None:
        return None
    return max(c.hora for c in calificaciones) - empezo
