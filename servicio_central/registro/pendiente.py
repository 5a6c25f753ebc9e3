"""El recado que sobrevive a un apagón entre escribir un corte y asentarlo en el registro.

Antes de que la carpeta del corte exista se guardan aquí las hojas que le tocan. Al volver: si la carpeta ya existe, se
asientan esas mismas hojas y se publica; si no, nada pasó y el recado se tira.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nucleo.transparencia.baldosas import Baldosa
from nucleo.transparencia.entradas import empaquetar, leer_paquete
from servicio_central import disco

ARCHIVO: Final = "registro-pendiente"
_LARGO: Final = 4


@dataclass(frozen=True, slots=True)
class Pendiente:
    """Las hojas de un corte que quizá no se asentaron."""

    corte: str
    desde: int
    """Cuántas hojas tenía el registro antes."""
    hojas: tuple[bytes, ...]


def guardar(centro: Path, pendiente: Pendiente) -> None:
    """Durable al volver. Raises: OSError."""
    cabeza = json.dumps({"corte": pendiente.corte, "desde": pendiente.desde, "hojas": len(pendiente.hojas)}).encode()
    datos = len(cabeza).to_bytes(_LARGO, "big") + cabeza + empaquetar(pendiente.hojas)
    disco.escribir(centro / ARCHIVO, datos, 0o600)


def leer(centro: Path) -> Pendiente | None:
    """El que haya. Raises: ValueError, si se dañó después de escrito; OSError."""
    try:
        datos = (centro / ARCHIVO).read_bytes()
    except FileNotFoundError:
        return None
    fin = _LARGO + int.from_bytes(datos[:_LARGO], "big")
    dato = json.loads(datos[_LARGO:fin])
    hojas = leer_paquete(Baldosa(-1, 0, int(dato["hojas"])), datos[fin:])
    return Pendiente(str(dato["corte"]), int(dato["desde"]), tuple(hojas))


def quitar(centro: Path) -> None:
    (centro / ARCHIVO).unlink(missing_ok=True)
