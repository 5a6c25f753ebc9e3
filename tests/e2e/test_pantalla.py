"""Un CATD de principio a fin en un Chromium de verdad, con los dedos y a 1280×800. Deja las fotos en su carpeta."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright

from appliance.arranque import Kiosco, abrir_kiosco
from appliance.pantalla.app import crear_app
from appliance.reloj import RelojDeEnsayo
from ensayo.puertos import puerto_libre
from nucleo.acuse import Acuse
from nucleo.captura import Verificada
from nucleo.hechos import Captura, IdActa
from tests.foto import tomar
from tests.kiosco_de_prueba import carpeta_inscrita
from tests.turno_de_prueba import entrar_con_los_dedos

ACTA = IdActa("GUB", "200002B0100")
CHROMIUM = "/usr/bin/chromium"

pytestmark = pytest.mark.navegador


class Catd:
    """El kiosco, su dirección y la página abierta."""

    def __init__(self, kiosco: Kiosco, pagina: Page, casa: str, fotos: Path) -> None:
        self.kiosco = kiosco
        self.pagina = pagina
        self.casa = casa
        self._fotos = fotos
        self.errores: list[str] = []
        pagina.on("pageerror", lambda error: self.errores.append(str(error)))
        pagina.on("console", lambda m: self.errores.append(m.text) if "Content Security" in m.text else None)

    def foto(self, nombre: str) -> None:
        tomar(self.pagina, self._fotos / f"{len(list(self._fotos.iterdir())):02d}-{nombre}.png")

    def soy(self, nombre: str) -> None:
        entrar_con_los_dedos(self.pagina, self.casa, nombre)

    def acopiar(self, clave: str) -> None:
        self.pagina.goto(self.casa + "/acopio")
        self.pagina.locator("[name=que]").fill(clave)
        self.pagina.get_by_role("button", name="Buscar bolsa").tap()
        self.pagina.locator("main form .principal").tap()
        self.pagina.wait_for_url("**/hecho")

    def siguiente(self) -> None:
        self.pagina.get_by_role("button", name="Siguiente acta").tap()
        self.pagina.wait_for_selector("#hoja")

    def teclear(self, valores: list[int]) -> None:
        """Con el teclado y Enter, como quien lleva cien actas."""
        for valor in valores:
            self.pagina.keyboard.type(str(valor))
            self.pagina.keyboard.press("Enter")

    def guardar(self) -> None:
        self.pagina.locator("#guardar").tap()
        self.pagina.wait_for_url(self.casa + "/")


@pytest.fixture
def catd(tmp_path: Path, datos: Path) -> Iterator[Catd]:
    carpeta = carpeta_inscrita(tmp_path / "kiosco", datos / "oaxaca_2022")
    kiosco = abrir_kiosco(carpeta, RelojDeEnsayo(datetime.fromisoformat("2022-06-05T20:14:00-05:00")))
    puerto = puerto_libre()
    servidor = uvicorn.Server(
        uvicorn.Config(crear_app(kiosco, puerto), host="127.0.0.1", port=puerto, log_level="warning")
    )
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    while not servidor.started:
        time.sleep(0.02)
    fotos = tmp_path / "fotos"
    fotos.mkdir()
    with sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pagina = navegador.new_page(viewport={"width": 1280, "height": 800}, has_touch=True)
        pagina.set_default_timeout(15_000)
        banco = Catd(kiosco, pagina, f"http://127.0.0.1:{puerto}", fotos)
        yield banco
        navegador.close()
    servidor.should_exit = True
    hilo.join(timeout=15)
    kiosco.almacen.desconectar()
    assert banco.errores == []


def test_dos_personas_capturan_y_una_tercera_resuelve_a_ciegas(catd: Catd) -> None:
    pagina = catd.pagina
    pagina.goto(catd.casa)
    expect(pagina.locator("h1")).to_contain_text("Pase su gafete")
    catd.foto("gafete")

    catd.soy("Capturista 1")
    catd.acopiar("20 0002 b0100")
    catd.foto("acopio")
    pagina.goto(catd.casa)
    catd.siguiente()
    total = pagina.locator(".numero").count()
    assert total == 30
    lectura = [100 + i for i in range(total)]
    catd.teclear(lectura)
    expect(pagina.locator("#guardar")).to_be_focused()
    expect(pagina.locator(".faltan")).to_contain_text("Todo tiene respuesta")
    catd.foto("llena")
    catd.guardar()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("ahora la leerá otra persona", ignore_case=True)
    expect(pagina.locator(".barra .enlace")).to_contain_text("2 en espera")

    catd.soy("Capturista 2")
    catd.siguiente()
    assert all(pagina.locator(".numero").nth(i).input_value() == "" for i in range(total)), "nada se ve de la primera"
    catd.teclear([*lectura[:5], 999, *lectura[6:]])
    pagina.locator(".renglon").nth(9).locator("[value=ILEGIBLE]").tap()
    pagina.locator("#guardar").tap()
    expect(pagina.locator(".renglon.senalado .rotulo b")).to_have_text(["PRI", "MC"])
    assert "105" not in pagina.locator("main").inner_text()
    catd.foto("senalados")
    catd.guardar()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("lo leerá una tercera", ignore_case=True)
    catd.foto("discrepante")

    catd.soy("Capturista 3")
    catd.siguiente()
    expect(pagina.locator("h1")).to_have_text("Corrección a ciegas")
    assert pagina.locator(".rotulo b").all_inner_texts() == ["PRI", "MC"]
    assert [pagina.locator(".numero").nth(i).input_value() for i in range(2)] == ["", ""]
    cuerpo = pagina.locator("main").inner_text()
    assert "999" not in cuerpo
    assert "105" not in cuerpo
    catd.foto("correccion")
    catd.teclear([105, 109])
    catd.guardar()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("VERIFICADA")
    catd.foto("verificada")

    estado = catd.kiosco.mesa.estado(ACTA)
    assert isinstance(estado, Verificada)
    assert [getattr(c, "valor", None) for c in estado.asentado.campos().values()] == lectura


def test_el_vacio_no_es_cero_y_el_doble_toque_no_guarda_dos_veces(catd: Catd) -> None:
    pagina = catd.pagina
    catd.soy("Capturista 1")
    catd.acopiar(ACTA.casilla)
    pagina.goto(catd.casa)
    catd.siguiente()
    for tecla in ("1", "2", "siguiente"):
        pagina.locator(f'[data-tecla="{tecla}"]').tap()
    pagina.locator(".renglon").nth(1).locator("[value='SIN DATO']").tap()
    pagina.locator("#guardar").tap()
    expect(pagina.locator(".con-error")).to_have_count(28)
    expect(pagina.locator(".renglon").nth(2)).to_contain_text("vacío no es cero")
    assert pagina.locator(".numero").first.input_value() == "12", "lo ya tecleado sigue ahí"
    expect(pagina.locator(".renglon").nth(1).locator("[value='SIN DATO']")).to_be_checked()
    expect(pagina.locator(".numero").nth(2)).to_be_focused()
    catd.foto("errores")
    catd.teclear([7] * 28)
    expect(pagina.locator(".renglon.atendido")).to_have_count(30)
    catd.foto("corregida")
    # Dos envíos en el mismo instante, por debajo del guardián de la página.
    pagina.evaluate(
        """() => { const f = document.getElementById('hoja');
        const d = () => fetch(f.action, {method: 'POST', body: new URLSearchParams(new FormData(f))});
        return Promise.all([d(), d()]).then(() => null); }"""
    )
    capturas = [h for h in catd.kiosco.almacen.hechos_de(ACTA) if isinstance(h, Captura)]
    assert len(capturas) == 1
    pagina.goto(catd.casa)
    catd.foto("inicio")


def test_pausar_guarda_lo_tecleado_y_reserva_el_acta(catd: Catd) -> None:
    pagina = catd.pagina
    catd.soy("Capturista 1")
    catd.acopiar(ACTA.casilla)
    pagina.goto(catd.casa)
    catd.siguiente()
    catd.teclear([1, 2])
    pagina.get_by_role("button", name="Pausar acta").tap()
    pagina.wait_for_url(catd.casa + "/")
    expect(pagina.locator(".aviso.bueno")).to_contain_text("lo tecleado está guardado")
    catd.foto("pausada")
    assert catd.kiosco.mesa.siguiente("capturista-2") is None
    catd.siguiente()
    assert [pagina.locator(".numero").nth(i).input_value() for i in range(3)] == ["1", "2", ""]


def test_con_la_alarma_el_aviso_cabe_en_toda_pagina_y_no_tapa_la_hoja(catd: Catd) -> None:
    pagina, almacen = catd.pagina, catd.kiosco.almacen
    ahora = datetime.now(UTC)
    almacen.cerrar(Acuse(almacen.equipo, almacen.epoca, 9, "c" * 64, (), (), (), ahora), ahora)
    catd.soy("Capturista 1")
    catd.acopiar(ACTA.casilla)
    for ruta in ("/turno", "/acopio", "/sin-acta", "/"):
        pagina.goto(catd.casa + ruta)
        expect(pagina.locator(".alto")).to_contain_text("puede no contarse")
        _medir(pagina)
    catd.siguiente()
    pagina.evaluate("scrollTo(0, document.body.scrollHeight)")
    banda, ficha = pagina.locator("#barra").bounding_box(), pagina.locator(".hoja aside").bounding_box()
    assert banda is not None
    assert ficha is not None
    assert banda["y"] == 0
    assert banda["y"] + banda["height"] <= ficha["y"]
    assert ficha["y"] + ficha["height"] <= 800
    catd.foto("alto")


def test_lo_que_se_toca_mide_al_menos_48_pixeles_y_cabe_sin_recorrer_de_lado(catd: Catd) -> None:
    pagina = catd.pagina
    catd.soy("Capturista 1")
    catd.acopiar(ACTA.casilla)
    for ruta in ("/turno", "/acopio", "/sin-acta", "/"):
        pagina.goto(catd.casa + ruta)
        _medir(pagina)
        catd.foto("medida")
    catd.siguiente()
    _medir(pagina)


def test_solo_con_dedos_se_declara_sin_acta_con_el_nip_de_quien_confirma(catd: Catd) -> None:
    """Un kiosco táctil puede no tener teclado: cada campo trae el suyo al tocarlo, sin tapar nada."""
    p = catd.pagina
    catd.soy("Capturista 1")
    p.goto(catd.casa + "/acopio")
    p.locator("[name=que]").tap()
    _con_dedos(p, "0002")
    catd.foto("teclado-letras")
    _medir(p)
    p.get_by_role("button", name="Listo").tap()
    expect(p.locator(".teclado-de-pantalla")).to_have_count(0)
    p.get_by_role("button", name="Buscar bolsa").tap()
    expect(p.locator(".candidata").first).to_be_visible()
    p.goto(catd.casa + "/sin-acta")
    p.locator("[name=casilla]").tap()
    _con_dedos(p, ACTA.casilla)
    p.get_by_label("La casilla no se instaló").check(force=True)
    p.get_by_label("Coordinación", exact=True).check(force=True)
    p.locator("[name=nip]").tap()
    _con_dedos(p, "000009")
    p.locator(".teclado-de-pantalla").get_by_role("button", name="Borrar").tap()
    _con_dedos(p, "0")
    catd.foto("teclado-nip")
    p.get_by_role("button", name="Declarar sin acta").tap()
    expect(p.get_by_text("quedó declarada sin acta")).to_be_visible()
    assert [type(h).__name__ for h in catd.kiosco.almacen.hechos_de(ACTA)] == ["SinActa"]
    assert catd.errores == []


def _con_dedos(pagina: Page, texto: str) -> None:
    teclado = pagina.locator(".teclado-de-pantalla")
    for letra in texto:
        teclado.get_by_role("button", name=letra, exact=True).tap()


def _medir(pagina: Page) -> None:
    chicos = pagina.evaluate(
        """() => [...document.querySelectorAll('button, a.boton, input:not([type=hidden])')]
        .filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([_, r]) => r.height < 48 || r.width < 48).map(([t]) => t)"""
    )
    assert chicos == []
    assert pagina.evaluate("document.documentElement.scrollWidth <= innerWidth")
