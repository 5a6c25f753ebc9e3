"""Un problema esperado, dicho a una persona: qué pasó, la causa más probable y el siguiente paso."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rechazo:
    """Por qué no se hizo lo pedido. Es un valor, no una excepción: lo esperado no interrumpe a nadie."""

    codigo: str
    que: str
    causa: str
    siguiente: str

    def __str__(self) -> str:
        return f"{self.que}. Causa probable: {self.causa}. Siguiente paso: {self.siguiente}."
