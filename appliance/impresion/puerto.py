"""La impresora, vista desde las pantallas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nucleo.problema import Rechazo


@dataclass(frozen=True, slots=True)
class EstadoImpresora:
    """`lista` dice si se puede mandar algo ahora; `palabras`, cómo está, para una persona."""

    nombre: str
    lista: bool
    palabras: str


class Impresora(Protocol):
    """Algo que pone un PDF en papel."""

    def estado(self) -> EstadoImpresora | Rechazo:
        """Cómo está ahora, o por qué no se sabe."""
        ...

    def imprimir(self, pdf: bytes, titulo: str) -> str | Rechazo:
        """Imprime y espera a que salga. Devuelve el nombre de la impresora, o por qué no salió.

        Si no salió, el trabajo se retira de la cola: lo que no salió a tiempo no debe salir después, cuando ya se
        imprimió otra vez o se pegó otra etiqueta.
        """
        ...
