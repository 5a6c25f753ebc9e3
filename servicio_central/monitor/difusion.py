"""Repartir los mismos bytes a todos los navegadores: por cada uno, sólo meterlos en su fila.

Todo ocurre en el hilo del servidor web menos `mandar`, que llama el observador desde el suyo.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

TOPE_FILA: Final = 64
"""Mensajes sin leer. A quien se atrase más se le corta: al volver recibe todo de una vez."""


Envio = tuple[int, bytes]
"""(número de la versión a que lleva, o 0 si no cambia ninguna; el mensaje)."""


class Lleno(Exception):
    """Ya hay demasiados navegadores oyendo."""


class Difusion:
    """Un canal con muchos oyentes."""

    def __init__(self, maximo: int) -> None:
        self._maximo = maximo
        self._filas: set[asyncio.Queue[Envio | None]] = set()
        self._atrasadas: set[asyncio.Queue[Envio | None]] = set()
        """Ya no reciben, pero su navegador sigue colgado: ocupan lugar hasta que se suelten."""
        self._bucle: asyncio.AbstractEventLoop | None = None
        self._cerrada = False

    @property
    def oyentes(self) -> int:
        return len(self._filas) + len(self._atrasadas)

    def abrir(self) -> asyncio.Queue[Envio | None]:
        """La fila de un navegador nuevo; `None` en ella es «ya no hay más».

        Raises:
            Lleno: si no cabe otro.
        """
        if self.oyentes >= self._maximo or self._cerrada:
            raise Lleno
        self._bucle = asyncio.get_running_loop()
        fila: asyncio.Queue[Envio | None] = asyncio.Queue(TOPE_FILA)
        self._filas.add(fila)
        return fila

    def soltar(self, fila: asyncio.Queue[Envio | None]) -> None:
        self._filas.discard(fila)
        self._atrasadas.discard(fila)

    def mandar(self, mensaje: bytes, numero: int = 0) -> None:
        """A todos; se puede llamar desde cualquier hilo."""
        self._en_el_bucle((numero, mensaje))

    def cerrar(self) -> None:
        """Despide a todos y no admite más."""
        self._cerrada = True
        self._en_el_bucle(None)

    def _en_el_bucle(self, mensaje: Envio | None) -> None:
        if self._bucle is not None and self._filas:
            # El servidor pudo terminar entre una línea y otra: entonces ya no hay a quién.
            with suppress(RuntimeError):
                self._bucle.call_soon_threadsafe(self._repartir, mensaje)

    def _repartir(self, mensaje: Envio | None) -> None:
        for fila in list(self._filas):
            try:
                fila.put_nowait(mensaje)
            except asyncio.QueueFull:
                self._filas.discard(fila)
                self._atrasadas.add(fila)
                # Lo que no leyó ya no le sirve, y tendría ocupada la memoria lo que tarde en irse.
                while not fila.empty():
                    fila.get_nowait()
                fila.put_nowait(None)


def suceso(nombre: str, datos: str, identidad: str = "") -> bytes:
    """Un mensaje SSE. Todo salto de línea abre otro renglón `data:`: el contenido no puede inventar campos."""
    renglones = "".join(f"data: {renglon}\n" for renglon in datos.splitlines() or [""])
    return f"event: {nombre}\n{f'id: {identidad}{chr(10)}' if identidad else ''}{renglones}\n".encode()
