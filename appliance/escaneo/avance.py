"""Lo que `scanimage` va diciendo: en qué hoja va, si avanza y si ya espera que se le pida la siguiente."""

from __future__ import annotations

import re
from typing import Final

_RENGLON: Final = re.compile(rb"[\r\n]")
_MAXIMO_RENGLON: Final = 4096
_MAXIMO_DICHO: Final = 16 * 1024

_PAGINA: Final = re.compile(r"Scann(?:ing|ed) page \d{1,9}\b")
_PROGRESO: Final = re.compile(r"Progress: *(\d{1,3}(?:\.\d+)?)%")
_ESPERA: Final = "Press <RETURN> to continue."


class Avance:
    """Se le dan los bytes según llegan; guarda sólo lo último que se dijo."""

    def __init__(self) -> None:
        self.pagina_abierta = False
        """Se le pidió una hoja y no ha dicho que la terminó."""
        self.avanzo = False
        """El escáner alcanzó a empezar la hoja abierta."""
        self.espera = False
        """Está detenido hasta que se le pida la siguiente hoja."""
        self.marca = 0
        """Cambia cuando de verdad avanza; lo que el controlador parlotee no cuenta."""
        self._resto = b""
        self._dicho = ""
        self._salida = ""
        self._progreso = ""

    @property
    def dicho(self) -> str:
        """Lo último que dijeron el controlador y `scanimage`, sin los porcentajes."""
        return f"{self._salida}\n{self._dicho}"

    def pedida(self) -> None:
        """Se le pidió la hoja siguiente: desde aquí puede tomar papel."""
        self.espera, self.pagina_abierta, self.avanzo = False, True, False

    def salida(self, datos: bytes) -> None:
        """Bytes de la salida normal: ahí escriben su depuración algunos controladores (airscan)."""
        self._salida = (self._salida + datos.decode("utf-8", "replace"))[-_MAXIMO_DICHO:]

    def errores(self, datos: bytes) -> None:
        """Bytes de la salida de errores, donde `scanimage` cuenta lo que hace."""
        *enteros, self._resto = _RENGLON.split(self._resto + datos)
        for renglon in enteros:
            self._renglon(renglon)
        if len(self._resto) > _MAXIMO_RENGLON:
            self._renglon(self._resto)
            self._resto = b""

    def cerrar(self) -> None:
        """Ya no hay más: lo que quedó sin fin de renglón también se dijo."""
        self._renglon(self._resto)
        self._resto = b""

    def _renglon(self, crudo: bytes) -> None:
        renglon = crudo[:_MAXIMO_RENGLON].decode("utf-8", "replace").strip()
        if not renglon:
            return
        if progreso := _PROGRESO.match(renglon):
            # Aun el de 0.0 % se dice después de sane_start: la hoja ya va entrando.
            self.avanzo = True
            if progreso[1] != self._progreso:
                self.marca += 1
            self._progreso = progreso[1]
            return
        self._dicho = f"{self._dicho}{renglon}\n"[-_MAXIMO_DICHO:]
        # «Scanned page» también lo dice de la que falló: la que vale es la que dejó archivo.
        if _PAGINA.match(renglon):
            self.marca += 1
        elif renglon == _ESPERA:
            self.espera = True
