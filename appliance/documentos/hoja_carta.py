"""Una hoja carta con encabezado, pie y la marca del modo: lo común a los documentos de coordinación.

Sólo letras que trae todo PDF (Helvetica): se ve igual en cualquier impresora y no hay fuente que instalar.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import segno
from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

ANCHO, ALTO = letter
MARGEN: Final = 18 * mm
_PIE: Final = 16 * mm
_INTERLINEA: Final = 1.3


class HojaCarta:
    """Se escribe de arriba abajo; al llenarse sigue en otra página. `cerrar` devuelve los bytes del PDF."""

    def __init__(self, titulo: str, subtitulo: str, modo: str, pie: str) -> None:
        self._salida = io.BytesIO()
        # Sin fecha ni azar propios: los mismos datos dan los mismos bytes.
        self._lienzo = Canvas(self._salida, pagesize=letter, invariant=1)
        self._lienzo.setTitle(titulo)
        self._lienzo.setAuthor("PREP")
        self._titulo, self._subtitulo, self._modo, self._pie = titulo, subtitulo, modo, pie
        self._pagina = 0
        self._y = 0.0
        self._empezar()

    def parrafo(self, texto: str, *, negrita: bool = False, tamano: float = 10.5, ancho: float | None = None) -> None:
        """Un párrafo que se parte donde no cabe."""
        fuente = "Helvetica-Bold" if negrita else "Helvetica"
        for renglon in simpleSplit(texto, fuente, tamano, ancho or ANCHO - 2 * MARGEN):
            self._caber(tamano * _INTERLINEA)
            self._lienzo.setFont(fuente, tamano)
            self._y -= tamano * _INTERLINEA
            self._lienzo.drawString(MARGEN, self._y, renglon)

    def espacio(self, alto: float = 8.0) -> None:
        self._y -= alto

    def datos(self, pares: Iterable[tuple[str, str]], *, tamano: float = 10.5, ancho: float | None = None) -> None:
        """Renglones «rótulo: dato», con el rótulo en negrita y el dato partido donde no cabe."""
        sangria = 52 * mm
        for rotulo, dato in pares:
            renglones = simpleSplit(dato, "Helvetica", tamano, (ancho or ANCHO - 2 * MARGEN) - sangria) or [""]
            for numero, renglon in enumerate(renglones):
                self._caber(tamano * _INTERLINEA)
                self._y -= tamano * _INTERLINEA
                if numero == 0:
                    self._lienzo.setFont("Helvetica-Bold", tamano)
                    self._lienzo.drawString(MARGEN, self._y, rotulo)
                self._lienzo.setFont("Helvetica", tamano)
                self._lienzo.drawString(MARGEN + sangria, self._y, renglon)

    def tabla(self, titulos: Sequence[str], filas: Iterable[Sequence[str]], anchos: Sequence[float]) -> None:
        """Una tabla con los títulos repetidos en cada página.

        Args:
            anchos: de cada columna, en milímetros.
        """
        self._titulos(titulos, anchos)
        for fila in filas:
            celdas = [simpleSplit(c, "Helvetica", 9, a * mm - 6) or [""] for c, a in zip(fila, anchos, strict=True)]
            alto = max(len(c) for c in celdas) * 9 * _INTERLINEA + 3
            if self._caber(alto):
                self._titulos(titulos, anchos)
            self._fila(celdas, anchos, alto, "Helvetica")

    def qr(self, texto: str, lado_mm: float = 38.0, *, a_la_derecha: bool = True) -> None:
        """Un QR arriba a la derecha del cuerpo de la página, con su zona blanca. No mueve lo que se escribe."""
        codigo = segno.make(texto, micro=False, error="m", boost_error=False)
        modulos = [bytes(r) for r in codigo.matrix_iter(border=4)]
        lado = lado_mm * mm
        modulo = lado / len(modulos)
        x = ANCHO - MARGEN - lado if a_la_derecha else MARGEN
        arriba = self._y
        for numero, renglon in enumerate(modulos):
            # Cada tramo oscuro es un solo rectángulo: uno por módulo serían miles, y se notan al imprimir.
            y, columna = arriba - (numero + 1) * modulo, 0
            for oscuro, tramo in groupby(renglon):
                largo = len(list(tramo))
                if oscuro:
                    self._lienzo.rect(x + columna * modulo, y, largo * modulo, modulo, stroke=0, fill=1)
                columna += largo

    def firmas(self, rotulos: Sequence[str]) -> None:
        """Rayas para firmar, una junto a otra."""
        self._caber(30 * mm)
        self._y -= 24 * mm
        hueco = (ANCHO - 2 * MARGEN) / len(rotulos)
        self._lienzo.setFont("Helvetica", 9)
        for numero, rotulo in enumerate(rotulos):
            x = MARGEN + numero * hueco
            self._lienzo.line(x, self._y, x + hueco - 8 * mm, self._y)
            self._lienzo.drawString(x, self._y - 11, rotulo)
        self._y -= 16

    def cerrar(self) -> bytes:
        self._terminar_pagina()
        self._lienzo.save()
        return self._salida.getvalue()

    def _titulos(self, titulos: Sequence[str], anchos: Sequence[float]) -> None:
        celdas = [simpleSplit(t, "Helvetica-Bold", 9, a * mm - 6) for t, a in zip(titulos, anchos, strict=True)]
        alto = max(len(c) for c in celdas) * 9 * _INTERLINEA + 3
        self._caber(alto * 2)
        self._fila(celdas, anchos, alto, "Helvetica-Bold")

    def _fila(self, celdas: Sequence[Sequence[str]], anchos: Sequence[float], alto: float, fuente: str) -> None:
        x = MARGEN
        self._lienzo.setFont(fuente, 9)
        for renglones, ancho in zip(celdas, anchos, strict=True):
            for numero, renglon in enumerate(renglones):
                self._lienzo.drawString(x + 3, self._y - 9 * (1 + numero * _INTERLINEA), renglon)
            x += ancho * mm
        self._y -= alto
        self._lienzo.setLineWidth(0.4)
        self._lienzo.line(MARGEN, self._y + 1, x, self._y + 1)

    def _caber(self, alto: float) -> bool:
        """Pasa a otra página si ya no cabe; dice si pasó."""
        if self._y - alto >= MARGEN + _PIE:
            return False
        self._terminar_pagina()
        self._empezar()
        return True

    def _empezar(self) -> None:
        self._pagina += 1
        self._y = ALTO - MARGEN
        if self._modo != "oficial":
            self._marca()
        self._lienzo.setFillGray(0)
        self._lienzo.setFont("Helvetica-Bold", 15)
        self._y -= 15
        self._lienzo.drawString(MARGEN, self._y, self._titulo)
        self._lienzo.setFont("Helvetica", 10)
        self._y -= 14
        self._lienzo.drawString(MARGEN, self._y, self._subtitulo)
        self._y -= 8
        self._lienzo.line(MARGEN, self._y, ANCHO - MARGEN, self._y)
        self._y -= 10

    def _marca(self) -> None:
        self._lienzo.saveState()
        self._lienzo.setFillGray(0.88)
        self._lienzo.setFont("Helvetica-Bold", 64)
        self._lienzo.translate(ANCHO / 2, ALTO / 2)
        self._lienzo.rotate(50)
        self._lienzo.drawCentredString(0, 0, self._modo.upper())
        self._lienzo.restoreState()

    def _terminar_pagina(self) -> None:
        self._lienzo.setFont("Helvetica", 8)
        self._lienzo.drawString(MARGEN, MARGEN, self._pie)
        self._lienzo.drawRightString(ANCHO - MARGEN, MARGEN, f"Modo {self._modo} · página {self._pagina}")
        self._lienzo.showPage()
