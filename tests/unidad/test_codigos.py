"""Leer códigos de una imagen: que una mancha no los pierda, que nada se invente y que zbar pueda morirse sin ruido."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import psutil
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as de_numpy
from numpy.typing import NDArray

from appliance.vision.calidad import Veredicto
from appliance.vision.codigo_leido import CodigoLeido
from appliance.vision.codigos import Imagen, LectorDeCodigos, con_zxing, en_espejo, primer_paso
from appliance.vision.mensaje import leer_respuesta, respuesta
from appliance.vision.pagina import Analisis
from appliance.vision.segunda_opinion import SegundaOpinion
from nucleo.etiqueta import Etiqueta, nonce_de, texto_code128, texto_qr
from nucleo.hechos import IdActa

MIA: Final = Etiqueta(IdActa("GUB", "200001B0100"), nonce_de(b"12345678"))
OTRA: Final = Etiqueta(IdActa("GUB", "200001C0100"), nonce_de(b"87654321"))


def hoja_con(*codigos: NDArray[np.uint8], alto: int = 900, ancho: int = 1400) -> Imagen:
    """Una hoja blanca con esos códigos, uno al lado de otro y con su zona blanca."""
    hoja = np.full((alto, ancho), 255, np.uint8)
    x = 80
    for codigo in codigos:
        h, w = codigo.shape
        hoja[120 : 120 + h, x : x + w] = codigo
        x += w + 90
    return hoja


def qr(texto: str, modulo: int = 8) -> NDArray[np.uint8]:
    puntos = [[0 if p else 255 for p in fila] for fila in segno.make(texto, error="q", micro=False).matrix]
    return np.asarray(np.kron(np.array(puntos, np.uint8), np.ones((modulo, modulo), np.uint8)), np.uint8)


def code128(texto: str, modulo: int = 3, alto: int = 90) -> NDArray[np.uint8]:
    barras = zxingcpp.create_barcode(texto, zxingcpp.BarcodeFormat.Code128)
    renglon = np.array(barras.to_image(scale=1, add_quiet_zones=False), np.uint8)
    return np.asarray(np.kron(renglon[renglon.shape[0] // 2 :][:1], np.ones((alto, modulo), np.uint8)), np.uint8)


def textos(leidos: tuple[CodigoLeido, ...]) -> set[str]:
    return {codigo.texto for codigo in leidos}


@pytest.fixture(scope="module")
def zbar() -> Iterator[SegundaOpinion]:
    segunda = SegundaOpinion(plazo_s=30)
    yield segunda
    segunda.cerrar()


@pytest.mark.parametrize("cuartos", range(4))
def test_la_etiqueta_se_lee_en_cualquier_giro_y_se_sabe_donde_esta(cuartos: int) -> None:
    derecha = hoja_con(qr(texto_qr(MIA)), code128(texto_code128(MIA)))
    girada = np.ascontiguousarray(np.rot90(derecha, -cuartos))
    leidos = {c.simbologia: c for c in LectorDeCodigos()(girada)}
    assert (leidos["QR"].texto, leidos["CODE128"].texto) == (texto_qr(MIA), texto_code128(MIA))
    assert leidos["QR"].espejo is False
    (x0, y0), (x1, y1), _, _ = leidos["QR"].posicion
    rumbo = round(np.degrees(np.arctan2(y1 - y0, x1 - x0)) / 90) % 4
    assert rumbo == cuartos


@pytest.mark.parametrize("cuartos", range(4))
def test_un_qr_visto_por_detras_del_papel_se_delata(cuartos: int) -> None:
    reverso = np.ascontiguousarray(np.rot90(np.fliplr(hoja_con(qr(texto_qr(MIA)))), cuartos))
    (leido,) = LectorDeCodigos()(reverso)
    assert leido.texto == texto_qr(MIA)
    assert leido.espejo is True


@pytest.mark.parametrize("error", "lmqh")
@pytest.mark.parametrize("mascara", range(8))
def test_el_espejo_se_distingue_con_cualquier_formato_de_qr(error: str, mascara: int) -> None:
    matriz = segno.make("PREP1", error=error, mask=mascara, micro=False, boost_error=False).matrix
    modulos = np.array([[bool(p) for p in fila] for fila in matriz])
    assert en_espejo(modulos) is False
    assert en_espejo(modulos.T) is True


def test_lo_que_no_es_un_qr_no_tiene_espejo() -> None:
    for modulos in (np.zeros((5, 5), bool), np.zeros((21, 25), bool), np.zeros(21, bool)):
        assert en_espejo(modulos) is None


def test_dos_etiquetas_en_la_misma_hoja_se_devuelven_las_dos() -> None:
    leidos = LectorDeCodigos()(hoja_con(qr(texto_qr(MIA)), qr(texto_qr(OTRA))))
    assert textos(leidos) == {texto_qr(MIA), texto_qr(OTRA)}


def test_una_hoja_llena_de_codigos_ajenos_no_es_una_imagen_danada() -> None:
    """El vocero pegó propaganda: decenas de códigos, uno enorme, y entre ellos el del acta."""
    lugar = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    ajenos = [CodigoLeido(f"https://ejemplo.mx/{n}", "QR", lugar) for n in range(80)]
    enorme = CodigoLeido("ñ" * 4_200, "QR", lugar)
    propio = CodigoLeido(texto_qr(MIA), "QR", lugar)
    leidos = LectorDeCodigos(lambda _: [enorme, *ajenos, propio])(np.full((300, 300), 255, np.uint8))
    analisis = Analisis(leidos, None, None, Veredicto(True, ()), b"RIFF\0\0\0\0WEBP", 300, 300, {})
    llegado = leer_respuesta(*respuesta(analisis))
    assert isinstance(llegado, Analisis)
    assert llegado.codigos[0].texto == texto_qr(MIA)


def test_el_code128_de_otra_cosa_se_descarta_y_el_qr_ajeno_se_devuelve() -> None:
    hoja = hoja_con(qr("https://ejemplo.mx"), code128("12345678901234567890"))
    assert textos(LectorDeCodigos()(hoja)) == {"https://ejemplo.mx"}


def test_un_code128_que_zbar_invento_no_pasa() -> None:
    """Lo que le pasó a la receta: la segunda opinión dice un número que no está en el papel."""
    inventado = CodigoLeido("20000101000000000000", "CODE128", ((0, 0), (1, 0), (1, 1), (0, 1)))
    assert LectorDeCodigos(lambda _: [inventado])(np.full((300, 300), 255, np.uint8)) == ()


def test_una_mancha_tapa_el_qr_y_queda_el_code128() -> None:
    hoja = hoja_con(qr(texto_qr(MIA)), code128(texto_code128(MIA)))
    hoja[120:240, 80:200] = 128
    assert textos(LectorDeCodigos()(hoja)) == {texto_code128(MIA)}


def test_si_el_primer_paso_no_basta_se_sigue_y_si_basta_no() -> None:
    llamadas = []

    def segunda(gris: Imagen) -> list[CodigoLeido]:
        llamadas.append(gris.shape)
        return []

    lector = LectorDeCodigos(segunda)
    assert textos(lector(hoja_con(qr(texto_qr(MIA))))) == {texto_qr(MIA)}
    assert not llamadas
    assert lector(np.full((400, 300), 255, np.uint8)) == ()
    assert llamadas == [(400, 300)] * 2


def test_los_pasos_con_nitidez_leen_lo_que_el_primero_no() -> None:
    hoja = hoja_con(qr(texto_qr(MIA), modulo=6))
    borrosa = np.asarray(cv2.GaussianBlur(hoja, (0, 0), 3.5), np.uint8)
    assert primer_paso(borrosa) == []
    assert textos(LectorDeCodigos()(borrosa)) == {texto_qr(MIA)}


def test_una_fotografia_grande_se_reduce_y_la_posicion_no_se_corre() -> None:
    hoja = hoja_con(qr(texto_qr(MIA), modulo=12), alto=3264, ancho=2448)
    (chico,), (grande,) = primer_paso(hoja), con_zxing(hoja)
    desvio = np.abs(np.array(chico.posicion) - np.array(grande.posicion)).max()
    assert chico.texto == texto_qr(MIA)
    assert desvio < 3


def test_a_color_se_lee_igual() -> None:
    hoja = hoja_con(qr(texto_qr(MIA)))
    a_color = np.ascontiguousarray(np.repeat(hoja[..., None], 3, axis=2))
    assert LectorDeCodigos()(a_color) == LectorDeCodigos()(hoja)


# --- La segunda opinión, en su proceso. ---


def test_zbar_lee_lo_mismo_en_su_proceso(zbar: SegundaOpinion) -> None:
    leidos = zbar(hoja_con(qr(texto_qr(MIA)), code128(texto_code128(MIA))))
    assert {(c.simbologia, c.texto) for c in leidos} == {("QR", texto_qr(MIA)), ("CODE128", texto_code128(MIA))}
    assert zbar.pid not in (None, os.getpid())


def test_zbar_se_muere_entre_dos_hojas(zbar: SegundaOpinion) -> None:
    hoja = hoja_con(qr(texto_qr(MIA)))
    assert zbar(hoja)
    antes, caidas = zbar.pid, zbar.caidas
    assert antes is not None
    os.kill(antes, signal.SIGKILL)
    psutil.Process(antes).wait(10)
    assert textos(zbar(hoja)) == {texto_qr(MIA)}
    assert zbar.pid != antes
    assert zbar.caidas == caidas


def test_zbar_aborta_a_media_lectura(zbar: SegundaOpinion) -> None:
    """Se le detiene con la hoja en la mano y se le mata: se pierde esa opinión, no la hoja ni el kiosco."""
    hoja = hoja_con(qr(texto_qr(MIA)))
    assert zbar(hoja)
    pid, caidas = zbar.pid, zbar.caidas
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    respuestas: list[tuple[CodigoLeido, ...]] = []
    pregunta = threading.Thread(target=lambda: respuestas.append(zbar(hoja)))
    pregunta.start()
    # Está detenido: mientras no se le mate, no hay respuesta posible.
    pregunta.join(0.2)
    assert pregunta.is_alive()
    os.kill(pid, signal.SIGKILL)
    pregunta.join(20)
    assert respuestas == [()]
    assert zbar.caidas == caidas + 1
    assert textos(zbar(hoja)) == {texto_qr(MIA)}


def test_zbar_se_cuelga_y_no_se_le_espera_mas() -> None:
    segunda = SegundaOpinion(plazo_s=0.5)
    hoja = hoja_con(qr(texto_qr(MIA)))
    limite = time.monotonic() + 60
    while not segunda(hoja) and time.monotonic() < limite:
        pass  # con la máquina cargada, arrancarlo puede tomar más que el plazo
    pid = segunda.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert segunda(hoja) == ()
    assert not psutil.pid_exists(pid)
    segunda.cerrar()


def test_zbar_contesta_basura(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Un proceso que contesta cualquier cosa cuenta como caído."""
    falso = tmp_path / "falso"
    falso.write_text("#!/bin/sh\nhead -c 9 >/dev/null; printf '\\005\\000\\000\\000{[no}'; exec sleep 60\n")
    falso.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(falso))
    segunda = SegundaOpinion(plazo_s=10)
    assert segunda(np.zeros((1, 1), np.uint8)) == ()
    assert (segunda.caidas, segunda.pid) == (1, None)


