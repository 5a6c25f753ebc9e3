"""El paquete: una definición completa (TOML, catálogo y formatos) en un archivo, firmada por la autoridad.

    PRD1 · u32 de cuánto mide la firma · firma (`prep-definicion+jws`) · tar.gz

El tar no lleva fechas ni dueños y sus nombres van en orden, así que los mismos archivos dan el mismo tar; quien lee
exige que sea exactamente ése, y no hay dos modos de entenderlo. El centro lo reparte y no puede hacer otro.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo.carga import leer_carga
from nucleo.formas import CORTO, HEX64
from nucleo.gzip_acotado import descomprimir
from nucleo.padron import AUTORIDAD
from nucleo.sobre import Firmante, SobreInvalido, Tipo, es_version_1, verificar

MAXIMO_PAQUETE: Final = 8 * 2**20
"""Bytes. El ejemplo de tres elecciones, con sus ocho formatos, ocupa 0.3 MiB."""

MAXIMO_SUELTO: Final = 64 * 2**20
"""Bytes sin comprimir."""

MAXIMO_ARCHIVOS: Final = 1000
MARCA: Final = b"PRD1"

_CAMPOS: Final = {"v", "proceso", "modo", "version", "sha256", "bytes", "huella"}
_ARCHIVO: Final = re.compile(
    r"eleccion\.toml|casillas\.csv(?:\.gz)?|formatos/[A-Za-z0-9][A-Za-z0-9_.\-]{0,59}\.(?:toml|png)"
)
_LARGO: Final = struct.Struct(">I")


class PaqueteInvalido(ValueError):
    """Lo recibido no es un paquete de definición; el mensaje dice por qué."""


@dataclass(frozen=True, slots=True)
class DefinicionFirmada:
    """Lo que la autoridad firma de una definición."""

    proceso: str
    modo: str
    version: int
    """Crece con cada firma: una menor no se toma nunca."""
    sha256: str
    """Del tar.gz; `bytes`, lo que mide."""
    bytes: int
    huella: str
    """La de la definición que trae (`nucleo.eleccion.Proceso.huella`)."""


def sellar_definicion(definicion: DefinicionFirmada, firmante: Firmante) -> str:
    """JWS compacto. Raises: SobreInvalido, si nadie podría abrirlo."""
    carga = json.dumps({"v": 1, **asdict(definicion)}, separators=(",", ":"), sort_keys=True).encode()
    _abrir_carga(carga)
    return firmante.firmar(Tipo.DEFINICION, carga)


def abrir_definicion(compacto: str, llave_autoridad: ECKey) -> DefinicionFirmada:
    """Verifica y lee la firma de una definición.

    Raises:
        SobreInvalido: si no la hizo la autoridad (el centro no puede) o no tiene la forma.
    """
    return _abrir_carga(verificar(compacto, llave_autoridad, Tipo.DEFINICION, de=AUTORIDAD))


def comprimir(archivos: Mapping[str, bytes]) -> bytes:
    """El tar.gz de una definición; los mismos archivos dan siempre el mismo tar.

    Args:
        archivos: `eleccion.toml`, `casillas.csv` o `casillas.csv.gz`, y los de `formatos/`, por su ruta.

    Raises:
        PaqueteInvalido: si sobra un archivo, falta uno o no cabe.
    """
    _exigir_archivos(archivos)
    compresor = zlib.compressobj(9, zlib.DEFLATED, 31)
    comprimido = compresor.compress(_tar(archivos)) + compresor.flush()
    if len(comprimido) > MAXIMO_PAQUETE:
        raise PaqueteInvalido(f"mide {len(comprimido)} bytes y el tope es {MAXIMO_PAQUETE}")
    return comprimido


def abrir_archivo(comprimido: bytes) -> dict[str, bytes]:
    """Inversa estricta de `comprimir`: ni rutas ajenas, ni ligas, ni un byte de más.

    Raises:
        PaqueteInvalido: con la causa.
    """
    try:
        suelto = descomprimir(comprimido, MAXIMO_SUELTO)
        archivos = _miembros(suelto)
    except (ValueError, tarfile.TarError, OSError, EOFError, OverflowError, LookupError) as error:
        raise PaqueteInvalido(f"el archivo no se puede abrir ({str(error)[:120]})") from error
    _exigir_archivos(archivos)
    if _tar(archivos) != suelto:
        raise PaqueteInvalido("el archivo no es el que se habría hecho con esos contenidos")
    return archivos


def armar(firma: str, comprimido: bytes) -> bytes:
    """Los bytes que viajan."""
    return MARCA + _LARGO.pack(len(firma)) + firma.encode("ascii") + comprimido


def abrir_paquete(datos: bytes, llave_autoridad: ECKey) -> tuple[DefinicionFirmada, dict[str, bytes]]:
    """Lo firmado y los archivos de un paquete, comprobado todo: marca, firma de la autoridad, huella y contenido.

    Raises:
        PaqueteInvalido: con la causa.
    """
    inicio = len(MARCA) + _LARGO.size
    if len(datos) > MAXIMO_PAQUETE or len(datos) < inicio or not datos.startswith(MARCA):
        raise PaqueteInvalido("no es un paquete de definición")
    (largo,) = _LARGO.unpack_from(datos, len(MARCA))
    firma, comprimido = datos[inicio : inicio + largo], datos[inicio + largo :]
    try:
        firmada = abrir_definicion(firma.decode("ascii"), llave_autoridad)
    except (SobreInvalido, UnicodeDecodeError) as error:
        raise PaqueteInvalido(f"no la firmó la autoridad ({str(error)[:120]})") from error
    if len(comprimido) != firmada.bytes or hashlib.sha256(comprimido).hexdigest() != firmada.sha256:
        raise PaqueteInvalido("el archivo no es el que firmó la autoridad")
    return firmada, abrir_archivo(comprimido)


def _exigir_archivos(archivos: Mapping[str, bytes]) -> None:
    ajenos = sorted(n for n in archivos if _ARCHIVO.fullmatch(n) is None)
    if ajenos:
        raise PaqueteInvalido(f"{ajenos[0][:80]!r} no es parte de una definición")
    catalogos = [n for n in archivos if n.startswith("casillas.csv")]
    if "eleccion.toml" not in archivos or len(catalogos) != 1:
        raise PaqueteInvalido("una definición lleva eleccion.toml y un solo catálogo")
    if len(archivos) > MAXIMO_ARCHIVOS or sum(map(len, archivos.values())) > MAXIMO_SUELTO:
        raise PaqueteInvalido("la definición es demasiado grande")


def _tar(archivos: Mapping[str, bytes]) -> bytes:
    salida = io.BytesIO()
    with tarfile.TarFile(fileobj=salida, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for nombre in sorted(archivos):
            miembro = tarfile.TarInfo(nombre)
            miembro.size = len(archivos[nombre])
            tar.addfile(miembro, io.BytesIO(archivos[nombre]))
    return salida.getvalue()


def _miembros(suelto: bytes) -> dict[str, bytes]:
    archivos: dict[str, bytes] = {}
    with tarfile.TarFile(fileobj=io.BytesIO(suelto), mode="r") as tar:
        for miembro in tar:
            contenido = tar.extractfile(miembro) if miembro.isreg() else None
            if contenido is None or miembro.name in archivos or len(archivos) >= MAXIMO_ARCHIVOS:
                raise PaqueteInvalido(f"{miembro.name[:80]!r} sobra, se repite o no es un archivo")
            archivos[miembro.name] = contenido.read()
    return archivos


def _abrir_carga(carga: bytes) -> DefinicionFirmada:
    return leer_carga(carga, _leer, "la firma de la definición")


def _leer(dato: dict[str, Any]) -> DefinicionFirmada:
    if set(dato) != _CAMPOS or not es_version_1(dato):
        raise ValueError
    for llave, forma in (("proceso", CORTO), ("modo", CORTO), ("sha256", HEX64), ("huella", HEX64)):
        if not isinstance(dato[llave], str) or forma.fullmatch(dato[llave]) is None:
            raise ValueError(llave)
    for llave, tope in (("version", 2**53), ("bytes", MAXIMO_PAQUETE + 1)):
        if not isinstance(dato[llave], int) or isinstance(dato[llave], bool) or not 1 <= dato[llave] < tope:
            raise ValueError(llave)
    return DefinicionFirmada(**{c: dato[c] for c in _CAMPOS - {"v"}})
