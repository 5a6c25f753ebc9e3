"""Qué estación pide: una galleta firmada que sólo lleva su azar, y el sello que cada formulario debe traer de vuelta.

Quién está en la estación lo dice el almacén (`appliance.turnos`), no el navegador. El secreto vive en la carpeta del
kiosco: si la pantalla se reinicia a media captura, el formulario abierto sigue valiendo.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GALLETA: Final = "kiosco"
DURA_S: Final = 7 * 24 * 3600
"""Si el equipo se reinicia, el navegador sigue siendo la misma estación, con su pantalla bloqueada."""

_LARGO: Final = 32
_AZAR: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Sesion:
    """`azar` es la estación; `persona`, de quién es el turno, aunque esté bloqueado. Vacía, si no hay turno."""

    azar: str
    persona: str


class Sesiones:
    """Firma y lee galletas con un secreto propio del kiosco."""

    def __init__(self, secreto: bytes) -> None:
        self._secreto = secreto

    def nueva(self) -> Sesion:
        """Una estación recién vista, sin nadie."""
        return Sesion(secrets.token_hex(16), "")

    def escribir(self, sesion: Sesion) -> str:
        return f"{sesion.azar}.{self._firma('estacion', sesion.azar)}"

    def leer(self, galleta: str | None) -> str | None:
        """La estación de la galleta, o `None` si no la firmó este kiosco."""
        azar, _, firma = (galleta or "").partition(".")
        if _AZAR.fullmatch(azar) is None or not _iguales(firma, self._firma("estacion", azar)):
            return None
        return azar

    def sello(self, sesion: Sesion) -> str:
        """Lo que prueba que un formulario salió de esta estación y con esta persona."""
        return self._firma("formulario", sesion.azar, sesion.persona)

    def vale(self, sesion: Sesion, sello: str) -> bool:
        return _iguales(sello, self.sello(sesion))

    def _firma(self, *partes: str) -> str:
        return hmac.new(self._secreto, "\n".join(partes).encode(), hashlib.sha256).hexdigest()


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
