"""Cada daño por separado: manchas, sombras, arrugas, desenfoques y lo demás que le pasa a un acta y a su imagen."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ensayo.formato_trazado import ETIQUETA
from ensayo.hoja_de_banco import Hoja
from ensayo.toma import Azar, Flotante, Matriz, Puntos, Toma, ondas

Imagen = NDArray[np.uint8]

_QR_X: Final = ETIQUETA.x + 5.5
_QR_Y: Final = ETIQUETA.y + 4.2
_QR_LADO: Final = 30.0
"""Dónde queda el QR de la etiqueta, salvo el milímetro y medio con que se pega."""


def manchar(papel: Imagen, hoja: Hoja, azar: Azar, parte: float) -> Imagen:
    """Café, rayones de bolígrafo o cinta sobre esa parte del QR; el Code 128 de al lado se salva."""
    k = hoja.px_por_mm
    manchada = papel.copy()
    # Sólo se trabaja la zona del código, con su orilla: la hoja entera son ocho millones de puntos.
    orilla = _QR_LADO * 0.6
    ox, oy = round((_QR_X - orilla) * k), max(0, round((_QR_Y - orilla) * k))
    zona = manchada[oy : round((_QR_Y + _QR_LADO + orilla) * k), ox : round((_QR_X + _QR_LADO + orilla) * k)]
    mascara = np.zeros(zona.shape[:2], np.float32)

    def px(x: float, y: float) -> tuple[int, int]:
        return round((_QR_X + x * _QR_LADO) * k) - ox, round((_QR_Y + y * _QR_LADO) * k) - oy

    match int(azar.integers(3)):
        case 0:
            radio = _QR_LADO * math.sqrt(parte / math.pi)
            cv2.circle(mascara, px(azar.uniform(0.1, 0.9), azar.uniform(0.1, 0.9)), round(radio * k), 1.0, -1)
            mascara = np.asarray(cv2.GaussianBlur(mascara, (0, 0), 0.25 * k), np.float32) * azar.uniform(0.75, 0.97)
            color = (20.0, 40.0, 70.0)
        case 1:
            for _ in range(int(4 + parte * 30)):
                x0, y0, x1, y1 = azar.uniform(-0.1, 1.1, 4)
                cv2.line(mascara, px(x0, y0), px(x1, y1), 1.0, round(0.45 * k))
            mascara *= np.float32(0.9)
            color = (120.0, 40.0, 30.0)
        case _:
            x = azar.uniform(0, 1 - parte)
            cv2.rectangle(mascara, px(x, -0.07), px(x + parte, 1.07), 1.0, -1)
            mascara = np.asarray(cv2.GaussianBlur(mascara, (0, 0), 0.2 * k), np.float32) * np.float32(0.95)
            color = (235.0, 240.0, 240.0) if azar.random() < 0.5 else (60.0, 60.0, 60.0)
    capa = mascara[..., None]
    zona[:] = np.clip(zona * (1 - capa) + np.array(color, np.float32) * capa, 0, 255).astype(np.uint8)
    return manchada


def traspasar(papel: Imagen, otro: Imagen, cuanto: float) -> Imagen:
    """La tinta de la hoja de atrás, vista en espejo y borrosa."""
    detras = cv2.GaussianBlur(cv2.flip(otro, 1), (0, 0), 7)
    if detras.shape != papel.shape:
        detras = cv2.resize(detras, (papel.shape[1], papel.shape[0]))
    return np.asarray(np.clip(papel - (255 - detras.astype(np.float32)) * cuanto, 0, 255), np.uint8)


def por_detras(papel: Imagen, tenue: float) -> Imagen:
    """El reverso de la hoja: blanco, con lo del frente trasluciéndose en espejo."""
    reves = cv2.GaussianBlur(cv2.flip(papel, 1), (0, 0), 2.5).astype(np.float32)
    return np.asarray(np.clip(255 - (255 - reves) * tenue, 0, 255), np.uint8)


def otro_documento(hoja: Hoja, azar: Azar) -> Imagen:
    """Una página de texto corrido y una tabla: un escrito de incidentes, una lista, cualquier otra hoja del paquete."""
    alto, ancho = hoja.imagen.shape[:2]
    pagina = np.full((alto, ancho, 3), 255, np.uint8)
    y = int(azar.integers(150, 300))
    while y < alto - 200:
        if azar.random() < 0.12:
            filas, columnas = int(azar.integers(3, 8)), int(azar.integers(2, 6))
            paso = (ancho - 400) // columnas
            for f in range(filas + 1):
                cv2.line(pagina, (200, y + f * 70), (200 + paso * columnas, y + f * 70), (60, 60, 60), 3)
            for c in range(columnas + 1):
                cv2.line(pagina, (200 + c * paso, y), (200 + c * paso, y + filas * 70), (60, 60, 60), 3)
            y += filas * 70 + 90
        else:
            palabras = " ".join(
                "".join(chr(97 + int(n)) for n in azar.integers(0, 26, int(azar.integers(2, 10))))
                for _ in range(int(azar.integers(6, 13)))
            )
            cv2.putText(pagina, palabras, (200, y), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (40, 40, 40), 3, cv2.LINE_AA)
            y += int(azar.integers(60, 90))
    return pagina


def arrugar(toma: Toma, azar: Azar, amplitud_px: float, celdas: int = 5) -> Toma:
    """Dobleces y ondas: mueve el papel hasta unas veces `amplitud_px`, y lo sombrea."""
    alto, ancho = toma.imagen.shape[:2]
    dx = ondas(alto, ancho, azar, alto // celdas, amplitud_px)
    dy = ondas(alto, ancho, azar, alto // celdas, amplitud_px)
    if azar.random() < 0.7:
        doblez = azar.uniform(0.3, 0.7) * alto
        renglones = np.arange(alto, dtype=np.float32)[:, None]
        dy = dy + (np.tanh((renglones - doblez) / 12) * amplitud_px * 0.25).astype(np.float32)
    yy, xx = np.mgrid[0:alto, 0:ancho].astype(np.float32)
    movida = cv2.remap(toma.imagen, xx + dx, yy + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    relieve = cv2.GaussianBlur(cv2.Sobel(dx + dy, cv2.CV_32F, 1, 1, ksize=5), (0, 0), 9)
    relieve = relieve / (np.abs(relieve).max() + 1e-6)

    def deformar(puntos: Puntos) -> Puntos:
        # La imagen nueva en q trae lo que estaba en q + d(q); se busca q con q + d(q) = p.
        q = puntos.astype(np.float32)
        for _ in range(12):
            cx, cy = np.clip(q[:, 0], 0, ancho - 1), np.clip(q[:, 1], 0, alto - 1)
            en_x = cv2.remap(dx, cx[None], cy[None], cv2.INTER_LINEAR)[0]
            en_y = cv2.remap(dy, cx[None], cy[None], cv2.INTER_LINEAR)[0]
            q = puntos.astype(np.float32) - np.stack([en_x, en_y], axis=1)
        return q.astype(np.float64)

    return replace(toma, imagen=np.asarray(movida * (1 + 0.12 * relieve[..., None]), np.float32), deformar=deformar)


def recortar(toma: Toma, lado: int, falta: float) -> Toma:
    """Quita esa parte de la imagen por un lado: 0 arriba, 1 abajo, 2 izquierda, 3 derecha."""
    alto, ancho = toma.imagen.shape[:2]
    n, m = round(alto * falta), round(ancho * falta)
    corte = (np.s_[n:], np.s_[: alto - n], np.s_[:, m:], np.s_[:, : ancho - m])[lado]
    dx, dy = (m if lado == 2 else 0), (n if lado == 0 else 0)
    matriz: Matriz = np.array([[1.0, 0, -dx], [0, 1, -dy], [0, 0, 1]]) @ toma.matriz
    return replace(toma, imagen=np.ascontiguousarray(toma.imagen[corte]), matriz=matriz)


def luz_pareja(imagen: Flotante, azar: Azar, minimo: float) -> Flotante:
    """La luz viene de un lado: del otro queda en `minimo` de la plena."""
    alto, ancho = imagen.shape[:2]
    a = azar.uniform(0, 2 * math.pi)
    x = np.linspace(0, math.cos(a), ancho, dtype=np.float32)[None, :]
    y = np.linspace(0, math.sin(a), alto, dtype=np.float32)[:, None]
    rampa = x + y
    menor, mayor = float(np.min(rampa)), float(np.max(rampa))
    rampa = (rampa - menor) / (mayor - menor)
    return np.asarray(imagen * (minimo + (1 - minimo) * rampa)[..., None], np.float32)


def sombra(imagen: Flotante, azar: Azar, minimo: float) -> Flotante:
    """Además de la luz de lado, la sombra de una mano o del teléfono."""
    alto, ancho = imagen.shape[:2]
    mano = np.zeros((alto, ancho), np.float32)
    centro = round(azar.uniform(0.2, 0.8) * ancho), round(azar.uniform(0.1, 0.8) * alto)
    ejes = round(ancho * azar.uniform(0.2, 0.5)), round(alto * azar.uniform(0.15, 0.4))
    cv2.ellipse(mano, centro, ejes, azar.uniform(0, 180), 0, 360, 1.0, -1)
    mano = np.asarray(cv2.GaussianBlur(mano, (0, 0), ancho * 0.012), np.float32)
    oscura = (1 - azar.uniform(0.35, 0.6) * mano).astype(np.float32)
    return luz_pareja(imagen, azar, minimo) * oscura[..., None]


def ruido(imagen: Flotante, azar: Azar, sigma: float) -> Flotante:
    """El del sensor: casi todo de luz y un poco de color, que sale más grueso porque cada color usa pocos puntos."""
    alto, ancho = imagen.shape[:2]
    luz = azar.standard_normal((alto, ancho), np.float32)[..., None] * np.float32(sigma)
    grueso = azar.standard_normal((alto // 2 + 1, ancho // 2 + 1, 3), np.float32) * np.float32(sigma * 0.4)
    return np.asarray(imagen + luz + cv2.resize(grueso, (ancho, alto), interpolation=cv2.INTER_NEAREST), np.float32)


def desenfocar(imagen: Flotante, sigma_px: float) -> Flotante:
    return np.asarray(cv2.GaussianBlur(imagen, (0, 0), sigma_px), np.float32)


def mover(imagen: Flotante, azar: Azar, largo_px: float) -> Flotante:
    """Barrido recto de ese largo, en cualquier dirección."""
    lado = max(3, round(largo_px) | 1)
    nucleo = np.zeros((lado, lado), np.float32)
    nucleo[lado // 2] = 1
    giro = cv2.getRotationMatrix2D(((lado - 1) / 2, (lado - 1) / 2), azar.uniform(0, 180), 1.0)
    nucleo = np.asarray(cv2.warpAffine(nucleo, giro, (lado, lado)), np.float32)
    return np.asarray(cv2.filter2D(imagen, -1, nucleo / nucleo.sum()), np.float32)


def rayas_de_cristal(imagen: Flotante, azar: Azar) -> Flotante:
    """Polvo en el cristal del alimentador: rayas oscuras a todo lo largo."""
    rayada = imagen.copy()
    for _ in range(int(azar.integers(1, 6))):
        x, grueso = int(azar.integers(0, imagen.shape[1])), int(azar.integers(1, 4))
        rayada[:, x : x + grueso] *= np.float32(azar.uniform(0.2, 0.8))
    return rayada


def jpeg(imagen: Flotante, calidad: float) -> Flotante:
    """Comprimida de más antes de llegar."""
    entera = np.clip(imagen, 0, 255).astype(np.uint8)
    _, datos = cv2.imencode(".jpg", entera, [cv2.IMWRITE_JPEG_QUALITY, int(calidad)])
    vista = cv2.imdecode(datos, cv2.IMREAD_COLOR)
    assert vista is not None
    return np.asarray(vista, np.float32)
