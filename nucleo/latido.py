"""El latido: telemetría firmada del kiosco. No es un hecho ni entra en la cadena; perder uno no pierde nada.

Lleva la última secuencia y su huella, y por eso el centro se entera de los sobres que existen y nunca le llegaron:
sin él, una cola perdida al final de la noche sería invisible.
"""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo.carga import leer_carga
from nucleo.renglon import hora_con_huso
from nucleo.sobre import Firmante, Tipo, es_version_1, quien_dice_ser, verificar

_FORMAS: Final = {
    "equipo": re.compile(r"[a-z0-9][a-z0-9\-]{0,38}"),
    "catd": re.compile(r"[a-z0-9][a-z0-9\-]{0,38}"),
    "epoca": re.compile(r"[0-9a-f]{16}"),
    "huella": re.compile(r"[0-9a-f]{64}"),
    "sesion": re.compile(r"[0-9a-f]{16}"),
    "version": re.compile(r"[A-Za-z0-9_.:+\-]{1,80}"),
    "reloj": re.compile(r"[a-z]{1,20}"),
    "motivo": re.compile(r"nacimiento|pulso|muerte"),
    "salida": re.compile(r"[a-z0-9\-]{0,20}"),
    "escaner": re.compile(r"[a-z_]{0,20}"),
    "definicion": re.compile(r"[0-9a-f]{0,64}"),
    "paquete": re.compile(r"[0-9a-f]{64}|"),
}
_ENTEROS: Final = {
    "secuencia": (0, 2**53),
    "pendientes": (0, 2**53),
    "apartados": (0, 2**53),
    "disco_libre": (0, 2**53),
    "mas_viejo_s": (-1, 2**31),
    "imagenes": (0, 2**53),
    "imagenes_bytes": (0, 2**53),
    "desfase_ms": (-(2**53), 2**53),
    "medidos_bytes": (0, 2**53),
    "orden": (0, 2**53),
    "paquete_bytes": (0, 2**32),
}
"""Campo → desde y hasta antes de qué número."""


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
    mas_viejo_s: int = -1
    """Segundos que lleva asentado el hecho sin acuse más antiguo; -1 si no hay ninguno."""
    imagenes: int = 0
    """Imágenes que el centro aún no recibe completas."""
    imagenes_bytes: int = 0
    """Bytes que les faltan."""
    desfase_ms: int = 0
    """Reloj del kiosco menos el del centro, según el último acuse; 0 si no se sabe."""
    salida: str = ""
    """Por dónde está conectado (`cable`, `celular`…); vacío si hay una sola."""
    medidos_bytes: int = 0
    """Lo gastado de la salida que se paga por byte, en esta noche."""
    escaner: str = ""
    """`listo`, `sin_escaner` o `falla`; vacío si aún no se ha mirado."""
    definicion: str = ""
    """Huella de la definición en uso."""
    orden: int = 0
    """Número de la última orden obedecida; 0 si ninguna."""
    paquete: str = ""
    """SHA-256 del paquete de definición que está esperando; vacío si ninguno."""
    paquete_bytes: int = 0
    """Cuánto tiene ya de él, sin huecos, desde el principio."""


_OPCIONALES: Final = frozenset(c.name for c in fields(Latido) if c.default is not MISSING)
"""Los que un kiosco anterior no manda: quien lee acepta que falten."""


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
    return leer_carga(carga, lambda dato: _leer(dato, firma), "el latido")


def _leer(dato: dict[str, Any], firma: str) -> Latido:
    if not es_version_1(dato) or dato["equipo"] != firma:
        raise ValueError
    del dato["v"]
    for llave, forma in _FORMAS.items():
        if llave in _OPCIONALES and llave not in dato:
            continue
        if not isinstance(dato[llave], str) or forma.fullmatch(dato[llave]) is None:
            raise ValueError(llave)
    for llave, (desde, hasta) in _ENTEROS.items():
        if llave in _OPCIONALES and llave not in dato:
            continue
        if not isinstance(dato[llave], int) or isinstance(dato[llave], bool) or not desde <= dato[llave] < hasta:
            raise ValueError(llave)
    hora_con_huso(dato["hora"])
    return Latido(**dato)
