"""Qué tan bien leyó una persona las actas de muestra, renglón por renglón y con la regla de cada falla."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.almacen import Almacen
from appliance.practica.lecciones import Leccion
from nucleo.campo import Campo
from nucleo.hechos import Captura, HechoDeActa, IdActa


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


def calificar_todas(almacen: Almacen, lecciones: Sequence[Leccion], persona: str) -> dict[IdActa, Calificacion | None]:
    """La calificación de esa persona en cada lección, en su orden. Raises: Falla."""
    return {x.acta: calificar(x, almacen.hechos_de(x.acta), persona) for x in lecciones}


def acabo_con(almacen: Almacen, lecciones: Sequence[Leccion], persona: str, acta: IdActa) -> bool:
    """Si `acta` es de la práctica y con ella esa persona ya las leyó todas. Raises: Falla."""
    calificadas = calificar_todas(almacen, lecciones, persona) if any(x.acta == acta for x in lecciones) else {}
    return bool(calificadas) and None not in calificadas.values()


def tiempo(calificaciones: Sequence[Calificacion], empezo: datetime | None) -> timedelta | None:
    """Cuánto tardó, desde que empezó hasta su última lectura; `None` si no ha leído ninguna."""
    if not calificaciones or empezo is None:
        return None
    return max(c.hora for c in calificaciones) - empezo
