"""Lo que espera a una segunda persona no espera para siempre: lo de hace tres días ya no se sabe si hace falta."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

HORAS: Final = 12
"""Una noche: quien lo pidió, o su relevo, sigue ahí para volverlo a pedir."""

_VIGENCIA: Final = timedelta(hours=HORAS)


def caduca(hora: datetime) -> datetime:
    """Hasta cuándo se puede responder lo que se pidió a esa hora."""
    return hora + _VIGENCIA


def caduco(hora: datetime, ahora: datetime) -> bool:
    """Si ya nadie lo puede responder."""
    return ahora >= caduca(hora)
