"""El lector en modo serie (`/dev/ttyACM0`): el modo preferido, porque nada de lo que lee puede caer en un campo."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import termios
import time
from pathlib import Path
from typing import Final

from appliance.lector.descriptor import Lecturas, abrir
from appliance.lector.puerto import no_abre
from appliance.lector.renglones import Renglones

SILENCIO_S: Final = 1.0
"""Un código completo llega en menos de 0.2 s a 9600 baudios; medio renglón tras este silencio ya no se completa."""


class LectorSerie(Lecturas):
    """Abre el tty en crudo y sólo para sí. Raises: Falla."""

    def __init__(self, ruta: Path) -> None:
        descriptor = abrir(ruta, os.O_RDWR)
        try:
            _en_crudo(descriptor)
        except (OSError, termios.error) as error:
            os.close(descriptor)
            raise no_abre(f"{ruta}: no es una línea serie") from error
        super().__init__(ruta, descriptor)
        self._renglones = Renglones()
        self._texto = codecs.getincrementaldecoder("utf-8")("replace")
        self._hablo = time.monotonic()

    def _interpretar(self, datos: bytes) -> list[str]:
        self._hubo_silencio(time.monotonic())
        self._hablo = time.monotonic()
        # Un byte que no es texto queda como «�»: la lectura no será igual a ningún código nuestro.
        return self._renglones.agregar(self._texto.decode(datos))

    def _hubo_silencio(self, ahora: float) -> None:
        if self._renglones.a_medias and ahora - self._hablo > SILENCIO_S:
            self._renglones.tirar()
            self._texto.reset()


def _en_crudo(descriptor: int) -> None:
    entrada, _, control, _, _, _, signos = termios.tcgetattr(descriptor)
    entrada &= ~(
        termios.IGNBRK
        | termios.BRKINT
        | termios.PARMRK
        | termios.ISTRIP
        | termios.INLCR
        | termios.IGNCR
        | termios.ICRNL
        | termios.IXON
        | termios.IXOFF
    )
    control = (control & ~(termios.CSIZE | termios.PARENB)) | termios.CS8 | termios.CREAD | termios.CLOCAL
    # Sin eco: un lector que recibe de vuelta lo que mandó puede tomarlo por una orden.
    ajuste = [entrada, 0, control, 0, termios.B9600, termios.B9600, signos]
    termios.tcsetattr(descriptor, termios.TCSANOW, ajuste)
    termios.tcflush(descriptor, termios.TCIFLUSH)
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, termios.TIOCEXCL)
