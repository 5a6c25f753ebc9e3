"""Lo que impide trabajar al kiosco entero: la llave, la identidad, el disco o el almacén.

Un `Rechazo` contesta a una persona y la jornada sigue; una `Falla` detiene lo que se estaba haciendo, y lleva dentro el
rechazo con que se le explica.
"""

from __future__ import annotations

from nucleo.problema import Rechazo


class Falla(Exception):
    """El kiosco no puede hacer lo pedido por una causa física o de instalación."""

    def __init__(self, codigo: str, que: str, causa: str, siguiente: str) -> None:
        self.rechazo = Rechazo(codigo, que, causa, siguiente)
        super().__init__(str(self.rechazo))
