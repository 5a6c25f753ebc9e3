"""Lo que está conectado al kiosco: escáner, lector, impresora, memorias. Sin aparatos, las pantallas sirven.

Los ensayos y las pruebas abren kioscos sin puesto; sólo la orden `kiosco` arma uno de verdad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.digitalizacion.digitalizadora import Digitalizadora
from appliance.impresion.puerto import Impresora
from appliance.memorias import RAICES
from nucleo.codigo_qr import Formas


@dataclass(frozen=True)
class Puesto:
    """Los aparatos de este puesto de trabajo. Quien lo arma lo desarma con `cerrar`."""

    digitalizadora: Digitalizadora | None = None
    """El escáner y la cadena de la hoja; `digitalizadora.escaner()` dice cuál es, o por qué no hay."""
    lector: Callable[[], str | None] | None = None
    """Toma la última lectura fresca del lector de códigos, si la hay."""
    impresora: Impresora | None = None
    dispositivos: Callable[[], tuple[str, ...]] = tuple
    """Lo conectado ahora, cada uno con palabras."""
    nombre_escaner: Callable[[], str] = str
    """Cómo se llama el escáner, para una persona; vacío si no hay."""
    formas: Formas = field(default_factory=Formas)
    """Qué códigos identifican un acta aquí."""
    con_el_papel: bool = False
    """Si, a falta de imagen, se captura con el papel enfrente."""
    memorias: tuple[Path, ...] = RAICES
    """Bajo qué rutas se montan las memorias, tanto las de fotos como las de la mochila."""
    cierres: tuple[Callable[[], None], ...] = field(default=(), repr=False)

    def cerrar(self) -> None:
        """Detiene los hilos y procesos del puesto, del último al primero."""
        for cierre in reversed(self.cierres):
            cierre()


SIN_APARATOS = Puesto()
