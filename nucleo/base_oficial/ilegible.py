"""Por qué una base publicada no se pudo leer, dicho a una persona."""

from __future__ import annotations

from nucleo.problema_archivo import Problema


class BaseIlegible(ValueError):
    """El archivo no se puede leer como base PREP; `problema` dice qué pasó, la causa y el siguiente paso."""

    def __init__(self, archivo: str, linea: int, que: str, causa: str, siguiente: str) -> None:
        self.problema = Problema(archivo, linea, que, causa, siguiente)
        super().__init__(str(self.problema))
