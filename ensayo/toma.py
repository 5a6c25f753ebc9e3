"""Cómo ve el papel un escáner o un teléfono: la geometría de la toma, con la verdad de a dónde fue cada milímetro."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ensayo.hoja_de_banco import Hoja

Flotante = NDArray[np.float32]
Matriz = NDArray[np.float64]
Puntos = NDArray[np.float64]
Azar = np.random.Generator

_MARGEN_PX: Final = 6


@dataclass(frozen=True)
class Toma:
    """Una imagen en flotante (BGR, 0 a 255 y a veces más) y su geometría verdadera."""

    imagen: Flotante
    matriz: Matriz
    """De milímetros del papel a píxeles."""
    deformar: Callable[[Puntos], Puntos] | None = None
    """Lo que después movió el papel arrugado, de píxel a píxel."""

    def con(self, imagen: Flotante) -> Toma:
        return replace(self, imagen=imagen)

    def donde(self, puntos_mm: Puntos) -> Puntos:
        """n × 2: el píxel de cada punto del papel."""
        puntos = np.asarray(cv2.perspectiveTransform(puntos_mm[None].astype(np.float64), self.matriz)[0], np.float64)
        return self.deformar(puntos) if self.deformar is not None else puntos


def escanear(
    papel: NDArray[np.uint8],
    hoja: Hoja,
    azar: Azar,
    *,
    ppp: int,
    angulo: float,
    cuartos: int = 0,
    corrida_mm: tuple[float, float] = (0.0, 0.0),
) -> Toma:
    """De cama plana o alimentador: sin perspectiva, inclinada unos grados y girada en cuartos de vuelta."""
    k = ppp / 25.4
    ancho, alto = hoja.formato.ancho_mm * k, hoja.formato.alto_mm * k
    caja_ancho, caja_alto = ancho, alto
    if abs(angulo) > 2.5:
        coseno, seno = abs(math.cos(math.radians(angulo))), abs(math.sin(math.radians(angulo)))
        caja_ancho, caja_alto = ancho * coseno + alto * seno, ancho * seno + alto * coseno
    fuera_ancho, fuera_alto = round(caja_ancho) + 2 * _MARGEN_PX, round(caja_alto) + 2 * _MARGEN_PX
    giro = np.vstack([cv2.getRotationMatrix2D((ancho / 2, alto / 2), angulo, 1.0), (0, 0, 1)])
    centrar = _mover(fuera_ancho / 2 - ancho / 2 + corrida_mm[0] * k, fuera_alto / 2 - alto / 2 + corrida_mm[1] * k)
    matriz = centrar @ giro @ np.diag([k, k, 1.0])
    medidas = fuera_ancho, fuera_alto
    for _ in range(cuartos % 4):
        # Un cuarto de vuelta en el sentido del reloj.
        matriz = np.array([[0.0, -1, medidas[1] - 1], [1, 0, 0], [0, 0, 1]]) @ matriz
        medidas = medidas[1], medidas[0]
    fondo = int(azar.integers(200, 256) if azar.random() < 0.6 else azar.integers(10, 60))
    # Un escáner de oficina desenfoca cerca de medio píxel suyo.
    imagen, cubierta = _proyectar(papel, hoja, azar, matriz, medidas, 0.55)
    return Toma(imagen * cubierta + np.float32(fondo) * (1 - cubierta), matriz)


def fotografiar(
    papel: NDArray[np.uint8],
    hoja: Hoja,
    azar: Azar,
    *,
    inclinacion: float,
    angulo: float,
    medidas: tuple[int, int],
) -> Toma:
    """Con teléfono, sobre una mesa: perspectiva, giro y el papel casi llenando el cuadro. `medidas` es alto, ancho."""
    alto, ancho = medidas
    alto_papel = alto * azar.uniform(0.80, 0.95)
    ancho_papel = min(alto_papel * hoja.formato.ancho_mm / hoja.formato.alto_mm, ancho * 0.96)
    alto_papel = ancho_papel * hoja.formato.alto_mm / hoja.formato.ancho_mm
    esquinas = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    fuga = 1 + esquinas @ (azar.uniform(-1, 1, 2) * inclinacion)
    a = math.radians(angulo)
    puestas = esquinas * (ancho_papel, alto_papel) @ np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
    puestas /= fuga[:, None]
    puestas *= min(1.0, *(0.97 * np.array([ancho, alto]) / np.ptp(puestas, axis=0)))
    puestas += np.array([ancho, alto]) / 2 - (puestas.max(axis=0) + puestas.min(axis=0)) / 2
    w, h = hoja.formato.ancho_mm, hoja.formato.alto_mm
    del_papel = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matriz = np.asarray(cv2.getPerspectiveTransform(del_papel, puestas.astype(np.float32)), np.float64)
    imagen, cubierta = _proyectar(papel, hoja, azar, matriz, (ancho, alto), 0.5)
    mesa = _mesa(alto, ancho, azar)
    sombra = cv2.GaussianBlur(np.roll(cubierta[..., 0], (14, 10), (0, 1)), (0, 0), 18)[..., None]
    return Toma(np.asarray(mesa * (1 - 0.35 * sombra) * (1 - cubierta) + imagen * cubierta, np.float32), matriz)


def ondas(alto: int, ancho: int, azar: Azar, celda: int, amplitud: float) -> Flotante:
    """Ruido suave: cambia poco a poco, en celdas de ese tamaño."""
    gruesa = azar.normal(0, 1, (max(2, alto // celda + 2), max(2, ancho // celda + 2))).astype(np.float32)
    return np.asarray(cv2.resize(gruesa, (ancho, alto), interpolation=cv2.INTER_CUBIC) * amplitud, np.float32)


def _proyectar(
    papel: NDArray[np.uint8],
    hoja: Hoja,
    azar: Azar,
    matriz: Matriz,
    medidas: tuple[int, int],
    desenfoque: float,
) -> tuple[Flotante, Flotante]:
    """El papel visto por esa matriz y qué parte del cuadro ocupa, con el desenfoque de la óptica en píxeles."""
    k = hoja.px_por_mm
    # El centro del píxel (i, j) está en el milímetro ((i + ½)/k, (j + ½)/k).
    a_mm = np.array([[1 / k, 0, 0.5 / k], [0, 1 / k, 0.5 / k], [0, 0, 1]])
    centro = np.array([hoja.formato.ancho_mm / 2, hoja.formato.alto_mm / 2])
    al_lado = centro + np.array([1.0, 0.0])
    p, q = cv2.perspectiveTransform(np.array([[centro, al_lado]]), matriz)[0]
    reduce = k / float(np.linalg.norm(q - p))
    previo = cv2.GaussianBlur(papel, (0, 0), max(0.3, reduce * math.hypot(desenfoque, 0.3)))
    imagen = cv2.warpPerspective(previo, matriz @ a_mm, medidas, borderMode=cv2.BORDER_REPLICATE)
    lleno = np.full(papel.shape[:2], 255, np.uint8)
    cubierta = cv2.warpPerspective(lleno, matriz @ a_mm, medidas)
    return _con_grano(imagen, azar), np.asarray(cubierta / np.float32(255), np.float32)[..., None]


def _con_grano(imagen: cv2.typing.MatLike, azar: Azar) -> Flotante:
    """El papel no es blanco ni parejo: un tono, un matiz amarillento y su fibra."""
    blanco = azar.uniform(232, 252)
    matiz = np.array([blanco - azar.uniform(0, 6), blanco, blanco], np.float32) / np.float32(255)
    fibra = ondas(imagen.shape[0], imagen.shape[1], azar, 6, 1.2)[..., None]
    return np.asarray(imagen * matiz + fibra, np.float32)


def _mesa(alto: int, ancho: int, azar: Azar) -> Flotante:
    color = azar.uniform(30, 190, 3).astype(np.float32)
    veta = ondas(alto, ancho, azar, 40, 18) + ondas(alto, ancho, azar, 6, 6)
    if azar.random() < 0.5:
        veta = veta + (np.sin(np.linspace(0, azar.uniform(20, 80), ancho)) * 10).astype(np.float32)[None, :]
    return np.asarray(np.clip(color + veta[..., None], 0, 255), np.float32)


def _mover(dx: float, dy: float) -> Matriz:
    return np.array([[1.0, 0, dx], [0, 1, dy], [0, 0, 1]])
