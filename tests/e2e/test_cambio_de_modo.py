"""Cambiar de modo con los dedos: las pantallas se reinician solas y el navegador espera y vuelve."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from appliance.modo import cambiar
from ensayo.puertos import puerto_libre
from nucleo.modos import CAPACITACION, SIMULACRO
from tests.catd_de_prueba import NOCHE, Pieza, esperar
from tests.centro_de_verdad import OAXACA
from tests.kiosco_de_prueba import carpeta_inscrita
from tests.recorrido import Recorrido
from tests.turno_de_prueba import entrar_con_los_dedos

pytestmark = pytest.mark.navegador


@pytest.fixture
def aparato(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Un aparato en simulacro con sus pantallas corriendo: (carpeta, dirección)."""
    carpeta, puerto = tmp_path / "aparato", puerto_libre()
    carpeta_inscrita(carpeta / SIMULACRO, OAXACA)
    cambiar(carpeta, SIMULACRO, "PASAR A SIMULACRO")
    kiosco = Pieza(
        "appliance",
        tmp_path / "kiosco.log",
        *("--carpeta", str(carpeta), "--puerto", str(puerto), "--reloj-de-ensayo", NOCHE),
    )
    kiosco.levantar()
    casa = f"http://127.0.0.1:{puerto}"
    assert esperar(lambda: _contesta(casa), 40), kiosco.dicho()
    yield carpeta, casa
    # Si algo falla, lo que dijo el kiosco al cambiar es lo primero que hay que leer.
    print(kiosco.dicho())
    kiosco.terminar()


def test_se_pasa_a_capacitacion_y_se_vuelve_a_entrar_a_practicar(aparato: tuple[Path, str], tmp_path: Path) -> None:
    carpeta, casa = aparato
    fotos = tmp_path / "fotos"
    fotos.mkdir()
    with sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        pagina = navegador.new_page(viewport={"width": 1280, "height": 800}, has_touch=True)
        pagina.set_default_timeout(30_000)
        recorrido = Recorrido(pagina, fotos)
        entrar_con_los_dedos(pagina, casa, "Coordinación")
        pagina.get_by_role("link", name="Cambiar de modo").tap()
        expect(pagina.locator("h1")).to_contain_text("modo SIMULACRO")
        recorrido.ver("modo")
        pagina.get_by_role("link", name="Pasar a capacitación").tap()
        expect(pagina.locator("main")).to_contain_text("No se puede recuperar")
        recorrido.ver("modo-confirmar")
        pagina.get_by_label("Para hacerlo, escriba").fill("borrar todo")
        pagina.locator(".principal").tap()
        expect(pagina.locator(".aviso.malo")).to_contain_text("BORRAR SIMULACRO")
        recorrido.ver("modo-mal-escrito")
        pagina.get_by_label("Para hacerlo, escriba").fill("BORRAR SIMULACRO")
        pagina.locator(".principal").tap()
        expect(pagina.locator("h1")).to_contain_text("CAPACITACIÓN", timeout=20_000)
        recorrido.ver("modo-listo")
        expect(pagina.locator("body")).to_have_class("capacitacion")
        pagina.get_by_role("link", name="Entrar").tap()
        pagina.wait_for_url("**/turno")
        entrar_con_los_dedos(pagina, casa, "Capturista 1")
        expect(pagina.locator(".barra .enlace")).to_contain_text("nada se envía")
        recorrido.ver("inicio-capacitacion")
        pagina.get_by_role("link", name="Empiece por la práctica guiada").tap()
        expect(pagina.locator("h1")).to_have_text("Práctica guiada")
        recorrido.ver("practica")
        pagina.get_by_role("button", name="Empezar la práctica").tap()
        expect(pagina.locator(".aviso.bueno")).to_contain_text("5 actas de muestra")
        pagina.get_by_role("button", name="Siguiente acta").tap()
        pagina.wait_for_selector(".renglon.activo")
        expect(pagina.locator(".recorte").first).to_have_js_property("complete", True)
        recorrido.ver("practica-hoja")
        navegador.close()
    assert recorrido.hallazgos == []
    assert not (carpeta / SIMULACRO).exists()
    with closing(sqlite3.connect(carpeta / CAPACITACION / "almacen.sqlite")) as bd:
        fila = bd.execute("SELECT persona, detalle FROM bitacora WHERE evento = 'modo_cambiado'").fetchone()
    assert fila == ("coordinacion", "de simulacro a capacitacion")


def test_en_capacitacion_el_enlace_se_niega_con_palabras(tmp_path: Path) -> None:
    carpeta = tmp_path / "aparato"
    carpeta.mkdir()
    cambiar(carpeta, CAPACITACION, "PASAR A CAPACITACION")
    enlace = Pieza("appliance.enlace", tmp_path / "enlace.log", "--carpeta", str(carpeta))
    enlace.levantar()
    assert esperar(lambda: not enlace.viva, 30)
    assert "En capacitación no hay enlace" in enlace.dicho()
    assert "Siguiente paso" in enlace.dicho()


def _contesta(casa: str) -> bool:
    try:
        return httpx.get(casa + "/turno", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
