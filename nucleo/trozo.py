"""Un trozo de archivo, como viaja: una imagen que sube o un paquete que baja, cortados para no estorbar a las cifras.

Forma binaria fija, sin firma: la huella del archivo entero ya va firmada en otra parte (el hecho que declara la imagen,
la definición), y quien arma el archivo la vuelve a calcular. Todo trozo empieza en un múltiplo de `MAXIMO_DATOS` y sólo
el último mide menos: así dos lectores cuentan los mismos trozos y ninguno se encima.

    PRT1 · sha256 (32 bytes) · total (u32) · desde (u32) · datos (0 a 16 384 bytes)

Los enteros van con el byte más significativo primero. Sin datos es la pregunta «¿qué tienes de éste?».
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from nucleo.formas import HEX64

MAXIMO_DATOS: Final = 16_384
"""Bytes de archivo por trozo. A 1 Mbit/s son 131 ms: lo más que espera una cifra recién asentada por cada uno."""

MAXIMO_ARCHIVO: Final = 32 * 2**20
"""Tope de un archivo que viaja en trozos; el kiosco no guarda una imagen mayor."""

_MAGIA: Final = b"PRT1"
_ENCABEZADO: Final = struct.Struct(">4s32sII")

MAXIMO_BYTES: Final = _ENCABEZADO.size + MAXIMO_DATOS
"""Tope de un trozo en el camino."""


class TrozoInvalido(ValueError):
    """Lo recibido no es un trozo. `codigo` es FORMA o TAMANO."""

    def __init__(self, codigo: str, causa: str) -> None:
        super().__init__(causa)
        self.codigo = codigo


@dataclass(frozen=True, slots=True)
class Trozo:
    """`datos` del archivo de huella `sha256` y `total` bytes, a partir del byte `desde`."""

    sha256: str
    """64 cifras hexadecimales, del archivo entero."""
    total: int
    desde: int = 0
    datos: bytes = b""

    @property
    def pregunta(self) -> bool:
        """Si no trae datos: sólo quiere saber qué se tiene."""
        return not self.datos

    @property
    def numero(self) -> int:
        """Qué trozo es, desde 0."""
        return self.desde // MAXIMO_DATOS


def cuantos(total: int) -> int:
    """Trozos de un archivo de ese tamaño."""
    return -(-total // MAXIMO_DATOS)


def cortar(sha256: str, contenido: bytes, numero: int) -> Trozo:
    """El trozo `numero`, desde 0, de ese archivo."""
    desde = numero * MAXIMO_DATOS
    return Trozo(sha256, len(contenido), desde, contenido[desde : desde + MAXIMO_DATOS])


def a_bytes(trozo: Trozo) -> bytes:
    """Los bytes que viajan. Raises: TrozoInvalido si quien los reciba no podría leerlos."""
    if HEX64.fullmatch(trozo.sha256) is None or not 0 <= trozo.total < 2**32 or not 0 <= trozo.desde < 2**32:
        raise TrozoInvalido("FORMA", "la huella o los números no caben en un trozo")
    _exigir(trozo)
    return _ENCABEZADO.pack(_MAGIA, bytes.fromhex(trozo.sha256), trozo.total, trozo.desde) + trozo.datos


def leer(crudo: bytes) -> Trozo:
    """Inversa estricta de `a_bytes`.

    Raises:
        TrozoInvalido: con su código, si no es exactamente un trozo.
    """
    if len(crudo) > MAXIMO_BYTES:
        raise TrozoInvalido("TAMANO", f"mide {len(crudo)} bytes y el tope de un trozo es {MAXIMO_BYTES}")
    if len(crudo) < _ENCABEZADO.size:
        raise TrozoInvalido("FORMA", f"mide {len(crudo)} bytes y un trozo mide al menos {_ENCABEZADO.size}")
    magia, huella, total, desde = _ENCABEZADO.unpack_from(crudo)
    if magia != _MAGIA:
        raise TrozoInvalido("FORMA", "no empieza como un trozo")
    trozo = Trozo(huella.hex(), total, desde, crudo[_ENCABEZADO.size :])
    _exigir(trozo)
    return trozo


def _exigir(trozo: Trozo) -> None:
    if not 0 < trozo.total <= MAXIMO_ARCHIVO:
        raise TrozoInvalido("TAMANO", f"el archivo mediría {trozo.total} bytes y debe medir de 1 a {MAXIMO_ARCHIVO}")
    if trozo.pregunta:
        if trozo.desde:
            raise TrozoInvalido("FORMA", "una pregunta es por el archivo entero")
        return
    if trozo.desde % MAXIMO_DATOS or trozo.desde >= trozo.total:
        raise TrozoInvalido("FORMA", f"ningún trozo de {trozo.total} bytes empieza en el {trozo.desde}")
    if len(trozo.datos) != min(MAXIMO_DATOS, trozo.total - trozo.desde):
        raise TrozoInvalido("FORMA", f"el trozo que empieza en {trozo.desde} no mide {len(trozo.datos)} bytes")
