"""Que a una carpeta la atienda un solo enlace: dos se quitarían la conexión uno al otro, sin fin."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from appliance.falla import Falla


class Candado:
    """El candado de la carpeta, desde que se crea hasta `soltar`; si el proceso muere, el sistema lo suelta.

    Raises:
        Falla: ENLACE_REPETIDO, si otro enlace lo tiene; DISCO, si no se pudo poner.
    """

    def __init__(self, carpeta: Path) -> None:
        # Sobre la carpeta misma: no deja archivos, y con el disco lleno también se puede poner.
        try:
            self._descriptor = os.open(carpeta, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _falla_de_disco(carpeta, error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.soltar()
            raise Falla(
                "ENLACE_REPETIDO",
                f"Otro enlace ya atiende la carpeta {carpeta}",
                "se arrancó dos veces, a mano y por el sistema",
                "deje corriendo el primero; si debe ser éste, detenga antes el otro",
            ) from error
        except OSError as error:
            self.soltar()
            raise _falla_de_disco(carpeta, error) from error

    def soltar(self) -> None:
        """Deja la carpeta a otro enlace. Se puede repetir."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _falla_de_disco(carpeta: Path, error: OSError) -> Falla:
    return Falla(
        "DISCO",
        f"No se pudo poner el candado del enlace en {carpeta} ({error.strerror})",
        "la carpeta es de otra cuenta o está en una unidad de red",
        "ponga la carpeta del kiosco en un disco local, de la cuenta que lo corre",
    )
