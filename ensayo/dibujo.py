"""Dibuja un acta llena sobre su formato en blanco: el papel que no tenemos de la noche que se repite.

Es determinista: los mismos datos dan los mismos píxeles, para que dos ensayos publiquen las mismas huellas. La jornada
dibuja miles a un bit; la visión se ensaya con `ensayo.dibujo_en_color`.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import segno
from PIL import Image, ImageDraw

from ensayo.formato_dibujado import dibujar_formato
from ensayo.formato_dibujado import letra as _letra
from ensayo.formato_trazado import ETIQUETA, IDENTIFICACION, ancho_digito, trazar
from ensayo.pulso import Pulso
from nucleo.acta import Asentado
from nucleo.campo import Campo, Ilegible, Numero, SinDato
from nucleo.casilla import Casilla
from nucleo.codigo_qr import codigo_de
from nucleo.eleccion import Eleccion, Opcion
from nucleo.formato import Formato

PPP: Final = 120
"""Densidad de las actas de la jornada."""

_TINTA: Final = 0
_QR_MM: Final = 30.0


@dataclass(frozen=True, slots=True)
class Hoja:
    """Un papel en blanco ya dibujado, y cuántos píxeles mide cada milímetro."""

    formato: Formato
    papel: Image.Image
    por_mm: float

    def px(self, mm: float) -> int:
        return round(mm * self.por_mm)


def dibujar(casilla: Casilla, eleccion: Eleccion, asentado: Asentado | None) -> bytes:
    """PNG a un bit por píxel del acta; con `asentado` None, sólo la carátula con su QR (documento sin datos
    legibles).
    """
    blanca = hoja_para(casilla, eleccion, PPP, True)
    hoja = blanca.papel.copy()
    lapiz = ImageDraw.Draw(hoja)
    pulso = Pulso(random.Random(casilla.clave + eleccion.clave), lapiz, _TINTA, 3)
    identificar_en(blanca, lapiz, casilla, eleccion)
    lado = blanca.px(_QR_MM)
    # La etiqueta tapa el letrero de dónde pegarla; así el código tiene su zona blanca.
    c = ETIQUETA
    esquinas = (c.x + 1, c.y + 1, c.x + c.ancho - 1, c.y + c.alto - 1)
    lapiz.rectangle(tuple(blanca.px(mm) for mm in esquinas), 1)
    codigo = codigo_qr(codigo_de(casilla, eleccion), lado)
    hoja.paste(codigo, (blanca.px(ETIQUETA.x + 5), blanca.px(ETIQUETA.y + 5)))
    if asentado is not None:
        llenar(blanca, pulso, asentado.campos())
    salida = io.BytesIO()
    hoja.save(salida, "PNG", compress_level=1)
    return salida.getvalue()


def dibujar_tira(casilla: Casilla, eleccion: Eleccion) -> bytes:
    """PNG mínimo con la clave del acta: hace las veces de imagen cuando dibujar la hoja entera no interesa."""
    tira = Image.new("1", (420, 48), 1)
    ImageDraw.Draw(tira).text((8, 8), eleccion.clave_acta(casilla), _TINTA, _letra(28))
    salida = io.BytesIO()
    tira.save(salida, "PNG", compress_level=1)
    return salida.getvalue()


def formato_dibujado(casilla: Casilla, eleccion: Eleccion) -> Formato:
    """El formato sobre el que se dibuja el acta de esa casilla."""
    return hoja_para(casilla, eleccion, PPP, True).formato


def hoja_para(casilla: Casilla, eleccion: Eleccion, ppp: int, un_bit: bool) -> Hoja:
    return _en_blanco(eleccion.clave, eleccion.nombre, eleccion.opciones_de(casilla), ppp, un_bit)


@lru_cache(maxsize=64)
def _en_blanco(eleccion: str, nombre: str, opciones: tuple[Opcion, ...], ppp: int, un_bit: bool) -> Hoja:
    formato = trazar(eleccion, [o.clave for o in opciones], eleccion)
    papel = dibujar_formato(formato, nombre, opciones, ppp)
    if un_bit:
        papel = papel.point(lambda tono: 255 if tono > 140 else 0).convert("1")
    return Hoja(formato, papel, ppp / 25.4)


def identificar_en(
    hoja: Hoja, lapiz: ImageDraw.ImageDraw, casilla: Casilla, eleccion: Eleccion, tinta: int = _TINTA
) -> None:
    c, px = IDENTIFICACION, hoja.px
    chica, grande = _letra(px(3.0)), _letra(px(4.0))
    lapiz.text((px(c.x + 19), px(c.y + 5.0)), casilla.distrito_nombre[:24], tinta, chica)
    lapiz.text((px(c.x + 19), px(c.y + 10.4)), casilla.municipio_nombre[:24], tinta, chica)
    for i, signo in enumerate(f"{casilla.seccion:04d}"):
        lapiz.text((px(c.x + 77 + i * 5), px(c.y + 3.8)), signo, tinta, grande)
    for i, signo in enumerate((casilla.tipo, *f"{casilla.numero:02d}"[-2:])):
        lapiz.text((px(c.x + 81 + i * 5), px(c.y + 9.8)), signo, tinta, grande)
    lapiz.text((px(97.5), px(14.6)), eleccion.tipo_acta_de(casilla)[:4], tinta, chica)


def llenar(hoja: Hoja, pulso: Pulso, campos: Mapping[str, Campo]) -> None:
    for clave, campo in campos.items():
        caja, franja = hoja.formato.casillas[clave], hoja.formato.renglones[clave]
        x, y, ancho, alto = (v * hoja.por_mm for v in (caja.x, caja.y, caja.ancho, caja.alto))
        match campo:
            case Numero(n):
                pulso.numero(f"{n:03d}", x, y, ancho_digito(franja) * hoja.por_mm, ancho, alto)
            case Ilegible():
                pulso.tachon(x, y + alto * 0.15, ancho, alto * 0.7)
            case SinDato():
                pass


def codigo_qr(texto: str, lado: int) -> Image.Image:
    """El código sin zona blanca (la pone el papel), de `lado` píxeles."""
    matriz = segno.make(texto, error="q", micro=False).matrix
    puntos = Image.new("L", (len(matriz), len(matriz)))
    puntos.putdata([0 if punto else 255 for fila in matriz for punto in fila])
    return puntos.resize((lado, lado), Image.Resampling.NEAREST)
