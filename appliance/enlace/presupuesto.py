"""Cuánto se ha mandado y recibido esta noche, por carril y por salida, y cuándo dejar de mandar imágenes.

Sólo la salida que se paga por byte tiene tope, y sólo si se configura. Antes de llegar a él se guarda una reserva para
las cifras, que salen siempre: pasado el tope cuestan dinero, y callarlas cuesta actas. Lo contado se anota en el
almacén cada `BLOQUE` bytes: un apagón olvida, cuando mucho, eso.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Medida:
    """Lo que pasó por la interfaz esta noche, y la última lectura de su contador."""

    suma: int = 0
    marca: str = ""
    lectura: int = 0

    def con(self, marca: str, lectura: int) -> Medida:
        """Después de otra lectura. Con otra marca (se reinició la máquina o el módem) la cuenta empezó de cero."""
        if not self.marca:
            return Medida(self.suma, marca, lectura)
        seguida = marca == self.marca and lectura >= self.lectura
        return Medida(self.suma + lectura - (self.lectura if seguida else 0), marca, lectura)


class Presupuesto:
    """La cuenta de una noche; a mediodía empieza otra.

    Args:
        salida: por dónde está conectado ahora; vacío si hay una sola.
        ahora: la hora del kiosco.
        contador: bytes que dice la interfaz de la salida que se paga, con su marca; manda sobre lo sumado por mensaje
            si dice más, porque es lo que se cobra.
    """

    def __init__(
        self,
        memoria: Memoria,
        tope: Tope | None,
        salida: Callable[[], str],
        ahora: Callable[[], datetime],
        contador: Callable[[], tuple[str, int] | None] = lambda: None,
    ) -> None:
        self._memoria = memoria
        self._tope = tope
        self._salida = salida
        self._ahora = ahora
        self._sin_anotar = 0
        self._contador = contador
        texto = memoria.presupuesto()
        self._noche, self._gastos = _leer(texto)
        self._medida = medida_de(texto) if self._noche == _noche_de(ahora()) else Medida()
        self._medir()

    def contar(self, carril: Carril, bytes_: int) -> None:
        """Suma un mensaje mandado o recibido. Raises: Falla, si tocaba anotarlo y no se pudo."""
        noche = _noche_de(self._ahora())
        if noche != self._noche:
            self._noche, self._gastos = noche, {}
            self._medida = replace(self._medida, suma=0)
        de_salida = self._gastos.setdefault(self._salida(), {})
        de_salida[carril.value] = de_salida.get(carril.value, 0) + bytes_ + ENVOLTURA
        self._sin_anotar += bytes_ + ENVOLTURA
        self._medir()
        if self._sin_anotar >= BLOQUE:
            self.guardar()

    def guardar(self) -> None:
        """Anota lo contado hasta ahora. Raises: Falla."""
        if self._sin_anotar:
            self._sin_anotar = 0
            dato = {"noche": self._noche, "salidas": self._gastos, "medida": astuple(self._medida)}
            self._memoria.guardar_presupuesto(json.dumps(dato))

    def gastado(self, salida: str) -> int:
        """Bytes de esta noche por esa salida, en los dos sentidos."""
        if self._noche != _noche_de(self._ahora()):
            return 0
        sumado = sum(self._gastos.get(salida, {}).values())
        medida = self._tope is not None and salida == self._tope.salida
        return max(sumado, self._medida.suma) if medida else sumado

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

    def _medir(self) -> None:
        if (lectura := self._contador()) is not None:
            self._medida = self._medida.con(*lectura)


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


def medida_de(texto: str) -> Medida:
    """La guardada; vacía si no la hay o no se entiende."""
    try:
        suma, marca, lectura = json.loads(texto)["medida"]
        return Medida(int(suma), str(marca), int(lectura))
    except (ValueError, KeyError, TypeError):
        return Medida()
