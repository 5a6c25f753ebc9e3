"""De qué actas son las imágenes que un equipo declaró y el centro aún no tiene completas."""

from __future__ import annotations

import base64
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from nucleo.hechos import FueraDeCatalogo, Imagen, de_contenido
from nucleo.sobre import leer_json
from servicio_central import almacenes
from servicio_central.imagenes import Imagenes

A_LA_VISTA: Final = 100


@dataclass(frozen=True, slots=True)
class ImagenQueFalta:
    """Una imagen declarada. `casilla` es vacía si el documento no está en el catálogo."""

    eleccion: str
    casilla: str
    sha256: str
    bytes: int
    declarada: datetime
    """Cuándo llegó el hecho que la declara."""


def de_equipo(carpeta: Path, equipo: str) -> list[ImagenQueFalta]:
    """Las que faltan de ese equipo, la que más lleva esperando primero.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    imagenes = Imagenes(carpeta)
    with closing(almacenes.leer(carpeta)) as bd:
        filas = bd.execute(
            "SELECT eleccion, casilla, recibido, sobre FROM hechos"
            " WHERE equipo = ? AND tipo IN ('imagen', 'fuera_de_catalogo') ORDER BY posicion",
            (equipo,),
        ).fetchall()
    faltan: dict[str, ImagenQueFalta] = {}
    for eleccion, casilla, recibido, sobre in filas:
        carga = sobre.split(".")[1]
        hecho = de_contenido(leer_json(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))["contenido"])
        if isinstance(hecho, Imagen | FueraDeCatalogo) and not imagenes.contiene(hecho.sha256):
            total = hecho.bytes if isinstance(hecho, Imagen) else 0
            falta = ImagenQueFalta(eleccion, casilla or "", hecho.sha256, total, datetime.fromisoformat(recibido))
            faltan.setdefault(hecho.sha256, falta)
    return list(faltan.values())
