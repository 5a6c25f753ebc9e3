"""De un TOML y un catálogo a un `Proceso`, o a la lista completa de lo que hay que corregir.

Cada clave está explicada en `docs/definicion.md`.
"""

from nucleo.definicion.carpeta import DefinicionInvalida, cargar_proceso
from nucleo.definicion.proceso import leer_proceso

__all__ = ["DefinicionInvalida", "cargar_proceso", "leer_proceso"]
