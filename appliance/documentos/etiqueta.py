"""La etiqueta que se pega en el acta: QR, Code 128 y la clave a la vista.

Tres formas de lo mismo porque las manchas tapan una u otra: en el banco de imágenes, el QR solo se lee en 93 % de las
actas dañadas y QR o Code 128 en 98 %. El QR mide 30 mm y deja su zona blanca de cuatro módulos.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import segno
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion
from nucleo.modos import OFICIAL

ANCHO_MM: Final = 98.0
ALTO_MM: Final = 38.0
_QR_MM: Final = 30.0
_ZONA_BLANCA: Final = 4
_CODE128_MM: Final = 54.0


@dataclass(frozen=True, slots=True)
class DatosDeEtiqueta:
    """Lo que va escrito. `qr` y `code128` son los textos de `nucleo.etiqueta`."""

    casilla: Casilla
    eleccion: Eleccion
    qr: str
    code128: str
    legible: str
    acopio: datetime
    catd: str
    modo: str


def etiqueta(datos: DatosDeEtiqueta) -> bytes:
    """PDF de una página de 98 × 38 mm. Los mismos datos dan los mismos bytes."""
    salida = io.BytesIO()
    lienzo = Canvas(salida, pagesize=(ANCHO_MM * mm, ALTO_MM * mm), invariant=1)
    lienzo.setTitle(f"Etiqueta {datos.legible}")
    _qr(lienzo, datos.qr)
    x = (_QR_MM + 6) * mm
    lienzo.setFont("Helvetica-Bold", 11)
    lienzo.drawString(x, 31.5 * mm, datos.legible)
    lienzo.setFont("Helvetica", 8)
    c = datos.casilla
    lienzo.drawString(x, 27.5 * mm, _corto(lienzo, f"{datos.eleccion.nombre} · sección {c.seccion:04d}", 8))
    lienzo.drawString(x, 24.0 * mm, _corto(lienzo, c.lugar, 8))
    lienzo.setFont("Helvetica-Bold", 8)
    lienzo.drawString(x, 20.0 * mm, f"Acopio {datos.acopio:%d/%m/%Y %H:%M} · {datos.catd}"[:44])
    _code128(lienzo, datos.code128, x, 6.5 * mm)
    lienzo.setFont("Helvetica", 6)
    pie = "PREP" if datos.modo == OFICIAL else f"PREP · {datos.modo.upper()} · NO ES OFICIAL"
    lienzo.drawString(x, 2.5 * mm, pie)
    lienzo.showPage()
    lienzo.save()
    return salida.getvalue()


def _qr(lienzo: Canvas, texto: str) -> None:
    matriz = segno.make(texto, error="q", micro=False, boost_error=True).matrix
    modulo = _QR_MM * mm / (len(matriz) + 2 * _ZONA_BLANCA)
    x0, y0 = 2 * mm + _ZONA_BLANCA * modulo, (ALTO_MM - _QR_MM) / 2 * mm + _ZONA_BLANCA * modulo
    for renglon, puntos in enumerate(reversed(matriz)):
        for columna, negro in enumerate(puntos):
            if negro:
                # Un pelo de más: sin él algunos visores dejan rayas blancas entre módulos.
                lienzo.rect(x0 + columna * modulo, y0 + renglon * modulo, modulo * 1.02, modulo * 1.02, 0, 1)


def _code128(lienzo: Canvas, texto: str, x: float, y: float) -> None:
    prueba = Code128(texto, barWidth=1, quiet=0)
    barras = Code128(texto, barWidth=_CODE128_MM * mm / prueba.width, barHeight=11 * mm, quiet=0)
    barras.drawOn(lienzo, x, y)


def _corto(lienzo: Canvas, texto: str, tamano: int) -> str:
    ancho = (ANCHO_MM - _QR_MM - 8) * mm
    while texto and lienzo.stringWidth(texto, "Helvetica", tamano) > ancho:
        texto = texto[:-1]
    return texto
