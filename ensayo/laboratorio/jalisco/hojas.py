"""Imágenes WebP del tamaño de las oficiales y todas distintas, hechas con unas cuantas hojas dibujadas.

Dibujar y comprimir 29,460 hojas tomaría horas y no probaría nada del enlace. Aquí cada una es una de las dibujadas, con
un metadato XMP que nombra al acta (RFC 9649 §2.7.1.4): sigue siendo un WebP que cualquiera abre, y su SHA-256 es único.
"""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path
from typing import Final

from PIL import Image

from ensayo.dibujo import dibujar
from ensayo.laboratorio.jalisco.estado import Estado, documentos_de
from nucleo.hechos import IdActa

CUANTAS: Final = 24
MEDIANA: Final = 146 * 1024
TOPE: Final = 200 * 1024
"""Bytes: los que da `appliance.vision.compresion` en el banco de imágenes, y los que nunca rebasa."""

_MEDIDAS: Final = (1275, 1650)
"""Una carta a 150 ppp."""
_CALIDAD_MAYOR: Final = 70
_GRANO: Final = 0.02
_CON_XMP: Final = 0x04


def dibujar_hojas(estado: Estado, carpeta: Path, cuantas: int = CUANTAS) -> None:
    """Deja en la carpeta tantas hojas de actas de ese estado, de unos 100 a 200 KB."""
    carpeta.mkdir()
    azar = random.Random(cuantas)
    for n in range(cuantas):
        equipo = azar.choice(sorted(estado.catds))
        documento = azar.choice(documentos_de(estado, equipo))
        casilla = estado.proceso.casillas[documento.acta.casilla]
        png = dibujar(casilla, estado.proceso.elecciones[documento.acta.eleccion], documento.asentado)
        # Las hay limpias y las hay con mucho grano: la mitad de cada lado de la mediana.
        meta = min(TOPE - 8192, max(100 * 1024, round(azar.gauss(MEDIANA, 20 * 1024))))
        (carpeta / f"{n:02}.webp").write_bytes(_webp(Image.open(io.BytesIO(png)), meta, azar))


def _webp(hoja: Image.Image, meta: int, azar: random.Random) -> bytes:
    """La hoja con algo de grano de escáner, a la calidad que la deja más o menos en esos bytes."""
    papel = hoja.convert("L").resize(_MEDIDAS, Image.Resampling.BICUBIC)
    grano = Image.frombytes("L", _MEDIDAS, azar.randbytes(_MEDIDAS[0] * _MEDIDAS[1]))
    conjunto = Image.blend(papel, grano, _GRANO).convert("RGB")
    desde, hasta, datos = 1, _CALIDAD_MAYOR, b""
    while desde <= hasta:
        calidad = (desde + hasta) // 2
        salida = io.BytesIO()
        conjunto.save(salida, "WEBP", quality=calidad, method=1)
        datos = salida.getvalue()
        desde, hasta = (calidad + 1, hasta) if len(datos) < meta else (desde, calidad - 1)
    return datos


class Hojas:
    """Las dibujadas, en memoria."""

    def __init__(self, carpeta: Path) -> None:
        self._hojas = [_con_vp8x(r.read_bytes()) for r in sorted(carpeta.glob("*.webp"))]

    def de(self, acta: IdActa) -> bytes:
        """La imagen de esa acta; siempre la misma."""
        return _con_xmp(random.Random(str(acta)).choice(self._hojas), f"{acta.eleccion} {acta.casilla}".encode())


def _con_vp8x(webp: bytes) -> bytes:
    """Los trozos de un WebP de los sencillos, con el encabezado que admite metadatos y sin el de RIFF."""
    ancho, alto = Image.open(io.BytesIO(webp)).size
    medidas = (ancho - 1).to_bytes(3, "little") + (alto - 1).to_bytes(3, "little")
    return _trozo(b"VP8X", bytes((_CON_XMP, 0, 0, 0)) + medidas) + webp[12:]


def _con_xmp(trozos: bytes, de_quien: bytes) -> bytes:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- ' + de_quien + b" --></x:xmpmeta>"
    cuerpo = b"WEBP" + trozos + _trozo(b"XMP ", xmp)
    return b"RIFF" + struct.pack("<I", len(cuerpo)) + cuerpo


def _trozo(nombre: bytes, datos: bytes) -> bytes:
    return nombre + struct.pack("<I", len(datos)) + datos + b"\0" * (len(datos) % 2)
