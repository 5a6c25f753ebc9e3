"""El hilo que recibe imágenes, aparte del de los hechos: ni el disco ni las huellas de una imagen los demoran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

from servicio_central.juicio import TrozoValido
from servicio_central.recepcion import Recepcion

Contestar = Callable[[str, str], None]
"""(tema, recibo firmado). Se llama desde otro hilo y no debe esperar a nadie."""

TOPE: Final = 4_000
"""Trozos en la fila, unos 64 MiB. Más allá se tiran: sin recibo, el kiosco los vuelve a mandar."""

_LOTE: Final = 256


class CarrilDeImagenes:
    """Una `Recepcion` con su hilo."""

    def __init__(self, recepcion: Recepcion, avisar: Callable[[str], None]) -> None:
        self.recepcion = recepcion
        self.tirados = 0
        """Trozos que no cupieron en la fila."""
        self._avisar = avisar
        self._fila: SimpleQueue[tuple[TrozoValido, Contestar]] = SimpleQueue()

    def empezar(self, parar: Event) -> Thread:
        """Corre hasta que `parar` se active."""
        hilo = Thread(target=self._ciclo, args=(parar,), name="imagenes", daemon=True)
        hilo.start()
        return hilo

    def entregar(self, trozos: Sequence[TrozoValido], contestar: Contestar) -> None:
        """Deja trozos por recibir; sus recibos salen por `contestar`."""
        for trozo in trozos:
            if self._fila.qsize() >= TOPE:
                self.tirados += 1
                continue
            self._fila.put((trozo, contestar))

    def _ciclo(self, parar: Event) -> None:
        while not parar.is_set():
            lote = self._juntar()
            try:
                self._atender(lote)
            except Exception as error:
                # Un defecto nuestro con un trozo no debe dejar sin recibir los demás.
                self._avisar(f"DEFECTO: un lote de {len(lote)} trozos de imagen no se pudo recibir ({error!r})")

    def _juntar(self) -> list[tuple[TrozoValido, Contestar]]:
        lote: list[tuple[TrozoValido, Contestar]] = []
        try:
            lote.append(self._fila.get(timeout=0.25))
            while len(lote) < _LOTE:
                lote.append(self._fila.get_nowait())
        except Empty:
            pass
        return lote

    def _atender(self, lote: Sequence[tuple[TrozoValido, Contestar]]) -> None:
        if not lote:
            return
        recibidos = self.recepcion.recibir([t for t, _ in lote])
        # La conexión puede ser otra desde que llegaron: se contesta por la última.
        contestar = lote[-1][1]
        for tema, recibo in recibidos.recibos:
            contestar(tema, recibo)
        for alarma in recibidos.alarmas:
            self._avisar(alarma)
