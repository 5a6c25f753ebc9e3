"""Cuenta, en su propio hilo, las imágenes declaradas que faltan por recibir: con miles, no debe retrasar al tablero."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Final

from servicio_central.por_recibir import Faltan, PorRecibir
from servicio_central.puerto_almacen import ERRORES

_CADA: Final = 0.4
_PARTE: Final = 9.0
"""Descansa nueve veces lo que trabajó: nunca más de la décima parte de un núcleo."""


class ContadorDeImagenes:
    """Lo último contado, en `faltan`."""

    def __init__(self, carpeta: Path, al_cambiar: Callable[[], None] = lambda: None) -> None:
        self._carpeta = carpeta
        self._al_cambiar = al_cambiar
        self._por_recibir: PorRecibir | None = None
        self._parar = Event()
        self.faltan: Mapping[str, Faltan] = {}
        self.mal = ""
        """Por qué no se pudo contar; entonces `faltan` es de antes."""

    def empezar(self) -> None:
        """Corre hasta `terminar`."""
        Thread(target=self._ciclo, name="imagenes por recibir", daemon=True).start()

    def terminar(self) -> None:
        self._parar.set()

    def contar(self) -> None:
        """Una vuelta. Nunca lanza."""
        try:
            if self._por_recibir is None:
                self._por_recibir = PorRecibir(self._carpeta)
            faltan, mal = self._por_recibir.pendientes_por_equipo(), ""
        except (*ERRORES, OSError) as error:
            # Con otra conexión y lo contado desde el principio: si el almacén se restauró, lo de antes ya no vale.
            faltan, mal, self._por_recibir = self.faltan, str(error), None
        if faltan != self.faltan or mal != self.mal:
            self.faltan, self.mal = faltan, mal
            self._al_cambiar()

    def _ciclo(self) -> None:
        descanso = 0.0
        while not self._parar.wait(descanso):
            comienzo = time.thread_time()
            self.contar()
            descanso = max(_CADA, _PARTE * (time.thread_time() - comienzo))