def test_sin_zbar_instalado_se_sigue_leyendo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/existe")
    segunda = SegundaOpinion()
    assert LectorDeCodigos(segunda)(np.full((200, 200), 255, np.uint8)) == ()
    assert segunda.caidas == 2


def test_al_cerrar_no_queda_ningun_proceso(zbar: SegundaOpinion) -> None:
    zbar(hoja_con(qr(texto_qr(MIA))))
    pid = zbar.pid
    zbar.cerrar()
    assert pid is not None
    assert not psutil.pid_exists(pid)


# --- Basura. ---


@settings(max_examples=40)
@given(de_numpy.arrays(np.uint8, st.tuples(st.integers(1, 80), st.integers(1, 80))))
def test_una_imagen_de_cualquier_tamano_no_inventa_codigos(imagen: NDArray[np.uint8]) -> None:
    assert LectorDeCodigos()(imagen) == ()


def test_una_pagina_de_puro_ruido_no_inventa_codigos(zbar: SegundaOpinion) -> None:
    azar = np.random.default_rng(7)
    ruido = azar.integers(0, 256, (700, 500)).astype(np.uint8)
    assert LectorDeCodigos(zbar)(ruido) == ()


@given(st.text(max_size=60).filter(lambda t: t.strip()))
@settings(max_examples=25)
def test_un_qr_con_cualquier_cosa_se_devuelve_tal_cual(texto: str) -> None:
    leidos = LectorDeCodigos()(hoja_con(qr(texto, modulo=4)))
    assert all(codigo.simbologia == "QR" for codigo in leidos)
    assert len(leidos) <= 1
