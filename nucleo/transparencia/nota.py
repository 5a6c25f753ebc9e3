"""La nota firmada (C2SP signed-note): un texto y, después de un renglón vacío, quién lo firma.

Se firma con Ed25519 (RFC 8032). Una llave se nombra con su `vkey`: nombre, identificador y llave pública. Las firmas de
llaves desconocidas se guardan sin creerles; la de una conocida tiene que ser buena o la nota entera se rechaza.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAXIMO_NOTA: Final = 2**19
"""Bytes. Caben las 100 firmas aunque fueran poscuánticas, de hasta 5 kB."""
MAXIMO_FIRMAS: Final = 100
"""La norma pide aceptar al menos 16; Go acepta 100."""

_RAYA: Final = "— "
_ID: Final = 4
_LLAVE: Final = 32
_VKEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,4096})")


class NotaInvalida(ValueError):
    """La nota, la llave o la firma no es aceptable. El texto es la causa, para una persona."""


class Firma(NamedTuple):
    """Un renglón de firma: nombre de la llave, los 4 bytes de su identificador y lo firmado."""

    nombre: str
    id: bytes
    firma: bytes

    @property
    def renglon(self) -> str:
        return f"{_RAYA}{self.nombre} {a_base64(self.id + self.firma)}\n"


@dataclass(frozen=True, slots=True)
class Nota:
    """Un texto, que termina en salto de renglón, y sus firmas, todavía sin comprobar."""

    texto: str
    firmas: tuple[Firma, ...]

    def a_bytes(self) -> bytes:
        """La nota, exacta."""
        return f"{self.texto}\n{''.join(f.renglon for f in self.firmas)}".encode()

    def con(self, *firmas: Firma) -> Nota:
        """La misma con esas firmas más; la de una llave que ya había firmado reemplaza a la anterior."""
        return Nota(self.texto, tuple({(f.nombre, f.id): f for f in (*self.firmas, *firmas)}.values()))


@dataclass(frozen=True, slots=True)
class LlavePublica(ABC):
    """Una llave Ed25519 con nombre. Cada tipo firma algo distinto, y el tipo entra en su identificador.

    Raises:
        NotaInvalida: si el nombre o la llave no son aceptables.
    """

    TIPO: ClassVar[int]
    nombre: str
    publica: bytes
    """32 bytes (RFC 8032 §5.1.5)."""

    def __post_init__(self) -> None:
        exigir_nombre(self.nombre)
        if len(self.publica) != _LLAVE:
            raise NotaInvalida(f"la llave de {self.nombre} no mide {_LLAVE} bytes")

    @property
    def id(self) -> bytes:
        """Los primeros 4 bytes de SHA-256(nombre, salto de renglón, tipo, llave)."""
        return sha256(self.nombre.encode() + b"\n" + self._material).digest()[:_ID]

    @property
    def vkey(self) -> str:
        """`nombre+identificador+base64`: así se publica."""
        return f"{self.nombre}+{self.id.hex()}+{a_base64(self._material)}"

    @property
    def _material(self) -> bytes:
        return bytes([self.TIPO]) + self.publica

    @classmethod
    def de_vkey(cls, vkey: str) -> Self:
        """La llave que dice una `vkey`, si es de este tipo y su identificador es el suyo.

        Raises:
            NotaInvalida: con la causa.
        """
        partes = _VKEY.fullmatch(vkey)
        if partes is None:
            raise NotaInvalida("no es una llave «nombre+identificador+base64»")
        material = de_base64(partes[3])
        if material[:1] != bytes([cls.TIPO]):
            raise NotaInvalida(f"la llave de {partes[1][:80]} es de tipo {material[:1].hex()} y aquí va {cls.TIPO:02x}")
        llave = cls(partes[1], material[1:])
        if llave.id.hex() != partes[2]:
            raise NotaInvalida(f"el identificador de la llave de {llave.nombre[:80]} no es el suyo: se copió mal")
        return llave

    @abstractmethod
    def comprobar(self, texto: str, firma: bytes) -> None:
        """Que `firma` (sin identificador) es de esta llave y de ese texto.

        Raises:
            NotaInvalida: si no.
        """

    def exigir(self, firma: bytes, mensaje: bytes) -> None:
        """Que es la firma Ed25519 de exactamente esos bytes. Raises: NotaInvalida."""
        try:
            Ed25519PublicKey.from_public_bytes(self.publica).verify(firma, mensaje)
        except (InvalidSignature, ValueError) as error:
            raise NotaInvalida(f"la firma de {self.nombre} no corresponde a su llave y a este texto") from error


class LlaveDeRegistro(LlavePublica):
    """La que firma el texto tal cual: tipo 0x01."""

    TIPO = 0x01
    __slots__ = ()

    def comprobar(self, texto: str, firma: bytes) -> None:
        self.exigir(firma, texto.encode())


@dataclass(frozen=True, slots=True)
class FirmanteDeNotas:
    """Quien firma notas: su nombre y su llave privada."""

    nombre: str
    privada: Ed25519PrivateKey

    @property
    def llave(self) -> LlaveDeRegistro:
        return LlaveDeRegistro(self.nombre, self.privada.public_key().public_bytes_raw())

    def firmar(self, texto: str) -> Firma:
        """La firma de ese texto.

        Raises:
            NotaInvalida: si el texto no puede ir en una nota.
        """
        exigir_texto(texto)
        return Firma(self.nombre, self.llave.id, self.privada.sign(texto.encode()))


def leer_nota(datos: bytes) -> Nota:
    """Separa el texto de las firmas, sin comprobar ninguna.

    Raises:
        NotaInvalida: si no tiene exactamente la forma de la norma.
    """
    if len(datos) > MAXIMO_NOTA:
        raise NotaInvalida(f"la nota mide {len(datos)} bytes y el tope es {MAXIMO_NOTA}")
    try:
        completo = datos.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotaInvalida("la nota no es texto UTF-8") from error
    texto, vacio, firmas = completo.rpartition("\n\n")
    if not vacio or not firmas.endswith("\n"):
        raise NotaInvalida("la nota no termina en un renglón vacío y sus firmas: está cortada")
    exigir_texto(f"{texto}\n")
    renglones = firmas[:-1].split("\n")
    if len(renglones) > MAXIMO_FIRMAS:
        raise NotaInvalida(f"la nota trae {len(renglones)} firmas y el tope es {MAXIMO_FIRMAS}")
    return Nota(f"{texto}\n", tuple(map(_leer_firma, renglones)))


def _leer_firma(renglon: str) -> Firma:
    nombre, _, codigo = renglon.removeprefix(_RAYA).partition(" ")
    if not renglon.startswith(_RAYA):
        raise NotaInvalida("un renglón de firma no comienza con raya y espacio")
    exigir_nombre(nombre)
    firma = de_base64(codigo)
    if len(firma) <= _ID:
        raise NotaInvalida(f"la firma de {nombre[:80]} está vacía")
    return Firma(nombre, firma[:_ID], firma[_ID:])


def comprobar_nota(nota: Nota, llaves: Iterable[LlavePublica]) -> dict[LlavePublica, Firma]:
    """Las firmas de llaves conocidas, ya comprobadas; si una llave firmó más de una vez, la primera.

    Raises:
        NotaInvalida: si una de ellas es mala, si ninguna llave conocida firmó, o si dos llaves se confunden.
    """
    conocidas: dict[tuple[str, bytes], LlavePublica] = {}
    for llave in llaves:
        if conocidas.setdefault((llave.nombre, llave.id), llave) != llave:
            raise NotaInvalida(f"dos llaves distintas de {llave.nombre} tienen el mismo identificador")
    buenas: dict[LlavePublica, Firma] = {}
    for firma in nota.firmas:
        conocida = conocidas.get((firma.nombre, firma.id))
        if conocida is not None:
            conocida.comprobar(nota.texto, firma.firma)
            buenas.setdefault(conocida, firma)
    if not buenas:
        raise NotaInvalida("no la firma ninguna llave conocida")
    return buenas


def exigir_texto(texto: str) -> None:
    """Que pueda ir en una nota: acaba en salto de renglón y no trae otro carácter de control. Raises: NotaInvalida."""
    _exigir_utf8(texto)
    if not texto.endswith("\n"):
        raise NotaInvalida("el texto de la nota no termina en salto de renglón")
    if any(letra < " " and letra != "\n" for letra in texto):
        raise NotaInvalida("la nota trae caracteres de control")


def exigir_nombre(nombre: str) -> None:
    """Que pueda ser el nombre de una llave: sin espacios, «+» ni caracteres de control. Raises: NotaInvalida."""
    _exigir_utf8(nombre)
    if not nombre or "+" in nombre or any(letra.isspace() or letra < " " for letra in nombre):
        raise NotaInvalida(f"«{nombre[:80]}» no puede ser el nombre de una llave")


def _exigir_utf8(texto: str) -> None:
    try:
        texto.encode()
    except UnicodeEncodeError as error:  # Un sustituto suelto, como los que deja pasar un JSON.
        raise NotaInvalida("el texto no se puede escribir en UTF-8") from error


def a_base64(datos: bytes) -> str:
    return b64encode(datos).decode()


def de_base64(texto: str) -> bytes:
    """Base64 de RFC 4648 §4, escrito de la única manera: Python tolera bits sobrantes, y otro lector no.

    Raises:
        NotaInvalida: si no lo es.
    """
    try:
        datos = b64decode(texto, validate=True)
    except ValueError as error:
        raise NotaInvalida(f"«{texto[:20]}…» no es base64") from error
    if a_base64(datos) != texto:
        raise NotaInvalida(f"«{texto[:20]}…» no es base64 escrito de la única manera")
    return datos
