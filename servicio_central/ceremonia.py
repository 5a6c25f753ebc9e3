"""La bitácora de la autoridad: cada cosa que firmó, encadenada, en `ceremonias.jsonl` de su carpeta.

El renglón se escribe antes que lo firmado: puede haber un renglón de algo que no llegó a salir, nunca algo firmado sin
renglón. No es secreta; sirve para que quien audite la inscripción vea cuándo y por qué entró, cambió o salió un equipo.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from servicio_central import disco
from servicio_central.tropiezo import Tropiezo

ARCHIVO: Final = "ceremonias.jsonl"
NUEVA: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Renglon:
    """Una firma de la autoridad. `previo` es el SHA-256 del renglón anterior, tal como está escrito."""

    hora: str
    orden: str
    equipo: str
    detalle: str
    firmado: str
    """SHA-256 de los bytes que se firmaron."""
    previo: str


def anotar(autoridad: Path, orden: str, equipo: str, detalle: str, firmado: bytes) -> None:
    """Agrega un renglón, durable al volver.

    Raises:
        Tropiezo: CEREMONIA, si la bitácora no encadena: alguien la cambió. OSError si no se pudo escribir.
    """
    renglones = leer(autoridad)
    previo = _huella(_texto(renglones[-1])) if renglones else NUEVA
    hora = datetime.now(UTC).isoformat(timespec="seconds")
    nuevo = Renglon(hora, orden, equipo, detalle, hashlib.sha256(firmado).hexdigest(), previo)
    descriptor = os.open(autoridad / ARCHIVO, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, _texto(nuevo) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    disco.sincronizar(autoridad)


def leer(autoridad: Path) -> list[Renglon]:
    """Todos los renglones, comprobada la cadena; ninguno si aún no hay bitácora.

    Raises:
        Tropiezo: CEREMONIA, si uno no se entiende o no encadena con el anterior.
    """
    ruta = autoridad / ARCHIVO
    if not ruta.exists():
        return []
    renglones: list[Renglon] = []
    previo = NUEVA
    for numero, linea in enumerate(ruta.read_bytes().splitlines(), 1):
        try:
            renglon = Renglon(**json.loads(linea))
        except (ValueError, TypeError) as error:
            raise _danada(ruta, numero, "no se entiende") from error
        if renglon.previo != previo:
            raise _danada(ruta, numero, "no encadena con el anterior")
        renglones.append(renglon)
        previo = _huella(linea)
    return renglones


def _texto(renglon: Renglon) -> bytes:
    return json.dumps(asdict(renglon), ensure_ascii=False, separators=(",", ":")).encode()


def _huella(linea: bytes) -> str:
    return hashlib.sha256(linea).hexdigest()


def _danada(ruta: Path, numero: int, que: str) -> Tropiezo:
    return Tropiezo(
        "CEREMONIA",
        f"el renglón {numero} de {ruta} {que}",
        "se fue la luz al escribirlo, o alguien lo cambió",
        "guarde una copia, compare con los padrones firmados y aparte el archivo: la orden empezará otro",
    )
