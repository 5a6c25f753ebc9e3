"""El pedazo de imagen de cada renglón, derecho y pequeño, para ponerlo al lado de su campo."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.vision.registro import Registro
from nucleo.formato import Caja

PPP_RECORTE: Final = 130
_CALIDAD: Final = 70
_MAXIMO_PX: Final = 4000
_MAXIMO_AUMENTO: Final = 2.0


def recorte(imagen_bgr: NDArray[np.uint8], registro: Registro, caja_mm: Caja, ppp: int = PPP_RECORTE) -> bytes:
    """La caja del formato, rectificada, en WebP; lo que caiga fuera de la imagen sale gris.

    Args:
        imagen_bgr: la imagen del registro, de 8 bits y tres canales.
        caja_mm: un renglón o una región del formato.
        ppp: densidad del recorte; baja si la caja es tan grande que no cabría en 4000 px.

    Raises:
        ValueError: si `ppp` no es positivo o OpenCV no pudo codificar.
    """
    if ppp <= 0:
        raise ValueError(f"la densidad {ppp} no es positiva")
    px_mm = min(ppp / 25.4, _MAXIMO_PX / max(caja_mm.ancho, caja_mm.alto))
    tamano = max(1, math.ceil(caja_mm.ancho * px_mm)), max(1, math.ceil(caja_mm.alto * px_mm))
    # Si la imagen trae mucho más detalle, se toma fina y se promedia: muestrear a saltos rompe los trazos delgados.
    detalle = registro.px_por_mm(caja_mm.x + caja_mm.ancho / 2, caja_mm.y + caja_mm.alto / 2) / px_mm
    aumento = min(_MAXIMO_AUMENTO, max(1.0, detalle))
    k = px_mm * aumento
    a_recorte = np.array([[k, 0, -k * caja_mm.x - 0.5], [0, k, -k * caja_mm.y - 0.5], [0, 0, 1.0]])
    fino = cv2.warpPerspective(
        imagen_bgr,
        a_recorte @ registro.matriz,
        (math.ceil(tamano[0] * aumento), math.ceil(tamano[1] * aumento)),
        borderValue=(160, 160, 160),
    )
    chico = cv2.resize(fino, tamano, interpolation=cv2.INTER_AREA) if aumento > 1.0 else fino
    bien, bytes_webp = cv2.imencode(".webp", chico, [cv2.IMWRITE_WEBP_QUALITY, _CALIDAD])
    if not bien:
        raise ValueError("no se pudo codificar el recorte")
    return bytes_webp.tobytes()
