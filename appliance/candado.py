"""Que de una carpeta se ocupe un solo programa: el candado es del sistema, y se suelta solo si el proceso muere."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from appliance.falla import Falla


class Candado:
    """El candado de la carpeta, desde que se crea hasta `soltar`.

    Args:
        repetido: la falla de quien lo pide cuando otro ya lo tiene.

    Raises:
        Falla: `repetido`, si otro lo tiene; DISCO, si no se pudo poner.
    """

    def __init__(self, carpeta: Path, repetido: Falla) -> None:
        self._descriptor = -1
        try:
            # Sobre la carpeta misma: no deja archivos, y con el disco lleno también se puede poner.
            self._descriptor = os.open(carpeta, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.soltar()
            raise repetido from error
        except OSError as error:
            self.soltar()
            raise Falla(
                "DISCO",
                f"No se pudo apartar la carpeta {carpeta} ({error.strerror})",
                "la carpeta es de otra cuenta o está en una unidad de red",
                "ponga la carpeta del kiosco en un disco local, de la cuenta que lo corre",
            ) from error

    def soltar(self) -> None:
        """Deja la carpeta a otro programa. Se puede repetir."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
