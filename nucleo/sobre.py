"""El sobre: JWS compacto ES256 (RFC 7515, RFC 7518 §3.4) que lleva un hecho del kiosco al centro.

Lo firmado son bytes exactos, así que no hay forma canónica que discutir. La identidad del sobre es el SHA-256 de la
parte firmada *sin* la firma: ECDSA es aleatorizada y maleable, y un identificador que la incluyera dejaría contar dos
veces la misma hoja. El algoritmo y el tipo son fijos: el encabezado no negocia nada, sólo se compara.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode

from nucleo.formas import CORTO, EPOCA, EQUIPO, HEX64
from nucleo.renglon import HechoInvalido, hora_con_huso

MAXIMO_BYTES: Final = 32 * 1024
"""Tope de un sobre. Un acta con 120 combinaciones ocupa menos de 4 KiB."""

MAXIMA_HONDURA: Final = 8
"""Objetos y listas anidados. El acta usa tres; una carga de mil tumbaría con `RecursionError` a quien la describa."""

CADENA_NUEVA: Final = "0" * 64
"""`previo` del primer sobre de una época."""

MAXIMO_PADRON: Final = 8 * 2**20
"""Tope de un padrón, que no viaja por MQTT: más de veinte mil kioscos a 300 bytes cada uno."""

MAXIMO_ENCABEZADO: Final = 512
"""Bytes del encabezado en base64url: lo más que acepta joserfc. El nuestro ocupa menos de cien."""

_ALGORITMO: Final = "ES256"
_CAMPOS: Final = (
    "v",
    "proceso",
    "modo",
    "catd",
    "equipo",
    "epoca",
    "secuencia",
    "previo",
    "creado",
    "reloj",
    "arranque",
    "sistema",
    "contenido",
)


class Tipo(Enum):
    """Tipo de mensaje firmado: separa dominios, para que una firma nunca valga como otra cosa."""

    HECHO = "prep-hecho+jws"
    LATIDO = "prep-latido+jws"
    ACUSE = "prep-acuse+jws"
    PADRON = "prep-padron+jws"
    RECIBO = "prep-recibo+jws"
    """Qué imágenes tiene el centro."""
    MOCHILA = "prep-mochila+jws"
    """El manifiesto de lo que un kiosco se llevó en una memoria USB."""
    ORDEN = "prep-orden+jws"
    """Lo que el centro le pide a un kiosco."""
    DEFINICION = "prep-definicion+jws"
    """La definición que firma la autoridad."""


class SobreInvalido(ValueError):
    """Lo recibido no es un sobre aceptable. `codigo` es FORMA, TIPO, FIRMA o TAMANO."""

    def __init__(self, codigo: str, causa: str) -> None:
        super().__init__(causa)
        self.codigo = codigo


_REGISTRO: Final = jws.JWSRegistry(algorithms=[_ALGORITMO])
_ES256: Final = ec.ECDSA(Prehashed(hashes.SHA256()))
_MEDIA_FIRMA: Final = 32
"""Bytes de cada uno de los dos números de una firma P-256 (RFC 7518 §3.4)."""


class Firmante(Protocol):
    """Quien guarda una llave P-256 y firma con ella: un archivo, un TPM."""

    @property
    def identidad(self) -> str:
        """Equipo al que pertenece la llave; va como `kid`."""
        ...

    def firmar(self, tipo: Tipo, carga: bytes) -> str:
        """JWS compacto ES256 de `carga`, tal cual, bajo ese tipo."""
        ...


@dataclass(frozen=True, slots=True)
class Sobre:
    """Un sobre de hecho ya verificado o por firmar. `contenido` es el JSON de `nucleo.hechos`."""

    proceso: str
    modo: str
    catd: str
    equipo: str
    epoca: str
    secuencia: int
    previo: str
    creado: datetime
    reloj: str
    """Calidad del reloj al crear: `sincronizado`, `libre`, `desconocido` o `virtual`."""
    arranque: str
    """Identificador del arranque del sistema operativo: distingue reinicios."""
    sistema: str
    """Huella de la versión del programa que lo creó."""
    contenido: Mapping[str, Any]


def carga_de(sobre: Sobre) -> bytes:
    """Bytes JSON que se firman. Sólo quien firma serializa; quien verifica guarda los bytes que llegaron."""
    dato = {
        "v": 1,
        "proceso": sobre.proceso,
        "modo": sobre.modo,
        "catd": sobre.catd,
        "equipo": sobre.equipo,
        "epoca": sobre.epoca,
        "secuencia": sobre.secuencia,
        "previo": sobre.previo,
        "creado": sobre.creado.isoformat(),
        "reloj": sobre.reloj,
        "arranque": sobre.arranque,
        "sistema": sobre.sistema,
        "contenido": dict(sobre.contenido),
    }
    return json.dumps(dato, ensure_ascii=False, separators=(",", ":")).encode()


def sellar(sobre: Sobre, firmante: Firmante) -> str:
    """Firma el sobre y devuelve el JWS compacto.

    Raises:
        SobreInvalido: TAMANO, si no cabe; FORMA, si el equipo no es el de la llave o nadie podría abrirlo.
    """
    carga = carga_de(sobre)
    # Lo firmado ya ocupa su lugar en la cadena: si no se puede abrir, hay que saberlo antes.
    _leer(leer_json(carga), firmante.identidad)
    compacto = firmante.firmar(Tipo.HECHO, carga)
    if len(compacto) > MAXIMO_BYTES:
        raise SobreInvalido("TAMANO", f"el sobre mide {len(compacto)} bytes y el tope es {MAXIMO_BYTES}")
    return compacto


def huella(compacto: str) -> str:
    """Identidad del sobre: SHA-256 hexadecimal de `encabezado.carga`, sin la firma."""
    return hashlib.sha256(compacto.rpartition(".")[0].encode()).hexdigest()


def firmar_con(llave: ECKey, identidad: str, tipo: Tipo, carga: bytes) -> str:
    """JWS compacto con una llave en memoria; lo usan la llave de archivo y el centro."""
    encabezado = {"alg": _ALGORITMO, "typ": tipo.value, "kid": identidad}
    return jws.serialize_compact(encabezado, carga, llave, registry=_REGISTRO)


def quien_dice_ser(compacto: str, tipo: Tipo, maximo: int = MAXIMO_BYTES) -> str:
    """`kid` del encabezado, sin verificar: sirve para buscar la llave y nada más.

    Raises:
        SobreInvalido: FORMA o TIPO, si el encabezado no es exactamente el esperado.
    """
    if len(compacto) > maximo:
        raise SobreInvalido("TAMANO", f"mide {len(compacto)} bytes y el tope es {maximo}")
    if not compacto.isascii() or compacto.count(".") != 2:
        raise SobreInvalido("FORMA", "no es un JWS compacto")
    encabezado = compacto.partition(".")[0]
    if len(encabezado) > MAXIMO_ENCABEZADO:
        raise SobreInvalido("FORMA", f"el encabezado mide más de {MAXIMO_ENCABEZADO} bytes")
    return _kid(encabezado, tipo)


@lru_cache(maxsize=1024)
def _kid(segmento: str, tipo: Tipo) -> str:
    """Lee un encabezado. Es el mismo en todos los sobres de un equipo: recordarlo ahorra un quinto de la ingesta."""
    try:
        # El de joserfc: el de Python tolera bits sobrantes, y un verificador ajeno ya no abriría lo que aquí se contó.
        crudo = urlsafe_b64decode(segmento.encode("ascii"))
        # Con rigor: de una llave repetida joserfc toma la última y otro lector, la primera.
        encabezado = leer_json(crudo)
    except ValueError as error:
        raise SobreInvalido("FORMA", "no es un JWS compacto") from error
    if set(encabezado) != {"alg", "typ", "kid"}:
        raise SobreInvalido("FORMA", "el encabezado no tiene exactamente alg, typ y kid")
    if encabezado["alg"] != _ALGORITMO or encabezado["typ"] != tipo.value:
        raise SobreInvalido("TIPO", f"no es {tipo.value} con {_ALGORITMO}")
    kid = encabezado["kid"]
    if not isinstance(kid, str) or EQUIPO.fullmatch(kid) is None:
        raise SobreInvalido("FORMA", "el kid no es un nombre de equipo")
    return kid


def verificar(compacto: str, llave: ECKey, tipo: Tipo, maximo: int = MAXIMO_BYTES, *, de: str | None = None) -> bytes:
    """Comprueba la firma, y que quien firma diga ser `de`, y devuelve los bytes firmados.

    Raises:
        SobreInvalido: FIRMA, si no corresponde a esa llave; FORMA o TIPO como `quien_dice_ser`.
    """
    kid = quien_dice_ser(compacto, tipo, maximo)
    if de is not None and kid != de:
        raise SobreInvalido("FORMA", f"dice ser de {kid} y debía ser de {de}")
    return _comprobar(compacto, llave)


def _comprobar(compacto: str, llave: ECKey) -> bytes:
    """Sólo la firma, con `cryptography`. Del encabezado ya se comparó todo (`quien_dice_ser`): que joserfc lo vuelva a
    leer y a decidir con qué se verifica costaba dos décimas partes de la ingesta.

    Raises:
        SobreInvalido: FIRMA.
    """
    firmado, _, firma = compacto.encode("ascii").rpartition(b".")
    try:
        publica, par = llave.public_key, urlsafe_b64decode(firma)
        if not isinstance(publica.curve, ec.SECP256R1) or len(par) != 2 * _MEDIA_FIRMA:
            raise InvalidSignature
        r, s = (int.from_bytes(mitad, "big") for mitad in (par[:_MEDIA_FIRMA], par[_MEDIA_FIRMA:]))
        # Con el SHA-256 ya hecho: pedírselo a la misma llamada cuesta ocho veces más que `hashlib`.
        publica.verify(encode_dss_signature(r, s), hashlib.sha256(firmado).digest(), _ES256)
        return urlsafe_b64decode(firmado.partition(b".")[2])
    except (InvalidSignature, ValueError) as error:
        raise SobreInvalido("FIRMA", "la firma no corresponde a la llave inscrita") from error


def abrir(compacto: str, llave: ECKey) -> Sobre:
    """Verifica la firma y lee el sobre, estrictamente. El `contenido` queda sin interpretar.

    Raises:
        SobreInvalido: con su código.
    """
    kid = quien_dice_ser(compacto, Tipo.HECHO)
    return _leer(leer_json(_comprobar(compacto, llave)), kid)


def _leer(dato: Mapping[str, Any], firma: str) -> Sobre:
    if set(dato) != set(_CAMPOS) or not es_version_1(dato):
        raise SobreInvalido("FORMA", "no tiene exactamente los campos del sobre, versión 1")
    if dato["equipo"] != firma:
        # Sin esto, un kiosco inscrito podría hablar en nombre de otro con su propia llave.
        raise SobreInvalido("FORMA", f"lo firma {firma} y dice ser de otro equipo")
    secuencia = dato["secuencia"]
    if not isinstance(secuencia, int) or isinstance(secuencia, bool) or not 1 <= secuencia < 2**53:
        raise SobreInvalido("FORMA", "la secuencia no es un entero positivo")
    if not isinstance(dato["contenido"], dict):
        raise SobreInvalido("FORMA", "el contenido no es un objeto")
    try:
        creado = hora_con_huso(dato["creado"])
    except HechoInvalido as error:
        raise SobreInvalido("FORMA", str(error)) from error
    return Sobre(
        proceso=_texto(dato, "proceso", CORTO),
        modo=_texto(dato, "modo", CORTO),
        catd=_texto(dato, "catd", EQUIPO),
        equipo=_texto(dato, "equipo", EQUIPO),
        epoca=_texto(dato, "epoca", EPOCA),
        secuencia=secuencia,
        previo=_texto(dato, "previo", HEX64),
        creado=creado,
        reloj=_texto(dato, "reloj", CORTO),
        arranque=_texto(dato, "arranque", CORTO),
        sistema=_texto(dato, "sistema", CORTO),
        contenido=dato["contenido"],
    )


def leer_json(datos: bytes) -> dict[str, Any]:
    """Objeto JSON en UTF-8, sin llaves repetidas ni decimales: dos lectores no pueden entender cosas distintas.

    Aquí todo número es entero; un decimal (o `1e999`, que Python vuelve infinito) se rechaza, y lo mismo NaN.

    Raises:
        SobreInvalido: FORMA.
    """
    try:
        # `json.loads` acepta también UTF-16, UTF-32 y UTF-8 con sustitutos sueltos; otros lectores, no.
        dato = _ESTRICTO.decode(datos.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SobreInvalido("FORMA", "la carga no es JSON estricto") from error
    if not isinstance(dato, dict):
        raise SobreInvalido("FORMA", "la carga no es un objeto JSON")
    # Sin tantas llaves ni corchetes no puede anidar tanto: casi ningún mensaje se tiene que recorrer.
    if datos.count(b"{") + datos.count(b"[") > MAXIMA_HONDURA and _hondura(dato) > MAXIMA_HONDURA:
        raise SobreInvalido("FORMA", f"la carga anida más de {MAXIMA_HONDURA} niveles")
    return dato


def es_version_1(dato: Mapping[str, Any]) -> bool:
    """Si `v` es el entero 1: ni verdadero ni el texto "1"."""
    return type(dato.get("v")) is int and dato["v"] == 1


def _hondura(dato: object) -> int:
    nivel, hondura = [dato], 0
    while compuestos := [d for d in nivel if isinstance(d, dict | list)]:
        hondura += 1
        nivel = [hijo for d in compuestos for hijo in (d.values() if isinstance(d, dict) else d)]
    return hondura


def _sin_repetir(pares: list[tuple[str, Any]]) -> dict[str, Any]:
    dato = dict(pares)
    if len(dato) != len(pares):
        raise ValueError("llave repetida")
    return dato


def _no_va(texto: str) -> Any:
    raise ValueError(texto)


_ESTRICTO: Final = json.JSONDecoder(object_pairs_hook=_sin_repetir, parse_float=_no_va, parse_constant=_no_va)
"""Uno para todos: hacerlo cuesta tanto como leer con él."""


def _texto(dato: Mapping[str, Any], llave: str, forma: re.Pattern[str]) -> str:
    valor = dato[llave]
    if not isinstance(valor, str) or forma.fullmatch(valor) is None:
        raise SobreInvalido("FORMA", f"«{llave}» no tiene la forma esperada")
    return valor
