"""El servidor HTTP del testigo: una sola dirección, cuerpos chicos, plazos cortos y pocos pedidos a la vez.

Está en internet y no confía en nadie: quien manda de a poquito, de más o mil conexiones se queda sin respuesta, y los
demás siguen.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import BoundedSemaphore, Thread, Timer
from typing import Final

from vigilancia.testigo import MAXIMO_CUERPO, Respuesta, Testigo

RUTA: Final = "/add-checkpoint"
PLAZO: Final = 10.0
"""Segundos que se espera a quien está mandando, en total y no por byte."""
A_LA_VEZ: Final = 32


class ServidorDeTestigo(HTTPServer):
    """Atiende a un testigo. `server_address` dice el puerto de verdad si se pidió el 0."""

    request_queue_size = 128
    allow_reuse_address = True

    def __init__(
        self, donde: tuple[str, int], testigo: Testigo, plazo: float = PLAZO, a_la_vez: int = A_LA_VEZ
    ) -> None:
        self.testigo = testigo
        self.plazo = plazo
        self._lugares = BoundedSemaphore(a_la_vez)
        super().__init__(donde, _Atencion)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Cada pedido en su hilo; si ya son demasiados, se cuelga sin leer nada."""
        assert isinstance(request, socket.socket)
        if not self._lugares.acquire(blocking=False):
            self.shutdown_request(request)
            return
        Thread(target=self._atender, args=(request, client_address), daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Quien cuelga a media respuesta no es noticia; un defecto nuestro sí, en un renglón."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"testigo: no se pudo atender un pedido ({error!r})", file=sys.stderr, flush=True)

    def _atender(self, pedido: socket.socket, quien: object) -> None:
        # El plazo del socket es por lectura: sin éste, un byte cada nueve segundos ocuparía el lugar para siempre.
        guardia = Timer(self.plazo, _colgar, (pedido,))
        guardia.daemon = True
        guardia.start()
        try:
            self.finish_request(pedido, quien)
        except Exception:
            self.handle_error(pedido, quien)
        finally:
            guardia.cancel()
            self.shutdown_request(pedido)
            self._lugares.release()


class _Atencion(BaseHTTPRequestHandler):
    server: ServidorDeTestigo
    server_version = "testigo"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.plazo)

    def do_POST(self) -> None:
        self._contestar(self._pedido())

    def do_GET(self) -> None:
        self._contestar(Respuesta(404, f"aquí sólo se atiende POST {RUTA}\n".encode()))

    def log_message(self, format: str, *args: object) -> None:
        """Nada: quien pida mil disparates no llena el disco de nadie."""

    def _pedido(self) -> Respuesta:
        if self.path != RUTA:
            return Respuesta(404, f"aquí sólo se atiende POST {RUTA}\n".encode())
        largos = self.headers.get_all("Content-Length") or []
        if self.headers.get("Transfer-Encoding") is not None or len(largos) != 1 or not _es_natural(largos[0]):
            return Respuesta(411, "falta decir cuánto mide el pedido\n".encode())
        largo = int(largos[0])
        if largo > MAXIMO_CUERPO:
            return Respuesta(413, f"el pedido mide más de {MAXIMO_CUERPO} bytes\n".encode())
        cuerpo = self.rfile.read(largo)
        if len(cuerpo) != largo:
            return Respuesta(400, "el pedido llegó cortado\n".encode())
        try:
            return self.server.testigo.atender(cuerpo)
        except OSError as error:
            print(f"testigo: no se pudo guardar, y por eso no se cofirmó ({error})", file=sys.stderr, flush=True)
            return Respuesta(500, b"el testigo no pudo guardar y por eso no cofirma\n")

    def _contestar(self, respuesta: Respuesta) -> None:
        self.send_response(respuesta.codigo)
        self.send_header("Content-Type", respuesta.tipo)
        self.send_header("Content-Length", str(len(respuesta.cuerpo)))
        self.end_headers()
        self.wfile.write(respuesta.cuerpo)


def _es_natural(texto: str) -> bool:
    return texto.isascii() and texto.isdigit() and len(texto) < 10


def _colgar(pedido: socket.socket) -> None:
    with suppress(OSError):
        pedido.shutdown(socket.SHUT_RDWR)
