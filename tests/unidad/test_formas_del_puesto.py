"""Qué códigos identifican un acta en este puesto: lo dice `puesto.toml`, y vale para el lector y para la imagen."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ajustes_del_puesto import leer_ajustes
from appliance.digitalizacion.hoja import Lote
from appliance.falla import Falla
from appliance.puesto import Puesto
from nucleo.acta import Digitalizacion
from nucleo.codigo_qr import FORMAS, INE8, PREP1, Formas
from tests.hojas_de_prueba import Lector, qr
from tests.kiosco_de_prueba import A1, abrir_mesa
from tests.pantallas_de_prueba import mandar, pantallas

DEL_INE: Final = qr(A1)


def ajustes(carpeta: Path, toml: str) -> tuple[str, ...]:
    (carpeta / "puesto.toml").write_text(toml, "utf-8")
    return leer_ajustes(carpeta, "simulacro").formas_de_codigo


def test_sin_decir_nada_se_admiten_todas_y_si_se_dice_en_ese_orden(tmp_path: Path) -> None:
    assert leer_ajustes(tmp_path, "oficial").formas_de_codigo == FORMAS
    assert ajustes(tmp_path, 'formas_de_codigo = ["INE8", "PREP1"]') == (INE8, PREP1)
    assert ajustes(tmp_path, 'formas_de_codigo = ["PREP1"]') == (PREP1,)


@pytest.mark.parametrize("valor", ['["QR"]', "[]", '"PREP1"', "[1]", '[["PREP1"]]', "{}", "true"])
def test_una_forma_que_no_existe_no_deja_arrancar_y_dice_cuales_hay(tmp_path: Path, valor: str) -> None:
    with pytest.raises(Falla, match="PREP1, INE8"):
        ajustes(tmp_path, f"formas_de_codigo = {valor}")


def test_la_llave_del_instituto_no_se_guarda_en_puesto_toml(tmp_path: Path) -> None:
    with pytest.raises(Falla, match="llave_ine8"):
        ajustes(tmp_path, 'llave_ine8 = "secreto"')


@given(st.text(max_size=60))
def test_cualquier_puesto_toml_se_lee_o_se_explica(tmp_path_factory: pytest.TempPathFactory, texto: str) -> None:
    carpeta = tmp_path_factory.mktemp("puesto")
    try:
        leidas, rechazo = ajustes(carpeta, f"formas_de_codigo = {texto}"), None
    except Falla as falla:
        leidas, rechazo = (), falla.rechazo
    assert set(leidas) <= set(FORMAS)
    assert leidas or (rechazo is not None and rechazo.codigo == "PUESTO")


def test_un_codigo_de_una_forma_no_admitida_no_identifica_en_acopio(tmp_path: Path) -> None:
    mesa = abrir_mesa(tmp_path)
    solo_nuestra = Puesto(formas=Formas((PREP1,)))
    todas = pantallas(mesa, tmp_path, "capturista-1")
    assert "¿Es la de su papel?" in mandar(todas, "/acopio", "/acopio/buscar", que=DEL_INE)
    assert "¿Es la de su papel?" not in mandar(
        pantallas(mesa, tmp_path, "capturista-1", solo_nuestra), "/acopio", "/acopio/buscar", que=DEL_INE
    )


def test_copiar_fotografias_se_anota_con_su_nombre_y_no_como_un_lote_del_escaner(tmp_path: Path) -> None:
    cadena = Lector(tmp_path, abrir_mesa(tmp_path)).cadena

    def pasar(digitalizacion: Digitalizacion) -> Lote:
        lote, _ = cadena.abrir_lote("digital-1", digitalizacion)
        cadena.cerrar_lote(lote, entraron=0, a_medias=0, fin="sin_papel", falla=None)
        return lote

    mesa = abrir_mesa(tmp_path)
    lotes = [pasar(Digitalizacion.MOVIL), pasar(Digitalizacion.ESCANER)]
    with mesa.almacen.lectura() as mirada:
        filas = mirada.conexion.execute(
            "SELECT evento, detalle FROM bitacora WHERE evento != 'lote_empezado' ORDER BY renglon"
        ).fetchall()
    assert [e for e, _ in filas] == ["fotos_importadas", "lote_terminado"]
    assert all(detalle.startswith(lote.lote) for (_, detalle), lote in zip(filas, lotes, strict=True))
