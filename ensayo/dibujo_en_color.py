"""El acta llena, a color y a la densidad del escáner: la hoja sobre la que se ensaya la visión."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from ensayo.dibujo import Hoja, codigo_qr, hoja_para, identificar_en, llenar
from ensayo.formato_dibujado import letra as _letra
from ensayo.formato_trazado import ETIQUETA, FIRMAS, ancho_rotulo
from ensayo.numeros_en_letra import en_letra
from ensayo.pulso import Pulso
from nucleo.acta import Asentado
from nucleo.campo import Campo, Numero
from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion

_TINTA: Final = 0
_PAPEL: Final = 255
_QR_MM: Final = 30.0
_CODE128_MM: Final = 54.0
_IMPRESO: Final = ((92, 38, 62), (40, 62, 96), (48, 84, 52))
"""Color en que se imprime el papel; cada elección tiene el suyo (dominio §5)."""
_BOLIGRAFO: Final = (38, 44, 120)


@dataclass(frozen=True, slots=True)
class TextosDeEtiqueta:
    """Lo que lleva impreso la etiqueta que se pega en el acta; `code128` vacío es sólo QR."""

    qr: str
    code128: str
    legible: str


def dibujar_en_color(
    casilla: Casilla,
    eleccion: Eleccion,
    asentado: Asentado | None,
    etiqueta: TextosDeEtiqueta | None = None,
    *,
    ppp: int = 200,
    letra: bool = True,
    letras: Mapping[str, Campo] | None = None,
    sello: bool = True,
) -> NDArray[np.uint8]:
    """El acta a color, de frente y sin daño: BGR de 8 bits, alto × ancho × 3.

    Args:
        etiqueta: qué dice la etiqueta; si falta, no se pega ninguna.
        letra: si las cantidades van también escritas con letra.
        letras: lo que dice la letra en los renglones donde no coincide con el número.
        sello: si el CATD estampó su sello y la hora.
    """
    blanca = hoja_para(casilla, eleccion, ppp, False)
    azar = random.Random(casilla.clave + eleccion.clave)
    impreso = _IMPRESO[sum(map(ord, eleccion.clave)) % len(_IMPRESO)]
    hoja = ImageOps.colorize(blanca.papel, impreso, (255, 255, 255))
    # La tinta va en su propia capa: así se mezcla con lo impreso en lugar de taparlo, y sus bordes quedan suaves.
    capa = Image.new("L", hoja.size, 0)
    lapiz = ImageDraw.Draw(capa)
    pulso = Pulso(azar, lapiz, 235, max(2, blanca.px(0.45)))
    identificar_en(blanca, lapiz, casilla, eleccion, 235)
    if asentado is not None:
        llenar(blanca, pulso, asentado.campos())
        if letra:
            _con_letra(blanca, lapiz, azar, {**asentado.campos(), **(letras or {})})
    for i in range(6):
        x, y = FIRMAS.x + 72 + (i // 3) * 100, FIRMAS.y + 4.4 + (i % 3) * 4.6
        pulso.firma(blanca.px(x), blanca.px(y), blanca.px(22), blanca.px(4))
    capa = capa.filter(ImageFilter.GaussianBlur(0.6))
    hoja.paste(Image.new("RGB", hoja.size, _BOLIGRAFO), (0, 0), capa)
    if sello:
        _sellar(blanca, hoja, azar)
    if etiqueta is not None:
        _pegar(blanca, hoja, etiqueta, azar)
    return np.ascontiguousarray(np.asarray(hoja, np.uint8)[:, :, ::-1])


def _con_letra(hoja: Hoja, lapiz: ImageDraw.ImageDraw, azar: random.Random, campos: Mapping[str, Campo]) -> None:
    for clave, campo in campos.items():
        franja, caja = hoja.formato.renglones[clave], hoja.formato.casillas[clave]
        if isinstance(campo, Numero):
            x = franja.x + ancho_rotulo(franja) + azar.random()
            dicho, tamano = en_letra(campo.valor), hoja.px(min(3.6, franja.alto * 0.5))
            while tamano > 6 and _letra(tamano).getlength(dicho) > hoja.px(caja.x - x - 2):
                tamano -= 1
            y = franja.y + franja.alto - 1.6 - tamano / hoja.por_mm * (1.05 + 0.1 * azar.random())
            lapiz.text((hoja.px(x), hoja.px(y)), dicho, 235, _letra(tamano))


def _sellar(hoja: Hoja, papel: Image.Image, azar: random.Random) -> None:
    px = hoja.px
    sello = Image.new("L", (px(34), px(16)), 0)
    lapiz = ImageDraw.Draw(sello)
    lapiz.rectangle((2, 2, sello.width - 3, sello.height - 3), None, 200, px(0.5))
    lapiz.text((px(3), px(2)), "RECIBIDO CATD", 200, _letra(px(3.4), True))
    lapiz.text((px(3), px(8)), f"{azar.randint(18, 23)}:{azar.randint(0, 59):02d} h", 200, _letra(px(4)))
    sello = sello.rotate(azar.uniform(-9, 9), Image.Resampling.BICUBIC, expand=True)
    donde = px(150 + 20 * azar.random()), px(FIRMAS.y + 6 + 4 * azar.random())
    papel.paste(Image.new("RGB", sello.size, (150, 30, 40)), donde, sello)


def _pegar(hoja: Hoja, papel: Image.Image, etiqueta: TextosDeEtiqueta, azar: random.Random) -> None:
    """La etiqueta se pega a mano: corrida hasta milímetro y medio e inclinada hasta grado y medio."""
    px = hoja.px
    pegada = Image.new("L", (px(ETIQUETA.ancho - 4), px(ETIQUETA.alto - 2)), _PAPEL)
    pegada.paste(codigo_qr(etiqueta.qr, px(_QR_MM)), (px(4), px(4)))
    lapiz = ImageDraw.Draw(pegada)
    if etiqueta.code128:
        barras = zxingcpp.create_barcode(etiqueta.code128, zxingcpp.BarcodeFormat.Code128)
        puntos = np.array(barras.to_image(scale=1, add_quiet_zones=False), np.uint8)
        renglon = Image.fromarray(puntos[puntos.shape[0] // 2 :][:1])
        pegada.paste(renglon.resize((px(_CODE128_MM), px(12)), Image.Resampling.NEAREST), (px(38), px(6)))
        lapiz.text((px(38), px(18.5)), etiqueta.code128, _TINTA, _letra(px(2.2)))
    lapiz.text((px(38), px(24)), etiqueta.legible, _TINTA, _letra(px(3.2), True))
    lapiz.rectangle((0, 0, pegada.width - 1, pegada.height - 1), None, 190)
    tapa = Image.new("L", pegada.size, 255)
    angulo = azar.uniform(-1.5, 1.5)
    donde = px(ETIQUETA.x + 1.5 + azar.uniform(-1.5, 1.5)), px(ETIQUETA.y + azar.uniform(-1, 1.5))
    girada = pegada.rotate(angulo, Image.Resampling.BICUBIC, expand=True, fillcolor=_PAPEL)
    papel.paste(girada.convert("RGB"), donde, tapa.rotate(angulo, Image.Resampling.BICUBIC, expand=True))
