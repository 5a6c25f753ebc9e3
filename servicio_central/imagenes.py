"""Las imágenes que ya están completas en el centro, cada una en un archivo que se llama como su SHA-256.

`imagenes/<dos cifras>/<sha256>`. Un nombre ahí quiere decir que los bytes son durables y dan esa huella; de aquí los
toma la publicación. Lo que aún llega está aparte, en `imagenes/a-medias/` (`servicio_central.a_medias`).
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final

from servicio_central import disco

CARPETA: Final = "imagenes"
A_MEDIAS: Final = "a-medias"

_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_BLOQUE: Final = 2**20


def es_huella(nombre: str) -> bool:
    """Si tiene forma de SHA-256 en hexadecimal."""
    return _HEX64.fullmatch(nombre) is not None


class Imagenes:
    """El almacén de imágenes de la carpeta de un centro. Leer se puede desde cualquier hilo o proceso."""

    def __init__(self, carpeta: Path) -> None:
        """Raises: OSError si la carpeta no se puede crear."""
        self.raiz = disco.carpeta_privada(carpeta / CARPETA)

    def ruta(self, sha256: str) -> Path:
        """Dónde está, o estaría, esa imagen. Raises: ValueError si no es un SHA-256."""
        if not es_huella(sha256):
            raise ValueError(f"{sha256[:80]!r} no es un SHA-256")
        return self.raiz / sha256[:2] / sha256

    def contiene(self, sha256: str) -> bool:
        """Si está completa."""
        return self.ruta(sha256).is_file()

    def adoptar(self, archivo: Path, sha256: str) -> bool:
        """Toma para sí un archivo ya terminado de esta misma carpeta, si de veras es esa imagen; si no, lo borra.

        Devuelve si lo era. Al volver con verdadero, contenido y nombre sobreviven a un corte de luz.

        Raises:
            OSError: si el disco no deja; el archivo se queda donde estaba.
        """
        descriptor = os.open(archivo, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            suma = hashlib.sha256()
            while bloque := os.read(descriptor, _BLOQUE):
                suma.update(bloque)
        finally:
            os.close(descriptor)
        if suma.hexdigest() != sha256:
            archivo.unlink()
            return False
        destino = self.ruta(sha256)
        if not destino.parent.is_dir():
            disco.carpeta_privada(destino.parent)
            disco.sincronizar(self.raiz)
        archivo.replace(destino)
        disco.sincronizar(destino.parent)
        return True
