"""Un solo puerto delante de varios nodos: cada conexión va al primero que conteste, y muere con él.

Hace lo que en producción hace un balanceador de TCP o un nombre con varias direcciones. No abre el TLS: los bytes pasan
tal cual.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
from collections.abc import Sequence
from threading import Thread


class Balanza:
    """Escucha en un puerto de loopback hasta `cerrar`."""

    def __init__(self, puerto: int, nodos: Sequence[int]) -> None:
        self._nodos = list(nodos)
        self._escucha = socket.create_server(("127.0.0.1", puerto), backlog=512)
        self.puerto = int(self._escucha.getsockname()[1])
        self._parado = False
        Thread(target=self._aceptar, daemon=True, name="balanza").start()

    def cerrar(self) -> None:
        self._parado = True
        with contextlib.suppress(OSError):
            self._escucha.shutdown(socket.SHUT_RDWR)
        self._escucha.close()

    def _aceptar(self) -> None:
        while not self._parado:
            try:
                cliente, _ = self._escucha.accept()
            except OSError:
                return
            Thread(target=self._unir, args=(cliente,), daemon=True).start()

    def _unir(self, cliente: socket.socket) -> None:
        with cliente:
            for nodo in random.sample(self._nodos, len(self._nodos)):
                try:
                    servidor = socket.create_connection(("127.0.0.1", nodo), timeout=2)
                except OSError:
                    continue
                with servidor, contextlib.suppress(OSError):
                    servidor.settimeout(None)
                    _pasar(cliente, servidor)
                return


def _pasar(uno: socket.socket, otro: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(uno, selectors.EVENT_READ, otro)
        selector.register(otro, selectors.EVENT_READ, uno)
        while True:
            for llave, _ in selector.select():
                de = llave.fileobj
                assert isinstance(de, socket.socket)
                datos = de.recv(65536)
                if not datos:
                    return
                llave.data.sendall(datos)
