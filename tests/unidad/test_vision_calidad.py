"""El veredicto: lo bueno pasa, lo malo se nombra por su nombre, y toda frase dice qué hacer."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources

import cv2
import numpy as np
import pytest

from appliance.vision.codigo_leido import CodigoLeido
from appliance.vision.motivos import CATALOGO, REGIONES, CatalogoDeMotivosInvalido, leer_motivos, motivo
from appliance.vision.pagina import Analisis, analizar
from appliance.vision.registro import SinRegistro
from tests.unidad.actas_en_imagen import (
    Imagen,
    acta,
    arrugada,
    con_luz,
    con_ruido,
    desenfocada,
    en_blanco,
    fotografiada,
    girada,
    movida,
    otro_documento,
    plantilla,
    png,
    reverso,
    webp_chico,
)

TOML = resources.files("appliance.vision").joinpath("motivos.toml").read_text("utf-8")


def _analisis(imagen: Imagen, codigos: tuple[CodigoLeido, ...] = ()) -> Analisis:
    analisis = analizar(png(imagen), [plantilla("GUB")], lambda _: codigos, webp_chico)
    assert isinstance(analisis, Analisis)
    return analisis


BUENAS: dict[str, Callable[[], Imagen]] = {
    "limpia": lambda: girada(acta(), 1).imagen,
    "de cabeza": lambda: girada(acta(), 180).imagen,
    "a 100 puntos por pulgada": lambda: girada(acta(), 0.5, 0.5).imagen,
    "foto": lambda: fotografiada(acta()).imagen,
    "grano de escáner": lambda: con_ruido(girada(acta(), -1).imagen, 25),
    "un poco fuera de foco": lambda: desenfocada(girada(acta(), 0).imagen, 1.5),
    "copia pálida": lambda: con_luz(girada(acta(), 0).imagen, 0.35, 130),
    "sin margen": lambda: np.ascontiguousarray(acta()[20:-20, 20:-20]),
}


@pytest.mark.parametrize("cual", BUENAS)
def test_una_buena_no_se_manda_repetir(cual: str) -> None:
    veredicto = _analisis(BUENAS[cual]()).veredicto
    assert veredicto.aceptable, [str(m) for m in veredicto.motivos]


MALAS: dict[str, tuple[Callable[[], Imagen], str]] = {
    "en blanco": (en_blanco, "EN_BLANCO"),
    "reverso": (lambda: reverso(acta()), "REVERSO"),
    "otro documento": (otro_documento, "OTRO_DOCUMENTO"),
    "sin la parte de abajo": (lambda: girada(acta(), 0).imagen[:1700], "RECORTADA"),
    "sin el lado derecho": (lambda: girada(acta(), 0).imagen[:, :1450], "RECORTADA"),
    "muy borrosa": (lambda: desenfocada(girada(acta(), 0).imagen, 6), "BORROSA"),
    "muy movida": (lambda: movida(girada(acta(), 0).imagen, 27), "MOVIDA"),
    "oscura": (lambda: con_luz(girada(acta(), 0).imagen, 0.25), "OSCURA"),
    "quemada": (lambda: con_luz(girada(acta(), 0).imagen, 1.0, 175), "QUEMADA"),
    "de lejos": (lambda: girada(acta(), 0, 0.36).imagen, "BAJA_RESOLUCION"),
    "hecha bola": (lambda: arrugada(girada(acta(), 0).imagen, 11), "ARRUGADA"),
}


@pytest.mark.parametrize("cual", MALAS)
def test_cada_mala_se_nombra(cual: str) -> None:
    hacer, codigo = MALAS[cual]
    veredicto = _analisis(np.ascontiguousarray(hacer())).veredicto
    assert not veredicto.aceptable
    assert veredicto.motivos[0].codigo == codigo, [m.codigo for m in veredicto.motivos]
    assert veredicto.motivos[0].grave


def test_un_qr_valido_leido_por_detras_no_salva_a_la_hoja() -> None:
    esquinas = ((900.0, 200.0), (700.0, 200.0), (700.0, 400.0), (900.0, 400.0))
    analisis = _analisis(reverso(acta()), (CodigoLeido("PREP1:GUB/140101B0100:7K3M9QX2PB4D:XX", "QR", esquinas),))
    assert analisis.registro is None
    assert [m.codigo for m in analisis.veredicto.motivos] == ["REVERSO"]


def test_el_lado_que_falta_se_dice_por_su_nombre() -> None:
    hoja = girada(acta(), 0).imagen
    dichos = {}
    for lado, trozo in (("abajo", hoja[:1750]), ("arriba", hoja[350:]), ("izquierda", hoja[:, 250:])):
        (visto,) = (m for m in _analisis(np.ascontiguousarray(trozo)).veredicto.motivos if m.codigo == "RECORTADA")
        dichos[lado] = visto.region
    assert dichos == {"abajo": "abajo", "arriba": "arriba", "izquierda": "izquierda"}


def test_una_mano_encima_avisa_y_dice_donde_pero_no_rechaza() -> None:
    hoja = girada(acta(), 0).imagen.copy()
    cv2.ellipse(hoja, (900, 1100), (320, 230), 20, 0, 360, (120, 150, 190), -1)
    veredicto = _analisis(hoja).veredicto
    assert veredicto.aceptable
    assert [(m.codigo, m.region) for m in veredicto.motivos] == [("TAPADA", "resultados")]


def test_una_hoja_ondulada_avisa_si_los_recortes_se_corren() -> None:
    analisis = _analisis(arrugada(girada(acta(), 0).imagen, 5))
    assert analisis.registro is not None
    assert {m.codigo for m in analisis.veredicto.motivos} & {"ONDULADA", "ARRUGADA"}


def test_todo_motivo_dice_que_paso_su_causa_y_que_hacer() -> None:
    for codigo in CATALOGO:
        dicho = motivo(codigo, "arriba")
        assert "{" not in str(dicho)
        assert "Siguiente paso" in str(dicho)
        assert not re.search(r"NCC|homograf|registro|píxel", str(dicho)), codigo


def test_todo_codigo_que_se_usa_esta_en_el_catalogo_y_al_reves() -> None:
    usados = {s.value for s in SinRegistro}
    for modulo in ("calidad.py", "pagina.py"):
        usados |= set(re.findall(r'"([A-Z_]{5,})"', resources.files("appliance.vision").joinpath(modulo).read_text()))
    assert usados == set(CATALOGO)


def test_toda_region_de_un_formato_tiene_nombre_para_personas() -> None:
    assert set(plantilla("GUB").formato.regiones) <= set(REGIONES)
    assert motivo("TAPADA", "sello_de_agua").que == "Algo parece tapar sello de agua"


@pytest.mark.parametrize(
    ("antes", "despues"),
    [
        ("grave = true", "grave = 1"),
        ('que = "La p', 'kee = "La p'),
        ('"OSCURA"', '"QUEMADA"'),
        ("[[motivo]]", "[[otro]]"),
    ],
)
def test_un_catalogo_mal_escrito_no_arranca(antes: str, despues: str) -> None:
    with pytest.raises(CatalogoDeMotivosInvalido):
        leer_motivos(TOML.replace(antes, despues) if antes == "[[motivo]]" else TOML.replace(antes, despues, 1))
