"""Sirve por HTTP una carpeta pública con las direcciones del sitio, como lo hará nginx: lo comprimido, comprimido."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

_CARPETAS: Final = {
    "cortes": "cortes",
    "registro": "registro",
    "imagenes": "imagenes_publicas",
    "documentos": "documentos_publicos",
}


class ServidorPublico(ThreadingHTTPServer):
    """De esa carpeta. `pedidas` dice qué se ha pedido; a lo que esté en `cambios` se contesta otra cosa."""

    daemon_threads = True

    def __init__(self, carpeta: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Atencion)
        self.carpeta = carpeta
        self.pedidas: list[str] = []
        self.cambios: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Atencion(BaseHTTPRequestHandler):
    server: ServidorPublico

    def do_GET(self) -> None:
        self.server.pedidas.append(self.path)
        primero, _, resto = self.path.strip("/").partition("/")
        carpeta = self.server.carpeta
        ruta = carpeta / _CARPETAS[primero] / resto if primero in _CARPETAS else carpeta / "publico" / self.path[1:]
        for archivo, como in ((ruta.with_name(f"{ruta.name}.gz"), "gzip"), (ruta, "")):
            if archivo.is_file():
                self._dar(archivo.read_bytes(), como)
                return
        self.send_error(404)

    def _dar(self, datos: bytes, como: str) -> None:
        datos = self.server.cambios.get(self.path, datos)
        self.send_response(200)
        if como:
            self.send_header("Content-Encoding", como)
        self.send_header("Content-Length", str(len(datos)))
        self.end_headers()
        self.wfile.write(datos)

    def log_message(self, format: str, *args: object) -> None:
        """Las pruebas no ensucian la pantalla."""


@contextmanager
def servida(carpeta: Path) -> Iterator[ServidorPublico]:
    """La carpeta, en un puerto de esta máquina, mientras dura el bloque."""
    with ServidorPublico(carpeta) as servidor:
        hilo = Thread(target=servidor.serve_forever, args=(0.02,), daemon=True)
        hilo.start()
        yield servidor
        servidor.shutdown()
        hilo.join()
