"""Un transporte que sale por donde diga el relevo, le cuenta cómo le fue y avisa cuándo conviene volver a la preferida.

Para el ciclo es uno más: una salida caída, o el regreso a la preferida, son una conexión que terminó.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from appliance import situacion
from appliance.almacen import Almacen
from appliance.enlace import interfaz
from appliance.enlace.relevo import Relevo
from appliance.enlace.salidas import Salida
from appliance.enlace.transporte import EnlaceCaido, Mensaje, Transporte
from appliance.falla import Falla

SALIDA: Final = "salida"
"""Llave de `appliance.situacion`: por dónde contestó el centro la última vez; vacío si hay una sola salida."""

_CADA_S: Final = 1.0
"""Cada cuánto se mira si la interfaz perdió la señal."""


class Sondeo(Protocol):
    """Lo que se pide de `appliance.enlace.sonda.Sonda`."""

    def empezar(self, salida: Salida) -> None: ...
    def resultado(self) -> bool | None: ...


class Anotador:
    """Deja dicho, en la bitácora y para la barra, cada cambio de salida por la que de verdad contestó el centro."""

    def __init__(self, almacen: Almacen) -> None:
        self._almacen = almacen
        with almacen.lectura() as mirada:
            self._dicha = situacion.leer(mirada.conexion, SALIDA)

    def contesto(self, salida: str) -> None:
        """Si no es la última dicha, la anota. Con el disco lleno se intenta otra vez con lo siguiente que llegue."""
        if salida == self._dicha:
            return
        with contextlib.suppress(Falla), self._almacen.transaccion() as t:
            situacion.poner(t.conexion, SALIDA, salida)
            if self._dicha and salida:
                t.anotar(datetime.now(UTC), "salida_cambiada", detalle=f"de {self._dicha} a {salida}")
            self._dicha = salida


class TransportePorSalida:
    """`appliance.enlace.transporte.Transporte` por la salida que toca.

    Args:
        abrir: hace el transporte de verdad por esa salida, sin conectarlo.
        con_senal: si la interfaz de esa salida no dice estar desconectada.
    """

    def __init__(
        self,
        relevo: Relevo,
        abrir: Callable[[Salida], Transporte],
        sonda: Sondeo,
        contesto: Callable[[str], None],
        cronometro: Callable[[], float],
        con_senal: Callable[[Salida], bool] = lambda salida: interfaz.con_senal(salida.interfaz),
    ) -> None:
        self._relevo = relevo
        self._salida = relevo.actual
        self._transporte = abrir(self._salida)
        self._sonda = sonda
        self._contesto = contesto
        self._cronometro = cronometro
        self._con_senal = con_senal
        self._mirada = cronometro()
        self._terminada = False

    def conectar(self) -> None:
        self._transporte.conectar()

    def suscribir(self, *temas: str) -> None:
        self._transporte.suscribir(*temas)

    def publicar(self, tema: str, carga: bytes) -> bool:
        return self._transporte.publicar(tema, carga)

    def en_vuelo(self) -> int:
        return self._transporte.en_vuelo()

    def bombear(self, segundos: float) -> list[Mensaje]:
        ahora = self._cronometro()
        if ahora - self._mirada >= _CADA_S:
            self._mirada = ahora
            # Sin esto, un cable desconectado se nota hasta que TCP o el bróker se cansan de esperar.
            if not self._con_senal(self._salida):
                raise EnlaceCaido(f"la salida {self._salida.nombre} perdió la señal")
            self._probar(ahora)
        mensajes = self._transporte.bombear(segundos)
        if mensajes:
            # Al kiosco sólo le escribe el centro: que llegue algo es que contestó.
            self._relevo.contesto(self._cronometro())
            self._contesto(self._salida.nombre)
        return mensajes

    def cerrar(self) -> None:
        if not self._terminada:
            self._terminada = True
            self._relevo.cayo(self._cronometro())
        self._transporte.cerrar()

    def _probar(self, ahora: float) -> None:
        if (bien := self._sonda.resultado()) is not None:
            self._relevo.probada(bien, ahora)
        elif self._relevo.toca_probar(ahora):
            self._sonda.empezar(self._relevo.preferida)
        if self._relevo.conviene_regresar():
            self._terminada = True
            self._relevo.regresar(ahora)
            raise EnlaceCaido(f"se regresa a la salida {self._relevo.preferida.nombre}")
