"""El latido: telemetría firmada del kiosco. No es un hecho ni entra en la cadena; perder uno no pierde nada.

Lleva la última secuencia y su huella, y por eso el centro se entera de los sobres que existen y nunca le llegaron:
sin él, una cola perdida al final de la noche sería invisible.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo.renglon import HechoInvalido, hora_con_huso
from nucleo.sobre import Firmante, SobreInvalido, Tipo, es_version_1, leer_json, quien_dice_ser, verificar

_FORMAS: Final = {
    "equipo": re.compile(r"[a-z0-9][a-z0-9\-]{0,38}"),
    "catd": re.compile(r"[a-z0-9][a-z0-9\-]{0,38}"),
    "epoca": re.compile(r"[0-9a-f]{16}"),
    "huella": re.compile(r"[0-9a-f]{64}"),
    "sesion": re.compile(r"[0-9a-f]{16}"),
    "version": re.compile(r"[A-Za-z0-9_.:+\-]{1,80}"),
    "reloj": re.compile(r"[a-z]{1,20}"),
    "motivo": re.compile(r"nacimiento|pulso|muerte"),
}


@dataclass(frozen=True, slots=True)
class Latido:
    """Estado del kiosco en un instante. `motivo`: nacimiento (al conectar), pulso o muerte (testamento MQTT)."""

    equipo: str
    catd: str
    epoca: str
    sesion: str
    """Azar por conexión: una muerte de otra sesión se ignora."""
    motivo: str
    secuencia: int
    huella: str
    pendientes: int
    """Renglones de bandeja sin acuse."""
    apartados: int
    """Renglones que el centro apartó (bifurcados o en cuarentena)."""
    hora: str
    """ISO 8601 con huso."""
    reloj: str
    disco_libre: int
    """Bytes libres donde está el almacén."""
    version: str


def sellar_latido(latido: Latido, firmante: Firmante) -> str:
    """JWS compacto del latido.

    Raises:
        SobreInvalido: FORMA, si el centro no podría abrirlo.
    """
    carga = json.dumps({"v": 1, **asdict(latido)}, separators=(",", ":")).encode()
    _abrir_carga(carga, firmante.identidad)
    return firmante.firmar(Tipo.LATIDO, carga)


def abrir_latido(compacto: str, llave: ECKey) -> Latido:
    """Verifica y lee un latido.

    Raises:
        SobreInvalido: si la firma o la forma no son las esperadas.
    """
    carga = verificar(compacto, llave, Tipo.LATIDO)
    return _abrir_carga(carga, quien_dice_ser(compacto, Tipo.LATIDO))


def _abrir_carga(carga: bytes, firma: str) -> Latido:
    dato = leer_json(carga)
    try:
        if not es_version_1(dato) or dato["equipo"] != firma:
            raise ValueError
        del dato["v"]
        return _leer(dato)
    except (KeyError, TypeError, ValueError, HechoInvalido) as error:
        raise SobreInvalido("FORMA", "el latido no tiene la forma esperada") from error


def _leer(dato: dict[str, Any]) -> Latido:
    for llave, forma in _FORMAS.items():
        if not isinstance(dato[llave], str) or forma.fullmatch(dato[llave]) is None:
            raise ValueError(llave)
    for llave in ("secuencia", "pendientes", "apartados", "disco_libre"):
        if not isinstance(dato[llave], int) or isinstance(dato[llave], bool) or not 0 <= dato[llave] < 2**53:
            raise ValueError(llave)
    hora_con_huso(dato["hora"])
    return Latido(**dato)
