"""El padrón de equipos: qué llave, qué CATD y qué época tiene cada kiosco inscrito. Lo firma la autoridad fuera de
línea.

La época también se inscribe: si alguien copia la llave a otro disco y empieza una cadena nueva, su época no está en
el padrón.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nucleo.sobre import MAXIMO_PADRON, Firmante, SobreInvalido, Tipo, es_version_1, leer_json, verificar
from nucleo.temas import USUARIO_CENTRO

AUTORIDAD: Final = "autoridad"
"""Identidad (`kid`) de la autoridad que firma el padrón."""

_NOMBRE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,38}")
_EPOCA: Final = re.compile(r"[0-9a-f]{16}")
_LLAVE: Final = {"kty", "crv", "x", "y"}
_CORTO: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,80}")


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
    """JWS compacto del padrón. Puede ser grande (`MAXIMO_PADRON`): no viaja por MQTT.

    Raises:
        SobreInvalido: FORMA o TAMANO, si nadie podría abrirlo.
    """
    dato = {
        "v": 1,
        "proceso": padron.proceso,
        "modo": padron.modo,
        "version": padron.version,
        "equipos": {
            e.nombre: {
                "catd": e.catd,
                "epocas": sorted(e.epocas),
                "llave": {k: d for k, d in e.llave.as_dict(private=False).items() if k in _LLAVE},
                "vigente": e.vigente,
            }
            for e in padron.equipos.values()
        },
    }
    carga = json.dumps(dato, separators=(",", ":"), sort_keys=True).encode()
    _abrir_carga(carga)
    compacto = firmante.firmar(Tipo.PADRON, carga)
    if len(compacto) > MAXIMO_PADRON:
        raise SobreInvalido("TAMANO", f"el padrón mide {len(compacto)} bytes y el tope es {MAXIMO_PADRON}")
    return compacto


def abrir_padron(compacto: str, llave_autoridad: ECKey) -> Padron:
    """Verifica y lee un padrón.

    Raises:
        SobreInvalido: si no lo firmó la autoridad o no tiene la forma.
    """
    return _abrir_carga(verificar(compacto, llave_autoridad, Tipo.PADRON, MAXIMO_PADRON, de=AUTORIDAD))


def _abrir_carga(carga: bytes) -> Padron:
    dato = leer_json(carga)
    try:
        return _leer(dato)
    except (KeyError, TypeError, ValueError, AttributeError, JoseError) as error:
        raise SobreInvalido("FORMA", "el padrón no tiene la forma esperada") from error


def _leer(dato: Mapping[str, Any]) -> Padron:
    version = dato["version"]
    if set(dato) != {"v", "proceso", "modo", "version", "equipos"} or not es_version_1(dato):
        raise ValueError
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**53:
        raise ValueError
    if _CORTO.fullmatch(dato["proceso"]) is None or _CORTO.fullmatch(dato["modo"]) is None:
        raise ValueError
    equipos = {nombre: _equipo(nombre, datos) for nombre, datos in dato["equipos"].items()}
    return Padron(dato["proceso"], dato["modo"], version, equipos)


def _equipo(nombre: str, dato: Mapping[str, Any]) -> Equipo:
    llave = dato["llave"]
    if set(dato) != {"catd", "epocas", "llave", "vigente"} or set(llave) != _LLAVE:
        raise ValueError(nombre)
    if (
        (llave["kty"], llave["crv"]) != ("EC", "P-256")
        or not isinstance(dato["epocas"], list)
        or not isinstance(dato["vigente"], bool)
    ):
        raise ValueError(nombre)
    # Un kiosco con uno de esos nombres heredaría los permisos del centro en el bróker, o firmaría padrones.
    if _NOMBRE.fullmatch(nombre) is None or nombre in (USUARIO_CENTRO, AUTORIDAD):
        raise ValueError(nombre)
    if _NOMBRE.fullmatch(dato["catd"]) is None or not all(_EPOCA.fullmatch(e) for e in dato["epocas"]):
        raise ValueError(nombre)
    return Equipo(nombre, dato["catd"], frozenset(dato["epocas"]), ECKey.import_key(llave), dato["vigente"])
