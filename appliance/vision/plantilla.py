"""El formato en blanco, listo para que se registren contra él las imágenes de toda la noche.

Prepararlo cuesta lo que registrar una página; por eso se hace una vez por proceso y se guarda.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.falla import Falla
from nucleo.formato import CARPETA, REGION_DEL_CODIGO, Formato

# El kiosco tiene dos núcleos y la pantalla usa uno.
cv2.setNumThreads(1)

Gris = NDArray[np.uint8]
Mascara = NDArray[np.bool_]

PX_POR_MM: Final = 4.0
"""Densidad de trabajo (101.6 ppp): de aquí para arriba el registro no mejora y sí cuesta."""
PX_POR_MM_FINO: Final = 6.0
"""Densidad a la que se juzga el foco (152.4 ppp)."""
PX_POR_MM_RASGOS: Final = 3.0
"""Densidad a la que se buscan rasgos: SIFT la duplica por dentro y ahí se va casi todo su tiempo."""
_MAXIMO_RASGOS: Final = 3000


@dataclass(frozen=True, slots=True)
class Rasgos:
    """Puntos reconocibles de una imagen y cómo se ve cada uno."""

    puntos: NDArray[np.float32]
    """n × 2: columna y renglón."""
    descripciones: NDArray[np.float32]
    """n × 128, normalizadas."""


@dataclass(frozen=True, slots=True)
class Plantilla:
    """Un formato y lo que se precalcula de su papel en blanco."""

    formato: Formato
    rasgos: Rasgos
    """Con los puntos en milímetros."""
    trazos: NDArray[np.float32]
    """Mapa de lo impreso, suavizado, a `PX_POR_MM`."""
    impreso: Mascara
    """Dónde hay algo impreso que toda copia debe mostrar (sin el lugar de la etiqueta), a `PX_POR_MM`."""
    fino: Gris
    """El papel en blanco a `PX_POR_MM_FINO`."""
    impreso_fino: Mascara


def preparar(formato: Formato, carpeta: Path) -> Plantilla:
    """Lee la imagen del formato y calcula lo que el registro necesita (unos 0.3 s).

    Args:
        carpeta: la del proceso; la imagen está en su `formatos/`.

    Raises:
        Falla: FORMATO, si la imagen no está, no es un PNG o no tiene nada impreso.
    """
    ruta = carpeta / CARPETA / formato.imagen
    try:
        papel = cv2.imdecode(np.frombuffer(ruta.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error) as error:
        raise _falla(formato, "no se pudo leer") from error
    if papel is None:
        raise _falla(formato, "no es una imagen")
    normal = _a_densidad(papel, formato, PX_POR_MM)
    fino = _a_densidad(papel, formato, PX_POR_MM_FINO)
    encontrados = rasgos_de(_a_densidad(papel, formato, PX_POR_MM_RASGOS), _MAXIMO_RASGOS)
    if len(encontrados.puntos) < 100:
        raise _falla(formato, "no tiene suficiente texto impreso")
    trazos = mapa_de_trazos(normal)
    return Plantilla(
        formato,
        Rasgos((encontrados.puntos + np.float32(0.5)) / np.float32(PX_POR_MM_RASGOS), encontrados.descripciones),
        trazos,
        _sin_etiqueta(_engrosar(trazos > 12, 5), formato, PX_POR_MM),
        fino,
        _sin_etiqueta(_engrosar(mapa_de_trazos(fino) > 25, 5), formato, PX_POR_MM_FINO),
    )


def rasgos_de(gris: Gris, maximo: int) -> Rasgos:
    """Los rasgos SIFT de una imagen, con su contraste emparejado; los puntos en píxeles de esa imagen."""
    parejo = cv2.createCLAHE(2.0, (8, 8)).apply(gris)
    puntos, crudas = cv2.SIFT.create(maximo, enable_precise_upscale=True).detectAndCompute(parejo, None)
    if not puntos:
        return Rasgos(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    # RootSIFT: la raíz de la descripción normalizada distingue mejor y cuesta nada.
    descripciones = np.sqrt(crudas / (crudas.sum(axis=1, keepdims=True) + np.float32(1e-6)))
    return Rasgos(np.array([p.pt for p in puntos], np.float32), descripciones.astype(np.float32))


def mapa_de_trazos(gris: Gris) -> NDArray[np.float32]:
    """Cuánto más oscuro que su alrededor es cada píxel: quita luces y sombras, deja la tinta."""
    suave = cv2.GaussianBlur(gris, (3, 3), 0)
    trazos = cv2.morphologyEx(suave, cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8))
    return np.asarray(cv2.GaussianBlur(trazos.astype(np.float32), (0, 0), 1.5), np.float32)


def _a_densidad(papel: cv2.typing.MatLike, formato: Formato, px_por_mm: float) -> Gris:
    tamano = round(formato.ancho_mm * px_por_mm), round(formato.alto_mm * px_por_mm)
    return np.asarray(cv2.resize(papel, tamano, interpolation=cv2.INTER_AREA), np.uint8)


def _engrosar(mascara: Mascara, lado: int) -> Mascara:
    return np.asarray(cv2.dilate(mascara.astype(np.uint8), np.ones((lado, lado), np.uint8))) > 0


def _sin_etiqueta(mascara: Mascara, formato: Formato, px_por_mm: float) -> Mascara:
    c = formato.regiones[REGION_DEL_CODIGO]
    # Dos milímetros de más: la etiqueta se pega a mano y a veces rebasa su marco.
    x0, y0 = int((c.x - 2) * px_por_mm), int((c.y - 2) * px_por_mm)
    x1, y1 = int((c.x + c.ancho + 2) * px_por_mm), int((c.y + c.alto + 2) * px_por_mm)
    mascara[max(0, y0) : y1, max(0, x0) : x1] = False
    return mascara


def _falla(formato: Formato, que: str) -> Falla:
    return Falla(
        "FORMATO",
        f"La imagen del formato {formato.clave} ({formato.imagen}) {que}",
        "la carpeta del proceso se copió a medias",
        "vuelva a copiar la carpeta del proceso, o dibújela otra vez con «prep formato»",
    )
