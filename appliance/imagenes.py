"""Las imágenes del kiosco, guardadas por su huella: `imagenes/<sha256>.webp`, o `.jpg` o `.png` según lo que sean.

La imagen va antes que el hecho que la nombra: escribir aparte, fsync, renombrar, fsync del directorio. Si se va la luz
en medio queda, cuando mucho, una imagen que nadie nombra; nunca un hecho sin imagen.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import Final

from appliance import durable
from appliance.falla import Falla

MAXIMO_BYTES: Final = 32 * 1024 * 1024
"""Tope de una imagen. Un acta a 300 ppp en gris ocupa de 0.3 a 5 MB."""

EXTENSIONES: Final = {".webp": "image/webp", ".jpg": "image/jpeg", ".png": "image/png"}
"""Con qué nombre se guarda cada clase de imagen, y cómo se le dice al navegador."""

_ABANDONADO_S: Final = 600


class Imagenes:
    """Carpeta de imágenes direccionadas por su contenido."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta
        try:
            carpeta.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _falla(error) from error
        # Lo que quedó a medias de un corte de luz no lo nombra nadie; lo reciente puede ser de otra pantalla.
        for resto in carpeta.glob(durable.TEMPORAL + "*"):
            with contextlib.suppress(OSError):
                if time.time() - resto.stat().st_mtime > _ABANDONADO_S:
                    resto.unlink()

    def guardar(self, contenido: bytes) -> str:
        """Guarda la imagen de forma durable y devuelve su SHA-256 hexadecimal. Repetirla no cuesta ni cambia nada.

        Raises:
            Falla: IMAGEN, si está vacía o pasa de `MAXIMO_BYTES`; DISCO_LLENO o DISCO, si no se pudo escribir.
        """
        if not 0 < len(contenido) <= MAXIMO_BYTES:
            raise Falla(
                "IMAGEN",
                f"La imagen mide {len(contenido)} bytes y debe medir entre 1 y {MAXIMO_BYTES}",
                "el escáner no terminó o se eligió otro archivo",
                "digitalice otra vez el acta",
            )
        huella = hashlib.sha256(contenido).hexdigest()
        destino = self._carpeta / (huella + extension_de(contenido))
        try:
            if not self._esta(destino, contenido):
                durable.escribir(destino, contenido)
            # Aunque ya estuviera: quien la renombró pudo no haber llegado a este fsync.
            durable.asegurar(self._carpeta)
        except OSError as error:
            raise _falla(error) from error
        return huella

    def leer(self, huella: str) -> bytes | None:
        """La imagen con esa huella, o `None` si no está o su contenido ya no corresponde."""
        try:
            contenido = self.ruta(huella).read_bytes()
        except OSError:
            return None
        return contenido if hashlib.sha256(contenido).hexdigest() == huella else None

    def ruta(self, huella: str) -> Path:
        """El archivo de esa imagen; si no está, el nombre que tendría un PNG."""
        rutas = [self._carpeta / (huella + extension) for extension in EXTENSIONES]
        return next((r for r in rutas if r.exists()), rutas[-1])

    def tamano(self, huella: str) -> int | None:
        """Bytes de esa imagen, sin leerla; `None` si no está."""
        try:
            return self.ruta(huella).stat().st_size
        except OSError:
            return None

    def huellas(self) -> set[str]:
        """Las de todas las imágenes completas que hay en el disco."""
        return {r.stem for r in self._carpeta.iterdir() if r.suffix in EXTENSIONES and not r.name.startswith(".")}

    @staticmethod
    def _esta(destino: Path, contenido: bytes) -> bool:
        # Se compara entera: un archivo con ese nombre y bytes podridos se vuelve a escribir.
        try:
            return destino.stat().st_size == len(contenido) and destino.read_bytes() == contenido
        except FileNotFoundError:
            return False


def extension_de(contenido: bytes) -> str:
    """La extensión con que se guarda, según los primeros bytes. Lo que no se reconoce se guarda como PNG."""
    if contenido[:4] == b"RIFF" and contenido[8:12] == b"WEBP":
        return ".webp"
    return ".jpg" if contenido[:3] == b"\xff\xd8\xff" else ".png"


def _falla(error: OSError) -> Falla:
    if durable.disco_lleno(error):
        return Falla(
            "DISCO_LLENO",
            "No se guardó la imagen: el disco del kiosco está lleno",
            "se acumularon imágenes o archivos ajenos",
            "no apague el equipo; llame al área técnica para liberar espacio y digitalice otra vez",
        )
    return Falla(
        "DISCO",
        f"No se guardó la imagen ({error.strerror})",
        "la carpeta de imágenes es de otra cuenta, o el disco está desconectado o dañado",
        "revise la carpeta del kiosco y digitalice otra vez; si vuelve a fallar, cambie de equipo",
    )
