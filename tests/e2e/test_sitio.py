"""El sitio público en un Chromium de verdad, con la política de contenido de nginx y casi todo sin JavaScript."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from servicio_central.sitio.paginas import Contexto
from tests.sitio_de_prueba import actas_de_oaxaca, corte_a_las, escribir, ficha_de, oaxaca, primeras, sitio

pytestmark = pytest.mark.navegador

POLITICA = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
PAGINAS = (
    "index.html",
    "GUB/index.html",
    "GUB/divisiones.html",
    "GUB/pendientes.html",
    "GUB/estadistica.html",
    "GUB/fuera.html",
    "GUB/d/1/index.html",
    "GUB/d/sin/index.html",
    "GUB/s/0002/index.html",
    "GUB/s/0002/B0100.html",
    "GUB/s/0000/M0000.html",
    "casilla/index.html",
    "casilla/centena-00.html",
    "casilla/0002.html",
    "datos.html",
    "verificar.html",
    "ayuda.html",
    "glosario.html",
    "404.html",
    "pantalla/index.html",
)
TABLEROS = tuple(f"pantalla/GUB-{tema}.html" for tema in ("avance", "votos", "mapa", "faltan"))


class Servidor(SimpleHTTPRequestHandler):
    """Sirve una carpeta con la política de contenido de producción."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLITICA)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nada: las peticiones de la prueba no se anotan."""


