"""Las páginas del centro en un Chromium de verdad: la pública y el proyector, sin JavaScript."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import uvicorn
from joserfc.jwk import ECKey
from playwright.sync_api import Browser, Page, sync_playwright

from ensayo.puertos import puerto_libre
from nucleo.acta import MotivoSinActa, asentado_de_campos
from nucleo.campo import ILEGIBLE, Campo, Numero
from nucleo.hechos import Captura, Hecho, IdActa, SinActa
from nucleo.temas import Carril
from servicio_central import arranque, web
from servicio_central.almacen import Almacen
from servicio_central.arranque import Centro
from servicio_central.corte import hacer_corte
from servicio_central.ingesta import Mensaje
from tests.centro_de_verdad import Inscrito, epoca_de, esperar
from tests.estrategias import FirmanteEnMemoria
from tests.foto import tomar
from tests.sobres_de_prueba import EquipoDePrueba

pytestmark = pytest.mark.navegador


class Sitio:
    """Un centro sin bróker, sirviendo sus páginas."""

    def __init__(self, carpeta: Path) -> None:
        self.inscrito = Inscrito(carpeta)
        for equipo in ("catd-01", "catd-02"):
            self.inscrito.kiosco(equipo)
        self.centro: Centro = arranque.abrir_centro(self.inscrito.centro, avisar=lambda _: None)
        self.proceso = self.centro.vigia.proceso
        self.puerto = puerto_libre()
        self.url = f"http://127.0.0.1:{self.puerto}"
        ajustes = uvicorn.Config(web.aplicacion(self.centro), port=self.puerto, log_level="error")
        self._servidor = uvicorn.Server(ajustes)
        self._hilo = threading.Thread(target=self._servidor.run, daemon=True)
        self._hilo.start()
        assert esperar(lambda: self._servidor.started)

    def cerrar(self) -> None:
        self._servidor.should_exit = True
        self._hilo.join(timeout=10)

    def votar(self, casillas: range, votos: int) -> None:
        """Dos personas capturan lo mismo en cada casilla, y la primera además se declara sin acta."""
        carpeta = self.inscrito.kiosco("catd-01")
        equipo = EquipoDePrueba("catd-01", epoca_de(carpeta))
        equipo.quien = FirmanteEnMemoria("catd-01", ECKey.import_key((carpeta / "llave.pem").read_bytes()))
        mensajes = []
        for n in casillas:
            casilla = list(self.proceso.casillas.values())[n]
            (eleccion,) = self.proceso.elecciones.values()
            campos: dict[str, Campo] = dict.fromkeys((o.clave for o in eleccion.opciones_de(casilla)), Numero(votos))
            if n % 7 == 3:
                campos["NULOS"] = ILEGIBLE
            otros = "BOLETAS_SOBRANTES PERSONAS_VOTARON REPRESENTANTES_VOTARON VOTOS_SACADOS TOTAL_ASENTADO"
            asentado = asentado_de_campos({**campos, **dict.fromkeys(otros.split(), Numero(votos))})
            acta, hora = IdActa(eleccion.clave, casilla.clave), self.proceso.inicio_publicacion
            hechos: list[Hecho] = [Captura(acta, 1, hora, p, asentado) for p in ("ana", "beto")]
            if n % 7 == 5:
                hechos = [SinActa(acta, hora, MotivoSinActa.CASILLA_NO_INSTALADA, "ana", "coordina")]
            for hecho in hechos:
                sobre = equipo.firmar(hecho, proceso=self.proceso.clave)
                mensajes.append(Mensaje(self.inscrito.tema("catd-01", Carril.HECHOS), sobre.encode()))
        self.mensajes = mensajes
        assert {d.destino.value for d in self.centro.ingesta.procesar(mensajes).dictamenes} <= {"aceptado"}

    def cortar(self, hora: datetime, *, ultimo: bool = False) -> None:
        (eleccion,) = self.proceso.elecciones
        hacer_corte(self.inscrito.centro, self.proceso, eleccion, hora, ultimo=ultimo)


@pytest.fixture(scope="module")
def sitio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sitio]:
    sitio = Sitio(tmp_path_factory.mktemp("sitio"))
    yield sitio
    sitio.cerrar()


@pytest.fixture(scope="module")
def navegador() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        navegador = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield navegador
        navegador.close()


@pytest.fixture
def pagina(navegador: Browser, sitio: Sitio) -> Iterator[Page]:
    """Sin JavaScript: todo se tiene que poder leer. Cualquier queja del navegador (CSP, 404) hace fallar la prueba."""
    contexto = navegador.new_context(
        java_script_enabled=False, base_url=sitio.url, viewport={"width": 1100, "height": 800}
    )
    pagina = contexto.new_page()
    quejas: list[str] = []
    pagina.on("console", lambda m: quejas.append(m.text))
    pagina.on("requestfailed", lambda r: quejas.append(r.url))
    yield pagina
    contexto.close()
    assert quejas == []


def test_antes_del_primer_corte_se_dice_cuando_empieza(pagina: Page) -> None:
    pagina.goto("/")
    assert "20:00 h (UTC-5) del domingo 5 de junio de 2022" in pagina.inner_text("body")
    assert "PRELIMINAR" in pagina.title()


def test_la_pagina_publica_se_lee_sin_javascript_y_cada_porcentaje_dice_de_cuanto(
    sitio: Sitio, pagina: Page, tmp_path: Path
) -> None:
    sitio.cortar(sitio.proceso.inicio_publicacion)
    pagina.goto("/")
    en_ceros = pagina.inner_text("main")
    assert "0.0000 %" in en_ceros
    assert "0 de 5,707 actas contabilizadas" in en_ceros

    sitio.votar(range(40), 9)
    sitio.cortar(sitio.proceso.inicio_publicacion + timedelta(minutes=20))
    pagina.goto("/")
    texto = pagina.inner_text("body")
    assert "PRELIMINAR" in pagina.title()
    assert "SIMULACRO" in texto
    assert "20:20 h (UTC-5) del domingo 5 de junio de 2022" in texto
    for dato in ("% de las 5,707 esperadas", "capturadas no suman", "Sin acta casilla no instalada"):
        assert dato.lower() in texto.lower()
    # Tres porcentajes distintos: capturadas, contabilizadas, con inconsistencias.
    avance = [c.inner_text() for c in pagina.query_selector_all("table.avance tbody td:last-child")]
    assert len(set(avance[1:])) == 3
    # Ningún porcentaje suelto: todos están en una tabla con su total en el encabezado, o con su fórmula al lado.
    for celda in pagina.query_selector_all("table.votos thead th:last-child"):
        assert re.fullmatch(r"% de [\d,]+", celda.text_content() or "")
    assert "personas de la lista nominal" in texto
    # Las barras se ven: tienen área y la más larga es la del mayor.
    largos = [float(r.get_attribute("width") or 0) for r in pagina.query_selector_all("table.votos .lleno")]
    assert max(largos) == 1000
    tomar(pagina, tmp_path / "publica.png", completa=True)
    pagina.set_viewport_size({"width": 360, "height": 740})
    caja = pagina.locator("body").bounding_box()
    assert caja is not None
    assert caja["width"] <= 360


def test_el_zip_se_descarga_y_su_huella_es_la_que_dice_la_pagina(sitio: Sitio, pagina: Page) -> None:
    pagina.goto("/")
    pagina.click("summary:has-text('Comprobar')")
    huella = pagina.inner_text("code.huella >> nth=0")
    with pagina.expect_download() as descarga:
        pagina.click("a.boton")
    assert sha256(Path(descarga.value.path()).read_bytes()).hexdigest() == huella


def test_un_corte_nuevo_no_cambia_el_anterior(sitio: Sitio, pagina: Page) -> None:
    anterior = "/cortes/20220605_2020/"
    antes = httpx.get(sitio.url + anterior)
    sitio.cortar(sitio.proceso.inicio_publicacion + timedelta(minutes=40), ultimo=True)
    assert httpx.get(sitio.url + anterior).content == antes.content
    assert "immutable" in antes.headers["cache-control"]
    assert httpx.get(sitio.url + "/").headers["cache-control"] == "no-store"
    pagina.goto("/")
    assert "Último corte de las 20:40" in pagina.inner_text("body")
    assert "Incluye las casillas especiales" in pagina.inner_text("body")
    # Repetir un corte viejo con los mismos hechos no hace nada, y lo publicado no retrocede.
    sitio.cortar(sitio.proceso.inicio_publicacion + timedelta(minutes=20))
    pagina.goto("/")
    assert "20:40" in pagina.inner_text("body")


def test_el_proyector_muestra_primero_lo_que_hay_que_atender(sitio: Sitio, pagina: Page, tmp_path: Path) -> None:
    ultimo = sitio.mensajes[-1].datos.decode()
    sitio.centro.ingesta.procesar(
        [
            Mensaje(sitio.inscrito.tema("catd-01", Carril.HECHOS), ultimo[:-6].encode() + b"AAAAAA"),
            Mensaje(sitio.inscrito.tema("catd-01", Carril.HECHOS), b"basura"),
        ]
    )
    assert esperar(lambda: "cuarentena" in httpx.get(f"{sitio.url}/proyector").text)
    pagina.goto("/proyector")
    assert "1 crítica" in pagina.inner_text("h1")
    primera = pagina.inner_text("#alarmas article >> nth=0")
    assert "no tiene enlace con el bróker" in primera
    texto = pagina.inner_text("#alarmas")
    assert "catd-01" in texto
    assert "en cuarentena (FIRMA)" in texto
    assert "nunca" in pagina.inner_text("#c-catd-02")
    tomar(pagina, tmp_path / "proyector.png", completa=True)


def test_una_pagina_ajena_no_puede_leer_ni_enmarcar_la_sala(sitio: Sitio) -> None:
    for host in (
        "ataque.example",
        f"127.0.0.1.ataque.example:{sitio.puerto}",
        "localhost.",
        "",
        "[::1].x",
        "127.0.0.1:x",
    ):
        assert httpx.get(f"{sitio.url}/proyector", headers={"Host": host}).status_code in (400, 421)
    for host in ("localhost", f"localhost:{sitio.puerto}", f"[::1]:{sitio.puerto}"):
        assert httpx.get(f"{sitio.url}/proyector", headers={"Host": host}).status_code == 200
    cabeceras = httpx.get(f"{sitio.url}/proyector").headers
    assert "frame-ancestors 'none'" in cabeceras["content-security-policy"]
    for metodo in ("PUT", "DELETE", "OPTIONS"):
        assert httpx.request(metodo, f"{sitio.url}/operacion").status_code == 405


def test_la_sala_responde_aunque_el_almacen_este_ocupado(sitio: Sitio) -> None:
    almacen = sitio.centro.almacen
    assert isinstance(almacen, Almacen)
    almacen.bd.execute("BEGIN IMMEDIATE")
    try:
        comienzo = time.monotonic()
        assert httpx.get(f"{sitio.url}/proyector").status_code == 200
        assert time.monotonic() - comienzo < 3
    finally:
        almacen.bd.execute("ROLLBACK")
