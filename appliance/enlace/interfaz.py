"""Una interfaz de red del sistema: abrir por ella y sólo por ella, saber si tiene señal y cuánto ha pasado por ella.

`SO_BINDTODEVICE` ata el enchufe a la interfaz y no pide privilegio desde Linux 5.7; donde no se puede, se sale con la
dirección de la interfaz como origen, que sólo basta si el sistema tiene ruta para ella. El nombre del bróker se busca
por donde el sistema quiera: si en el CATD eso falla, póngase su dirección.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path
from typing import Final

_SYS: Final = Path("/sys/class/net")
_ARRANQUE: Final = Path("/proc/sys/kernel/random/boot_id")
_SIN_SENAL: Final = ("down", "lowerlayerdown", "notpresent")
_SIOCGIFADDR: Final = 0x8915


def abrir(destino: tuple[str, int], interfaz: str, plazo: float) -> socket.socket:
    """Un enchufe TCP conectado por esa interfaz.

    Raises:
        OSError: si no existe, no tiene señal o por ella no se llega.
    """
    if not con_senal(interfaz):
        raise OSError(f"la interfaz {interfaz} no tiene señal")
    ultimo: OSError | None = None
    for familia, tipo, protocolo, _, direccion in socket.getaddrinfo(*destino, type=socket.SOCK_STREAM):
        enchufe = socket.socket(familia, tipo, protocolo)
        try:
            enchufe.settimeout(plazo)
            _atar(enchufe, interfaz)
            enchufe.connect(direccion)
        except OSError as error:
            enchufe.close()
            ultimo = error
        else:
            return enchufe
    raise ultimo or OSError(f"{destino[0]} no tiene dirección")


def _atar(enchufe: socket.socket, interfaz: str) -> None:
    try:
        enchufe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interfaz.encode() + b"\0")
    except PermissionError:
        if enchufe.family != socket.AF_INET:
            raise
        enchufe.bind((_direccion(interfaz), 0))


def _direccion(interfaz: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as enchufe:
        dato = fcntl.ioctl(enchufe, _SIOCGIFADDR, struct.pack("256s", interfaz.encode()))
    return socket.inet_ntoa(dato[20:24])


def con_senal(interfaz: str) -> bool:
    """Si existe y no dice estar desconectada. De un módem celular casi nunca se sabe: se le da el beneficio."""
    try:
        return (_SYS / interfaz / "operstate").read_text().strip() not in _SIN_SENAL
    except OSError:
        return False


def contador(interfaz: str) -> tuple[str, int] | None:
    """Bytes que han pasado por ella en los dos sentidos, y desde cuándo: la marca cambia si la cuenta empezó otra vez.

    Es lo que cobra la compañía: con encabezados, TLS, reenvíos e intentos fallidos, y también lo que gaste otro
    programa de la máquina. `None` si no se puede saber.
    """
    carpeta = _SYS / interfaz
    try:
        marca = f"{_ARRANQUE.read_text().strip()}:{(carpeta / 'ifindex').read_text().strip()}"
        return marca, sum(int((carpeta / "statistics" / f).read_text()) for f in ("rx_bytes", "tx_bytes"))
    except (OSError, ValueError):
        return None
