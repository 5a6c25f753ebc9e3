"""Una prueba corta de una salida: TCP y TLS hasta el bróker, sin hablarle y sin soltar la conexión que sirve."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from threading import Thread
from typing import Final

from appliance.enlace import interfaz
from appliance.enlace.salidas import Salida

_PLAZO_S: Final = 10.0


class Sonda:
    """Corre cada prueba en su hilo, una a la vez: una salida muerta tarda en decirlo y la otra está en uso."""

    def __init__(self, probar: Callable[[Salida], bool]) -> None:
        self._probar = probar
        self._hilo: Thread | None = None
        self._bien: list[bool] = []

    def empezar(self, salida: Salida) -> None:
        """Empieza una prueba; si hay una en curso, nada."""
        if self._hilo is None:
            self._bien.clear()
            self._hilo = Thread(target=lambda: self._bien.append(self._probar(salida)), name="sonda", daemon=True)
            self._hilo.start()

    def resultado(self) -> bool | None:
        """Cómo salió la última, una sola vez; `None` si no hay ninguna o no ha terminado."""
        if self._hilo is None or self._hilo.is_alive():
            return None
        self._hilo = None
        return bool(self._bien and self._bien[0])


def llega(destino: tuple[str, int], salida: Salida, tls: ssl.SSLContext | None) -> bool:
    """Si por esa salida contesta nuestro bróker."""
    try:
        with interfaz.abrir(destino, salida.interfaz, _PLAZO_S) as enchufe:
            return tls is None or _saluda(tls, enchufe, destino[0])
    except (OSError, ValueError):
        return False


def _saluda(tls: ssl.SSLContext, enchufe: socket.socket, nombre: str) -> bool:
    with tls.wrap_socket(enchufe, server_hostname=nombre):
        return True
