"""El relevo en un Chromium con dos ventanas: lo que una persona tecleó no se queda a la vista de quien la relevó."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, expect, sync_playwright

from appliance.arranque import Kiosco
from appliance.pantalla.app import crear_app
from appliance.reloj import RelojFijado
from ensayo.puertos import puerto_libre
from nucleo.acta import Origen
from tests.kiosco_de_prueba import A1, PROCESO, abrir_mesa, bien, hora, identidad
from tests.turno_de_prueba import entrar_con_los_dedos

CHROMIUM: Final = "/usr/bin/chromium"

pytestmark = pytest.mark.navegador


@pytest.fixture
def ventanas(tmp_path: Path) -> Iterator[tuple[BrowserContext, str]]:
    mesa, puerto = abrir_mesa(tmp_path, reloj=RelojFijado(hora())), puerto_libre()
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    app = crear_app(Kiosco(mesa, mesa.almacen, PROCESO, identidad(), mesa.reloj, tmp_path), puerto)
    servidor = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=puerto, log_level="warning"))
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    while not servidor.started:
        time.sleep(0.02)
    with sync_playwright() as dramaturgo:
        # Con la memoria de páginas de Chromium, que Playwright apaga y el kiosco no.
        navegador = dramaturgo.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], ignore_default_args=["--disable-back-forward-cache"]
        )
        contexto = navegador.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
        contexto.set_default_timeout(15_000)
        yield contexto, f"http://127.0.0.1:{puerto}"
        navegador.close()
    servidor.should_exit = True
    hilo.join(timeout=15)
    mesa.almacen.desconectar()


def test_la_relevan_en_otra_ventana_o_regresan_con_atras_y_no_se_ve_lo_que_tecleaba(
    ventanas: tuple[BrowserContext, str],
) -> None:
    contexto, casa = ventanas
    una = contexto.new_page()
    entrar_con_los_dedos(una, casa, "Capturista 1")
    una.get_by_role("button", name="Siguiente acta").first.tap()
    una.locator('input[name="v.PRI"]').fill("4321")
    expect(una.locator('[data-renglon="PRI"] .guardado')).to_have_text("guardado ✔")
    entrar_con_los_dedos(contexto.new_page(), casa, "Capturista 2")
    una.wait_for_url(casa + "/")
    expect(una.locator(".quien")).to_contain_text("Capturista 2")
    una.go_back(wait_until="commit")
    expect(una.locator("main")).to_contain_text("Usted no tiene abierta el acta")
    assert una.locator('input[name="v.PRI"]').count() == 0
