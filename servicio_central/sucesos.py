"""Lo que le pasa a una conexión con el bróker, en el orden en que el ciclo del centro se entera."""

from __future__ import annotations

from dataclasses import dataclass

from servicio_central.juicio import Mensaje


@dataclass(frozen=True, slots=True)
class Conectado:
    """El bróker aceptó la sesión y las suscripciones ya se pidieron."""


@dataclass(frozen=True, slots=True)
class Desconectado:
    """La conexión se cayó o el bróker no la aceptó."""

    causa: str


@dataclass(frozen=True, slots=True)
class Tomado:
    """El bróker tomó un acuse (PUBACK): sólo abre lugar para otro."""


@dataclass(frozen=True, slots=True)
class Firmado:
    """Un recibo de imagen, listo para publicarse después de los acuses."""

    tema: str
    recibo: str


Suceso = Mensaje | Conectado | Desconectado | Tomado | Firmado
