"""El reloj del kiosco difiere del reloj del centro: se dice, una vez, y nada se rechaza por eso."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Final

from appliance import situacion
from appliance.almacen import Almacen
from appliance.falla import Falla
from appliance.reloj import VIRTUAL

MAXIMO_MS: Final = 2000
"""Milisegundos de diferencia que todavía no se dicen (`recetas/mqtt.md` §3.8)."""

DESFASE: Final = "desfase_ms"
"""Llave de `appliance.situacion`: cuántos milisegundos, kiosco menos centro; vacío si el reloj va bien."""


class AvisoDeReloj:
    """Se calla hasta que el reloj vuelva a estar bien y se descomponga otra vez."""

    def __init__(self, almacen: Almacen) -> None:
        self._almacen = almacen
        with almacen.lectura() as mirada:
            self._dicho = situacion.leer(mirada.conexion, DESFASE) != ""

    def revisar(self, milisegundos: int, calidad: str) -> None:
        """Mira el desfase que consta. En un ensayo el reloj es otro a propósito."""
        # Ya dicho, se da por bueno a la mitad: en el mero borde se diría una y otra vez.
        mal = abs(milisegundos) > (MAXIMO_MS // 2 if self._dicho else MAXIMO_MS) and calidad != VIRTUAL
        if mal == self._dicho:
            return
        with contextlib.suppress(Falla), self._almacen.transaccion() as t:
            situacion.poner(t.conexion, DESFASE, str(milisegundos) if mal else "")
            t.anotar(datetime.now(UTC), "reloj_desfasado" if mal else "reloj_en_hora", detalle=f"{milisegundos} ms")
            self._dicho = mal
