"""La llave Ed25519 con que el centro firma los puntos de control. Se hace sola la primera vez y no sale de la máquina.

Quien la tenga puede contar otra historia, pero no sin que se note: los testigos y los espejos ya vieron la anterior.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from nucleo.transparencia.nota import FirmanteDeNotas
from servicio_central import disco
from servicio_central.tropiezo import Tropiezo

ARCHIVO: Final = "registro.pem"


def origen_de(proceso: str, modo: str) -> str:
    """El nombre del registro: uno por proceso y modo, para que un simulacro nunca pase por la noche de verdad."""
    return f"prep/{proceso}/{modo}"


def firmante(carpeta: Path, origen: str) -> FirmanteDeNotas:
    """Quien firma los puntos de control de ese centro; hace la llave si no la hay.

    Raises:
        Tropiezo: LLAVE, si la hay y no se puede usar. OSError, si no se pudo escribir.
    """
    ruta = carpeta / ARCHIVO
    if not ruta.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        disco.crear(ruta, pem, 0o600)
    return FirmanteDeNotas(origen, _leer(ruta))


def _leer(ruta: Path) -> Ed25519PrivateKey:
    try:
        with ruta.open("rb") as archivo:
            permisos = stat.S_IMODE(os.fstat(archivo.fileno()).st_mode)
            llave = load_pem_private_key(archivo.read(4096), None)
    except (OSError, ValueError, TypeError) as error:
        raise _tropiezo(
            f"la llave del registro, {ruta}, no se puede leer ({error})", "se dañó o es de otra cuenta"
        ) from error
    if permisos & 0o077:
        raise _tropiezo(
            f"la llave del registro, {ruta}, la pueden leer otras cuentas (permisos {permisos:o})",
            "se copió sin conservar sus permisos",
        )
    if not isinstance(llave, Ed25519PrivateKey):
        raise _tropiezo(f"{ruta} no es una llave Ed25519", "se copió otra")
    return llave


def _tropiezo(que: str, causa: str) -> Tropiezo:
    return Tropiezo(
        "LLAVE",
        que,
        causa,
        "restaure la de la puesta en ceros; con otra, los testigos y los espejos ya no reconocerán este registro",
    )
