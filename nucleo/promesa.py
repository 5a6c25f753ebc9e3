"""La promesa de inclusión: lo que el CATD entrega en un QR para que después se pueda exigir que el acta se publique.

`PREPC2|proceso|modo|elección/casilla|imagen|hora|equipo|época|secuencia|huella|firma`. La firma es la misma del sobre:
un sobre se firma con ES256 (RFC 7518 §3.4), que firma un SHA-256, y la huella del sobre es ese SHA-256. Así la huella
y la firma bastan para probar que ese equipo firmó una hoja, sin tener la hoja: si nunca aparece en el registro, quien
guarde este papel puede demostrar que falta.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode

from nucleo import formas
from nucleo.formas import CORTO, EPOCA, EQUIPO, HEX64
from nucleo.hechos import IdActa
from nucleo.renglon import CLAVE, hora_con_huso
from nucleo.sobre import huella as huella_de

MARCA: Final = "PREPC2"
MAXIMO_TEXTO: Final = 700
"""Caracteres. La promesa de un acta de once posiciones ocupa unos 420."""

_FIRMA: Final = re.compile(r"[A-Za-z0-9_\-]{86}")
_SECUENCIA: Final = re.compile(r"[1-9][0-9]{0,14}")
_MITAD: Final = 32


class PromesaInvalida(ValueError):
    """Lo leído no es una promesa, o su firma no es de ese equipo; el mensaje dice cuál de las dos."""


@dataclass(frozen=True, slots=True)
class Promesa:
    """Que un equipo firmó la hoja `huella`, y que en ella nombra esa imagen de esa acta."""

    proceso: str
    modo: str
    acta: IdActa
    imagen: str
    """SHA-256 de la imagen."""
    hora: datetime
    equipo: str
    epoca: str
    secuencia: int
    huella: str
    firma: str
    """La del sobre, en base64url."""

    @property
    def qr(self) -> str:
        """El texto del QR."""
        lugar = (self.equipo, self.epoca, str(self.secuencia), self.huella, self.firma)
        hora = self.hora.isoformat(timespec="seconds")
        return "|".join((MARCA, self.proceso, self.modo, str(self.acta), self.imagen, hora, *lugar))

    def comprobar(self, llave: ECKey) -> None:
        """Que esa llave firmó una hoja con esa huella. Raises: PromesaInvalida."""
        firma = urlsafe_b64decode(self.firma.encode("ascii"))
        r, s = int.from_bytes(firma[:_MITAD]), int.from_bytes(firma[_MITAD:])
        publica = llave.get_op_key("verify")
        try:
            publica.verify(encode_dss_signature(r, s), bytes.fromhex(self.huella), ec.ECDSA(Prehashed(SHA256())))
        except InvalidSignature as error:
            raise PromesaInvalida(f"la firma no es de {self.equipo}: el recibo se alteró o no salió de ahí") from error


def promesa_de(
    proceso: str, modo: str, acta: IdActa, imagen: str, hora: datetime, lugar: tuple[str, str, int], sobre: str
) -> Promesa:
    """La promesa de un sobre ya firmado que nombra esa imagen. `lugar` es (equipo, época, secuencia)."""
    return Promesa(proceso, modo, acta, imagen, hora, *lugar, huella_de(sobre), sobre.rpartition(".")[2])


def leer_promesa(texto: str) -> Promesa:
    """Inversa estricta de `Promesa.qr`; no comprueba la firma.

    Raises:
        PromesaInvalida: si no es exactamente eso.
    """
    partes = texto.strip().split("|") if len(texto) <= MAXIMO_TEXTO else []
    if len(partes) != 11 or partes[0] != MARCA:
        raise PromesaInvalida("no es el QR de un recibo de acta")
    _, proceso, modo, acta, imagen, hora, equipo, epoca, secuencia, huella, firma = partes
    try:
        eleccion, _, casilla = acta.partition("/")
        formas.texto(secuencia, _SECUENCIA)
        promesa = Promesa(
            formas.texto(proceso, CORTO),
            formas.texto(modo, CORTO),
            IdActa(formas.texto(eleccion, CLAVE), formas.texto(casilla, CLAVE)),
            formas.texto(imagen, HEX64),
            hora_con_huso(hora),
            formas.texto(equipo, EQUIPO),
            formas.texto(epoca, EPOCA),
            int(secuencia),
            formas.texto(huella, HEX64),
            formas.texto(firma, _FIRMA),
        )
        urlsafe_b64decode(firma.encode("ascii"))
    except (ValueError, JoseError) as error:
        raise PromesaInvalida("no es el QR de un recibo de acta: está incompleto o mal leído") from error
    if promesa.qr != texto.strip():
        raise PromesaInvalida("no es el QR de un recibo de acta: está escrito de otra forma")
    return promesa
