"""Dónde vive cada página dentro de un corte. Son rutas lógicas, relativas y sin la terminación de compresión."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

from nucleo.casilla import Casilla
from nucleo.hechos import IdActa

RESUMEN: Final = "resumen.json"
DELTA: Final = "delta.json"
MANIFIESTO: Final = "manifiesto.json"
DICCIONARIO: Final = "diccionario.json"
ESQUEMA: Final = "esquema.json"
COMPRIMIBLES: Final = frozenset((".html", ".json", ".svg", ".css", ".js", ".xml", ".atom", ".txt", ".csv"))
"""Lo que en disco va sólo comprimido; lo demás, tal cual."""

SIN_DIVISION: Final = "sin"
"""Nombre de la división de las mesas que no pertenecen a ninguna."""


def en_disco(ruta: str) -> str:
    """Cómo se llama en disco, y en un espejo, lo que se publica en esa ruta."""
    return f"{ruta}.gz" if PurePosixPath(ruta).suffix in COMPRIMIBLES else ruta


def nombre_de_corte(huso: str, hora: datetime) -> str:
    """Su carpeta, en hora de la entidad: `20220605_2120`; con segundos sólo si no son cero."""
    local = hora.astimezone(ZoneInfo(huso))
    return f"{local:%Y%m%d_%H%M%S}" if local.second else f"{local:%Y%m%d_%H%M}"


def eleccion(clave: str, pagina: str = "index") -> str:
    """`GUB/index`; sin terminación, porque hay una .html y una .json."""
    return f"{clave}/{pagina}"


def division(clave: str, numero: int | None) -> str:
    return f"{clave}/d/{SIN_DIVISION if numero is None else numero}/index"


def carpeta_de_seccion(clave: str, seccion: int) -> str:
    """`GUB/s/0085`: lo único que un corte vuelve a escribir si nada de la sección cambió es el enlace a ella."""
    return f"{clave}/s/{seccion:04d}"


def seccion(clave: str, numero: int) -> str:
    return f"{carpeta_de_seccion(clave, numero)}/index"


def acta(clave: str, casilla: Casilla) -> str:
    """`GUB/s/0085/B0100`: los cinco últimos de CLAVE_CASILLA."""
    return f"{carpeta_de_seccion(clave, casilla.seccion)}/{casilla.clave[6:]}"


def acta_por_id(cual: IdActa) -> str:
    """La misma ruta, sin el catálogo a la mano."""
    return f"{cual.eleccion}/s/{cual.casilla[2:6]}/{cual.casilla[6:]}"


def imagen(sha256: str) -> str:
    """Fuera de los cortes: las imágenes no cambian y se comparten entre todos."""
    return f"imagenes/{sha256[:2]}/{sha256}.webp"
