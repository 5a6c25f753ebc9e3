"""Cuando el bróker cierra la puerta una y otra vez: no insistir sin fin, y decirlo.

Un certificado revocado o vencido, o un permiso que falta, no se arreglan reintentando: si pasa el rato y no abre se
levanta una alarma y se espera cada vez más. Pero un bróker que arranca también niega a todos unos segundos, y puede
haberse equivocado: se espera a lo más lo que ya lleva cerrado, y nunca se deja de intentar.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from appliance import situacion
from appliance.almacen import Almacen
from appliance.enlace.transporte import NoAutorizado
from appliance.falla import Falla

CIERRES: Final = 5
PACIENCIA_S: Final = 30.0
"""Los cierres seguidos, y el tiempo que deben abarcar, para creerles: menos puede ser un bróker que arranca."""

LARGA_S: Final = 180.0
"""La espera más larga."""

_ENTRE_S: Final = 30.0
"""Lo más que cuenta el tiempo entre dos negativas, además de lo que se pidió esperar: lo que el ciclo deja pasar."""

RECHAZADO: Final = "enlace_rechazado"
"""Llave de `appliance.situacion`: qué contestó el bróker; vacío si deja entrar."""


class Rechazos:
    """Cuenta los seguidos. Los usa sólo el ciclo del enlace."""

    def __init__(self, almacen: Almacen, azar: random.Random, cronometro: Callable[[], float]) -> None:
        self._almacen = almacen
        self._azar = azar
        self._cronometro = cronometro
        self._seguidos = 0
        self._lleva_s = 0.0
        """Cuánto abarcan los seguidos."""
        self._ultimo = 0.0
        """El `cronometro` del último."""
        self._pedida_s = 0.0
        """Lo que se pidió esperar después de él."""
        with almacen.lectura() as mirada:
            self._dicho = situacion.leer(mirada.conexion, RECHAZADO) != ""

    def entro(self) -> None:
        """El centro contestó: la puerta está abierta."""
        self._seguidos = 0
        if self._dicho:
            self._anotar("")

    def espera(self, causa: Exception) -> float:
        """Segundos que hay que esperar, además de lo de siempre, después de esa caída; 0 casi siempre."""
        if not isinstance(causa, NoAutorizado):
            # Una red caída no borra lo que el bróker ya dijo, ni cuenta como otra negativa.
            return 0.0
        ahora = self._cronometro()
        # Una hora de red caída entre dos negativas no es una hora de puerta cerrada.
        paso = min(ahora - self._ultimo, self._pedida_s + _ENTRE_S)
        self._lleva_s = self._lleva_s + paso if self._seguidos else 0.0
        self._ultimo, self._pedida_s = ahora, 0.0
        self._seguidos += 1
        if self._seguidos < CIERRES or self._lleva_s < PACIENCIA_S:
            return 0.0
        if not self._dicho:
            self._anotar(str(causa))
        self._pedida_s = self._azar.uniform(0.75, 1.25) * min(LARGA_S, self._lleva_s)
        return self._pedida_s

    def _anotar(self, causa: str) -> None:
        with contextlib.suppress(Falla), self._almacen.transaccion() as t:
            situacion.poner(t.conexion, RECHAZADO, causa)
            t.anotar(datetime.now(UTC), "broker_rechaza" if causa else "broker_admite", detalle=causa)
            self._dicho = causa != ""
