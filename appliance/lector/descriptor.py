"""Esperar bytes de un aparato de caracteres, con plazo, y distinguir «no ha dicho nada» de «ya no está»."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from pathlib import Path
from typing import Final

from appliance.lector.puerto import desconectado, no_abre

_TROZO: Final = 4096
_DESBORDE_S: Final = 1.0


def abrir(ruta: Path, banderas: int) -> int:
    """El descriptor, sin esperas y sin heredarse a los hijos. Raises: Falla."""
    try:
        return os.open(ruta, banderas | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise no_abre(f"{ruta}: {error.strerror}") from error


class Lecturas:
    """Las lecturas de un descriptor: quien la hereda dice cómo se interpretan sus bytes."""

    def __init__(self, ruta: Path, descriptor: int) -> None:
        self.ruta = ruta
        self._descriptor = descriptor
        self._listas: deque[str] = deque()

    def leer(self, espera_s: float) -> str | None:
        """Véase `Lector.leer`. Raises: Falla."""
        limite = time.monotonic() + espera_s
        while not self._listas:
            falta = limite - time.monotonic()
            datos = self._oir(max(0.0, falta))
            if datos:
                self._listas.extend(self._interpretar(datos))
            else:
                self._hubo_silencio(time.monotonic())
            # Vencido el plazo se acaba de leer lo que ya llegó; pero un aparato que no calla no retiene a quien espera.
            if not self._listas and falta <= (-_DESBORDE_S if datos else 0):
                return None
        return self._listas.popleft()

    def cerrar(self) -> None:
        """Véase `Lector.cerrar`."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _interpretar(self, datos: bytes) -> list[str]:
        raise NotImplementedError

    def _hubo_silencio(self, ahora: float) -> None:
        """Pasó el tiempo sin que llegara nada."""

    def _oir(self, espera_s: float) -> bytes:
        if self._descriptor < 0:
            raise desconectado("ya se había cerrado")
        sondeo = select.poll()
        sondeo.register(self._descriptor, select.POLLIN)
        if not sondeo.poll(espera_s * 1000):
            return b""
        try:
            datos = os.read(self._descriptor, _TROZO)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise desconectado(error.strerror or "se fue") from error
        if not datos:
            raise desconectado("se cerró")
        return datos
