"""La etiqueta que el kiosco pega en el acta: de qué acta es y un número al azar que la distingue de cualquier otra.

En QR va completa, `PREP1:<elección>/<casilla>:<nonce>:<verificador>`, en el alfabeto alfanumérico del QR y sin pasar de
47 signos, para que quepa en uno de versión 3 con corrección Q. En Code 128 van veinte cifras, que es lo que cabe en
54 mm con barras que un escáner de 200 ppp distingue. Ninguna de las dos lleva votos ni secretos.

Los verificadores son de la construcción pura de ISO/IEC 7064 (Σ aᵢ·rⁱ ≡ 1), con módulo primo mayor que cualquier
diferencia entre signos: así se nota toda sustitución de un signo y todo intercambio de dos, contiguos o no.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from nucleo.casilla import TIPOS, ClaveInvalida, partir_clave
from nucleo.hechos import IdActa

FORMA: Final = "PREP1"
MAXIMO_QR: Final = 47
"""Signos alfanuméricos que caben en un QR de versión 3 con corrección Q (ISO/IEC 18004)."""
CIFRAS_CODE128: Final = 20
"""En juego C son 145 módulos: 2.9 píxeles cada uno en 54 mm a 200 ppp, lo menos que se lee bien."""

_ALFABETO_QR: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE36: Final = _ALFABETO_QR[:36]
_MODULO: Final = 1291
"""El mayor primo que cabe en dos signos de base 36. El orden de 36 es 215: en 47 signos no se escapa ningún cambio."""
_MODULO_CIFRAS: Final = 997
"""El mayor primo de tres cifras: mayor que 99, porque en juego C un solo símbolo mal leído cambia dos cifras."""

_BASE32: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 de Crockford: sin I, L, O ni U, que a mano se confunden."""
SIGNOS_NONCE: Final = 12
BYTES_NONCE: Final = 8
"""Bytes al azar que pide `nonce_de`; se usan 60 de sus bits."""

_NONCE: Final = re.compile(rf"[{_BASE32}]{{{SIGNOS_NONCE}}}")
_ELECCION: Final = re.compile(r"[A-Z][A-Z0-9_]{0,12}")
"""Trece posiciones es lo que deja libre el resto del texto."""
_QR: Final = re.compile(
    rf"{FORMA}:([A-Z][A-Z0-9.]{{0,12}})/([0-9]{{6}}[{TIPOS}][0-9]{{4}}):([{_BASE32}]{{12}}):[0-9A-Z]{{2}}"
)


class EtiquetaInvalida(ValueError):
    """El texto no es el de una etiqueta nuestra, o no se leyó bien."""


@dataclass(frozen=True, slots=True)
class Etiqueta:
    """Una etiqueta impresa. `nonce` son doce signos de base 32 (60 bits); ver `nonce_de`.

    Raises:
        EtiquetaInvalida: si la elección, la casilla o el nonce no caben en los códigos.
    """

    acta: IdActa
    nonce: str

    def __post_init__(self) -> None:
        if _ELECCION.fullmatch(self.acta.eleccion) is None:
            raise EtiquetaInvalida(f"la clave de elección {self.acta.eleccion[:40]!r} no cabe: son hasta 13 posiciones")
        if _NONCE.fullmatch(self.nonce) is None:
            raise EtiquetaInvalida(f"el nonce {self.nonce[:20]!r} no son {SIGNOS_NONCE} signos de base 32")
        _partes(self.acta.casilla)


@dataclass(frozen=True, slots=True)
class EtiquetaCorta:
    """Lo que dicen las veinte cifras: la casilla completa, y de la elección y el nonce sólo un resumen."""

    casilla: str
    eleccion: int
    """`resumen_de_eleccion` de la elección, de 0 a 999."""
    folio: int
    """`folio_de` la etiqueta, de 0 a 999: distingue casi siempre dos etiquetas de la misma acta; no prueba nada."""


def nonce_de(azar: bytes) -> str:
    """El nonce que corresponde a ocho bytes al azar (los pone quien imprime: aquí no hay azar).

    Raises:
        ValueError: si no son `BYTES_NONCE` bytes.
    """
    if len(azar) != BYTES_NONCE:
        raise ValueError(f"el nonce sale de {BYTES_NONCE} bytes, no de {len(azar)}")
    bits = int.from_bytes(azar, "big")
    return "".join(_BASE32[bits >> 5 * i & 31] for i in reversed(range(SIGNOS_NONCE)))


