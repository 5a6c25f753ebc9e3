"""Digitalizar de verdad: Chromium con los dedos, SANE, visión y el escáner de la mesa de pruebas debajo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ensayo.mesa_de_pruebas.charola import Estorbo
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import IdActa, Imagen
from tests.foto import tomar
from tests.kiosco_de_prueba import bien
from tests.puesto_de_prueba import PuestoDePrueba, acta_dibujada, hoja_en_blanco, puesto_abierto
from tests.turno_de_prueba import entrar_con_los_dedos

CHROMIUM = "/usr/bin/chromium"
UNA, DOS, TRES = (IdActa("GUB", c) for c in ("200003B0100", "200003C0100", "200002B0100"))

pytestmark = pytest.mark.navegador


class Digitalizador:
    """El puesto y la página abierta en la pantalla de digitalización."""

    def __init__(self, puesto: PuestoDePrueba, pagina: Page, fotos: Path) -> None:
        self.puesto = puesto
        self.pagina = pagina
        self.proceso = puesto.kiosco.proceso
        self._fotos = fotos
        self.errores: list[str] = []
        pagina.on("pageerror", lambda error: self.errores.append(str(error)))
        pagina.on("console", lambda m: self.errores.append(m.text) if "Content Security" in m.text else None)

    def foto(self, nombre: str) -> None:
        tomar(self.pagina, self._fotos / f"{len(list(self._fotos.iterdir())):02d}-{nombre}.png")

    def entrar(self, nombre: str) -> None:
        entrar_con_los_dedos(self.pagina, self.puesto.casa, nombre)
        self.ir()

    def ir(self) -> None:
        self.pagina.goto(self.puesto.casa + "/digitalizacion")

    def acopiar(self, *actas: IdActa) -> None:
        for acta in actas:
            bien(self.puesto.kiosco.mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))

    def digitalizar(self) -> None:
        self.pagina.get_by_role("button", name="Digitalizar hojas").tap()

    def imagenes(self, acta: IdActa) -> list[Imagen]:
        return [h for h in self.puesto.kiosco.almacen.hechos_de(acta) if isinstance(h, Imagen)]


@pytest.fixture
def banco(tmp_path: Path, datos: Path) -> Iterator[Digitalizador]:
    fotos = tmp_path / "fotos"
    fotos.mkdir()
    with puesto_abierto(tmp_path / "kiosco", datos / "oaxaca_2022") as puesto, sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pagina = navegador.new_page(viewport={"width": 1280, "height": 800}, has_touch=True)
        pagina.set_default_timeout(20_000)
        digitalizador = Digitalizador(puesto, pagina, fotos)
        yield digitalizador
        navegador.close()
    assert digitalizador.errores == []


def test_cinco_hojas_una_atascada_una_en_blanco_y_una_repetida(banco: Digitalizador) -> None:
    pagina = banco.pagina
    banco.acopiar(UNA, DOS, TRES)
    banco.entrar("Capturista 1")
    banco.foto("vacia")

    hojas = [acta_dibujada(banco.proceso, a) for a in (UNA, DOS)]
    banco.puesto.meter(*hojas, acta_dibujada(banco.proceso, TRES))
    banco.puesto.mesa.charola.fallar(Estorbo.ATASCO, 2)
    banco.digitalizar()
    falla = pagina.locator("form.falla")
    expect(falla).to_contain_text("atasc", ignore_case=True)
    expect(pagina.locator(".hecha.asignada")).to_have_count(2)
    expect(pagina.locator(".no-cuadra")).to_contain_text("Entraron 3 y salieron 2")
    banco.foto("atasco")
    pagina.reload()
    expect(falla).to_have_count(1)
    falla.get_by_role("button", name="Entendido").tap()
    expect(falla).to_have_count(0)

    banco.puesto.mesa.pulsar("despejar")
    banco.puesto.mesa.pulsar("vaciar")
    banco.puesto.meter(acta_dibujada(banco.proceso, TRES), hoja_en_blanco(), hojas[0])
    banco.digitalizar()
    expect(pagina.locator(".dudosa")).to_have_count(1)
    expect(pagina.locator(".dudosa")).to_contain_text("blanco")
    expect(pagina.locator(".hecha.asignada")).to_have_count(3)
    expect(pagina.locator(".hecha.descartada")).to_contain_text("misma imagen")
    expect(pagina.locator(".cuadra")).to_contain_text("Todo lo que entró tiene registro")
    banco.foto("lote")
    for acta in (UNA, DOS, TRES):
        assert len(banco.imagenes(acta)) == 1
        assert banco.imagenes(acta)[0].digitalizacion is Digitalizacion.ESCANER
    _medir(pagina)

    pagina.locator(".dudosa").tap()
    expect(pagina.locator("h1")).to_contain_text("blanco")
    banco.foto("en-blanco")
    pagina.get_by_role("button", name="Repetir la hoja").tap()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("Ahora pásela otra vez")
    expect(pagina.locator(".dudosa")).to_have_count(0)


def test_sin_etiqueta_se_identifica_a_mano_y_se_acopia_de_un_toque(banco: Digitalizador) -> None:
    pagina = banco.pagina
    banco.puesto.meter(acta_dibujada(banco.proceso, TRES, con_etiqueta=False))
    banco.entrar("Capturista 1")
    banco.digitalizar()
    pagina.locator(".dudosa").tap()
    expect(pagina.locator("h1")).to_contain_text("No se halló código")
    banco.foto("sin-codigo")
    _medir(pagina)
    pagina.locator("#marco").tap()
    banco.foto("acercada")
    _medir(pagina)
    pagina.get_by_role("link", name="Decir de qué casilla es").tap()
    expect(pagina.locator("h1")).to_contain_text("¿Qué sección")
    for cifra in "0002":
        pagina.locator(f'[data-tecla="{cifra}"]').tap()
    banco.foto("seccion")
    _medir(pagina)
    pagina.get_by_role("button", name="Buscar casillas").tap()
    expect(pagina.locator("h1")).to_contain_text("¿qué casilla dice el papel?")
    banco.foto("casillas")
    _medir(pagina)
    pagina.get_by_role("link", name="Básica 1").tap()
    expect(pagina.locator("h1")).to_contain_text("¿El papel dice exactamente esto?")
    banco.foto("confirmar")
    pagina.get_by_role("button", name="Sí, es de esta casilla").tap()
    expect(pagina.locator(".motivo h1")).to_contain_text("no está acopiada")
    banco.foto("sin-acopio")
    _medir(pagina)
    pagina.get_by_role("button", name="Acopiar ahora").tap()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("Sección 0002 Básica 1")
    assert len(banco.imagenes(TRES)) == 1


def test_borrosa_se_acepta_y_otra_toma_pregunta_si_sustituye(banco: Digitalizador) -> None:
    pagina = banco.pagina
    banco.acopiar(UNA)
    borrosa = cv2.imdecode(np.frombuffer(acta_dibujada(banco.proceso, UNA), np.uint8), cv2.IMREAD_COLOR)
    assert borrosa is not None
    _, png = cv2.imencode(".png", cv2.GaussianBlur(borrosa, (0, 0), 4.6))
    banco.puesto.meter(png.tobytes())
    banco.entrar("Capturista 1")
    banco.digitalizar()
    pagina.locator(".dudosa").tap()
    expect(pagina.locator(".motivo h1")).to_contain_text("borrosa")
    banco.foto("borrosa")
    pagina.get_by_role("button", name="Aceptar así").tap()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("La hoja quedó en")
    banco.puesto.meter(acta_dibujada(banco.proceso, UNA))
    banco.digitalizar()
    pagina.locator(".dudosa").tap()
    expect(pagina.locator(".motivo h1")).to_contain_text("ya se digitalizó a las")
    banco.foto("ya-digitalizada")
    pagina.get_by_role("button", name="Sustituir por ésta").tap()
    expect(pagina.locator(".aviso.bueno")).to_contain_text("La hoja quedó en")
    assert len(banco.imagenes(UNA)) == 2


def test_fotos_de_telefono_en_una_memoria_y_el_escaner_desenchufado(banco: Digitalizador) -> None:
    pagina = banco.pagina
    banco.acopiar(UNA)
    banco.puesto.mesa.pulsar("desenchufar")
    banco.entrar("Capturista 1")
    banco.digitalizar()
    falla = pagina.locator("form.falla")
    expect(falla).to_contain_text("Siguiente paso")
    banco.foto("desenchufado")
    falla.get_by_role("button", name="Entendido").tap()
    telefono = banco.puesto.mesa.memorias / "TELEFONO" / "DCIM"
    telefono.mkdir(parents=True)
    imagen = cv2.imdecode(np.frombuffer(acta_dibujada(banco.proceso, UNA), np.uint8), cv2.IMREAD_COLOR)
    assert imagen is not None
    _, jpeg = cv2.imencode(".jpg", imagen, [cv2.IMWRITE_JPEG_QUALITY, 85])
    (telefono / "acta.jpg").write_bytes(jpeg.tobytes())
    (telefono / "otra.heic").write_bytes(b"\0\0\0\x18ftypheic")
    copiar = pagina.get_by_role("button", name="Copiar fotos de «TELEFONO»")
    expect(copiar).to_be_visible()
    banco.foto("memoria")
    copiar.tap()
    expect(pagina.locator(".hecha.asignada")).to_have_count(1)
    expect(pagina.locator(".importadas")).to_contain_text("JPEG")
    banco.foto("copiadas")
    (hecho,) = banco.imagenes(UNA)
    assert hecho.digitalizacion is Digitalizacion.MOVIL
    _medir(pagina)


def test_refrescar_la_lista_no_quita_el_foco_ni_mueve_lo_que_se_esta_tocando(banco: Digitalizador) -> None:
    pagina = banco.pagina
    banco.acopiar(UNA, DOS)
    banco.puesto.meter(hoja_en_blanco())
    banco.entrar("Capturista 1")
    banco.digitalizar()
    dudosa = pagina.locator(".dudosa")
    expect(dudosa).to_have_count(1)
    dudosa.focus()
    banco.puesto.meter(acta_dibujada(banco.proceso, UNA))
    bien(banco.puesto.puesto.digitalizadora.digitalizar("capturista-1"))  # type: ignore[union-attr]
    expect(pagina.locator(".hecha.asignada")).to_have_count(1)
    expect(dudosa).to_be_focused()
    caja = dudosa.bounding_box()
    assert caja is not None
    pagina.mouse.move(caja["x"] + 20, caja["y"] + 20)
    pagina.mouse.down()
    banco.puesto.meter(acta_dibujada(banco.proceso, DOS))
    bien(banco.puesto.puesto.digitalizadora.digitalizar("capturista-1"))  # type: ignore[union-attr]
    limite = time.monotonic() + 20
    while not banco.imagenes(DOS):
        assert time.monotonic() < limite
        time.sleep(0.1)
    pagina.wait_for_timeout(1500)
    expect(pagina.locator(".hecha.asignada")).to_have_count(1)
    pagina.mouse.up()
    pagina.wait_for_url("**/hoja/*")


def _medir(pagina: Page) -> None:
    chicos = pagina.evaluate(
        """() => [...document.querySelectorAll('main button, main a, main input:not([type=hidden]):not([type=radio])')]
        .filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([_, r]) => r.height < 44 || r.width < 44).map(([t]) => t)"""
    )
    assert chicos == []
    assert pagina.evaluate("document.documentElement.scrollWidth <= innerWidth")
