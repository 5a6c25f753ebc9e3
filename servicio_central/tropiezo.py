"""Lo que impide arrancar una orden del centro, dicho a quien la corrió."""

from __future__ import annotations

from nucleo.problema import Rechazo


class Tropiezo(Exception):
    """Lleva un `Rechazo`; la orden lo muestra y termina. Dentro de una función pura se devuelve el `Rechazo` mismo."""

    def __init__(self, codigo: str, que: str, causa: str, siguiente: str) -> None:
        self.rechazo = Rechazo(codigo, que, causa, siguiente)
        super().__init__(str(self.rechazo))
