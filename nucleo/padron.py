"""El padrón de equipos: qué llave, qué CATD y qué época tiene cada kiosco inscrito. Lo firma la autoridad fuera de línea.

La época también se inscribe: si alguien copia la llave a otro disco y empieza una cadena nueva, su época no está en el padrón.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nucleo.sobre import Firmante, SobreInvalido, Tipo, leer_json, verificar

AUTORIDAD: Final = "autoridad"
"""Identidad (`kid`) de la autoridad que firma el padrón."""

_NOMBRE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,38}")
_EPOCA: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Equipo:
    """Un kiosco inscrito."""

    nombre: str
    catd: str
    epocas: frozenset[str]
    llave: ECKey
    vigente: bool = True


@dataclass(frozen=True)
class Padron:
    """Equipos inscritos, por nombre. `version` crece con cada firma."""

    proceso: str
    modo: str
    version: int
    equipos: Mapping[str, Equipo]


def sellar_padron(padron: Padron, firmante: Firmante) -> str:
    """JWS compacto del padrón. Puede ser grande: no viaja por MQTT."""
    dato = {
        "v": 1,
        "proceso": padron.proceso,
        "modo": padron.modo,
        "version": padron.version,
        "equipos": {
            e.nombre: {
                "catd": e.catd,
                "epocas": sorted(e.epocas),
                "llave": e.llave.as_dict(private=False),
                "vigente": e.vigente,
            }
            for e in padron.equipos.values()
        },
    }
    return firmante.firmar(Tipo.PADRON, json.dumps(dato, separators=(",", ":"), sort_keys=True).encode())


def abrir_padron(compacto: str, llave_autoridad: ECKey) -> Padron:
    """Verifica y lee un padrón.

    Raises:
        SobreInvalido: si no lo firmó la autoridad o no tiene la forma.
    """
    dato = leer_json(verificar(compacto, llave_autoridad, Tipo.PADRON, maximo=None))
    try:
        equipos = {nombre: _equipo(nombre, datos) for nombre, datos in dato["equipos"].items()}
        return Padron(str(dato["proceso"]), str(dato["modo"]), int(dato["version"]), equipos)
    except (KeyError, TypeError, ValueError, AttributeError, JoseError) as error:
        raise SobreInvalido("FORMA", "el padrón no tiene la forma esperada") from error


def _equipo(nombre: str, dato: Mapping[str, Any]) -> Equipo:
    epocas = frozenset(dato["epocas"])
    if _NOMBRE.fullmatch(nombre) is None or _NOMBRE.fullmatch(dato["catd"]) is None:
        raise ValueError(nombre)
    if not all(_EPOCA.fullmatch(e) for e in epocas) or not isinstance(dato["vigente"], bool):
        raise ValueError(nombre)
    return Equipo(nombre, dato["catd"], epocas, ECKey.import_key(dato["llave"]), dato["vigente"])
