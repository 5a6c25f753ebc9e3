"""El turno en un Chromium de verdad: el lector que llena y manda, el teclado del NIP y el bloqueo que llega solo."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from appliance.arranque import Kiosco
from appliance.pantalla.app import crear_app
from appliance.personas import INACTIVIDAD
from appliance.puesto import Puesto
from appliance.reloj import RelojFijado
from ensayo.puertos import puerto_libre
from tests.kiosco_de_prueba import PROCESO, abrir_mesa, hora, identidad
from tests.turno_de_prueba import entrar_con_los_dedos

CHROMIUM: Final = "/usr/bin/chromium"

pytestmark = pytest.mark.navegador


@dataclass
class Estacion:
    """Una página del kiosco, su reloj y lo que va a leer el lector."""

    pagina: Page
    casa: str
    reloj: RelojFijado
    lecturas: list[str]

    def teclear(self, nip: str = "000000") -> None:
        for cifra in nip:
            self.pagina.locator(f'#teclado-nip [data-tecla="{cifra}"]').tap()
        self.pagina.locator("#forma-nip .principal").tap()

    def revisar(self) -> None:
        """Sin barreras de accesibilidad, todo blanco de 44 px o más, y sin recorrer de lado."""
        hallado = Axe().run(self.pagina).response["violations"]
        assert [(v["id"], [n["html"][:100] for n in v["nodes"]]) for v in hallado] == []
        chicos = self.pagina.evaluate(
            """() => [...document.querySelectorAll('button, a, input:not([type=hidden])')].filter(e => e.offsetParent)
            .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([_, r]) => r.height < 44 || r.width < 44).map(([t]) => t)"""
        )
        assert chicos == []
        assert self.pagina.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def estacion(tmp_path: Path) -> Iterator[Estacion]:
    reloj, lecturas, puerto = RelojFijado(hora()), list[str](), puerto_libre()
    mesa = abrir_mesa(tmp_path, reloj=reloj)
    kiosco = Kiosco(mesa, mesa.almacen, PROCESO, identidad(), reloj, tmp_path)
    app = crear_app(kiosco, puerto, Puesto(lector=lambda: lecturas.pop(0) if lecturas else None))
    servidor = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=puerto, log_level="warning"))
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    while not servidor.started:
        time.sleep(0.02)
    errores: list[str] = []
    with sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pagina = navegador.new_page(viewport={"width": 1280, "height": 800}, has_touch=True)
        pagina.set_default_timeout(15_000)
        pagina.on("pageerror", lambda error: errores.append(str(error)))
        pagina.on("console", lambda m: errores.append(m.text) if "Content Security" in m.text else None)
        yield Estacion(pagina, f"http://127.0.0.1:{puerto}", reloj, lecturas)
        navegador.close()
    servidor.should_exit = True
    hilo.join(timeout=15)
    mesa.almacen.desconectar()
    assert errores == []


def test_pasa_su_gafete_teclea_su_nip_y_al_irse_la_pantalla_se_bloquea_sola(estacion: Estacion) -> None:
    pagina = estacion.pagina
    pagina.goto(estacion.casa)
    expect(pagina.locator("h1")).to_have_text("Pase su gafete por el lector")
    estacion.revisar()
    estacion.lecturas.append("PRACTICA:capturista-1")
    expect(pagina.locator("h1")).to_have_text("Teclee su NIP")
    expect(pagina.locator("#nip")).to_have_attribute("type", "password")
    estacion.revisar()
    estacion.teclear("000001")
    expect(pagina.locator(".aviso.malo")).to_contain_text("Ese no es el NIP de Capturista 1")
    assert pagina.locator("#nip").input_value() == ""
    estacion.teclear()
    pagina.wait_for_url(estacion.casa + "/")
    estacion.revisar()
    pagina.goto(estacion.casa + "/acopio")
    estacion.reloj.avanzar(INACTIVIDAD)
    expect(pagina.locator("h1")).to_have_text("Pantalla bloqueada", timeout=15_000)
    estacion.revisar()
    estacion.teclear()
    pagina.wait_for_url(estacion.casa + "/acopio")


def test_un_gafete_leido_a_media_pantalla_ofrece_relevar_sin_perder_lo_tecleado(estacion: Estacion) -> None:
    pagina = estacion.pagina
    entrar_con_los_dedos(pagina, estacion.casa, "Capturista 1")
    pagina.goto(estacion.casa + "/acopio")
    pagina.locator("[name=que]").fill("00")
    estacion.lecturas.append("PRACTICA:capturista-1")
    expect(pagina.locator("#del-lector")).to_contain_text("Es su propio gafete")
    estacion.lecturas.append("PRACTICA:capturista-2")
    expect(pagina.locator("#del-lector")).to_contain_text("Se leyó el gafete de Capturista 2")
    estacion.revisar()
    assert pagina.locator("[name=que]").input_value() == "00"
    pagina.get_by_role("button", name="Seguir en esta pantalla").tap()
    expect(pagina.locator("#del-lector")).to_be_hidden()
    estacion.lecturas.append("PRACTICA:capturista-2")
    pagina.get_by_role("link", name="Sí: entra Capturista 2").tap()
    expect(pagina.locator("main")).to_contain_text("Va a relevar a Capturista 1")
    estacion.teclear()
    pagina.wait_for_url(estacion.casa + "/")
    expect(pagina.locator(".barra .quien")).to_contain_text("Capturista 2")


def test_el_codigo_de_un_acta_se_recibe_donde_toca_y_en_otra_pantalla_solo_se_anuncia(estacion: Estacion) -> None:
    pagina = estacion.pagina
    entrar_con_los_dedos(pagina, estacion.casa, "Capturista 1")
    estacion.lecturas.append("200001B0100")
    expect(pagina.locator("#del-lector")).to_contain_text("en esta pantalla no se usa")
    pagina.goto(estacion.casa + "/acopio")
    estacion.lecturas.append("200001B0100")
    pagina.wait_for_url("**/acopio/buscar")
    expect(pagina.locator("main")).to_contain_text("0001")
    pagina.goto(estacion.casa + "/turno?otra=1")
    estacion.lecturas.append("200001B0100")
    expect(pagina.locator("#del-lector")).to_contain_text("Eso no es un gafete")


def test_terminar_el_turno_pide_un_segundo_toque(estacion: Estacion) -> None:
    pagina = estacion.pagina
    entrar_con_los_dedos(pagina, estacion.casa, "Capturista 1")
    pagina.goto(estacion.casa + "/turno")
    estacion.revisar()
    pagina.get_by_role("button", name="Terminar turno").tap()
    confirmar = pagina.get_by_role("button", name="Toque otra vez para terminar su turno")
    confirmar.tap()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("Terminó el turno de Capturista 1")
    pagina.goto(estacion.casa + "/")
    expect(pagina.locator("h1")).to_have_text("Pase su gafete por el lector")
