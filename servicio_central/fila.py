"""La fila de lo que llega del bróker, con reparto justo: cada equipo espera detrás de lo suyo y de nadie más.

Un kiosco tomado que publica sin parar llena su lugar y ahí se detiene: lo que ya no le cabe se tira y se cuenta (sin
acuse, un kiosco honrado lo reenvía). Los demás siguen pasando por turnos. Lo que un kiosco repite mientras su original
aún espera aquí no se mete otra vez: el acuse del primero vale por los dos.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from queue import Empty, SimpleQueue
from typing import Final

from servicio_central.juicio import Mensaje
from servicio_central.sucesos import Desconectado, Suceso

TOPE_POR_EQUIPO: Final = 500
"""Mensajes de un equipo: diez veces la ventana de un kiosco que cumple."""

TOPE: Final = 50_000
"""Mensajes en total: cuando mucho, tres gigas."""

TURNO: Final = 8
"""Mensajes de un equipo en cada turno suyo. De a uno, con cientos de regreso cada lote tendría casi un acuse por hoja,
y firmarlo y publicarlo cuesta lo que otra hoja."""

_MAXIMO_NOMBRES: Final = 2_000
"""Equipos de que se lleva cuenta; los demás comparten un lugar. El nombre viene del tema y se podría inventar."""


class Fila(SimpleQueue[Suceso]):
    """Los mensajes los mete un solo hilo; lo demás, cualquiera. Meter nunca espera. Saca un solo hilo.

    Un mensaje numerado (de una cola de AMQP, que se devuelve por número y en orden) conserva su orden y no se tira: su
    cola ya le pone tope.
    """

    def __init__(self, tirados: Counter[str] | None = None) -> None:
        self.tirados: Counter[str] = Counter() if tirados is None else tirados
        """Equipo → mensajes que no cupieron. Lo escribe quien mete."""
        # Cada cuenta tiene un solo hilo que la escribe; la resta es lo que hay dentro.
        self._metidos: Counter[str] = Counter()
        self._sacados: Counter[str] = Counter()
        self._entraron = self._salieron = 0
        self._esperan: set[Mensaje] = set()
        self._turnos: deque[str] = deque()
        self._van = 0
        """Mensajes que ya salieron en este turno."""
        self._lugares: dict[str, deque[Mensaje]] = {}
        self._sucesos: deque[Suceso] = deque()
        self._caidas: deque[Suceso] = deque()

    def put(self, item: Suceso, block: bool = True, timeout: float | None = None) -> None:
        """Mete; si es un mensaje y a su equipo ya no le cabe, lo cuenta en `tirados`."""
        if type(item) is Mensaje:
            # Si justo ahora está saliendo, su acuse viene en camino: da lo mismo.
            if item in self._esperan:
                return
            equipo = self._lugar(item)
            dentro = self._metidos[equipo] - self._sacados[equipo]
            if dentro >= TOPE_POR_EQUIPO or self._entraron - self._salieron >= TOPE:
                self.tirados[equipo] += 1
                return
            self._metidos[equipo] += 1
            self._entraron += 1
            self._esperan.add(item)
        super().put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Suceso:
        """Primero lo que no es mensaje; luego, el mensaje del equipo al que le toca; al final, que se cayó la conexión.

        Raises:
            Empty: si no hubo nada en ese tiempo.
        """
        limite = None if timeout is None else time.monotonic() + timeout
        while True:
            self._acomodar_lo_que_haya()
            if self._sucesos:
                return self._sucesos.popleft()
            if self._turnos:
                return self._siguiente()
            if self._caidas:
                return self._caidas.popleft()
            falta = None if limite is None else max(0.0, limite - time.monotonic())
            self._acomodar(super().get(block, falta))

    def _acomodar_lo_que_haya(self) -> None:
        # Lo que sigue llegando mientras se acomoda espera a la otra vuelta: un chorro no debe tener aquí a nadie.
        for _ in range(self.qsize()):
            try:
                self._acomodar(super().get(block=False))
            except Empty:
                return

    def _acomodar(self, suceso: Suceso) -> None:
        if isinstance(suceso, Mensaje):
            equipo = self._lugar(suceso) if type(suceso) is Mensaje else ""
            lugar = self._lugares.setdefault(equipo, deque())
            if not lugar:
                self._turnos.append(equipo)
            lugar.append(suceso)
        elif isinstance(suceso, Desconectado):
            self._caidas.append(suceso)
        else:
            self._sucesos.append(suceso)

    def _siguiente(self) -> Mensaje:
        equipo = self._turnos[0]
        lugar = self._lugares[equipo]
        mensaje = lugar.popleft()
        self._van += 1
        if not lugar:
            self._turnos.popleft()
            del self._lugares[equipo]
            self._van = 0
        elif self._van >= TURNO:
            self._turnos.rotate(-1)
            self._van = 0
        if type(mensaje) is Mensaje:
            self._sacados[equipo] += 1
            self._esperan.discard(mensaje)
            self._salieron += 1
        return mensaje

    def _lugar(self, mensaje: Mensaje) -> str:
        niveles = mensaje.tema.split("/", 3)
        equipo = niveles[2] if len(niveles) > 3 else ""
        return equipo if equipo in self._metidos or len(self._metidos) < _MAXIMO_NOMBRES else ""
