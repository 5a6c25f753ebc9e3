"""Cambiar de modo borra lo de ensayo, nunca lo oficial, y no se queda a medias."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from appliance import modo
from appliance.arranque import abrir_kiosco
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.modo import Cambio, cambiar, planear, resolver
from nucleo.acta import Origen
from nucleo.hechos import IdActa
from nucleo.modos import CAPACITACION, OFICIAL, SIMULACRO
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import carpeta_inscrita

RAIZ = Path(__file__).resolve().parents[2]
PRACTICA = RAIZ / "datos" / "capacitacion"
OAXACA = RAIZ / "datos" / "oaxaca_2022"


@pytest.fixture
def aparato(tmp_path: Path) -> Path:
    """Un aparato inscrito para simulacro y recién puesto en ese modo."""
    carpeta_inscrita(tmp_path / "a" / SIMULACRO, OAXACA)
    assert cambiar(tmp_path / "a", SIMULACRO, "PASAR A SIMULACRO") == tmp_path / "a" / SIMULACRO
    return tmp_path / "a"


def test_una_carpeta_de_un_solo_modo_se_usa_tal_cual(tmp_path: Path) -> None:
    carpeta = carpeta_inscrita(tmp_path / "k", OAXACA)
    assert resolver(carpeta) == carpeta
    plan = planear(carpeta, CAPACITACION)
    assert isinstance(plan, Rechazo)
    assert "un solo modo" in plan.que


def test_salir_de_simulacro_pide_escribir_borrar_y_borra_su_carpeta(aparato: Path) -> None:
    plan = planear(aparato, CAPACITACION)
    assert plan == Cambio(SIMULACRO, CAPACITACION, True, 0, "BORRAR SIMULACRO")
    sin_confirmar = cambiar(aparato, CAPACITACION, "sí", practica=PRACTICA)
    assert isinstance(sin_confirmar, Rechazo)
    assert sin_confirmar.codigo == "SIN_CONFIRMAR"
    assert (aparato / SIMULACRO).exists()
    assert cambiar(aparato, CAPACITACION, "borrar simulacro", practica=PRACTICA) == aparato / CAPACITACION
    assert not (aparato / SIMULACRO).exists()
    assert resolver(aparato) == aparato / CAPACITACION


def test_la_capacitacion_firma_con_su_modo_y_una_llave_que_nadie_conoce(aparato: Path) -> None:
    cambiar(aparato, CAPACITACION, "BORRAR SIMULACRO", practica=PRACTICA)
    kiosco = abrir_kiosco(resolver(aparato))
    try:
        assert (kiosco.identidad.modo, kiosco.proceso.modo, kiosco.identidad.catd) == (
            CAPACITACION,
            CAPACITACION,
            "catd-01",
        )
        acta = IdActa("GUB", "320001B0100")
        assert not isinstance(kiosco.mesa.acopiar(acta, persona="a", origen=Origen.CATD), Rechazo)
    finally:
        kiosco.almacen.desconectar()


def test_quien_practica_sin_haberse_inscrito_no_se_llama_dos_veces_practica(tmp_path: Path) -> None:
    assert cambiar(tmp_path / "a", CAPACITACION, "PASAR A CAPACITACION", practica=PRACTICA) is not None
    identidad = leer_identidad(resolver(tmp_path / "a"))
    assert (identidad.equipo, identidad.catd) == ("practica", "practica")


def test_al_cambiar_de_modo_los_ajustes_a_mano_pasan_al_nuevo(aparato: Path) -> None:
    (aparato / SIMULACRO / "puesto.toml").write_text('impresora = "etiquetas"\n')
    (aparato / SIMULACRO / "ambito.toml").write_text("secciones = [1]\n")
    cambiar(aparato, CAPACITACION, "BORRAR SIMULACRO", practica=PRACTICA)
    assert (aparato / CAPACITACION / "puesto.toml").read_text() == 'impresora = "etiquetas"\n'
    assert not (aparato / CAPACITACION / "ambito.toml").exists(), "es de otro catálogo"


def test_con_sobres_sin_acuse_no_se_borra_un_simulacro(aparato: Path) -> None:
    _acopiar(aparato / SIMULACRO)
    plan = planear(aparato, CAPACITACION)
    assert isinstance(plan, Rechazo)
    assert (plan.codigo, "1 sobres" in plan.que) == ("PENDIENTES", True)


def test_lo_oficial_con_hechos_no_se_deja_ni_se_borra(tmp_path: Path) -> None:
    _oficial(tmp_path / OFICIAL)
    assert cambiar(tmp_path, OFICIAL, "PASAR A OFICIAL") == tmp_path / OFICIAL
    assert planear(tmp_path, CAPACITACION) == Cambio(OFICIAL, CAPACITACION, False, 0, "PASAR A CAPACITACION")
    _acopiar(tmp_path / OFICIAL)
    plan = planear(tmp_path, CAPACITACION)
    assert isinstance(plan, Rechazo)
    assert plan.codigo == "MODO_OFICIAL"


def test_no_se_pasa_a_un_modo_sin_inscribir_ni_con_la_carpeta_de_otro(aparato: Path) -> None:
    assert isinstance(planear(aparato, OFICIAL), Rechazo)
    carpeta_inscrita(aparato / OFICIAL, OAXACA)
    plan = planear(aparato, OFICIAL)
    assert isinstance(plan, Rechazo)
    assert "es de modo simulacro" in plan.que
    assert isinstance(planear(aparato, "fiesta"), Rechazo)


@pytest.mark.parametrize("paso", ["rename", "_escribir", "rmtree"])
def test_se_va_la_luz_a_medio_cambio_y_repetirlo_lo_completa(
    aparato: Path, monkeypatch: pytest.MonkeyPatch, paso: str
) -> None:
    class SeFueLaLuz(BaseException):
        pass

    def apagon(*_: object, **__: object) -> None:
        raise SeFueLaLuz

    with monkeypatch.context() as parche:
        destino = {"rename": Path, "_escribir": modo, "rmtree": shutil}[paso]
        parche.setattr(destino, paso, apagon)
        with pytest.raises(SeFueLaLuz):
            cambiar(aparato, CAPACITACION, "BORRAR SIMULACRO", practica=PRACTICA)
    plan = planear(aparato, CAPACITACION)
    if isinstance(plan, Cambio):
        assert cambiar(aparato, CAPACITACION, plan.confirmacion, practica=PRACTICA) == aparato / CAPACITACION
    assert resolver(aparato) == aparato / CAPACITACION
    assert leer_identidad(resolver(aparato)).modo == CAPACITACION
    assert not (aparato / SIMULACRO).exists()


def test_un_activo_ilegible_se_dice_y_se_repara_eligiendo_modo(aparato: Path) -> None:
    (aparato / "activo").write_bytes(b"\xff\xfe")
    with pytest.raises(Falla, match="no dice un modo"):
        resolver(aparato)
    assert cambiar(aparato, SIMULACRO, "PASAR A SIMULACRO") == aparato / SIMULACRO
    assert resolver(aparato) == aparato / SIMULACRO


def test_una_definicion_de_simulacro_no_sirve_para_practicar(aparato: Path) -> None:
    with pytest.raises(Falla, match="es de modo simulacro"):
        cambiar(aparato, CAPACITACION, "BORRAR SIMULACRO", practica=OAXACA)
    assert resolver(aparato) == aparato / SIMULACRO


def _oficial(carpeta: Path) -> None:
    carpeta_inscrita(carpeta, OAXACA)
    ruta = carpeta / "identidad.toml"
    ruta.write_text(ruta.read_text().replace('modo = "simulacro"', 'modo = "oficial"'))


def _acopiar(carpeta: Path) -> None:
    from tests.kiosco_de_prueba import abrir_almacen, un_hecho

    almacen = abrir_almacen(carpeta, leer_identidad(carpeta))
    almacen.asentar([un_hecho()], un_hecho().hora, "libre")
    almacen.desconectar()
