"""Un defecto en un archivo que alguien escribió: en qué línea está, qué pasó, por qué y qué hacer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problema:
    """Defecto localizado. `linea` empieza en 1; 0 es el archivo entero (no existe, está vacío)."""

    archivo: str
    linea: int
    que: str
    causa: str
    siguiente: str

    def __str__(self) -> str:
        donde = f"{self.archivo}, línea {self.linea}" if self.linea else self.archivo
        return f"{donde}: {self.que}. Causa probable: {self.causa}. Siguiente paso: {self.siguiente}."
