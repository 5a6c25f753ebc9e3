"""Abrir los bytes de una imagen sin creerle nada: con topes, y con un error que diga qué hacer."""

from __future__ import annotations

import io
import warnings
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from nucleo.problema import Rechazo

FORMATOS: Final = ("PNG", "JPEG", "PPM", "TIFF", "WEBP")
"""Los que entregan los escáneres (PNM, TIFF, PNG, JPEG) y los teléfonos; `PPM` es toda la familia PNM."""
MAXIMO_BYTES: Final = 64 * 2**20
MAXIMO_PIXELES: Final = 80_000_000
"""Doble carta a 600 ppp son 67 millones; más es un archivo hecho para llenar la memoria."""
MINIMO_LADO: Final = 200
MAXIMO_LADO: Final = 4400
"""Lado mayor de la imagen oficial: carta a 400 ppp. Lo que pasa se reduce; el original queda aparte, intacto."""

Imagen = NDArray[np.uint8]


def abrir_imagen(datos: bytes) -> Imagen | Rechazo:
    """La imagen en BGR de 8 bits, ya girada como diga su EXIF; de un TIFF de varias páginas, la primera."""
    if not datos:
        return Rechazo("IMAGEN_VACIA", "La imagen está vacía", "el escáner no terminó", "digitalice otra vez el acta")
    if len(datos) > MAXIMO_BYTES:
        return _enorme(f"mide {len(datos) // 2**20} MiB")
    try:
        with warnings.catch_warnings():
            # Pillow avisa de la bomba a medio tope; aquí el tope es el nuestro y se revisa abajo.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(datos), formats=FORMATOS) as abierta:
                ancho, alto = abierta.size
                if ancho * alto > MAXIMO_PIXELES:
                    return _enorme(f"mide {ancho} × {alto} píxeles")
                if min(ancho, alto) * min(1.0, MAXIMO_LADO / max(ancho, alto)) < MINIMO_LADO:
                    return Rechazo(
                        "IMAGEN_CHICA",
                        f"La imagen mide {ancho} × {alto} píxeles: ahí no cabe un acta",
                        "es una miniatura o el recorte de otra cosa",
                        "pida la foto original o digitalice el acta",
                    )
                derecha = _a_rgb(_girada(abierta))
    except UnidentifiedImageError:
        return Rechazo(
            "IMAGEN_DESCONOCIDA",
            "El archivo no es una imagen que se pueda abrir",
            "es otro documento, o se copió a medias",
            "use PNG, JPEG, PNM, TIFF o WebP; si vino del escáner, digitalice otra vez",
        )
    except (Image.DecompressionBombError, MemoryError):
        return _enorme("ocuparía toda la memoria")
    except (OSError, ValueError, SyntaxError, ArithmeticError, EOFError, LookupError, TypeError):
        # Los decodificadores de Pillow fallan de todas estas formas ante bytes dañados.
        return Rechazo(
            "IMAGEN_ROTA",
            "La imagen está dañada o incompleta",
            "se interrumpió la digitalización o la copia",
            "digitalice otra vez el acta",
        )
    return _acotada(derecha)


def _girada(abierta: Image.Image) -> Image.Image:
    """Como diga su EXIF; si el EXIF está dañado, como venga: los píxeles son buenos y el giro lo halla el registro."""
    abierta.load()
    try:
        return ImageOps.exif_transpose(abierta)
    except Exception:
        # Pillow tropieza con un EXIF dañado de muchas formas, `struct.error` entre ellas.
        return abierta


def _a_rgb(imagen: Image.Image) -> Imagen:
    if imagen.mode.startswith("I"):  # 16 bits por tono, como entregan algunos escáneres
        tonos = np.asarray(imagen, np.float64)
        gris = np.clip(tonos / 257 if tonos.size and float(np.max(tonos)) > 255 else tonos, 0, 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(gris, cv2.COLOR_GRAY2BGR), np.uint8)
    if imagen.mode in ("RGBA", "LA", "PA") or "transparency" in imagen.info:
        # Lo transparente es papel, no tinta.
        con_alfa = imagen.convert("RGBA")
        imagen = Image.new("RGBA", con_alfa.size, (255, 255, 255, 255))
        imagen.alpha_composite(con_alfa)
    rgb = np.asarray(imagen.convert("RGB"), np.uint8)
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _acotada(imagen: Imagen) -> Imagen:
    escala = MAXIMO_LADO / max(imagen.shape[:2])
    if escala >= 1:
        return imagen
    tamano = max(1, round(imagen.shape[1] * escala)), max(1, round(imagen.shape[0] * escala))
    return np.asarray(cv2.resize(imagen, tamano, interpolation=cv2.INTER_AREA), np.uint8)


def _enorme(que: str) -> Rechazo:
    return Rechazo(
        "IMAGEN_ENORME",
        f"La imagen {que}",
        "se digitalizó con demasiados puntos por pulgada, o no es un acta",
        "digitalice a 200 puntos por pulgada",
    )
