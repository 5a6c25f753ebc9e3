"""La imagen que se guarda y se publica: WebP a color, legible y con tope de tamaño, para que salga por un mal enlace.

Calidad 60 si con ella pesa hasta 145 KB; si no, la que los dé, sin bajar de 30. Sólo si a 30 aún pasa del tope de 200
se le quita el grano con un desenfoque leve, y al último densidad: en el banco, bajar de 60 a 33 le cuesta a la tinta
0.008 de SSIM, y el más leve desenfoque, 0.027. Nunca a dos tintas: perdería el trazo débil de las copias. Cuánto ceder
se calcula con una sexta parte de la imagen, porque codificarla entera varias veces tomaría más de un segundo.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

cv2.setNumThreads(1)

Imagen = NDArray[np.uint8]

TOPE: Final = 200 * 1024
"""Bytes. Ninguna imagen lo rebasa."""
OBJETIVO: Final = 145 * 1024
"""Bytes que se procuran: así la mediana de una noche queda en menos de 150 KB."""
CALIDAD: Final = 60
CALIDAD_MINIMA: Final = 30
MAXIMO_PIXELES: Final = 4_400_000
"""Una carta a 200 ppp son 3.7 millones, y una doble carta a 150, 4.2: más es una fotografía u otra densidad."""
PIXELES_MINIMOS: Final = 2_110_000
"""Una carta a 150 ppp."""

_METODO: Final = 2
"""El esfuerzo de libwebp: con 4, el de costumbre, pesa 4 % menos y tarda el doble."""
_MAXIMO_LADO: Final = 16_383
"""Lo que admite WebP."""
_FRANJA: Final = 32
_UNA_DE_CADA: Final = 6
_CERCA: Final = 1.1
"""Cuánto puede pasarse del objetivo sin que valga la pena codificar otra vez."""
_DE_MAS: Final = 1.08
"""Lo que una muestra pesa de más, por píxel, que la imagen entera (medido en el banco; ±6 %)."""


@dataclass(frozen=True, slots=True)
class Comprimida:
    """Un WebP y lo que hubo que ceder para que cupiera."""

    datos: bytes
    calidad: int
    suavizado: float
    """Desviación del desenfoque aplicado, en píxeles; 0 es ninguno."""
    escala: float
    """Lado guardado entre lado original; 1.0 es la densidad con que llegó."""


def comprimir(imagen: Imagen) -> bytes:
    """El WebP de una imagen BGR, sin EXIF ni otro dato de quien la tomó; siempre el mismo para los mismos píxeles."""
    return comprimir_con_detalle(imagen).datos


def comprimir_con_detalle(imagen: Imagen, tope: int = TOPE) -> Comprimida:
    """Como `comprimir`, y dice qué se cedió.

    Args:
        imagen: BGR de 8 bits, alto × ancho × 3.
        tope: bytes que no se rebasan.
    """
    objetivo = min(OBJETIVO, tope)
    for suavizado, escala in _concesiones(*imagen.shape[:2]):
        muestra = _preparada(_muestra(imagen), suavizado, escala)
        parte = muestra.shape[0] * muestra.shape[1] / (imagen.shape[0] * imagen.shape[1] * escala * escala)
        calidad = _calidad_que_cabe(muestra, objetivo * parte * _DE_MAS, tope * parte * _DE_MAS)
        if calidad is None:
            continue
        entera = _preparada(imagen, suavizado, escala)
        datos = _webp(entera, calidad)
        while len(datos) > min(objetivo * _CERCA, tope) and calidad > CALIDAD_MINIMA:
            # Cada punto de calidad pesa cerca de 1.2 %.
            calidad = max(CALIDAD_MINIMA, calidad - max(1, round((len(datos) / objetivo - 1) * 80)))
            datos = _webp(entera, calidad)
        if len(datos) <= tope:
            return Comprimida(datos, calidad, suavizado, escala)
    raise AssertionError("las concesiones no se acaban")  # pragma: no cover


def _concesiones(alto: int, ancho: int) -> Iterator[tuple[float, float]]:
    """Suavizado y escala, de la mejor imagen a la peor, sin fin."""
    pixeles = alto * ancho
    entera = min(1.0, math.sqrt(MAXIMO_PIXELES / pixeles), _MAXIMO_LADO / max(alto, ancho))
    for suavizado in (0.0, 1.0, 1.5):
        yield suavizado, entera
    escala = min(entera, math.sqrt(PIXELES_MINIMOS / pixeles))
    while True:
        yield 1.0, escala
        yield 1.5, escala
        escala *= 0.8


def _muestra(imagen: Imagen) -> Imagen:
    """Franjas repartidas de toda la hoja; la imagen misma, si es tan baja que no las tiene."""
    paso = _FRANJA * _UNA_DE_CADA
    # Corridas cada una distinto dentro de su tramo, para no caer siempre en la misma parte de los renglones.
    inicios = [y + (i * 67) % (paso - _FRANJA) for i, y in enumerate(range(0, imagen.shape[0] - paso, paso))]
    return np.concatenate([imagen[y : y + _FRANJA] for y in inicios]) if inicios else imagen


def _preparada(imagen: Imagen, suavizado: float, escala: float) -> Imagen:
    if suavizado:
        imagen = np.asarray(cv2.GaussianBlur(imagen, (0, 0), suavizado), np.uint8)
    if escala < 1.0:
        tamano = max(1, round(imagen.shape[1] * escala)), max(1, round(imagen.shape[0] * escala))
        imagen = np.asarray(cv2.resize(imagen, tamano, interpolation=cv2.INTER_AREA), np.uint8)
    return imagen


def _calidad_que_cabe(muestra: Imagen, objetivo: float, tope: float) -> int | None:
    """La mayor calidad con que la muestra pesa el objetivo, o la mínima; `None` si ni con ella cabe en el tope."""
    pesa = len(_webp(muestra, CALIDAD))
    if pesa <= objetivo:
        return CALIDAD
    pesa_minima = len(_webp(muestra, CALIDAD_MINIMA))
    if pesa_minima > tope:
        return None
    if pesa_minima >= objetivo or pesa <= pesa_minima:
        return CALIDAD_MINIMA
    # Entre dos calidades, el logaritmo del peso crece casi como una recta.
    parte = math.log(objetivo / pesa_minima) / math.log(pesa / pesa_minima)
    return CALIDAD_MINIMA + int((CALIDAD - CALIDAD_MINIMA) * parte)


def _webp(imagen: Imagen, calidad: int) -> bytes:
    salida = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(imagen[:, :, ::-1])).save(salida, "WEBP", quality=calidad, method=_METODO)
    return salida.getvalue()
