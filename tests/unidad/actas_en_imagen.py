"""Actas dibujadas y dañadas de forma sencilla, con su verdad, para probar la visión. El banco grande es otro."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.vision.plantilla import Plantilla, preparar
from appliance.vision.registro import Registro
from ensayo.dibujo_en_color import TextosDeEtiqueta, dibujar_en_color
from nucleo.acta import COMPLEMENTARIOS, asentado_de_campos
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.casilla import Casilla
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Eleccion, Proceso
from nucleo.etiqueta import Etiqueta, legible, texto_code128, texto_qr
from nucleo.formato import formato_para, leer_formatos
from nucleo.hechos import IdActa

EJEMPLO = Path(__file__).resolve().parents[2] / "datos" / "ejemplo_tres_elecciones"
PX_MM = 200 / 25.4
Imagen = NDArray[np.uint8]
Matriz = NDArray[np.float64]


@lru_cache(maxsize=1)
def proceso() -> Proceso:
    return cargar_proceso(EJEMPLO)


@lru_cache(maxsize=16)
def plantilla(clave: str) -> Plantilla:
    (formato,) = (f for f in leer_formatos(EJEMPLO) if f.clave == clave)
    return preparar(formato, EJEMPLO)


def casilla_de(clave: str) -> tuple[Casilla, Eleccion]:
    """La primera casilla que usa ese formato."""
    formato = plantilla(clave).formato
    eleccion = proceso().elecciones[formato.eleccion]
    casillas = proceso().esperadas(eleccion.clave)
    return next(c for c in casillas if formato_para((formato,), eleccion, c) is formato), eleccion


@lru_cache(maxsize=16)
def acta(clave: str = "GUB", con_etiqueta: bool = True) -> Imagen:
    """Un acta llena de ese formato, de frente, a 200 ppp; con un ilegible y un renglón en blanco."""
    casilla, eleccion = casilla_de(clave)
    claves = (*COMPLEMENTARIOS[:4], *plantilla(clave).formato.opciones, COMPLEMENTARIOS[4])
    campos: dict[str, Campo] = {k: Numero(i * 37 % 400) for i, k in enumerate(claves)}
    campos[claves[5]], campos[claves[7]] = ILEGIBLE, SIN_DATO
    etiqueta = Etiqueta(IdActa(eleccion.clave, casilla.clave), "7K3M9QX2PB4D")
    textos = TextosDeEtiqueta(texto_qr(etiqueta), texto_code128(etiqueta), legible(etiqueta))
    return dibujar_en_color(casilla, eleccion, asentado_de_campos(campos), textos if con_etiqueta else None)


def gris(imagen: Imagen) -> Imagen:
    return np.asarray(cv2.cvtColor(imagen, cv2.COLOR_BGR2GRAY), np.uint8)


def png(imagen: Imagen) -> bytes:
    return cv2.imencode(".png", imagen, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def webp_chico(imagen: Imagen) -> bytes:
    """Un compresor que reduce, como el de producción cuando no llega a su tope; y más rápido."""
    chica = cv2.resize(imagen, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".webp", chica, [cv2.IMWRITE_WEBP_QUALITY, 60])[1].tobytes()


@dataclass(frozen=True)
class Captada:
    """Una imagen y su verdad: la matriz que lleva milímetros del papel a sus píxeles."""

    imagen: Imagen
    verdad: Matriz

    def con(self, imagen: Imagen) -> Captada:
        return Captada(imagen, self.verdad)


def girada(hoja: Imagen, grados: float, escala: float = 1.0) -> Captada:
    """Digitalizada con ese giro, en el sentido del reloj, sin recortar nada."""
    alto, ancho = hoja.shape[:2]
    c, s = math.cos(math.radians(grados)), math.sin(math.radians(grados))
    w, h = ((abs(c) * ancho + abs(s) * alto) * escala, (abs(s) * ancho + abs(c) * alto) * escala)
    salida = int(w) + 12, int(h) + 12
    al_centro = np.array([[1, 0, -ancho / 2], [0, 1, -alto / 2], [0, 0, 1.0]])
    giro = np.array([[c * escala, -s * escala, salida[0] / 2], [s * escala, c * escala, salida[1] / 2], [0, 0, 1.0]])
    matriz = giro @ al_centro
    fina = cv2.GaussianBlur(hoja, (0, 0), 0.5 / escala) if escala < 1 else hoja
    imagen = cv2.warpPerspective(fina, matriz, salida, borderValue=(235, 235, 235))
    return Captada(np.asarray(imagen, np.uint8), matriz @ _de_mm())


def fotografiada(hoja: Imagen, inclinacion: float = 0.3) -> Captada:
    """Desde un teléfono, en perspectiva y con luz de un lado."""
    alto, ancho = hoja.shape[:2]
    x, y = 2448.0, 3264.0
    destino = np.array(
        [[150, 200], [x - 120, 150 + inclinacion * 300], [x - 200 - inclinacion * 400, y - 120], [220, y - 300]],
        np.float32,
    )
    origen = np.array([[0, 0], [ancho, 0], [ancho, alto], [0, alto]], np.float32)
    matriz = cv2.getPerspectiveTransform(origen, destino)
    imagen = cv2.warpPerspective(hoja, matriz, (int(x), int(y)), borderValue=(70, 90, 100)).astype(np.float32)
    luz = np.linspace(0.6, 1.0, imagen.shape[1], dtype=np.float32)[None, :, None]
    return Captada(np.clip(imagen * luz, 0, 255).astype(np.uint8), np.asarray(matriz, np.float64) @ _de_mm())


def con_ruido(imagen: Imagen, cuanto: float, semilla: int = 1) -> Imagen:
    azar = np.random.default_rng(semilla)
    return np.asarray(np.clip(imagen + azar.normal(0, cuanto, imagen.shape), 0, 255), np.uint8)


def desenfocada(imagen: Imagen, pixeles: float) -> Imagen:
    return np.asarray(cv2.GaussianBlur(imagen, (0, 0), pixeles), np.uint8)


def movida(imagen: Imagen, pixeles: int) -> Imagen:
    nucleo = np.full((1, pixeles), 1 / pixeles, np.float32)
    return np.asarray(cv2.filter2D(imagen, -1, nucleo), np.uint8)


def con_luz(imagen: Imagen, factor: float, suma: float = 0.0) -> Imagen:
    return np.asarray(np.clip(imagen.astype(np.float32) * factor + suma, 0, 255), np.uint8)


def arrugada(imagen: Imagen, pixeles: float, semilla: int = 3) -> Imagen:
    azar = np.random.default_rng(semilla)
    alto, ancho = imagen.shape[:2]
    dx, dy = (
        cv2.resize(azar.normal(0, pixeles, (7, 7)).astype(np.float32), (ancho, alto), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    )
    y, x = np.mgrid[0:alto, 0:ancho].astype(np.float32)
    return np.asarray(cv2.remap(imagen, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def reverso(hoja: Imagen) -> Imagen:
    """El papel por detrás: lo impreso se trasluce en espejo y tenue."""
    espejo = desenfocada(np.ascontiguousarray(hoja[:, ::-1]), 2)
    return con_ruido(con_luz(espejo, 0.4, 150), 2)


def en_blanco() -> Imagen:
    return con_ruido(np.full((2200, 1700, 3), 240, np.uint8), 4)


def otro_documento() -> Imagen:
    hoja = np.full((2200, 1700, 3), 250, np.uint8)
    for i in range(38):
        dicho = f"Hoja de incidentes {i * 7919 % 1000}: folio {i * 104729 % 9973}, sin novedad en el renglon"
        cv2.putText(hoja, dicho, (120, 180 + i * 50), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (40, 40, 40), 2)
    return hoja


def errores_mm(registro: Registro, verdad: Matriz, clave: str) -> NDArray[np.float64]:
    """Cuánto se aparta, en mm, el centro de cada casilla de donde de verdad está."""
    errores = []
    for caja in plantilla(clave).formato.casillas.values():
        x, y = caja.x + caja.ancho / 2, caja.y + caja.alto / 2
        u, v, w = verdad @ (x, y, 1.0)
        a, b, c = registro.matriz @ (u / w, v / w, 1.0)
        errores.append(math.hypot(a / c - x, b / c - y))
    return np.array(errores)


def _de_mm() -> Matriz:
    return np.array([[PX_MM, 0, -0.5], [0, PX_MM, -0.5], [0, 0, 1.0]])
