"""Lo que está conectado al kiosco: escáner, lector, impresora, memorias. Sin aparatos, las pantallas sirven.

Los ensayos y las pruebas abren kioscos sin puesto; sólo la orden `kiosco` arma uno de verdad.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Puesto:
    """Los aparatos de este puesto de trabajo."""


SIN_APARATOS = Puesto()
