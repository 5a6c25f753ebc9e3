"""La última foto de los aparatos, tomada otra vez cada pocos segundos y cada que el núcleo avisa de un cambio."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from appliance.consola import decir
from appliance.dispositivos.bus import Bus, Dispositivo
from appliance.dispositivos.perfil import Clase
from nucleo.problema import Rechazo

CADA_S: Final = 3.0
"""Cada cuánto se vuelve a preguntar aunque nadie avise: lo más que una foto puede estar atrasada."""

_ASIENTO_S: Final = 0.2
"""Lo que tarda udev en terminar con un aparato recién conectado; juntos llegan decenas de avisos."""

_REBANADA_S: Final = 1.0
"""Lo más que se espera sin mirar si ya hay que parar."""


@dataclass(frozen=True, slots=True)
class Foto:
    """Lo que había. Con `aviso` la lista puede estar vacía por no poder mirar, no por no haber aparatos."""

    dispositivos: tuple[Dispositivo, ...] = ()
    aviso: Rechazo | None = None
    tomada_s: float = field(default=0.0, compare=False)
    """`time.monotonic()` de cuando se tomó."""

    def de(self, clase: Clase) -> tuple[Dispositivo, ...]:
        return tuple(d for d in self.dispositivos if d.clase is clase)


@dataclass(frozen=True, slots=True)
class Diferencia:
    """Lo que cambió de una foto a la siguiente."""

    altas: tuple[Dispositivo, ...] = ()
    bajas: tuple[Dispositivo, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.altas or self.bajas)


class Inventario:
    """Mantiene la foto en un hilo propio. Consultarla nunca espera a nadie."""

    def __init__(self, bus: Bus, avisar: Callable[[Diferencia], None], cada_s: float = CADA_S) -> None:
        """`avisar` corre en el hilo del inventario; si falla, se dice en la consola y el inventario sigue."""
        self._bus = bus
        self._avisar = avisar
        self._cada_s = cada_s
        self._foto = Foto()
        self._anunciados: tuple[Dispositivo, ...] = ()
        self._revisando = threading.Lock()
        self._alto = threading.Event()
        self._hilo: threading.Thread | None = None

    def foto(self) -> Foto:
        """La última. Antes de la primera, vacía."""
        return self._foto

    def revisar(self) -> Diferencia:
        """Toma la foto ahora, en este hilo, y anuncia lo que cambió desde la última que se pudo tomar."""
        with self._revisando:
            try:
                presentes = self._bus.presentes()
                aviso = self._bus.aviso()
            except Exception as error:  # Lo que venga de udev no puede dejar al kiosco sin inventario.
                self._foto = Foto((), _ciego(error), time.monotonic())
                # No poder mirar no es que lo desconectaran: no se anuncia ninguna baja.
                return Diferencia()
            self._foto = Foto(presentes, aviso, time.monotonic())
            diferencia = Diferencia(
                tuple(d for d in presentes if d not in self._anunciados),
                tuple(d for d in self._anunciados if d not in presentes),
            )
            self._anunciados = presentes
        if diferencia:
            try:
                self._avisar(diferencia)
            except Exception as error:
                decir(f"inventario: no se pudo avisar de los aparatos que cambiaron ({error})")
        return diferencia

    def iniciar(self) -> None:
        """Toma la primera foto y arranca el hilo. Iniciarlo dos veces no hace nada."""
        if self._hilo is not None:
            return
        self.revisar()
        self._alto.clear()
        self._hilo = threading.Thread(target=self._mirar, name="inventario", daemon=True)
        self._hilo.start()

    def detener(self) -> None:
        """Para el hilo; tarda un segundo, poco más o menos."""
        self._alto.set()
        if self._hilo is not None:
            self._hilo.join(_REBANADA_S + 5)
            self._hilo = None

    def _mirar(self) -> None:
        sordo = False
        vence = time.monotonic() + self._cada_s
        while not self._alto.is_set():
            espera = min(_REBANADA_S, max(0.0, vence - time.monotonic()))
            try:
                despierto = self._bus.cambios(espera)
            except Exception as error:
                if not sordo:
                    decir(f"inventario: no se oyen los avisos de udev ({error}); se pregunta cada {self._cada_s:g} s")
                sordo, despierto = True, False
                self._alto.wait(espera)
            if despierto:
                self._alto.wait(_ASIENTO_S)
            if (despierto or time.monotonic() >= vence) and not self._alto.is_set():
                self.revisar()
                vence = time.monotonic() + self._cada_s


def _ciego(error: Exception) -> Rechazo:
    return Rechazo(
        "SIN_UDEV",
        "No se puede saber qué aparatos hay conectados",
        f"udev no contesta ({str(error)[:80] or type(error).__name__})",
        "siga trabajando; si el escáner no responde, reinicie el kiosco",
    )
