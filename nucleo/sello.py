"""El sello: un JWE compacto (RFC 7516) que sólo abre el centro. Así va cada archivo de una mochila.

ECDH-ES+A256KW con la llave P-256 de sellado del centro, y A256GCM. El encabezado no negocia nada, sólo se compara; sin
compresión, porque unos bytes sellados podrían inflarse hasta llenar la memoria de quien los abre. Sellar no dice quién
selló: eso lo dice la firma del manifiesto, que nombra los bytes de cada archivo ya sellado.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nucleo.sobre import SobreInvalido, leer_json

TIPO: Final = "prep-mochila+jwe"
"""`typ` del encabezado: lo sellado para una mochila no vale como otra cosa."""

MAXIMO_CONTENIDO: Final = 32 * 2**20
"""Bytes en claro de un archivo; lo mismo que la imagen más grande (`nucleo.trozo.MAXIMO_BYTES`)."""

_ALGORITMO: Final = "ECDH-ES+A256KW"
_CIFRADO: Final = "A256GCM"
_MAXIMO_ENCABEZADO: Final = 1024
_DE_MAS: Final = 2048
"""Encabezado, llave envuelta, vector y etiqueta caben de sobra."""

MAXIMO_SELLADO: Final = 4 * (-(-MAXIMO_CONTENIDO // 3)) + _DE_MAS
"""Bytes de un JWE, que va en base64."""

_ENCABEZADO: Final = {"alg", "enc", "typ", "kid", "epk"}
_EFIMERA: Final = {"kty", "crv", "x", "y"}


class _Registro(jwe.JWERegistry):
    # joserfc corta en 64 KiB.
    max_ciphertext_length = MAXIMO_SELLADO


_REGISTRO: Final = _Registro(algorithms=[_ALGORITMO, _CIFRADO])


class SelloInvalido(ValueError):
    """No se puede abrir. `codigo` es TAMANO, FORMA, SELLO_AJENO o SELLO_ROTO."""

    def __init__(self, codigo: str, causa: str) -> None:
        super().__init__(causa)
        self.codigo = codigo


def identificador(llave: ECKey) -> str:
    """Huella RFC 7638 de la llave de sellado; va como `kid` y en el manifiesto."""
    return llave.thumbprint()


def sellar(contenido: bytes, publica: ECKey) -> bytes:
    """El JWE compacto de `contenido` para quien tenga la otra mitad de `publica`.

    Raises:
        SelloInvalido: TAMANO, si está vacío o pasa de `MAXIMO_CONTENIDO`.
    """
    if not 0 < len(contenido) <= MAXIMO_CONTENIDO:
        raise SelloInvalido("TAMANO", f"mide {len(contenido)} bytes y debe medir de 1 a {MAXIMO_CONTENIDO}")
    encabezado = {"alg": _ALGORITMO, "enc": _CIFRADO, "typ": TIPO, "kid": identificador(publica)}
    return jwe.encrypt_compact(encabezado, contenido, publica, registry=_REGISTRO).encode("ascii")


def abrir(sellado: bytes, privada: ECKey) -> bytes:
    """Lo que iba sellado para esa llave.

    Raises:
        SelloInvalido: SELLO_AJENO, si es para otra llave; SELLO_ROTO, si no se descifra; FORMA o TAMANO.
    """
    if len(sellado) > MAXIMO_SELLADO:
        raise SelloInvalido("TAMANO", f"mide {len(sellado)} bytes y el tope es {MAXIMO_SELLADO}")
    if not sellado.isascii() or sellado.count(b".") != 4:
        raise SelloInvalido("FORMA", "no es un JWE compacto")
    encabezado = _encabezado(sellado[: sellado.index(b".")])
    propia = identificador(privada)
    if encabezado["kid"] != propia:
        raise SelloInvalido("SELLO_AJENO", "está sellado para otra llave")
    try:
        contenido = jwe.decrypt_compact(sellado, privada, registry=_REGISTRO).plaintext
    except (JoseError, InvalidTag, InvalidUnwrap, ValueError, TypeError, KeyError) as error:
        raise SelloInvalido("SELLO_ROTO", "no se descifra: no es lo que se selló") from error
    if not contenido or len(contenido) > MAXIMO_CONTENIDO:
        raise SelloInvalido("TAMANO", "lo sellado está vacío o es más grande de lo que debe")
    return contenido


def _encabezado(segmento: bytes) -> dict[str, Any]:
    if len(segmento) > _MAXIMO_ENCABEZADO:
        raise SelloInvalido("FORMA", "el encabezado es más grande de lo que debe")
    try:
        crudo = b64decode(segmento + b"=" * (-len(segmento) % 4), altchars=b"-_", validate=True)
        dato = leer_json(crudo)
    except (ValueError, SobreInvalido) as error:
        raise SelloInvalido("FORMA", "el encabezado no es JSON estricto") from error
    if set(dato) != _ENCABEZADO:
        raise SelloInvalido("FORMA", "el encabezado no tiene exactamente alg, enc, typ, kid y epk")
    if (dato["alg"], dato["enc"], dato["typ"]) != (_ALGORITMO, _CIFRADO, TIPO):
        raise SelloInvalido("FORMA", f"no es {TIPO} con {_ALGORITMO} y {_CIFRADO}")
    efimera = dato["epk"]
    if not isinstance(efimera, dict) or set(efimera) != _EFIMERA:
        raise SelloInvalido("FORMA", "la llave efímera no es una pública P-256")
    if (efimera["kty"], efimera["crv"]) != ("EC", "P-256"):
        raise SelloInvalido("FORMA", "la llave efímera no es una pública P-256")
    return dato
