"""Quién está frente a la pantalla: una galleta firmada, y el sello que cada formulario debe traer de vuelta.

El secreto vive en la carpeta del kiosco: si la pantalla se reinicia a media captura, el formulario abierto sigue
valiendo.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GALLETA: Final = "kiosco"

_LARGO: Final = 32


@dataclass(frozen=True, slots=True)
class Sesion:
    """`persona` vacía es que nadie se ha identificado."""

    azar: str
    persona: str


class Sesiones:
    """Firma y lee sesiones con un secreto propio del kiosco."""

    def __init__(self, secreto: bytes) -> None:
        self._secreto = secreto

    def nueva(self, persona: str = "") -> Sesion:
        return Sesion(secrets.token_hex(16), persona)

    def escribir(self, sesion: Sesion) -> str:
        return f"{sesion.azar}.{sesion.persona}.{self._firma('sesion', sesion)}"

    def leer(self, galleta: str | None) -> Sesion | None:
        """La sesión de la galleta, o `None` si no la firmó este kiosco."""
        partes = (galleta or "").split(".")
        if len(partes) != 3:
            return None
        sesion = Sesion(partes[0], partes[1])
        return sesion if _iguales(partes[2], self._firma("sesion", sesion)) else None

    def sello(self, sesion: Sesion) -> str:
        """Lo que prueba que un formulario salió de esta pantalla y de esta sesión."""
        return self._firma("formulario", sesion)

    def vale(self, sesion: Sesion, sello: str) -> bool:
        return _iguales(sello, self.sello(sesion))

    def _firma(self, uso: str, sesion: Sesion) -> str:
        mensaje = f"{uso}\n{sesion.azar}\n{sesion.persona}".encode()
        return hmac.new(self._secreto, mensaje, hashlib.sha256).hexdigest()


def leer_secreto(ruta: Path) -> bytes:
    """El secreto de las pantallas; lo crea la primera vez con permisos 0600. Raises: OSError."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(ruta, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as archivo:
            archivo.write(secrets.token_bytes(_LARGO))
    secreto = ruta.read_bytes()
    # Un corte de luz pudo dejarlo vacío: no guarda nada que perder, se hace otro.
    if len(secreto) != _LARGO:
        ruta.unlink()
        return leer_secreto(ruta)
    return secreto


def _iguales(uno: str, otro: str) -> bool:
    return hmac.compare_digest(uno.encode(), otro.encode())
