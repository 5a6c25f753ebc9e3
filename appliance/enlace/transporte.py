"""El enchufe del enlace: lo poco que se le pide a MQTT.

Un transporte sirve para una sola conexión y lo maneja un solo hilo: quien llama a `bombear` es quien lee, escribe y
recibe. Que el bróker haya tomado un mensaje (PUBACK) sólo regula cuántos van en vuelo; nunca significa que el centro lo
tenga.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

EN_VUELO: Final = 20
"""Mensajes publicados sin PUBACK que caben a la vez (recetas: paho se vuelve lento y opaco con más)."""


class EnlaceCaido(Exception):
    """No hay conexión o se perdió. El texto es la causa, para la bitácora y la pantalla."""


class NoAutorizado(EnlaceCaido):
    """El bróker contestó y no nos deja: certificado, permisos, o cierra en cuanto se entra."""


@dataclass(frozen=True, slots=True)
class Mensaje:
    """Lo recibido en un tema al que se está suscrito."""

    tema: str
    carga: bytes


@dataclass(frozen=True, slots=True)
class Testamento:
    """Lo que el bróker publica por nosotros si la conexión muere sin despedirse."""

    tema: str
    carga: bytes


class Transporte(Protocol):
    """Una conexión. Cualquier método puede levantar `EnlaceCaido`; después de eso sólo queda `cerrar`."""

    def conectar(self) -> None:
        """Abre la conexión y espera a que el bróker la acepte."""
        ...

    def suscribir(self, *temas: str) -> None:
        """Pide esos temas, todos de una vez, y espera la confirmación."""
        ...

    def publicar(self, tema: str, carga: bytes) -> bool:
        """Manda con QoS 1. `False` si ya van `EN_VUELO` sin PUBACK: no se mandó nada y hay que bombear."""
        ...

    def en_vuelo(self) -> int:
        """Cuántos bytes publicados van sin PUBACK."""
        ...

    def bombear(self, segundos: float) -> list[Mensaje]:
        """Atiende la red hasta `segundos` (o antes, si hay algo) y devuelve lo recibido."""
        ...

    def cerrar(self) -> None:
        """Se despide y suelta todo. Se puede repetir y no falla."""
        ...


Fabrica = Callable[[Testamento], Transporte]
"""Hace un transporte nuevo para cada conexión."""
