"""Dibuja un acta llena, con su QR, a partir de lo que dice: el papel que no tenemos de la noche que se repite.

No imita el formato de nadie: es un dibujo propio con los apartados del acta (dominio §5). Es determinista: los mismos
datos dan los mismos píxeles, para que dos ensayos publiquen las mismas huellas.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from nucleo.acta import Asentado
from nucleo.campo import Ilegible, Numero, SinDato
from nucleo.casilla import Casilla
from nucleo.codigo_qr import codigo_de
from nucleo.eleccion import Eleccion

ANCHO, ALTO = 1240, 1754
"""Píxeles de una hoja A4 a 150 puntos por pulgada."""

_MARGEN = 60
_TINTA = 0
_PAPEL = 1
_TIPOGRAFIA = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
"""Del paquete fonts-dejavu-core: la tipografía que trae Pillow no tiene acentos."""


@lru_cache(maxsize=8)
def _letra(tamano: int) -> ImageFont.FreeTypeFont:
    # BASIC a propósito: si la máquina tiene libfribidi, Pillow cambiaría de trazador y con él la huella de cada imagen.
    return ImageFont.truetype(_TIPOGRAFIA, tamano, layout_engine=ImageFont.Layout.BASIC)


@dataclass
class _Trazo:
    """Pulso de quien llenó el acta: desplaza e inclina cada número un poco, siempre igual para la misma acta."""

    azar: random.Random

    def mueve(self, x: int, y: int) -> tuple[int, int]:
        return x + self.azar.randint(-4, 6), y + self.azar.randint(-3, 3)


def dibujar(casilla: Casilla, eleccion: Eleccion, asentado: Asentado | None) -> bytes:
    """PNG a un bit por píxel del acta; con `asentado` None, sólo la carátula con su QR (documento sin datos
    legibles).
    """
    hoja = _formato(eleccion, tuple(o.clave for o in eleccion.opciones_de(casilla))).copy()
    lapiz = ImageDraw.Draw(hoja)
    trazo = _Trazo(random.Random(casilla.clave + eleccion.clave))
    lapiz.text(
        (_MARGEN, 150),
        f"Sección {casilla.seccion:04d}   Casilla {casilla.tipo} {casilla.numero:02d}",
        0,
        _letra(34),
    )
    lapiz.text((_MARGEN, 200), f"{casilla.distrito_nombre}   {casilla.clave}", 0, _letra(26))
    hoja.paste(_qr(codigo_de(casilla, eleccion)), (ANCHO - 300, 60))
    if asentado is not None:
        for (x, y), campo in zip(_casillas(eleccion, casilla), asentado.campos().values(), strict=True):
            match campo:
                case Numero(n):
                    lapiz.text(trazo.mueve(x, y), f"{n:03d}", _TINTA, _letra(30))
                case Ilegible():
                    # Un tachón: hay tinta y nadie puede leerla.
                    for _ in range(6):
                        lapiz.line([trazo.mueve(x, y + 18), trazo.mueve(x + 70, y + 16)], _TINTA, 4)
                case SinDato():
                    pass
    salida = io.BytesIO()
    hoja.save(salida, "PNG", compress_level=1)
    return salida.getvalue()


def dibujar_tira(casilla: Casilla, eleccion: Eleccion) -> bytes:
    """PNG mínimo con la clave del acta: hace las veces de imagen cuando dibujar la hoja entera no interesa."""
    tira = Image.new("1", (420, 48), _PAPEL)
    ImageDraw.Draw(tira).text((8, 8), eleccion.clave_acta(casilla), _TINTA, _letra(28))
    salida = io.BytesIO()
    tira.save(salida, "PNG", compress_level=1)
    return salida.getvalue()


def _casillas(eleccion: Eleccion, casilla: Casilla) -> list[tuple[int, int]]:
    return [_lugar(i) for i in range(len(eleccion.opciones_de(casilla)) + 5)]


def _lugar(indice: int) -> tuple[int, int]:
    columna, renglon = divmod(indice, 24)
    return _MARGEN + 400 + columna * 560, 300 + renglon * 56


@lru_cache(maxsize=64)
def _formato(eleccion: Eleccion, opciones: tuple[str, ...]) -> Image.Image:
    hoja = Image.new("1", (ANCHO, ALTO), _PAPEL)
    lapiz = ImageDraw.Draw(hoja)
    for x, y in ((16, 16), (ANCHO - 40, 16), (16, ALTO - 40), (ANCHO - 40, ALTO - 40)):
        lapiz.rectangle((x, y, x + 24, y + 24), 0)
    lapiz.text((_MARGEN, 50), "ACTA DE ESCRUTINIO Y CÓMPUTO · ENSAYO", 0, _letra(36))
    lapiz.text((_MARGEN, 100), f"{eleccion.nombre} · tipo {eleccion.tipo_acta}", 0, _letra(28))
    rotulos = [
        "Boletas sobrantes",
        "Personas que votaron",
        "Representaciones que votaron",
        "Votos sacados de la urna",
        *(eleccion.por_clave[o].clave for o in opciones),
        "TOTAL",
    ]
    for indice, rotulo in enumerate(rotulos):
        x, y = _lugar(indice)
        lapiz.text((x - 390, y + 4), rotulo, 0, _letra(22))
        lapiz.rectangle((x - 8, y - 4, x + 110, y + 42), None, 0, 2)
    return hoja


def _qr(texto: str) -> Image.Image:
    puntos = io.BytesIO()
    segno.make(texto, error="m", micro=False, mask=2).save(puntos, kind="png", scale=6, border=4)
    puntos.seek(0)
    return Image.open(puntos).convert("1")
