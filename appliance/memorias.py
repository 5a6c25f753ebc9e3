"""Las memorias USB montadas en el kiosco, y sólo ellas: a ningún otro lugar se escribe una mochila.

Una memoria es un punto de montaje de verdad debajo de una raíz permitida, sin enlaces en el camino. Se abre por su
descriptor y se comprueba otra vez ya abierta: si la quitaron, debajo queda una carpeta del disco del kiosco.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nucleo.problema import Rechazo

RAICES: Final = (Path("/media"), Path("/run/media"), Path("/mnt/prep"))
"""Donde el sistema monta las memorias."""

_MONTAJES: Final = Path("/proc/self/mounts")
_MAXIMO: Final = 20


@dataclass(frozen=True, slots=True)
class Memoria:
    """Una memoria montada. `libre` y `total` en bytes, al momento de mirarla."""

    ruta: Path
    libre: int
    total: int
    escribible: bool

    @property
    def nombre(self) -> str:
        return self.ruta.name

    @contextlib.contextmanager
    def abierta(self) -> Iterator[Path]:
        """La ruta, mientras siga siendo esa memoria. Raises: OSError si ya no está montada."""
        descriptor = os.open(self.ruta, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(descriptor).st_dev == self.ruta.parent.stat().st_dev:
                raise OSError(errno.ENODEV, "la memoria ya no está")
            # Por el descriptor: si la quitan y montan otra a media copia, lo escrito no se reparte entre las dos.
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)


def memorias(raices: Sequence[Path] = RAICES) -> tuple[Memoria, ...]:
    """Las que hay montadas ahora bajo esas raíces, en orden de nombre.

    Una cuyo nombre no se puede escribir en una página (bytes sueltos, saltos de renglón) no se ofrece.
    """
    halladas = []
    for punto, opciones in _montajes():
        if str(punto).isprintable() and any(raiz in punto.parents for raiz in raices):
            with contextlib.suppress(OSError):
                uso = shutil.disk_usage(punto)
                halladas.append(Memoria(punto, uso.free, uso.total, "ro" not in opciones))
    return tuple(sorted(halladas, key=lambda m: str(m.ruta)))[:_MAXIMO]


def memoria_en(ruta: str, raices: Sequence[Path] = RAICES) -> Memoria | Rechazo:
    """La memoria de esa ruta, si es exactamente una de las montadas ahora."""
    hallada = next((m for m in memorias(raices) if str(m.ruta) == ruta), None)
    if hallada is not None and hallada.ruta.resolve() == hallada.ruta:
        return hallada
    return Rechazo(
        "SIN_MEMORIA",
        "Esa memoria no está",
        "se quitó, o el equipo todavía no la reconoce",
        "métala, espere unos segundos y toque «Actualizar»",
    )


def _montajes() -> list[tuple[Path, list[str]]]:
    try:
        renglones = _MONTAJES.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    partes = [r.split(" ") for r in renglones]
    return [(Path(_sin_escapes(p[1])), p[3].split(",")) for p in partes if len(p) >= 4]


def _sin_escapes(texto: str) -> str:
    """El núcleo escribe los espacios de la ruta en octal."""
    for octal, signo in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        texto = texto.replace(octal, signo)
    return texto
