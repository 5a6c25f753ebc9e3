"""Lo que comparten las pruebas: dónde están los datos y un proceso pequeño, hecho en memoria."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from nucleo.eleccion import Proceso
from tests.muestras import proceso_chico

RAIZ: Final = Path(__file__).resolve().parents[1]

# Dos núcleos lentos se reparten entre varios: un plazo por ejemplo mediría al vecino.
settings.register_profile("casa", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("casa")


@pytest.fixture(scope="session")
def datos() -> Path:
    """Carpeta `datos/` del proyecto."""
    return RAIZ / "datos"


@pytest.fixture(scope="session")
def proceso() -> Proceso:
    """Tres casillas (una especial) y cuatro renglones de votación, uno de ellos de coalición."""
    return proceso_chico()
