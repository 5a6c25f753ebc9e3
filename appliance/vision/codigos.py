"""Buscar en la imagen los códigos que podrían identificar un acta: sólo QR y Code 128, y nunca decidir con ellos.

Se prueba de lo barato a lo caro y se para en cuanto algo tiene la forma de un código de acta. Se devuelve todo lo
leído: dos códigos distintos en una hoja son dos etiquetas encimadas o dos hojas juntas, y eso lo resuelve una persona.
Un Code 128 sin verificador propio no cuenta, porque zbar llegó a leer uno con un valor que no estaba en el papel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from appliance.vision.codigo_leido import CodigoLeido, Punto
from nucleo.codigo_qr import parece_de_acta
from nucleo.etiqueta import EtiquetaInvalida, leer_code128

cv2.setNumThreads(1)

Imagen = NDArray[np.uint8]
Opinion = Callable[[Imagen], Sequence[CodigoLeido]]
"""Un lector de una imagen de un canal."""

_FORMATOS: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])
_PIXELES_PRIMER_PASO: Final = 3_800_000
"""Una carta a 200 ppp son 3.7 millones; una fotografía de 8 megapíxeles se reduce."""
_MAXIMO_TEXTO: Final = 4_296
"""Lo más que lleva un QR alfanumérico; más largo es un error del lector."""


class LectorDeCodigos:
    """La cascada de lectores. Sin segunda opinión, sólo zxing.

    Args:
        segunda: zbar en su proceso (`segunda_opinion.SegundaOpinion`).
        basta: qué texto permite dejar de buscar; por omisión, el que tiene la forma de un código de acta.
    """

    def __init__(self, segunda: Opinion | None = None, basta: Callable[[str], bool] = parece_de_acta) -> None:
        self._segunda = segunda
        self._basta = basta

    def __call__(self, imagen: Imagen) -> tuple[CodigoLeido, ...]:
        """Todo lo leído, sin repetir texto, en una imagen gris o BGR; primero lo que basta.

        Ninguna lectura vale sin cotejarla.
        """
        gris = imagen if imagen.ndim == 2 else np.asarray(cv2.cvtColor(imagen, cv2.COLOR_BGR2GRAY), np.uint8)
        vistos: dict[tuple[str, str], CodigoLeido] = {}
        for leidos in self._pasos(np.ascontiguousarray(gris)):
            for codigo in filter(_admisible, leidos):
                vistos.setdefault((codigo.simbologia, codigo.texto), codigo)
            if any(self._basta(codigo.texto) for codigo in vistos.values()):
                break
        return tuple(sorted(vistos.values(), key=lambda codigo: not self._basta(codigo.texto)))

    def _pasos(self, gris: Imagen) -> Iterator[Sequence[CodigoLeido]]:
        yield primer_paso(gris)
        nitida = afilar(gris, 3.0)
        yield con_zxing(nitida)
        # Las dos siguientes leen lo que se movió o se arrugó; la última, lo que tiene mucho grano.
        yield con_zxing(afilar(_suave(gris, 1.0), 3.0))
        yield con_zxing(afilar(gris, 5.0))
        yield con_zxing(_suave(gris, 1.5))
        if self._segunda is not None:
            yield self._segunda(gris)
            yield self._segunda(nitida)


def primer_paso(gris: Imagen) -> list[CodigoLeido]:
    """Lo que casi siempre basta: una pasada de zxing sobre la imagen a no más de `_PIXELES_PRIMER_PASO`."""
    reduce = math.sqrt(_PIXELES_PRIMER_PASO / max(1, gris.size))
    if reduce >= 1:
        return con_zxing(gris)
    tamano = max(1, round(gris.shape[1] * reduce)), max(1, round(gris.shape[0] * reduce))
    # Lineal y no por áreas: tarda la quinta parte, y el código tiene de sobra con qué leerse.
    chica = np.asarray(cv2.resize(gris, tamano, interpolation=cv2.INTER_LINEAR), np.uint8)
    fx, fy = gris.shape[1] / tamano[0], gris.shape[0] / tamano[1]

    def entero(punto: Punto) -> Punto:
        return (punto[0] + 0.5) * fx - 0.5, (punto[1] + 0.5) * fy - 0.5

    leidos = []
    for codigo in con_zxing(chica):
        a, b, c, d = map(entero, codigo.posicion)
        leidos.append(replace(codigo, posicion=(a, b, c, d)))
    return leidos


def con_zxing(gris: Imagen) -> list[CodigoLeido]:
    """Una pasada de zxing-cpp: QR y Code 128, en cualquier giro y también por detrás del papel."""
    leidos = []
    # Nadie imprime un acta en negativo; no buscarlo ahorra la sexta parte del tiempo.
    for visto in zxingcpp.read_barcodes(gris, _FORMATOS, try_invert=False, text_mode=zxingcpp.TextMode.Plain):
        p = visto.position
        a, b, c, d = ((float(q.x), float(q.y)) for q in (p.top_left, p.top_right, p.bottom_right, p.bottom_left))
        if visto.format == zxingcpp.BarcodeFormat.QRCode:
            modulos = np.asarray(visto.to_image(scale=1, add_quiet_zones=False), np.uint8) == 0
            leidos.append(CodigoLeido(visto.text, "QR", (a, b, c, d), en_espejo(modulos)))
        else:
            leidos.append(CodigoLeido(visto.text, "CODE128", (a, b, c, d)))
    return leidos


def afilar(gris: Imagen, sigma_px: float) -> Imagen:
    """Máscara de nitidez: le quita a la imagen buena parte de un desenfoque de ese ancho."""
    cuanto = 2.0 if sigma_px <= 3 else 3.0
    borrosa = cv2.GaussianBlur(gris, (0, 0), sigma_px)
    return np.asarray(cv2.addWeighted(gris, 1 + cuanto, borrosa, -cuanto, 0), np.uint8)


def _suave(gris: Imagen, sigma_px: float) -> Imagen:
    return np.asarray(cv2.GaussianBlur(gris, (0, 0), sigma_px), np.uint8)


def en_espejo(modulos: NDArray[np.bool_]) -> bool | None:
    """Si los módulos de un QR (verdadero es oscuro), tal como se vieron, están traspuestos; `None` si no se distingue.

    Se sabe por los quince bits de formato que rodean la esquina: en espejo se leen al revés (ISO/IEC 18004 §7.9).
    """
    if modulos.ndim != 2 or modulos.shape[0] != modulos.shape[1] or len(modulos) < 21:
        return None
    celdas = [*((8, i) for i in (0, 1, 2, 3, 4, 5, 7, 8)), *((i, 8) for i in (7, 5, 4, 3, 2, 1, 0))]
    derecho = _distancia_a_formato([bool(modulos[f, c]) for f, c in celdas])
    reves = _distancia_a_formato([bool(modulos[c, f]) for f, c in celdas])
    return None if derecho == reves else reves < derecho


def _admisible(codigo: CodigoLeido) -> bool:
    if not codigo.texto or len(codigo.texto) > _MAXIMO_TEXTO:
        return False
    if codigo.simbologia == "CODE128":
        try:
            leer_code128(codigo.texto)
        except EtiquetaInvalida:
            return False
    return True


def _formatos_validos() -> tuple[int, ...]:
    """Las 32 palabras de formato de un QR: BCH(15, 5) con polinomio 0x537 y máscara 0x5412."""
    palabras = []
    for dato in range(32):
        resto = dato << 10
        for grado in range(14, 9, -1):
            if resto >> grado & 1:
                resto ^= 0x537 << (grado - 10)
        palabras.append((dato << 10 | resto) ^ 0x5412)
    return tuple(palabras)


_PALABRAS: Final = _formatos_validos()


def _distancia_a_formato(bits: Sequence[bool]) -> int:
    leida = sum(bit << (14 - i) for i, bit in enumerate(bits))
    return min((leida ^ palabra).bit_count() for palabra in _PALABRAS)
