"""Los archivos de que depende el cómputo —definición y padrón—, públicos y nombrados por su SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from nucleo.paquete import comprimir
from nucleo.transparencia.hojas import Documento
from servicio_central import ajustes, disco, padrones, vigente

CARPETA: Final = "documentos_publicos"


def de_autoridad(centro: Path) -> str:
    """Publica la llave pública de la autoridad y devuelve su SHA-256; vacío si es un libro suelto, sin autoridad.

    No lleva hoja propia: la nombra la puesta en ceros, y sin ella nadie podría comprobar el padrón. Raises: OSError.
    """
    try:
        pem = (centro / "autoridad.pub.pem").read_bytes()
    except FileNotFoundError:
        return ""
    return _publicar(centro, pem)


def leer(centro: Path, sha256: str) -> bytes:
    """Uno de los publicados. Raises: OSError."""
    return (centro / CARPETA / sha256).read_bytes()


def de_definicion(centro: Path, proceso: Proceso) -> Documento | None:
    """La definición vigente, como el tar.gz que sus archivos dan siempre; `None` si ahí no hay un centro inscrito.

    Raises:
        OSError: si no se pudo leer o escribir. PaqueteInvalido: si no es una definición.
    """
    raiz = centro / vigente.COPIA
    if not raiz.exists():
        if not (centro / ajustes.ARCHIVO).exists():
            return None
        raiz = ajustes.leer(centro).proceso
    archivos = {str(r.relative_to(raiz)): r.read_bytes() for r in vigente.archivos(raiz)}
    return _guardar(centro, "definicion", comprimir(archivos), proceso.huella)


def de_padron(centro: Path, padron: Padron) -> Documento | None:
    """El padrón con que se cuenta, con la firma de la autoridad; `None` si ya no está el archivo. Raises: OSError."""
    for ruta in (centro / padrones.CARPETA / f"{padron.version:06d}.jws", centro / ajustes.PADRON):
        if ruta.exists():
            return _guardar(centro, "padron", ruta.read_bytes(), str(padron.version))
    return None


def _guardar(centro: Path, que: str, datos: bytes, nombre: str) -> Documento:
    return Documento(que, _publicar(centro, datos), len(datos), nombre)


def _publicar(centro: Path, datos: bytes) -> str:
    sha256 = hashlib.sha256(datos).hexdigest()
    destino = centro / CARPETA / sha256
    if not destino.exists():
        destino.parent.mkdir(exist_ok=True, mode=0o755)
        disco.escribir(destino, datos)
    return sha256
