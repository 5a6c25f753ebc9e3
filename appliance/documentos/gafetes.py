"""Los gafetes para recortar y, en otro archivo, los NIP para meter en sobres: nunca van en la misma hoja."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import segno
from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from appliance.credenciales import Credencial
from appliance.gafete import texto_qr
from appliance.personas import NOMBRES, Papel
from nucleo.modos import OFICIAL

ANCHO, ALTO = letter
GAFETE_MM: Final = (86.0, 54.0)
"""El tamaño de una credencial: cabe en cualquier portagafete."""
POR_HOJA: Final = 8
SOBRES_POR_HOJA: Final = 4
_QR_MM: Final = 33.0
_ZONA_BLANCA: Final = 4


def pdf_de_gafetes(credenciales: Sequence[Credencial], catd: str, modo: str, hecho: datetime) -> bytes:
    """Ocho gafetes por hoja carta, con sus marcas de corte."""
    columnas, ancho, alto = 2, GAFETE_MM[0] * mm, GAFETE_MM[1] * mm
    izquierda, arriba = (ANCHO - columnas * ancho) / 2, ALTO - 18 * mm

    def dibujar(lienzo: Canvas, lugar: int, credencial: Credencial) -> None:
        x = izquierda + (lugar % columnas) * ancho
        y = arriba - (lugar // columnas + 1) * alto
        _gafete(lienzo, x, y, credencial, catd, modo)

    return _hojas("Gafetes", credenciales, POR_HOJA, dibujar, f"{catd} · {hecho:%d/%m/%Y %H:%M} · recorte y enmique")


def pdf_de_nips(credenciales: Sequence[Credencial], catd: str, hecho: datetime) -> bytes:
    """Cuatro tiras por hoja carta, cada una para un sobre cerrado a nombre de su persona."""
    alto = (ALTO - 36 * mm) / SOBRES_POR_HOJA

    def dibujar(lienzo: Canvas, lugar: int, credencial: Credencial) -> None:
        y = ALTO - 18 * mm - (lugar + 1) * alto
        _tira(lienzo, y, alto, credencial, catd)

    pie = f"{catd} · {hecho:%d/%m/%Y %H:%M} · CONFIDENCIAL: corte, meta cada tira en su sobre y borre este archivo"
    return _hojas("NIP", credenciales, SOBRES_POR_HOJA, dibujar, pie)


def _hojas(
    titulo: str,
    credenciales: Sequence[Credencial],
    por_hoja: int,
    dibujar: Callable[[Canvas, int, Credencial], None],
    pie: str,
) -> bytes:
    salida = io.BytesIO()
    lienzo = Canvas(salida, pagesize=letter, invariant=1)
    lienzo.setTitle(titulo)
    lienzo.setAuthor("PREP")
    for numero, credencial in enumerate(credenciales):
        dibujar(lienzo, numero % por_hoja, credencial)
        if numero % por_hoja == por_hoja - 1 or numero == len(credenciales) - 1:
            lienzo.setFont("Helvetica", 7)
            lienzo.drawCentredString(ANCHO / 2, 8 * mm, pie)
            lienzo.showPage()
    lienzo.save()
    return salida.getvalue()


def _gafete(lienzo: Canvas, x: float, y: float, credencial: Credencial, catd: str, modo: str) -> None:
    persona, (ancho, alto) = credencial.persona, (GAFETE_MM[0] * mm, GAFETE_MM[1] * mm)
    lienzo.setDash(3, 3)
    lienzo.setLineWidth(0.5)
    lienzo.rect(x, y, ancho, alto)
    lienzo.setDash()
    lado = _QR_MM * mm
    texto = texto_qr(credencial.gafete)
    _qr(lienzo, texto, x + ancho - lado - 2 * mm, y + 13 * mm, lado)
    izquierda, cabe = x + 5 * mm, ancho - lado - 9 * mm
    renglon = y + alto - 8 * mm
    lienzo.setFont("Helvetica-Bold", 8)
    lienzo.drawString(izquierda, renglon, f"PREP · {catd}")
    renglon -= 8 * mm
    tamano, trozos = _en_tres_renglones(persona.nombre, cabe)
    lienzo.setFont("Helvetica-Bold", tamano)
    for trozo in trozos:
        lienzo.drawString(izquierda, renglon, trozo)
        renglon -= tamano * 1.18
    lienzo.setFont("Helvetica", 8.5)
    for trozo in simpleSplit(" · ".join(NOMBRES[p] for p in Papel if p in persona.papeles), "Helvetica", 8.5, cabe):
        lienzo.drawString(izquierda, renglon, trozo)
        renglon -= 3.8 * mm
    lienzo.setFont("Courier-Bold", 6.4)
    # Si el lector falla, esto es lo que se teclea.
    for numero, trozo in enumerate(simpleSplit(texto, "Courier-Bold", 6.4, ancho - 10 * mm) or [texto]):
        lienzo.drawString(izquierda, y + 7.5 * mm - numero * 2.6 * mm, trozo)
    if modo != OFICIAL:
        lienzo.setFont("Helvetica-Bold", 9)
        lienzo.drawRightString(x + ancho - 5 * mm, y + alto - 6 * mm, modo.upper())


def _en_tres_renglones(nombre: str, ancho: float) -> tuple[float, list[str]]:
    """El nombre completo, con la letra más grande con que cabe."""
    for tamano in (13.0, 11.0, 9.0):
        trozos = simpleSplit(nombre, "Helvetica-Bold", tamano, ancho)
        if len(trozos) <= 3:
            break
    return tamano, trozos[:4]


def _tira(lienzo: Canvas, y: float, alto: float, credencial: Credencial, catd: str) -> None:
    persona, x = credencial.persona, 20 * mm
    lienzo.setDash(3, 3)
    lienzo.setLineWidth(0.5)
    lienzo.line(10 * mm, y, ANCHO - 10 * mm, y)
    lienzo.setDash()
    arriba = y + alto
    lienzo.setFont("Helvetica", 10)
    lienzo.drawString(x, arriba - 10 * mm, f"PREP · {catd} · sobre cerrado para:")
    lienzo.setFont("Helvetica-Bold", 15)
    lienzo.drawString(x, arriba - 17 * mm, persona.nombre)
    lienzo.setFont("Helvetica", 10)
    lienzo.drawString(x, arriba - 28 * mm, "Su NIP")
    lienzo.setFont("Courier-Bold", 30)
    lienzo.drawString(x, arriba - 40 * mm, f"{credencial.nip[:3]} {credencial.nip[3:]}")
    lienzo.setFont("Helvetica", 9)
    for numero, renglon in enumerate(
        (
            "Apréndaselo y destruya esta hoja. No se lo diga a nadie: lo que se haga con él queda a su nombre.",
            "Con el gafete y este NIP entra al kiosco. A la quinta equivocación hay que esperar cinco minutos.",
        )
    ):
        lienzo.drawString(x, arriba - 49 * mm - numero * 4.5 * mm, renglon)


def _qr(lienzo: Canvas, texto: str, x: float, y: float, lado: float) -> None:
    codigo = segno.make(texto, micro=False, error="m", boost_error=False)
    modulos = [bytes(renglon) for renglon in codigo.matrix_iter(border=_ZONA_BLANCA)]
    modulo = lado / len(modulos)
    for numero, renglon in enumerate(modulos):
        for columna, oscuro in enumerate(renglon):
            if oscuro:
                lienzo.rect(x + columna * modulo, y + lado - (numero + 1) * modulo, modulo, modulo, stroke=0, fill=1)
