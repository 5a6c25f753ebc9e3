"""Cuánto hay que esperar después de fallar al entrar: crece con cada falla, sin que nadie pueda dejar fuera a todos.

Tres cuentas de fallas, y manda la espera más larga:

- de esa cuenta desde esa dirección: se duplica hasta un cuarto de hora;
- de esa cuenta desde cualquier parte: como mucho un minuto, y no frena a quien ya entró antes desde su dirección;
- de esa dirección con cualquier cuenta: como mucho medio minuto, y tampoco frena a las cuentas que ya entraron desde
  ahí. Toda la sala puede salir por una misma dirección.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MEMORIA: Final = timedelta(hours=1)
"""Las fallas más viejas ya no cuentan."""

_BASE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Fallas:
    """Fallas desde el último acierto, dentro de `MEMORIA`, y la hora de la última."""

    cuantas: int = 0
    ultima: datetime | None = None


def espera(de_aqui: Fallas, de_la_cuenta: Fallas, de_la_ip: Fallas, conocida: bool, ahora: datetime) -> float:
    """Segundos que faltan para poder volver a intentar; 0 si ya se puede.

    Args:
        conocida: si esa cuenta ya entró alguna vez desde esa dirección.
    """
    esperas = [_falta(de_aqui, _creciente(de_aqui.cuantas, 3, 900.0), ahora)]
    if not conocida:
        esperas.append(_falta(de_la_cuenta, _creciente(de_la_cuenta.cuantas, 10, 60.0), ahora))
        esperas.append(_falta(de_la_ip, _creciente(de_la_ip.cuantas, 20, 30.0), ahora))
    return max(esperas)


def _creciente(cuantas: int, libres: int, tope: float) -> float:
    if cuantas < libres:
        return 0.0
    return min(tope, _BASE * float(2 ** min(cuantas - libres, 20)))


def _falta(fallas: Fallas, total: float, ahora: datetime) -> float:
    if fallas.ultima is None or not total:
        return 0.0
    return max(0.0, total - (ahora - fallas.ultima).total_seconds())