@pytest.fixture(scope="module")
def carpeta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tres cortes de Oaxaca 2022 con unas cuantas secciones: en ceros, con un acta y el de medianoche."""
    carpeta = tmp_path_factory.mktemp("sitio")
    proceso = oaxaca()
    casos = {"cero": ((), 0), "una": (primeras(1), 0), "noche": (actas_de_oaxaca("20220606_0000"), 240)}
    for nombre, (actas, minutos) in casos.items():
        corte = corte_a_las(proceso.inicio_publicacion + timedelta(minutes=minutos))
        ficha = ficha_de(proceso, {"GUB": actas}, corte)
        escribir(sitio(ficha, Contexto(proceso), cada=60), carpeta / nombre)
        (carpeta / nombre / "resumen.json").write_text(json.dumps({"corte": {"nombre": corte.nombre}}))
        for acta in ficha.elecciones[0].divisiones[0].secciones[0].actas:
            if acta.imagen:
                imagen = carpeta / nombre / "imagenes" / acta.imagen[:2] / f"{acta.imagen}.webp"
                imagen.parent.mkdir(parents=True)
                Image.new("L", (850, 1400), 240).save(imagen)
    return carpeta


@pytest.fixture(scope="module")
def servidores(carpeta: Path) -> Iterator[dict[str, str]]:
    abiertos = {}
    for caso in sorted(p.name for p in carpeta.iterdir()):
        manejador = functools.partial(Servidor, directory=str(carpeta / caso))
        abiertos[caso] = ThreadingHTTPServer(("127.0.0.1", 0), manejador)
        threading.Thread(target=abiertos[caso].serve_forever, daemon=True).start()
    yield {caso: f"http://127.0.0.1:{s.server_port}" for caso, s in abiertos.items()}
    for servidor in abiertos.values():
        servidor.shutdown()
        servidor.server_close()


@pytest.fixture(scope="module")
def navegador() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        navegador = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield navegador
        navegador.close()


@pytest.fixture
def pagina(navegador: Browser, servidores: dict[str, str]) -> Iterator[Page]:
    """Sin JavaScript; cualquier queja del navegador (política, 404) hace fallar la prueba."""
    contexto = navegador.new_context(java_script_enabled=False, base_url=servidores["noche"])
    pagina = contexto.new_page()
    quejas: list[str] = []
    # Un SVG suelto no puede decir cuál es su icono, y dejar una página a medias no es falla.
    pagina.on("console", lambda m: quejas.extend([m.text] * ("favicon.ico" not in m.location["url"])))
    pagina.on("requestfailed", lambda r: quejas.extend([r.url] * (r.failure != "net::ERR_ABORTED")))
    yield pagina
    contexto.close()
    assert quejas == []


@pytest.mark.parametrize("modo", ["light", "dark"])
def test_ninguna_pagina_tiene_barreras_ni_se_sale_de_lado(
    navegador: Browser, servidores: dict[str, str], modo: str
) -> None:
    """Axe en todas las páginas; a 320, 768 y 1280 px ninguna se desborda."""
    hallazgos = []
    contexto = navegador.new_context(color_scheme="dark" if modo == "dark" else "light", base_url=servidores["noche"])
    pagina = contexto.new_page()
    pagina.on("console", lambda m: hallazgos.append(m.text))
    pagina.on("pageerror", lambda e: hallazgos.append(str(e)))
    # A oscuras cambian los colores, no la estructura: basta una página de cada clase.
    for ruta in (*PAGINAS, *TABLEROS) if modo == "light" else PAGINAS[:4] + PAGINAS[6:7] + PAGINAS[9:10]:
        pagina.set_viewport_size({"width": 1280, "height": 900})
        respuesta = pagina.goto("/" + ruta)
        assert respuesta is not None
        assert respuesta.status == 200, ruta
        for v in Axe().run(pagina).response["violations"]:
            # Los tableros de la sala de prensa rotan a propósito y llevan cómo detenerlos.
            if not (v["id"] == "meta-refresh" and ruta in TABLEROS):
                hallazgos.append(f"{ruta}: {v['id']}: {v['nodes'][0]['html'][:120]}")
        for ancho in (1280, 768, 320):
            pagina.set_viewport_size({"width": ancho, "height": 800})
            if not pagina.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                hallazgos.append(f"{ruta}: se sale de lado a {ancho} px")
    contexto.close()
    assert hallazgos == []


@pytest.mark.parametrize("caso", ["cero", "una"])
def test_en_ceros_y_con_un_acta_la_portada_se_ve_completa(
    navegador: Browser, servidores: dict[str, str], caso: str
) -> None:
    contexto = navegador.new_context(base_url=servidores[caso], viewport={"width": 320, "height": 800})
    pagina = contexto.new_page()
    for ruta in ("/index.html", "/GUB/index.html", "/GUB/divisiones.html"):
        pagina.goto(ruta)
        assert Axe().run(pagina).response["violations"] == []
        assert pagina.evaluate("document.documentElement.scrollWidth <= innerWidth")
    contexto.close()


def test_de_la_portada_al_acta_con_puros_enlaces_y_sin_javascript(pagina: Page) -> None:
    pagina.goto("/")
    assert "Corte de las 00:00" in pagina.inner_text("main")
    pagina.click("main h2 a >> nth=0")
    pagina.click(".mapa svg a >> nth=0")
    assert pagina.inner_text("h1").startswith("Distrito 1")
    pagina.click("table a:has-text('0002')")
    pagina.click("table a:has-text('Básica')")
    assert pagina.inner_text("h1") == "Casilla Básica, sección 0002"
    assert pagina.locator("img").evaluate("i => i.naturalWidth") == 850
    datos, imagen = pagina.locator("table").first.bounding_box(), pagina.locator("img").bounding_box()
    assert datos is not None
    assert imagen is not None
    assert imagen["x"] + imagen["width"] <= datos["x"], "la imagen va junto a sus datos"
    assert "200002B010002" in pagina.inner_text(".ref")


def test_se_recorre_con_teclado_y_el_foco_se_ve(pagina: Page) -> None:
    pagina.goto("/")
    pagina.keyboard.press("Tab")
    assert pagina.evaluate("document.activeElement.textContent") == "Ir al contenido"
    caja = pagina.locator(".salta").bounding_box()
    assert caja is not None
    assert caja["x"] >= 0
    pagina.focus(".mapa svg a >> nth=0")
    pagina.keyboard.press("Enter")
    pagina.wait_for_url("**/GUB/d/1/index.html")


def test_los_tableros_rotan_solos_hasta_volver_al_primero(pagina: Page) -> None:
    pagina.goto("/pantalla/index.html")
    pagina.click("a.boton")
    vistos = []
    for _ in TABLEROS:
        vistos.append(pagina.url.rpartition("/")[2])
        siguiente = pagina.get_attribute("meta[http-equiv=refresh]", "content") or ""
        pagina.goto("/pantalla/" + siguiente.partition("url=")[2])
    assert vistos == [t.rpartition("/")[2] for t in TABLEROS]
    assert pagina.url.endswith(vistos[0])


def test_con_javascript_se_avisa_del_corte_nuevo_y_nada_mas(
    navegador: Browser, servidores: dict[str, str], carpeta: Path
) -> None:
    contexto = navegador.new_context(base_url=servidores["una"])
    pagina = contexto.new_page()
    pagina.clock.install()
    pagina.goto("/")
    assert pagina.is_hidden("#aviso")
    with pagina.expect_response("**/resumen.json"):
        pagina.clock.fast_forward(61_000)
    assert pagina.is_hidden("#aviso"), "el corte vigente es el de la página"
    (carpeta / "una" / "resumen.json").write_text(json.dumps({"corte": {"nombre": "20220605_2020"}}))
    pagina.clock.fast_forward(61_000)
    pagina.wait_for_selector("#aviso", state="visible")
    contexto.close()


def test_las_laminas_se_dibujan_solas(pagina: Page) -> None:
    for lamina in ("votos", "avance", "mapa", "cartograma"):
        pagina.goto(f"/GUB/{lamina}.svg")
        assert "SIMULACRO" in (pagina.locator("svg").text_content() or "")
