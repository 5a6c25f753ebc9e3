"""En qué va la digitalización, para quien la mira."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.digitalizacion.fotos import Importacion
from nucleo.problema import Rechazo


@dataclass(frozen=True, slots=True)
class Marcha:
    """Lo observable de la digitalización en este momento."""

    corriendo: bool
    deteniendo: bool
    tropiezo: Rechazo | None
    """Lo que impide guardar o mirar hojas ahora mismo."""
    importacion: Importacion | Rechazo | None
    """Cómo salió la última copia de fotografías de este arranque."""
