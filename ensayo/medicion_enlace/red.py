"""Un enlace angosto y lejano de verdad: dos espacios de red unidos por dos TUN, `tbf` en cada uno y demora en medio.

El núcleo pone el ancho (`tc … tbf`); la demora, este proceso, que pasa los paquetes de un TUN al otro más tarde y de
paso los cuenta. Hace falta root, `/dev/net/tun` y los programas `ip` y `tc`.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import struct
import subprocess
import time
from collections import deque
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Final, Self

SEDE: Final = "10.203.78.1"
_CATD: Final = "10.203.78.2"
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_SIN_CABECERA: Final = 0x0001 | 0x1000
_COLA: Final = 64 * 1024
"""Bytes que el encaminador guarda antes de tirar: medio segundo de un enlace de 1 Mbit/s."""

_RAFAGA: Final = 3000


class SinRed(RuntimeError):
    """Aquí no se pueden crear espacios de red; el mensaje dice qué faltó."""


class Angosta:
    """Se usa con `with`. `sede` y `catd` son lo que va delante de una orden para correrla en cada lado.

    Args:
        bits: por segundo, en cada sentido.
        demora_s: de un lado al otro; la ida y vuelta es el doble.
    """

    def __init__(self, bits: int, demora_s: float) -> None:
        self.bits, self._demora_s = bits, demora_s
        self.subidos = 0
        """Bytes IP que han pasado del CATD a la sede."""
        marca = f"{os.getpid() % 100_000}"
        self._espacios = (f"prep-medir-s{marca}", f"prep-medir-c{marca}")
        self._nombres = (f"prepS{marca}", f"prepC{marca}")
        self.sede, self.catd = (("ip", "netns", "exec", e) for e in self._espacios)
        self._tuneles: list[int] = []
        self._parado = False
        self._hilo: Thread | None = None

    def __enter__(self) -> Self:
        try:
            for (espacio, nombre), (propia, ajena) in zip(
                zip(self._espacios, self._nombres, strict=True), ((SEDE, _CATD), (_CATD, SEDE)), strict=True
            ):
                self._tuneles.append(_tunel(nombre))
                _correr("ip", "netns", "add", espacio)
                _correr("ip", "-n", espacio, "link", "set", "lo", "up")
                _correr("ip", "link", "set", nombre, "netns", espacio)
                _correr("ip", "-n", espacio, "addr", "add", propia, "peer", ajena, "dev", nombre)
                _correr("ip", "-n", espacio, "link", "set", nombre, "up")
                freno = f"rate {self.bits}bit burst {_RAFAGA} limit {_COLA}"
                _correr(
                    "ip", "netns", "exec", espacio, "tc", "qdisc", "add", "dev", nombre, "root", "tbf", *freno.split()
                )
        except (OSError, subprocess.SubprocessError) as error:
            self._quitar()
            dicho = getattr(error, "stderr", b"") or b""
            raise SinRed(
                f"no se pudo crear el enlace angosto ({error} {dicho.decode(errors='replace').strip()}); "
                "hace falta root, /dev/net/tun, iproute2 y un núcleo con tbf"
            ) from error
        self._hilo = Thread(target=self._pasar, daemon=True, name="demora")
        self._hilo.start()
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        self._parado = True
        if self._hilo is not None:
            self._hilo.join()
        self._quitar()

    def _quitar(self) -> None:
        for tunel in self._tuneles:
            os.close(tunel)
        for espacio in self._espacios:
            subprocess.run(["ip", "netns", "del", espacio], check=False, capture_output=True)

    def _pasar(self) -> None:
        sede, catd = self._tuneles
        camino: deque[tuple[float, int, bytes]] = deque()
        with selectors.DefaultSelector() as selector:
            selector.register(sede, selectors.EVENT_READ, catd)
            selector.register(catd, selectors.EVENT_READ, sede)
            while not self._parado:
                # La demora es la misma para todos: el primero que entró es el primero que sale.
                falta = camino[0][0] - time.monotonic() if camino else 0.2
                for llave, _ in selector.select(max(0.0, min(falta, 0.2))):
                    paquete = os.read(llave.fd, 2048)
                    if llave.fd == catd:
                        self.subidos += len(paquete)
                    camino.append((time.monotonic() + self._demora_s, llave.data, paquete))
                while camino and camino[0][0] <= time.monotonic():
                    _, destino, paquete = camino.popleft()
                    os.write(destino, paquete)


def _tunel(nombre: str) -> int:
    """Descriptor de un TUN nuevo. Raises: OSError."""
    tunel = os.open(Path("/dev/net/tun"), os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(tunel, _TUNSETIFF, struct.pack("16sH", nombre.encode(), _IFF_TUN_SIN_CABECERA))
    except OSError:
        os.close(tunel)
        raise
    return tunel


def _correr(*orden: str) -> None:
    subprocess.run(orden, check=True, capture_output=True, timeout=10)
