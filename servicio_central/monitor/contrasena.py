"""La contraseña de una cuenta de la sala: en disco va su resumen scrypt, lento a propósito."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from threading import Semaphore
from typing import Final

from nucleo.problema import Rechazo

MINIMO: Final = 12
MAXIMO: Final = 200
_N: Final = 2**15
_R: Final = 8
_P: Final = 1
_MEMORIA: Final = 64 * 2**20

_DE_UNA_EN_UNA: Final = Semaphore(2)
"""Cada intento cuesta 32 MB y una décima de segundo: muchos a la vez tumbarían al centro."""


def objecion(clave: str, cuenta: str) -> Rechazo | None:
    """Por qué esa contraseña no sirve; `None` si sirve. Largo sí, mezclas obligadas no (NIST SP 800-63B)."""
    if not MINIMO <= len(clave) <= MAXIMO:
        return Rechazo(
            "CLAVE",
            f"la contraseña mide {len(clave)} caracteres y debe medir de {MINIMO} a {MAXIMO}",
            "se escribió corta",
            "use varias palabras que recuerde; los espacios cuentan",
        )
    if len(set(clave)) < 5 or cuenta in clave.lower():
        return Rechazo(
            "CLAVE",
            "la contraseña se adivina: repite pocas letras o lleva el nombre de la cuenta",
            "se escogió de prisa",
            "use varias palabras que recuerde",
        )
    return None


def resumir(clave: str) -> str:
    """`scrypt$N$r$p$sal$resumen`, con sal nueva."""
    sal = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${b64encode(sal).decode()}${b64encode(_scrypt(clave, sal, _N, _R, _P)).decode()}"


def coincide(clave: str, resumen: str) -> bool:
    """Si esa contraseña es la del resumen. Tarda lo mismo acierte o no."""
    _, n, r, p, sal, esperado = resumen.split("$")
    hecho = _scrypt(clave[:MAXIMO], b64decode(sal), int(n), int(r), int(p))
    return hmac.compare_digest(hecho, b64decode(esperado))


def gastar(clave: str) -> None:
    """Lo que cuesta comprobar, cuando la cuenta no existe: que el tiempo no diga cuáles existen."""
    _scrypt(clave[:MAXIMO], b"\0" * 16, _N, _R, _P)


def _scrypt(clave: str, sal: bytes, n: int, r: int, p: int) -> bytes:
    with _DE_UNA_EN_UNA:
        return hashlib.scrypt(clave.encode("utf-8", "replace"), salt=sal, n=n, r=r, p=p, maxmem=_MEMORIA, dklen=32)
