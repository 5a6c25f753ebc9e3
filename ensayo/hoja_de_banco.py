"""El acta sin daño de la que sale cada imagen del banco: dibujada, llena, etiquetada y con su verdad."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ensayo.dibujo import formato_dibujado
from ensayo.dibujo_en_color import TextosDeEtiqueta, dibujar_en_color
from ensayo.formato_dibujado import PPP_ARCHIVO, dibujar_formato
from nucleo.acta import COMPLEMENTARIOS, Asentado, asentado_de_campos
from nucleo.campo import Campo, Numero
from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion, Proceso
from nucleo.etiqueta import Etiqueta, legible, nonce_de, texto_code128, texto_qr
from nucleo.formato import REGION_DEL_CODIGO, Formato
from nucleo.hechos import IdActa

PPP: Final = 300
"""Densidad del papel: mayor que la de casi cualquier toma, para que ninguna invente detalle."""
COPIA_CADA: Final = 3


@dataclass(frozen=True)
class Hoja:
    """Un acta llena, como salió de la casilla y con su etiqueta del CATD."""

    imagen: NDArray[np.uint8]
    """BGR a `PPP`."""
    etiqueta: Etiqueta
    qr: str
    code128: str
    formato: Formato
    copia: bool
    """Si es una copia autocopiante: lo escrito a mano se ve pálido."""
    _vecina: tuple[Proceso, int, int]

    @property
    def px_por_mm(self) -> float:
        return PPP / 25.4

    def otra(self) -> NDArray[np.uint8]:
        """La imagen de otra acta: la que se traspasa o la que estaba debajo."""
        proceso, semilla, indice = self._vecina
        return hoja_de(proceso, semilla, indice + 1).imagen


@lru_cache(maxsize=3)
def _dibujada(proceso: _Idem, semilla: int, indice: int) -> Hoja:
    dado = random.Random(f"{semilla}/{indice}")
    eleccion = next(iter(proceso.valor.elecciones.values()))
    casilla = dado.choice(proceso.valor.esperadas(eleccion.clave))
    etiqueta = Etiqueta(IdActa(eleccion.clave, casilla.clave), nonce_de(dado.randbytes(8)))
    textos = TextosDeEtiqueta(texto_qr(etiqueta), texto_code128(etiqueta), legible(etiqueta))
    formato = formato_dibujado(casilla, eleccion)
    asentado = _asentado(eleccion, casilla, dado)
    # El papel se dibuja a la densidad del formato en blanco: el ancho de las letras se redondea a píxeles y a otra
    # densidad sería otro papel; la etiqueta, más fina, porque la imprime otra máquina.
    imagen = _ampliada(dibujar_en_color(casilla, eleccion, asentado, textos, ppp=PPP_ARCHIVO))
    zona = _zona_de_etiqueta(formato)
    imagen[zona] = dibujar_en_color(casilla, eleccion, asentado, textos, ppp=PPP)[zona]
    copia = indice % COPIA_CADA == 0
    if copia:
        imagen = _palida(imagen, formato, eleccion, casilla, dado.uniform(0.35, 0.7))
    return Hoja(imagen, etiqueta, textos.qr, textos.code128, formato, copia, (proceso.valor, semilla, indice))


def hoja_de(proceso: Proceso, semilla: int, indice: int) -> Hoja:
    """La hoja de ese índice, siempre la misma; las últimas se guardan, porque de cada una salen muchas imágenes."""
    return _dibujada(_Idem(proceso), semilla, indice)


class _Idem:
    """Deja usar como llave un proceso, que por dentro tiene diccionarios."""

    def __init__(self, valor: Proceso) -> None:
        self.valor = valor

    def __eq__(self, otro: object) -> bool:
        return isinstance(otro, _Idem) and otro.valor is self.valor

    def __hash__(self) -> int:
        return id(self.valor)


def _asentado(eleccion: Eleccion, casilla: Casilla, dado: random.Random) -> Asentado:
    votos = {o.clave: min(750, int(abs(dado.gauss(0, 60)))) for o in eleccion.opciones_de(casilla)}
    total = sum(votos.values())
    campos: dict[str, Campo] = {clave: Numero(n) for clave, n in votos.items()}
    campos |= {clave: Numero(min(999, total)) for clave in COMPLEMENTARIOS}
    return asentado_de_campos(campos)


def _ampliada(imagen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """De `PPP_ARCHIVO` a `PPP`, sin correr nada ni una fracción de píxel."""
    k = PPP_ARCHIVO / PPP
    alto, ancho = (round(lado / k) for lado in imagen.shape[:2])
    matriz = np.array([[k, 0, k / 2 - 0.5], [0, k, k / 2 - 0.5]])
    modo = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    grande = cv2.warpAffine(imagen, matriz, (ancho, alto), flags=modo, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(grande, np.uint8)


def _palida(
    imagen: NDArray[np.uint8], formato: Formato, eleccion: Eleccion, casilla: Casilla, cuanto: float
) -> NDArray[np.uint8]:
    """Aclara lo que no está impreso en el papel: la mano. La etiqueta se pega después y conserva su negro."""
    papel = dibujar_formato(formato, eleccion.nombre, eleccion.opciones_de(casilla), PPP_ARCHIVO)
    blanco = (_ampliada(np.asarray(papel, np.uint8)) / np.float32(255))[..., None]
    clara = 255 - (255 - imagen.astype(np.float32)) * np.float32(cuanto)
    salida = (imagen * (1 - blanco) + clara * blanco).astype(np.uint8)
    zona = _zona_de_etiqueta(formato)
    salida[zona] = imagen[zona]
    return salida


def _zona_de_etiqueta(formato: Formato) -> tuple[slice, slice]:
    c, k = formato.regiones[REGION_DEL_CODIGO], PPP / 25.4
    return np.s_[int((c.y - 3) * k) : int((c.y + c.alto + 3) * k), int((c.x - 3) * k) : int((c.x + c.ancho + 3) * k)]
