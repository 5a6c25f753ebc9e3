"""El segundo factor: códigos TOTP de seis números (RFC 6238), cada uno bueno una sola vez.

El paso del último código usado se guarda, y no se vuelve a aceptar ése ni uno anterior: quien lo vea teclear por encima
del hombro ya no puede usarlo.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from typing import Final

import pyotp
import segno

PASO: Final = 30
"""Segundos que vale un código."""

HOLGURA: Final = 1
"""Pasos de más hacia cada lado: el reloj de un teléfono no es el del centro."""

_CODIGO: Final = re.compile(r"[0-9]{6}")


def secreto_nuevo() -> str:
    """160 bits al azar en base 32, como los piden las aplicaciones de códigos."""
    return pyotp.random_base32(32)


def direccion(cuenta: str, secreto: str, centro: str) -> str:
    """La dirección `otpauth://` que va en el QR."""
    return pyotp.TOTP(secreto, interval=PASO).provisioning_uri(name=cuenta, issuer_name=f"PREP {centro}")


def qr_de(direccion: str) -> segno.QRCode:
    """El QR para el teléfono."""
    return segno.make(direccion, error="m", micro=False)


def paso_de(codigo: str, secreto: str, ahora: datetime) -> int | None:
    """A qué paso corresponde ese código, entre los de la holgura; `None` si a ninguno.

    Quien llama decide si ese paso ya se usó.
    """
    codigo = codigo.replace(" ", "")
    if _CODIGO.fullmatch(codigo) is None:
        return None
    generador = pyotp.TOTP(secreto, interval=PASO)
    actual = int(ahora.timestamp()) // PASO
    # Se comparan todos, acierte o no: el tiempo no dice cuál fue.
    buenos = [
        paso
        for paso in range(actual - HOLGURA, actual + HOLGURA + 1)
        if hmac.compare_digest(generador.generate_otp(paso), codigo)
    ]
    return max(buenos, default=None)
