"""Lo físico del escáner simulado: la charola con sus hojas, el vidrio, la tapa y lo que puede salir mal.

Una hoja son los bytes de una imagen JPEG, PNG o WebP; se guarda como PNG, que es lo que el escáner entrega sin
perder nada. No sabe de red: `escl` la enseña por HTTP.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from threading import Condition
from typing import Final

import cv2
import numpy as np

CAPACIDAD: Final = 100
"""Hojas que caben en la charola; la de un escáner de escritorio lleva de 50 a 100."""
MAXIMO_HOJA: Final = 32 * 2**20


class Estorbo(StrEnum):
    """Lo que no deja pasar papel."""

    ATASCO = "atasco"
    DOBLE_HOJA = "doble_hoja"
    TAPA_ABIERTA = "tapa_abierta"


class HojaImposible(ValueError):
    """Lo que se metió no es una hoja que este escáner pueda tomar."""


class Charola:
    """El papel. Sus métodos se pueden llamar de varios hilos."""

    def __init__(self) -> None:
        self._condicion = Condition()
        self._hojas: deque[bytes] = deque()
        self._vidrio: bytes | None = None
        self._estorbo: Estorbo | None = None
        self._fallas: deque[Estorbo | None] = deque()
        self._en_el_camino: list[bytes] = []
        self._colgado = False
        self.salieron = 0
        """Hojas que llegaron completas a la salida."""

    def meter(self, hoja: bytes) -> int:
        """Pone una hoja al final de la charola; devuelve cuántas hay. Raises: HojaImposible."""
        hoja = _en_png(hoja)
        with self._condicion:
            if len(self._hojas) >= CAPACIDAD:
                raise HojaImposible(f"la charola ya tiene {CAPACIDAD} hojas")
            self._hojas.append(hoja)
            return len(self._hojas)

    def poner_en_el_vidrio(self, hoja: bytes | None) -> None:
        """Cambia lo que hay en la cama plana; `None` la deja vacía. Raises: HojaImposible."""
        if hoja is not None:
            hoja = _en_png(hoja)
        with self._condicion:
            self._vidrio = hoja

    def vaciar(self) -> None:
        """Retira todo el papel y toda falla pendiente."""
        with self._condicion:
            self._hojas.clear()
            self._en_el_camino.clear()
            self._fallas.clear()
            self._vidrio = self._estorbo = None

    def fallar(self, que: Estorbo, despues_de: int = 0) -> None:
        """La hoja que siga a las próximas `despues_de` se atora, sale doble o encuentra la tapa abierta."""
        with self._condicion:
            self._fallas.extend([None] * despues_de)
            self._fallas.append(que)

    def abrir_tapa(self) -> None:
        with self._condicion:
            self._estorbo = Estorbo.TAPA_ABIERTA

    def despejar(self) -> None:
        """Saca el papel atorado, lo regresa al frente de la charola y cierra la tapa."""
        with self._condicion:
            self._hojas.extendleft(reversed(self._en_el_camino))
            self._en_el_camino.clear()
            self._estorbo = None

    def colgar(self) -> None:
        """Deja de contestar, sin cortar la conexión."""
        with self._condicion:
            self._colgado = True

    def soltar(self) -> None:
        """Lo que estaba colgado sigue."""
        with self._condicion:
            self._colgado = False
            self._condicion.notify_all()

    def esperar_si_esta_colgado(self, plazo_s: float) -> bool:
        """Espera a que lo suelten; falso si pasó el plazo."""
        with self._condicion:
            return self._condicion.wait_for(lambda: not self._colgado, plazo_s)

    @property
    def estorbo(self) -> Estorbo | None:
        with self._condicion:
            return self._estorbo

    @property
    def hojas(self) -> int:
        with self._condicion:
            return len(self._hojas)

    @property
    def vidrio(self) -> bytes | None:
        with self._condicion:
            return self._vidrio

    def jalar(self) -> bytes | Estorbo | None:
        """Toma la hoja de adelante: sus bytes, o por qué no pasó, o `None` si no hay."""
        with self._condicion:
            if self._estorbo is not None:
                return self._estorbo
            if not self._hojas:
                return None
            falla = self._fallas.popleft() if self._fallas else None
            if falla is None:
                self._en_el_camino.append(self._hojas.popleft())
                return self._en_el_camino[-1]
            # Dos hojas juntas son dos hojas en el camino: al despejar regresan las dos.
            cuantas = {Estorbo.ATASCO: 1, Estorbo.DOBLE_HOJA: 2, Estorbo.TAPA_ABIERTA: 0}[falla]
            self._en_el_camino += [self._hojas.popleft() for _ in range(min(cuantas, len(self._hojas)))]
            self._estorbo = falla
            return falla

    def salio(self, hoja: bytes) -> None:
        """Esa hoja llegó completa a la salida."""
        with self._condicion:
            # Sólo ella: cuando termina de salir, la que sigue ya puede ir entrando, o estar atorada.
            if hoja in self._en_el_camino:
                self._en_el_camino.remove(hoja)
                self.salieron += 1

    def quedo_a_medias(self) -> None:
        """La hoja del camino se quedó ahí: es un atasco cuando vuelva la corriente."""
        with self._condicion:
            if self._en_el_camino:
                self._estorbo = Estorbo.ATASCO


def _en_png(hoja: bytes) -> bytes:
    if not 0 < len(hoja) <= MAXIMO_HOJA:
        raise HojaImposible(f"la hoja mide {len(hoja)} bytes y debe medir entre 1 y {MAXIMO_HOJA}")
    # sane-airscan sólo entiende PNG de ocho bits en gris o en color (los dos octetos tras el tamaño, PNG §11.2.2).
    if hoja.startswith(b"\x89PNG\r\n\x1a\n") and hoja[24:26] in (b"\x08\x00", b"\x08\x02"):
        return hoja
    pixeles = cv2.imdecode(np.frombuffer(hoja, np.uint8), cv2.IMREAD_COLOR)
    if pixeles is None:
        raise HojaImposible("la hoja no es una imagen JPEG, PNG ni WebP")
    # Compresión 1: una carta a 200 ppp tarda 40 ms en vez de 300.
    hecho, png = cv2.imencode(".png", pixeles, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not hecho:
        raise HojaImposible("la hoja no se pudo convertir a PNG")
    return png.tobytes()