def texto_qr(etiqueta: Etiqueta) -> str:
    """Lo que lleva el QR: `PREP1:GUB/200003C0100:7K3M9QX2PB4D:XX`."""
    datos = f"{_sin_verificador(etiqueta)}:"
    # El verificador ocupa los dos lugares de menor peso, así que lo demás pesa 36² más.
    return datos + _dos_signos((1 - _suma(datos) * 36**2) % _MODULO)


def leer_etiqueta(texto: str) -> Etiqueta:
    """Inversa de `texto_qr`. No consulta el catálogo: eso toca a `nucleo.codigo_qr.identificar`.

    Raises:
        EtiquetaInvalida: si no tiene la forma o no cuadra su verificador.
    """
    forma = _QR.fullmatch(texto) if len(texto) <= MAXIMO_QR else None
    if forma is None:
        raise EtiquetaInvalida(f"{texto[:MAXIMO_QR]!r} no tiene la forma {FORMA}:elección/casilla:nonce:verificador")
    if _suma(texto) != 1:
        raise EtiquetaInvalida("el verificador no cuadra: se leyó mal un signo")
    eleccion, casilla, nonce = forma.groups()
    return Etiqueta(IdActa(eleccion.replace(".", "_"), casilla), nonce)


def texto_code128(etiqueta: Etiqueta) -> str:
    """Las veinte cifras: casilla (11, el tipo por su lugar en `TIPOS`), elección (3), folio (3) y verificador (3)."""
    casilla = etiqueta.acta.casilla
    datos = (
        f"{casilla[:6]}{TIPOS.index(casilla[6])}{casilla[7:]}"
        f"{resumen_de_eleccion(etiqueta.acta.eleccion):03d}{folio_de(etiqueta):03d}"
    )
    return f"{datos}{(1 - int(datos) * 1000) % _MODULO_CIFRAS:03d}"


def leer_code128(texto: str) -> EtiquetaCorta:
    """Inversa de `texto_code128`.

    Raises:
        EtiquetaInvalida: si no son veinte cifras o no cuadra su verificador.
    """
    if len(texto) != CIFRAS_CODE128 or not (texto.isascii() and texto.isdigit()):
        raise EtiquetaInvalida(f"{texto[:30]!r} no son las {CIFRAS_CODE128} cifras de una etiqueta")
    if int(texto) % _MODULO_CIFRAS != 1:
        raise EtiquetaInvalida("el verificador no cuadra: se leyó mal una cifra, o es el código de otra cosa")
    tipo = int(texto[6])
    if tipo >= len(TIPOS):
        raise EtiquetaInvalida(f"no hay un tipo de casilla {tipo}")
    casilla = texto[:6] + TIPOS[tipo] + texto[7:11]
    return EtiquetaCorta(casilla, int(texto[11:14]), int(texto[14:17]))


def legible(etiqueta: Etiqueta) -> str:
    """Lo que lee una persona, en dos renglones: `GUB 20 0003 C01 00` y `7K3M-9QX2-PB4D`."""
    c, n = etiqueta.acta.casilla, etiqueta.nonce
    return f"{etiqueta.acta.eleccion} {c[:2]} {c[2:6]} {c[6:9]} {c[9:]}\n{n[:4]}-{n[4:8]}-{n[8:]}"


def huella(etiqueta: Etiqueta) -> str:
    """SHA-256 hexadecimal de clave y nonce: con ella un catálogo firmado prueba quién la emitió, sin secretos."""
    return hashlib.sha256(_sin_verificador(etiqueta).encode("ascii")).hexdigest()


def resumen_de_eleccion(clave: str) -> int:
    """De 0 a 999. Si dos elecciones del proceso coinciden, el Code 128 no basta para distinguirlas."""
    return int.from_bytes(hashlib.sha256(clave.encode("utf-8")).digest()[:8], "big") % 1000


def folio_de(etiqueta: Etiqueta) -> int:
    """De 0 a 999, según clave y nonce."""
    return int(huella(etiqueta)[:15], 16) % 1000


def _sin_verificador(etiqueta: Etiqueta) -> str:
    # El guion bajo no existe en el alfabeto del QR, y el punto no existe en una clave de elección.
    return f"{FORMA}:{etiqueta.acta.eleccion.replace('_', '.')}/{etiqueta.acta.casilla}:{etiqueta.nonce}"


def _suma(texto: str) -> int:
    suma = 0
    for signo in texto:
        suma = (suma * 36 + _ALFABETO_QR.index(signo)) % _MODULO
    return suma


def _dos_signos(valor: int) -> str:
    return _BASE36[valor // 36] + _BASE36[valor % 36]


def _partes(casilla: str) -> None:
    try:
        partir_clave(casilla)
    except ClaveInvalida as error:
        raise EtiquetaInvalida(str(error)) from error
