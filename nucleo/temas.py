"""La gramática de temas MQTT, en los dos sentidos, y la lista de acceso del bróker que se deduce de ella.

Cinco niveles, sin puntos (RabbitMQ los confundiría con `/`):

    prep/<modo>-<proceso>/<equipo>/sube/{hechos,latido,imagen}              kiosco → centro
    prep/<modo>-<proceso>/<equipo>/baja/{acuse,recibo,orden,paquete}        centro → kiosco

El modo va en el tema: un kiosco de simulacro no puede escribir donde escribe uno oficial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from nucleo.formas import EQUIPO
from nucleo.modos import MODOS

USUARIO_CENTRO: Final = "centro"
"""CN del certificado del agregador."""

USUARIO_OBSERVADOR: Final = "observador"
"""CN de quien mira con `mosquitto_sub` lo mismo que la sala: lee lo que sube y lo que baja, y no escribe nada."""

RESERVADOS: Final = frozenset({USUARIO_CENTRO, USUARIO_OBSERVADOR})
"""Ningún equipo se llama así: para el bróker tendría esos permisos."""

_AMBITO: Final = re.compile(rf"({'|'.join(MODOS)})-([a-z0-9][a-z0-9\-]{{0,29}})")


class Carril(Enum):
    """Qué viaja por el tema."""

    HECHOS = "hechos"
    LATIDO = "latido"
    IMAGEN = "imagen"
    """Trozos de imagen: el único que no va firmado, porque su SHA-256 ya lo está en el hecho."""
    ACUSE = "acuse"
    RECIBO = "recibo"
    """Qué trozos de imagen tiene el centro."""
    ORDEN = "orden"
    PAQUETE = "paquete"
    """Trozos de lo que baja: el catálogo y la definición nuevos."""

    @property
    def sube(self) -> bool:
        return self in (Carril.HECHOS, Carril.LATIDO, Carril.IMAGEN)


class TemaInvalido(ValueError):
    """El texto no es un tema de esta gramática."""


@dataclass(frozen=True, slots=True)
class Tema:
    """Un tema concreto. `ambito` es `<modo>-<proceso>`."""

    ambito: str
    equipo: str
    carril: Carril

    def __post_init__(self) -> None:
        if _AMBITO.fullmatch(self.ambito) is None:
            raise TemaInvalido(f"{self.ambito[:60]!r} no es <modo>-<proceso> en minúsculas, como simulacro-oax2022")
        if EQUIPO.fullmatch(self.equipo) is None or self.equipo in RESERVADOS:
            raise TemaInvalido(f"{self.equipo[:60]!r} no es un nombre de equipo")

    def __str__(self) -> str:
        sentido = "sube" if self.carril.sube else "baja"
        return f"prep/{self.ambito}/{self.equipo}/{sentido}/{self.carril.value}"


def ambito_de(modo: str, proceso: str) -> str:
    """Segundo nivel del tema para ese modo y proceso (`simulacro-oax2022`). Raises: TemaInvalido."""
    ambito = f"{modo}-{proceso.lower()}"
    if _AMBITO.fullmatch(ambito) is None:
        raise TemaInvalido(f"{ambito[:60]!r} no sirve como ámbito de temas")
    return ambito


@lru_cache(maxsize=4096)
def leer_tema(texto: str) -> Tema:
    """Inversa de `str(Tema)`. Los de una noche son siempre los mismos.

    Raises:
        TemaInvalido: si sobra o falta un nivel, o el carril no va en ese sentido.
    """
    niveles = texto.split("/")
    if len(niveles) != 5 or niveles[0] != "prep":
        raise TemaInvalido(f"{texto[:80]!r} no tiene la forma prep/ámbito/equipo/sentido/carril")
    _, ambito, equipo, sentido, nombre = niveles
    try:
        carril = Carril(nombre)
    except ValueError as error:
        raise TemaInvalido(f"carril desconocido: {nombre[:40]!r}") from error
    if sentido != ("sube" if carril.sube else "baja"):
        raise TemaInvalido(f"{carril.value} no va por {sentido[:40]!r}")
    return Tema(ambito, equipo, carril)


def filtro_del_centro(ambito: str, carril: Carril) -> str:
    """Filtro con que el centro se suscribe a ese carril de todos los equipos."""
    return f"prep/{ambito}/+/sube/{carril.value}"


def acl_mosquitto(ambito: str) -> str:
    """Lista de acceso para mosquitto con `use_identity_as_username`: el CN del certificado es el usuario.

    Cada kiosco escribe sólo en sus temas que suben y lee sólo los suyos que bajan; el centro, al revés. El observador
    lee unos y otros; el `deny` hace falta porque los `pattern` valen para todo usuario, también para él.
    """
    if _AMBITO.fullmatch(ambito) is None:
        raise TemaInvalido(f"{ambito[:60]!r} no es un ámbito")
    suben = [c.value for c in Carril if c.sube]
    bajan = [c.value for c in Carril if not c.sube]
    lineas = ["# Generado por nucleo.temas: no se edita a mano."]
    lineas += [f"pattern write prep/{ambito}/%u/sube/{c}" for c in suben]
    lineas += [f"pattern read prep/{ambito}/%u/baja/{c}" for c in bajan]
    lineas += ["", f"user {USUARIO_CENTRO}"]
    lineas += [f"topic read prep/{ambito}/+/sube/{c}" for c in suben]
    lineas += [f"topic write prep/{ambito}/+/baja/{c}" for c in bajan]
    lineas += ["", f"user {USUARIO_OBSERVADOR}", f"topic deny prep/{ambito}/{USUARIO_OBSERVADOR}/#"]
    lineas += [f"topic read prep/{ambito}/+/sube/{c}" for c in suben]
    lineas += [f"topic read prep/{ambito}/+/baja/{c}" for c in bajan]
    return "\n".join(lineas) + "\n"
