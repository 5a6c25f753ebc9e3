"""El gafete: un QR que dice quién es y trae un azar que sólo está en el papel; en disco queda su SHA-256.

`PREPG1:<clave>:<azar>:<verificador>`: 80 bits en base32 y dos signos que descubren una lectura a medias. El gafete solo
no basta para entrar: falta el NIP.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

FORMA: Final = "PREPG1"

_BYTES: Final = 10
_CLAVE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,39}")
_AZAR: Final = re.compile(r"[A-Z2-7]{16}")
_RESUMEN: Final = re.compile(r"[0-9a-f]{64}")
# Un lector que hace de teclado manda teclas, no letras: con distribución de Latinoamérica, donde él oprime «:» sale
# «Ñ», y donde oprime «-», «'». Ni la clave ni el azar llevan esos signos.
_DE_OTRO_TECLADO: Final = str.maketrans({"Ñ": ":", "ñ": ":", "'": "-"})


@dataclass(frozen=True, slots=True)
class Gafete:
    """Lo que dice un gafete bien leído. No prueba nada hasta comparar su azar con el de la lista."""

    clave: str
    azar: str


def nuevo_azar() -> str:
    """80 bits en base32: dieciséis letras."""
    return base64.b32encode(secrets.token_bytes(_BYTES)).decode()


def texto_qr(gafete: Gafete) -> str:
    """El contenido del QR."""
    return f"{_sin_verificador(gafete)}:{_verificador(gafete)}"


def parece_gafete(texto: str) -> bool:
    """Si quiere ser un gafete, aunque esté mal leído: nunca es la clave de una casilla."""
    return texto.strip().upper().startswith(FORMA)


def leer_gafete(texto: str) -> Gafete | None:
    """El gafete, o `None` si no lo es o llegó incompleto. Tolera las mayúsculas y el teclado."""
    partes = texto.strip()[:120].translate(_DE_OTRO_TECLADO).split(":")
    if len(partes) != 4 or partes[0].upper() != FORMA:
        return None
    gafete = Gafete(partes[1].lower(), partes[2].upper())
    if _CLAVE.fullmatch(gafete.clave) is None or _AZAR.fullmatch(gafete.azar) is None:
        return None
    return gafete if partes[3].upper() == _verificador(gafete) else None


def resumir(azar: str) -> str:
    """SHA-256 hexadecimal del azar, que es lo que va en `personas.toml`."""
    return hashlib.sha256(azar.encode("ascii")).hexdigest()


def es_resumen(texto: str) -> bool:
    return _RESUMEN.fullmatch(texto) is not None


def es_el_de(gafete: Gafete, resumen: str) -> bool:
    """Si el azar del gafete es el de ese resumen."""
    return hmac.compare_digest(resumir(gafete.azar), resumen)


def _sin_verificador(gafete: Gafete) -> str:
    return f"{FORMA}:{gafete.clave}:{gafete.azar}"


def _verificador(gafete: Gafete) -> str:
    return base64.b32encode(hashlib.sha256(_sin_verificador(gafete).encode()).digest())[:2].decode()
