"""La mochila por escrito: el manifiesto que firma el kiosco y los renglones de sobres que van dentro de lo sellado.

El manifiesto es lo único que se lee sin la llave del centro, y por eso no dice de qué actas se trata: los archivos se
llaman por número y de cada uno va el SHA-256 de sus bytes *ya sellados*. Con eso el kiosco comprueba la copia sin poder
abrirla, y el centro no descifra un byte que ese kiosco no haya firmado.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo import formas
from nucleo.formas import CORTO, EPOCA, EQUIPO, HEX64
from nucleo.renglon import HechoInvalido, hora_con_huso
from nucleo.sello import MAXIMO_SELLADO
from nucleo.sobre import Firmante, SobreInvalido, Tipo, huella, leer_json, quien_dice_ser, verificar

MAXIMO_MANIFIESTO: Final = 4 * 2**20
MAXIMO_FIRMADO: Final = 2 * MAXIMO_MANIFIESTO
"""Bytes del manifiesto ya firmado, que va en base64."""

MAXIMO_ARCHIVOS: Final = 30_000
MAXIMO_SOBRES: Final = 200_000
MAXIMO_TOTAL: Final = 32 * 2**30
"""Bytes de todos los archivos: cuatro mil imágenes de las más grandes que hemos visto caben en la mitad."""

TROZO_DE_SOBRES: Final = 4 * 2**20
"""Bytes en claro de un archivo de sobres; con más, se empieza otro."""

SOBRES: Final = "sobres"
IMAGENES: Final = "imagenes"

_RUTA: Final = re.compile(rf"({SOBRES}|{IMAGENES})/[0-9]{{5}}\.jwe")
_SELLO: Final = re.compile(r"[A-Za-z0-9_\-]{43}")
_CAMPOS: Final = {
    *("v", "proceso", "modo", "equipo", "epoca", "desde", "hasta", "sobres", "resumen", "sin_imagen", "hora"),
    *("sello", "archivos"),
}
_RENGLON: Final = {"secuencia", "huella", "sobre"}


@dataclass(frozen=True, slots=True)
class Archivo:
    """Uno de la mochila. `ruta` es relativa a ella; `bytes` y `sha256`, de lo ya sellado."""

    ruta: str
    bytes: int
    sha256: str

    @property
    def de_sobres(self) -> bool:
        """Si lleva sobres; si no, es una imagen."""
        return self.ruta.startswith(f"{SOBRES}/")


@dataclass(frozen=True, slots=True)
class Manifiesto:
    """Qué trae una mochila y de quién es."""

    proceso: str
    modo: str
    equipo: str
    epoca: str
    desde: int
    hasta: int
    sobres: int
    resumen: str
    """SHA-256 de las huellas de sus sobres (`resumen_de`): dos mochilas con el mismo llevan lo mismo."""
    sin_imagen: int
    """Imágenes que esos sobres nombran y no van."""
    hora: datetime
    sello: str
    """Identificador de la llave para la que va sellada (`nucleo.sello.identificador`)."""
    archivos: tuple[Archivo, ...]

    @property
    def imagenes(self) -> int:
        return sum(not a.de_sobres for a in self.archivos)

    @property
    def bytes(self) -> int:
        return sum(a.bytes for a in self.archivos)


def nombre_de(clase: str, numero: int) -> str:
    """La ruta del archivo número `numero`, desde 1, de esa clase (`SOBRES` o `IMAGENES`)."""
    return f"{clase}/{numero:05d}.jwe"


def resumen_de(huellas: Iterable[str]) -> str:
    """SHA-256 de las huellas, en orden, una por renglón."""
    suma = hashlib.sha256()
    for una in huellas:
        suma.update(una.encode() + b"\n")
    return suma.hexdigest()


def a_bytes(manifiesto: Manifiesto) -> bytes:
    """Los bytes que se firman, legibles para quien abra la memoria.

    Raises:
        SobreInvalido: FORMA, si nadie podría leerlos.
    """
    dato = {
        "v": 2,
        "proceso": manifiesto.proceso,
        "modo": manifiesto.modo,
        "equipo": manifiesto.equipo,
        "epoca": manifiesto.epoca,
        "desde": manifiesto.desde,
        "hasta": manifiesto.hasta,
        "sobres": manifiesto.sobres,
        "resumen": manifiesto.resumen,
        "sin_imagen": manifiesto.sin_imagen,
        "hora": manifiesto.hora.isoformat(timespec="seconds"),
        "sello": manifiesto.sello,
        "archivos": [[a.ruta, a.bytes, a.sha256] for a in manifiesto.archivos],
    }
    crudo = (json.dumps(dato, ensure_ascii=False, indent=1) + "\n").encode()
    _leer(crudo, manifiesto.equipo)
    return crudo


def firmar(crudo: bytes, firmante: Firmante) -> str:
    """El JWS compacto del manifiesto."""
    return firmante.firmar(Tipo.MOCHILA, crudo)


def abrir(firmado: str, llave: ECKey) -> Manifiesto:
    """Verifica y lee, estrictamente, un manifiesto.

    Raises:
        SobreInvalido: FIRMA, TIPO, TAMANO o FORMA; SIN_SELLAR, si es de las que iban en claro.
    """
    return abrir_con_bytes(firmado, llave)[0]


def abrir_con_bytes(firmado: str, llave: ECKey) -> tuple[Manifiesto, bytes]:
    """Como `abrir`, y además los bytes que se firmaron."""
    crudo = verificar(firmado, llave, Tipo.MOCHILA, MAXIMO_FIRMADO)
    return _leer(crudo, quien_dice_ser(firmado, Tipo.MOCHILA, MAXIMO_FIRMADO)), crudo


def de_quien(firmado: str) -> str:
    """De qué equipo dice ser, sin verificar. Raises: SobreInvalido."""
    return quien_dice_ser(firmado, Tipo.MOCHILA, MAXIMO_FIRMADO)


def renglon(secuencia: int, sobre: str) -> bytes:
    """Un sobre, como va dentro de un archivo de sobres."""
    dato = {"secuencia": secuencia, "huella": huella(sobre), "sobre": sobre}
    return json.dumps(dato, separators=(",", ":")).encode() + b"\n"


def sobres_de(contenido: bytes) -> Iterator[bytes]:
    """Los sobres de un archivo, uno por uno. Un renglón que no se entiende sale tal cual: el centro lo juzga y lo pone
    en cuarentena, como a cualquier mensaje que no es un sobre."""
    for linea in io.BytesIO(contenido):
        if not (crudo := linea.strip(b"\n")):
            continue
        yield _sobre_de(crudo)


def _sobre_de(crudo: bytes) -> bytes:
    try:
        dato = leer_json(crudo)
    except SobreInvalido:
        return crudo
    sobre = dato.get("sobre")
    if set(dato) != _RENGLON or not isinstance(sobre, str) or not sobre.isascii() or not sobre:
        return crudo
    return sobre.encode()


def _leer(crudo: bytes, firma: str) -> Manifiesto:
    if len(crudo) > MAXIMO_MANIFIESTO:
        raise SobreInvalido("TAMANO", f"el manifiesto mide {len(crudo)} bytes y el tope es {MAXIMO_MANIFIESTO}")
    dato = leer_json(crudo)
    version = dato.get("v")
    if type(version) is int and version == 1:
        raise SobreInvalido("SIN_SELLAR", "es de las que iban firmadas y sin sellar")
    try:
        if type(version) is not int or version != 2 or set(dato) != _CAMPOS:
            raise ValueError("no tiene exactamente los campos del manifiesto, versión 2")
        leido = _de_dato(dato)
    except (ValueError, TypeError, HechoInvalido) as error:
        raise SobreInvalido("FORMA", f"el manifiesto no tiene la forma esperada: {str(error)[:120]}") from error
    if leido.equipo != firma:
        raise SobreInvalido("FORMA", f"lo firma {firma} y dice ser de otro equipo")
    return leido


def _de_dato(dato: dict[str, Any]) -> Manifiesto:
    archivos = dato["archivos"]
    if not isinstance(archivos, list) or not 0 < len(archivos) <= MAXIMO_ARCHIVOS:
        raise ValueError(f"de 1 a {MAXIMO_ARCHIVOS} archivos")
    leidos = tuple(_archivo(a) for a in archivos)
    if len({a.ruta for a in leidos}) != len(leidos):
        raise ValueError("un archivo repetido")
    if sum(a.bytes for a in leidos) > MAXIMO_TOTAL:
        raise ValueError(f"más de {MAXIMO_TOTAL} bytes")
    desde, hasta = formas.entero(dato["desde"], 1, 2**53), formas.entero(dato["hasta"], 1, 2**53)
    if desde > hasta:
        raise ValueError("empieza después de donde termina")
    return Manifiesto(
        proceso=formas.texto(dato["proceso"], CORTO),
        modo=formas.texto(dato["modo"], CORTO),
        equipo=formas.texto(dato["equipo"], EQUIPO),
        epoca=formas.texto(dato["epoca"], EPOCA),
        desde=desde,
        hasta=hasta,
        sobres=formas.entero(dato["sobres"], 1, MAXIMO_SOBRES + 1),
        resumen=formas.texto(dato["resumen"], HEX64),
        sin_imagen=formas.entero(dato["sin_imagen"], 0, 2**31),
        hora=hora_con_huso(dato["hora"]),
        sello=formas.texto(dato["sello"], _SELLO),
        archivos=leidos,
    )


def _archivo(dato: object) -> Archivo:
    if not isinstance(dato, list) or len(dato) != 3:
        raise ValueError("un archivo no es [ruta, bytes, sha256]")
    ruta, cuantos, sha256 = dato
    return Archivo(
        formas.texto(ruta, _RUTA), formas.entero(cuantos, 1, MAXIMO_SELLADO + 1), formas.texto(sha256, HEX64)
    )
