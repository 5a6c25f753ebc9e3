"""Los eventos de la bitácora: qué pasó, quién y cuándo, cuando no es un hecho del acta.

Se declaran una sola vez en `eventos.toml`. La bitácora se encadena renglón a renglón (cada huella compromete a la
anterior) y viaja al centro en hojas dentro de sobres firmados: quitar o cambiar un renglón se nota en los dos lados.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

BITACORA_NUEVA: Final = "0" * 64
"""`previo` del primer renglón."""


_ENCABEZADO: Final = """# La bitácora: qué se anota

Se genera de `nucleo/eventos.toml`, donde cada evento se declara una sola vez (`python -m appliance.escribir_bitacora`).
Cada renglón lleva hora, evento, persona, acta y detalle, y se encadena con el anterior; viaja al centro en hojas
firmadas ([protocolo](protocolo.md#la-bitácora)). Los graves salen arriba en el tablero de coordinación.

| Evento | Qué pasó | Grave |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Evento:
    """Una clase de evento. `porque` explica, si hace falta, por qué se anota."""

    clave: str
    texto: str
    grave: bool = False
    porque: str = ""


@dataclass(frozen=True, slots=True)
class RenglonDeBitacora:
    """Lo anotado. `hora` es ISO 8601 con huso; `persona`, `acta` y `detalle` pueden ir vacíos."""

    hora: str
    evento: str
    persona: str = ""
    acta: str = ""
    detalle: str = ""


@cache
def eventos() -> Mapping[str, Evento]:
    """Todos los eventos declarados, en el orden del archivo."""
    dato = tomllib.loads(files("nucleo").joinpath("eventos.toml").read_text(encoding="utf-8"))
    return {clave: Evento(clave, **renglon) for clave, renglon in dato.items()}


def en_markdown() -> str:
    """`docs/bitacora.md`: todos los eventos, en palabras, con los graves señalados."""
    renglones = []
    for evento in eventos().values():
        texto = f"{evento.texto}. {evento.porque}" if evento.porque else evento.texto
        renglones.append(f"| `{evento.clave}` | {texto} | {'sí' if evento.grave else ''} |")
    return f"{_ENCABEZADO}{chr(10).join(renglones)}\n"


def encadenar(previo: str, renglon: RenglonDeBitacora) -> str:
    """Huella de un renglón: SHA-256 hexadecimal de la huella anterior y de sus cinco datos."""
    datos = [previo, renglon.hora, renglon.evento, renglon.persona, renglon.acta, renglon.detalle]
    return hashlib.sha256(json.dumps(datos, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def huella_de_hoja(previo: str, renglones: Iterable[RenglonDeBitacora]) -> str:
    """Huella del último renglón de una hoja que sigue a `previo`."""
    for renglon in renglones:
        previo = encadenar(previo, renglon)
    return previo
