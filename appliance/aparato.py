"""El aparato de varios modos con que se abrieron las pantallas, y el cambio de modo que se pide desde ellas.

Quien lo pide no lo hace: las pantallas se cierran, se cambia con el almacén ya cerrado y se vuelven a abrir en la
carpeta nueva. Así no hay nadie escribiendo en lo que se borra.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Final

from appliance.consola import decir
from appliance.falla import Falla
from appliance.modo import Cambio, cambiar, confirmado, planear
from nucleo.modos import MODOS
from nucleo.problema import Rechazo

CIERRA_S: Final = 10.0
"""Segundos tras los que las pantallas se cierran aunque la página de espera no haya avisado que ya está en pie."""


@dataclass(frozen=True, slots=True)
class Pedido:
    """Un cambio ya confirmado que se hará al cerrar las pantallas."""

    de: str
    a: str
    confirmacion: str
    persona: str


class Aparato:
    """Vive lo que el proceso de pantallas; sobrevive a cada cambio de modo."""

    def __init__(self, carpeta: Path) -> None:
        self.carpeta = carpeta
        self.arranque = ""
        """Distinto cada vez que se abren las pantallas: así el navegador sabe que ya son las nuevas."""
        self.tropiezo: Rechazo | None = None
        """Por qué no se hizo el último cambio pedido, si no se hizo."""
        self._pedido: Pedido | None = None
        self._detener: Callable[[], None] = lambda: None
        self._plazo: Timer | None = None

    def abierto(self, detener: Callable[[], None]) -> None:
        """Las pantallas se abrieron; `detener` las cierra sin cortar lo que estén contestando."""
        self.arranque = secrets.token_hex(8)
        self._detener = detener

    def opciones(self) -> list[tuple[str, Cambio | Rechazo]]:
        """Cada modo con lo que pasará al pasar a él, o por qué no se puede. Raises: Falla."""
        return [(modo, planear(self.carpeta, modo)) for modo in MODOS]

    def pedir(self, a: str, confirmacion: str, persona: str) -> Cambio | Rechazo:
        """Comprueba el cambio y lo deja pedido; las pantallas se cerrarán en un momento. Raises: Falla."""
        plan = confirmado(self.carpeta, a, confirmacion)
        if isinstance(plan, Cambio):
            self._pedido = Pedido(plan.de, plan.a, confirmacion, persona)
            self._plazo = Timer(CIERRA_S, self._detener)
            self._plazo.daemon = True
            self._plazo.start()
        return plan

    def alguien_espera(self) -> None:
        """La página de espera ya se cargó completa: si hay un cambio pedido, las pantallas se cierran."""
        # Cerrarlas antes la dejaría a medias, sin con qué darse cuenta de que ya volvieron.
        if self._pedido is not None:
            self._detener()

    @property
    def por_cambiar(self) -> bool:
        return self._pedido is not None

    def cumplir(self) -> Pedido | None:
        """Con las pantallas ya cerradas, hace el cambio pedido. `None` si no había o no se pudo (`tropiezo`)."""
        pedido, self._pedido = self._pedido, None
        if self._plazo is not None:
            self._plazo.cancel()
        if pedido is None:
            return None
        try:
            hecho = cambiar(self.carpeta, pedido.a, pedido.confirmacion)
        except Falla as falla:
            hecho = falla.rechazo
        self.tropiezo = hecho if isinstance(hecho, Rechazo) else None
        if self.tropiezo is not None:
            decir(f"kiosco: {self.tropiezo}")
            return None
        return pedido
