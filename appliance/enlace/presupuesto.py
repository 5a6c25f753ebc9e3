"""Cuánto se ha mandado y recibido esta noche, por carril y por salida, y cuándo dejar de mandar imágenes.

Sólo la salida que se paga por byte tiene tope, y sólo si se configura. Antes de llegar a él se guarda una reserva para
las cifras, que salen siempre: pasado el tope cuestan dinero, y callarlas cuesta actas. Lo contado se anota en el
almacén cada `BLOQUE` bytes: un apagón olvida, cuando mucho, eso.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from appliance import situacion
from appliance.almacen import Almacen
from nucleo.temas import Carril

ENVOLTURA: Final = 120
"""Bytes que MQTT, TLS y TCP agregan a un mensaje, más o menos: se cobran también."""

BLOQUE: Final = 256 * 1024
RESERVA: Final = 4 * 2**20
"""Bytes del tope que se dejan a las cifras: mil actas con todos sus hechos y sus acuses."""

_LLAVE: Final = "presupuesto"
_MEDIODIA: Final = timedelta(hours=12)


class Memoria(Protocol):
    """Dónde se recuerda lo contado."""

    def presupuesto(self) -> str: ...
    def guardar_presupuesto(self, texto: str) -> None: ...


class EnAlmacen:
    """En `situacion`, junto al libro. Raises: Falla."""

    def __init__(self, almacen: Almacen) -> None:
        self._almacen = almacen

    def presupuesto(self) -> str:
        with self._almacen.lectura() as mirada:
            return situacion.leer(mirada.conexion, _LLAVE)

    def guardar_presupuesto(self, texto: str) -> None:
        with self._almacen.transaccion() as t:
            situacion.poner(t.conexion, _LLAVE, texto)


@dataclass(frozen=True, slots=True)
class Tope:
    """Lo más que se gasta en una noche en la salida que se paga por byte."""

    salida: str
    bytes: int
    reserva: int = RESERVA


class Presupuesto:
    """La cuenta de una noche; a mediodía empieza otra.

    Args:
        salida: por dónde está conectado ahora; vacío si hay una sola.
        ahora: la hora del kiosco.
    """

    def __init__(
        self, memoria: Memoria, tope: Tope | None, salida: Callable[[], str], ahora: Callable[[], datetime]
    ) -> None:
        self._memoria = memoria
        self._tope = tope
        self._salida = salida
        self._ahora = ahora
        self._sin_anotar = 0
        self._noche, self._gastos = _leer(memoria.presupuesto())

    def contar(self, carril: Carril, bytes_: int) -> None:
        """Suma un mensaje mandado o recibido. Raises: Falla, si tocaba anotarlo y no se pudo."""
        noche = _noche_de(self._ahora())
        if noche != self._noche:
            self._noche, self._gastos = noche, {}
        de_salida = self._gastos.setdefault(self._salida(), {})
        de_salida[carril.value] = de_salida.get(carril.value, 0) + bytes_ + ENVOLTURA
        self._sin_anotar += bytes_ + ENVOLTURA
        if self._sin_anotar >= BLOQUE:
            self.guardar()

    def guardar(self) -> None:
        """Anota lo contado hasta ahora. Raises: Falla."""
        if self._sin_anotar:
            self._sin_anotar = 0
            self._memoria.guardar_presupuesto(json.dumps({"noche": self._noche, "salidas": self._gastos}))

    def gastado(self, salida: str) -> int:
        """Bytes de esta noche por esa salida, en los dos sentidos."""
        if self._noche != _noche_de(self._ahora()):
            return 0
        return sum(self._gastos.get(salida, {}).values())

    def por_carril(self, salida: str) -> dict[str, int]:
        """Los mismos, por carril."""
        return dict(self._gastos.get(salida, {}))

    def medidos(self) -> int:
        """Lo gastado en la salida que se paga por byte; 0 si no hay."""
        return self.gastado(self._tope.salida) if self._tope is not None else 0

    def alcanza_para_imagenes(self) -> bool:
        """Si por la salida de ahora todavía se pueden mandar imágenes. Las cifras, siempre."""
        tope = self._tope
        if tope is None or self._salida() != tope.salida:
            return True
        return self.gastado(tope.salida) < tope.bytes - tope.reserva


def _noche_de(hora: datetime) -> str:
    """La fecha en que empezó esta noche: las dos de la mañana son todavía de la víspera."""
    return (hora - _MEDIODIA).date().isoformat()


def _leer(texto: str) -> tuple[str, dict[str, dict[str, int]]]:
    try:
        dato = json.loads(texto)
        salidas = {str(s): {str(c): int(n) for c, n in carriles.items()} for s, carriles in dato["salidas"].items()}
        return str(dato["noche"]), salidas
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", {}
