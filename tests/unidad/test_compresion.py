"""La imagen que se guarda: que nunca pese de más, que no diga quién la tomó y que siempre salga igual."""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from appliance.vision.compresion import (
    CALIDAD,
    CALIDAD_MINIMA,
    MAXIMO_PIXELES,
    TOPE,
    Imagen,
    comprimir,
    comprimir_con_detalle,
)

CARTA: Final = (2200, 1700, 3)


def hoja(azar: np.random.Generator, ruido: float = 2.0) -> Imagen:
    """Una carta a 200 ppp con renglones de texto y su grano."""
    pagina = np.full(CARTA, 245, np.uint8)
    for y in range(90, CARTA[0] - 60, 88):
        dicho = "".join(chr(97 + int(n)) for n in azar.integers(0, 26, 70))
        cv2.putText(pagina, dicho, (90, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (60, 40, 90), 2, cv2.LINE_AA)
    con_grano = pagina + azar.normal(0, ruido, CARTA)
    return np.asarray(np.clip(con_grano, 0, 255), np.uint8)


def abrir(datos: bytes) -> Image.Image:
    return Image.open(io.BytesIO(datos), formats=("WEBP",))


@pytest.fixture(scope="module")
def limpia() -> Imagen:
    return hoja(np.random.default_rng(1))


def test_una_hoja_comun_se_guarda_a_color_y_completa(limpia: Imagen) -> None:
    hecha = comprimir_con_detalle(limpia)
    assert len(hecha.datos) <= TOPE
    assert CALIDAD_MINIMA <= hecha.calidad <= CALIDAD
    assert (hecha.suavizado, hecha.escala) == (0.0, 1.0)
    vista = abrir(hecha.datos)
    assert vista.size == (1700, 2200)
    assert len(np.unique(np.asarray(vista.convert("L").resize((60, 80))))) > 10, (
        "los tonos se conservan: nunca a dos tintas"
    )
    diferencia = np.abs(np.asarray(vista.convert("RGB"))[:, :, ::-1].astype(int) - limpia).mean()
    assert diferencia < 6


def test_siempre_sale_igual(limpia: Imagen) -> None:
    assert comprimir(limpia) == comprimir(limpia.copy()) == comprimir_con_detalle(limpia).datos


def test_no_dice_quien_la_tomo(limpia: Imagen) -> None:
    vista = abrir(comprimir(limpia))
    assert not vista.getexif()
    assert not {"exif", "xmp", "icc_profile"} & set(vista.info)


def test_una_imagen_sencilla_no_pierde_calidad() -> None:
    blanca = np.full(CARTA, 250, np.uint8)
    assert comprimir_con_detalle(blanca).calidad == CALIDAD


@pytest.mark.parametrize("ruido", [20, 35, 60])
def test_un_escaner_con_mucho_grano_no_rebasa_el_tope(ruido: float) -> None:
    granulada = hoja(np.random.default_rng(2), ruido)
    hecha = comprimir_con_detalle(granulada)
    assert len(hecha.datos) <= TOPE
    assert hecha.suavizado > 0


@pytest.mark.parametrize("medidas", [CARTA, (3264, 2448, 3), (4400, 3400, 3), (400, 9000, 3)])
def test_puro_ruido_de_cualquier_tamano_cabe_en_el_tope(medidas: tuple[int, int, int]) -> None:
    ruido = np.random.default_rng(3).integers(0, 256, medidas).astype(np.uint8)
    hecha = comprimir_con_detalle(ruido)
    assert len(hecha.datos) <= TOPE
    assert hecha.escala < 1
    assert abrir(hecha.datos).size == (round(medidas[1] * hecha.escala), round(medidas[0] * hecha.escala))


def test_una_fotografia_se_reduce_a_la_densidad_de_siempre() -> None:
    foto = np.full((3264, 2448, 3), 200, np.uint8)
    hecha = comprimir_con_detalle(foto)
    ancho, alto = abrir(hecha.datos).size
    assert ancho * alto <= MAXIMO_PIXELES * 1.001
    assert hecha.escala == pytest.approx(ancho / 2448, abs=1e-3)


def test_una_tira_mas_larga_de_lo_que_admite_webp() -> None:
    assert abrir(comprimir(np.full((8, 20_000, 3), 255, np.uint8))).size[0] <= 16_383


@settings(max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1), st.sampled_from((2_000, 20_000)))
def test_de_cualquier_tamano_y_con_cualquier_tope(alto: int, ancho: int, semilla: int, tope: int) -> None:
    imagen: NDArray[np.uint8] = np.random.default_rng(semilla).integers(0, 256, (alto, ancho, 3)).astype(np.uint8)
    hecha = comprimir_con_detalle(imagen, tope)
    assert len(hecha.datos) <= tope
    assert abrir(hecha.datos).size[0] >= 1
