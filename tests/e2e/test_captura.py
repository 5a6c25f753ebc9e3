"""Capturar en un Chromium de verdad, con un kiosco en su propio proceso: sólo dedos, sólo teclas, y se va la luz."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect, sync_playwright

from appliance.arranque import Kiosco, abrir_kiosco
from appliance.reloj import RelojDeEnsayo
from appliance.vision.plantilla import preparar
from appliance.vision.registro import mirar, registrar
from ensayo.dibujo_en_color import dibujar_en_color
from ensayo.puertos import puerto_libre
from nucleo.acta import Asentado, Digitalizacion, Origen
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Ilegible, Numero, SinDato
from nucleo.captura import PrimeraConcluida
from nucleo.definicion import cargar_proceso
from nucleo.formato import formato_para, leer_formatos
from nucleo.hechos import Captura, HechoDeActa, IdActa
from tests.foto import tomar
from tests.kiosco_de_prueba import bien, carpeta_inscrita, vigente
from tests.turno_de_prueba import entrar_con_los_dedos

ACTA = IdActa("GUB", "200002B0100")
CHROMIUM = "/usr/bin/chromium"
NOCHE = "2022-06-05T20:14:00-05:00"

pytestmark = pytest.mark.navegador


class Puesto:
    """Un kiosco en su proceso, con un acta ya digitalizada, y el navegador de la estación."""

    def __init__(self, carpeta: Path, asentado: Asentado, fotos: Path) -> None:
        self.carpeta = carpeta
        self.asentado = asentado
        self.puerto = puerto_libre()
        self.casa = f"http://127.0.0.1:{self.puerto}"
        self._fotos = fotos
        self._proceso: subprocess.Popen[bytes] | None = None
        self.pagina: Page

    def encender(self) -> None:
        orden = [sys.executable, "-m", "appliance", "--carpeta", str(self.carpeta), "--puerto", str(self.puerto)]
        self._proceso = subprocess.Popen([*orden, "--reloj-de-ensayo", NOCHE], stdout=subprocess.DEVNULL)
        limite = time.monotonic() + 30
        while True:
            try:
                httpx.get(self.casa + "/turno", trust_env=False)
                return
            except httpx.TransportError:
                assert self._proceso.poll() is None, "el kiosco se cerró al arrancar"
                assert time.monotonic() < limite, "el kiosco no arrancó"
                time.sleep(0.05)

    def apagon(self) -> None:
        assert self._proceso is not None
        self._proceso.send_signal(signal.SIGKILL)
        self._proceso.wait()

    def apagar(self) -> None:
        if self._proceso is not None and self._proceso.poll() is None:
            self._proceso.terminate()
            self._proceso.wait(timeout=20)

    def historia(self) -> list[HechoDeActa]:
        kiosco = abrir_kiosco(self.carpeta)
        try:
            return kiosco.almacen.hechos_de(ACTA)
        finally:
            kiosco.almacen.desconectar()

    def capturas(self) -> list[Captura]:
        return [h for h in self.historia() if isinstance(h, Captura)]

    def foto(self, nombre: str) -> None:
        tomar(self.pagina, self._fotos / f"{nombre}.png")

    def soy(self, nombre: str) -> None:
        entrar_con_los_dedos(self.pagina, self.casa, nombre)

    def siguiente(self, pagina: Page | None = None) -> None:
        pagina = pagina or self.pagina
        pagina.get_by_role("button", name="Siguiente acta").tap()
        pagina.wait_for_selector(".renglon.activo")

    def tocar(self, campo: Campo) -> None:
        """Un renglón sólo con dedos."""
        match campo:
            case Numero(n):
                for cifra in str(n):
                    self.pagina.locator(f'[data-tecla="{cifra}"]').tap()
            case Ilegible():
                self.pagina.locator('[data-marca="ILEGIBLE"]').tap()
            case SinDato():
                self.pagina.locator('[data-marca="SIN DATO"]').tap()
        if isinstance(campo, Numero):
            self.sigue()

    def sigue(self) -> None:
        self.pagina.locator('[data-tecla="siguiente"]').tap()

    def teclear(self, campo: Campo) -> None:
        """Un renglón sólo con teclas."""
        match campo:
            case Numero(n):
                self.pagina.keyboard.type(str(n))
            case Ilegible():
                self.pagina.keyboard.press("i")
            case SinDato():
                self.pagina.keyboard.press("s")
        if isinstance(campo, Numero):
            self.pagina.keyboard.press("Enter")

    def renglon(self, clave: str) -> str:
        """Lo que muestra ese renglón."""
        renglon = self.pagina.locator(f'[data-renglon="{clave}"]')
        marcada = renglon.locator(".marca input:checked")
        return str(marcada.input_value() if marcada.count() else renglon.locator(".numero").input_value())


@pytest.fixture(scope="module")
def imagen(datos: Path) -> tuple[Asentado, bytes, str]:
    """Lo que dice el papel, su página digitalizada y torcida, y el registro que hizo la visión."""
    definicion = datos / "oaxaca_2022"
    proceso = cargar_proceso(definicion)
    casilla, eleccion = proceso.casillas[ACTA.casilla], proceso.elecciones[ACTA.eleccion]
    votos: dict[str, Campo] = {o.clave: Numero(17 * i) for i, o in enumerate(eleccion.opciones_de(casilla))}
    votos |= {"PRD": ILEGIBLE, "MC": SIN_DATO}
    asentado = Asentado(votos, Numero(120), Numero(300), Numero(6), Numero(306), Numero(305))
    recta = dibujar_en_color(casilla, eleccion, asentado)
    alto, ancho = recta.shape[:2]
    giro = cv2.getRotationMatrix2D((ancho / 2, alto / 2), 2.0, 0.98)
    _, webp = cv2.imencode(".webp", cv2.warpAffine(recta, giro, (ancho, alto)), [cv2.IMWRITE_WEBP_QUALITY, 60])
    contenido = webp.tobytes()
    gris = cv2.imdecode(np.frombuffer(contenido, np.uint8), cv2.IMREAD_GRAYSCALE)
    formato = formato_para(leer_formatos(definicion), eleccion, casilla)
    assert formato is not None
    assert gris is not None
    registro = registrar(mirar(gris.astype(np.uint8)), preparar(formato, definicion))
    assert registro is not None
    return asentado, contenido, registro.a_json()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield navegador
        navegador.close()


@pytest.fixture
def puesto(tmp_path: Path, datos: Path, imagen: tuple[Asentado, bytes, str], chromium: Browser) -> Iterator[Puesto]:
    asentado, contenido, registro = imagen
    carpeta = carpeta_inscrita(tmp_path / "kiosco", datos / "oaxaca_2022")
    kiosco = abrir_kiosco(carpeta, RelojDeEnsayo(datetime.fromisoformat(NOCHE)))
    bien(kiosco.mesa.acopiar(ACTA, persona="acopio-1", origen=Origen.CATD))
    _digitalizar(kiosco, contenido, registro, "l/1")
    kiosco.almacen.desconectar()
    fotos = tmp_path / "fotos"
    fotos.mkdir()
    puesto = Puesto(carpeta, asentado, fotos)
    puesto.encender()
    errores: list[str] = []
    contexto = chromium.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    puesto.pagina = contexto.new_page()
    puesto.pagina.set_default_timeout(15_000)
    puesto.pagina.on("pageerror", lambda error: errores.append(str(error)))
    puesto.pagina.on("console", lambda m: errores.append(m.text) if "Content Security" in m.text else None)
    yield puesto
    contexto.close()
    puesto.apagar()
    assert errores == []


def test_un_acta_completa_solo_con_dedos(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    campos = puesto.asentado.campos()
    expect(puesto.pagina.locator(".recorte")).to_have_count(len(campos))
    expect(puesto.pagina.locator(".identificacion")).to_be_visible()
    for clave, campo in campos.items():
        expect(puesto.pagina.locator(f'[data-renglon="{clave}"]')).to_be_in_viewport()
        puesto.tocar(campo)
    expect(puesto.pagina.locator(".faltan")).to_have_text("Todo tiene respuesta")
    expect(puesto.pagina.locator(".guardado").last).to_have_text("guardado ✔")
    puesto.foto("dedos")
    puesto.pagina.locator("#guardar").tap()
    expect(puesto.pagina.locator(".aviso.bueno")).to_contain_text("ahora la leerá otra persona", ignore_case=True)
    assert [c.asentado for c in puesto.capturas()] == [puesto.asentado]


def test_un_acta_completa_solo_con_teclas(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    expect(puesto.pagina.get_by_role("button", name="Siguiente acta")).to_be_focused()
    puesto.pagina.keyboard.press("Enter")
    puesto.pagina.wait_for_selector(".renglon.activo")
    teclas, claves = puesto.pagina.keyboard, list(puesto.asentado.campos())
    # Se equivoca en el primero, baja, sube con flecha y con Mayús+Enter, y lo corrige.
    teclas.type("9x99")
    teclas.press("Enter")
    teclas.press("ArrowDown")
    teclas.press("ArrowUp")
    teclas.press("Shift+Enter")
    assert puesto.renglon(claves[0]) == "999", "una letra que no es marca no se escribe"
    for campo in puesto.asentado.campos().values():
        puesto.teclear(campo)
    expect(puesto.pagina.locator("#guardar")).to_be_focused()
    puesto.pagina.locator(".numero").last.focus()
    teclas.press("ArrowDown")
    expect(puesto.pagina.locator(".numero").last).to_be_focused()
    teclas.press("Enter")
    teclas.press("Enter")
    puesto.pagina.wait_for_url(puesto.casa + "/")
    assert [c.asentado for c in puesto.capturas()] == [puesto.asentado]


def test_se_va_la_luz_a_media_hoja_y_al_volver_esta_lo_tecleado(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    for campo in (Numero(120), ILEGIBLE, Numero(6)):
        puesto.tocar(campo)
    expect(puesto.pagina.locator('[data-renglon="REPRESENTANTES_VOTARON"] .guardado')).to_have_text("guardado ✔")
    puesto.apagon()
    puesto.pagina.goto("about:blank")
    puesto.encender()
    puesto.soy("Capturista 1")
    puesto.siguiente()
    expect(puesto.pagina.locator(".instruccion[role=status]:visible")).to_contain_text("Continúa donde iba: 3 de 30")
    assert [puesto.renglon(c) for c in list(puesto.asentado.campos())[:4]] == ["120", "ILEGIBLE", "6", ""]
    expect(puesto.pagina.locator(".numero").nth(3)).to_be_focused()
    puesto.foto("continua")


def test_el_kiosco_se_reinicia_mientras_alguien_teclea_y_no_se_pierde_ningun_renglon(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    puesto.tocar(Numero(120))
    puesto.apagon()
    for campo in (Numero(300), Numero(6), SIN_DATO):
        puesto.tocar(campo)
    expect(puesto.pagina.locator(".sin-guardar")).to_contain_text("el kiosco no contesta")
    puesto.foto("sin-kiosco")
    puesto.encender()
    # Al reiniciar, el kiosco bloquea la pantalla: con su NIP vuelve, y lo que no se había mandado vuelve con ella.
    puesto.pagina.wait_for_url(re.compile("/turno"))
    puesto.soy("Capturista 1")
    puesto.siguiente()
    expect(puesto.pagina.locator('[data-renglon="VOTOS_SACADOS"] .guardado')).to_have_text("guardado ✔")
    puesto.pagina.reload()
    assert [puesto.renglon(c) for c in list(puesto.asentado.campos())[:4]] == ["120", "300", "6", "SIN DATO"]


def test_lo_que_falto_de_mandar_vuelve_a_la_hoja_aunque_la_pagina_se_haya_ido(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    puesto.apagon()
    puesto.tocar(Numero(77))
    puesto.tocar(ILEGIBLE)
    expect(puesto.pagina.locator(".sin-guardar")).to_be_visible()
    puesto.pagina.goto("about:blank")
    puesto.encender()
    puesto.soy("Capturista 1")
    puesto.siguiente()
    expect(puesto.pagina.locator(".guardado").nth(1)).to_have_text("guardado ✔")
    assert [puesto.renglon(c) for c in list(puesto.asentado.campos())[:2]] == ["77", "ILEGIBLE"]


def test_un_dedo_nervioso_concluye_dos_veces_en_dos_pestanas(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    for campo in puesto.asentado.campos().values():
        puesto.teclear(campo)
    expect(puesto.pagina.locator(".guardado").last).to_have_text("guardado ✔")
    otra = puesto.pagina.context.new_page()
    otra.goto(puesto.pagina.url)
    expect(otra.locator(".faltan")).to_have_text("Todo tiene respuesta")
    puesto.pagina.locator("#guardar").dblclick()
    puesto.pagina.wait_for_url(puesto.casa + "/")
    otra.locator(".numero").first.fill("5")
    expect(otra.locator(".sin-guardar")).to_contain_text("Usted no tiene abierta el acta")
    otra.locator("#guardar").tap()
    expect(otra.locator(".aviso.malo[role=alert]")).to_contain_text("Usted no tiene abierta esta acta")
    assert [c.asentado for c in puesto.capturas()] == [puesto.asentado]


def test_la_segunda_persona_ve_que_renglones_difieren_y_decide(puesto: Puesto) -> None:
    kiosco = abrir_kiosco(puesto.carpeta, RelojDeEnsayo(datetime.fromisoformat(NOCHE)))
    bien(kiosco.mesa.tomar(ACTA, "capturista-1"))
    hecha = bien(kiosco.mesa.capturar(ACTA, "capturista-1", puesto.asentado, imagen=vigente(kiosco.mesa, ACTA)))
    assert isinstance(hecha.estado, PrimeraConcluida)
    kiosco.almacen.desconectar()
    puesto.soy("Capturista 2")
    puesto.siguiente()
    for clave, campo in puesto.asentado.campos().items():
        puesto.teclear(Numero(41) if clave in ("PRI", "NULOS") else campo)
    puesto.pagina.locator("#guardar").dblclick()
    expect(puesto.pagina.locator(".senal[role=alert]")).to_be_in_viewport()
    expect(puesto.pagina.locator('[data-renglon="PRI"] .numero')).to_be_focused()
    expect(puesto.pagina.locator(".renglon.senalado")).to_have_count(2)
    puesto.foto("senalados")
    _revisar_pagina(puesto)
    puesto.tocar(puesto.asentado.campos()["PRI"])
    puesto.pagina.locator('[data-renglon="NULOS"] .numero').tap()
    puesto.tocar(puesto.asentado.campos()["NULOS"])
    puesto.pagina.locator("#guardar").tap()
    expect(puesto.pagina.locator(".aviso.bueno")).to_contain_text("VERIFICADA")


def test_la_hoja_se_lee_se_toca_y_se_explica(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    _revisar_pagina(puesto)
    concluir, barra = puesto.pagina.locator("#guardar").bounding_box(), puesto.pagina.locator("#barra").bounding_box()
    assert concluir is not None
    assert barra is not None
    assert concluir["y"] + concluir["height"] <= 800
    for boton, tapa, cierra in (
        ("¿Cómo se captura?", "#ayuda", "Cerrar la ayuda"),
        ("La imagen no se ve bien", "#imagen-mala", "Seguir capturando"),
        ("Ver imagen completa", "#completa", "Cerrar imagen"),
    ):
        puesto.pagina.get_by_role("button", name=boton).tap()
        expect(puesto.pagina.locator(tapa)).to_be_visible()
        _revisar_pagina(puesto)
        puesto.foto(tapa.strip("#"))
        puesto.pagina.get_by_role("button", name=cierra).tap()
        expect(puesto.pagina.locator(tapa)).to_be_hidden()


def test_sigue_deja_renglones_vacios_y_la_pantalla_los_ensena_y_regresa_a_ellos(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    campos = puesto.asentado.campos()
    se_salta = ("PERSONAS_VOTARON", "PRI", "NULOS")
    for clave, campo in campos.items():
        if clave in se_salta:
            puesto.sigue()
        else:
            puesto.tocar(campo)
    vacio, por_llenar = puesto.pagina.locator(".saltado .vacio"), puesto.pagina.locator(".por-llenar")
    # Al llegar abajo no se fue a «Concluir»: regresó al primero, y los otros dos se siguen viendo.
    expect(puesto.pagina.locator('[data-renglon="PERSONAS_VOTARON"] .numero')).to_be_focused()
    expect(vacio).to_have_text(["▲ Se quedó vacío"] * 2)
    expect(por_llenar).to_contain_text("Faltan 3: Personas que votaron, PRI y ")
    puesto.foto("faltan-tres")
    _revisar_pagina(puesto)
    assert puesto.renglon("PRI") == "", "vacío no es cero ni SIN DATO"
    puesto.pagina.locator("#guardar").tap()
    expect(por_llenar).to_contain_text("No se concluyó. Faltan 3: Personas que votaron, PRI y ")
    for clave, quedan in zip(se_salta, ("Faltan 2", "Falta 1", ""), strict=True):
        expect(puesto.pagina.locator(f'[data-renglon="{clave}"] .numero')).to_be_focused()
        puesto.tocar(campos[clave])
        expect(por_llenar).to_contain_text(quedan)
    expect(por_llenar).to_be_hidden()
    expect(puesto.pagina.locator("#guardar")).to_be_focused()
    puesto.pagina.locator("#guardar").tap()
    puesto.pagina.wait_for_url(puesto.casa + "/")
    assert [c.asentado for c in puesto.capturas()] == [puesto.asentado]


def test_llega_otra_imagen_a_media_captura_y_se_mira_todo_otra_vez(
    puesto: Puesto, imagen: tuple[Asentado, bytes, str]
) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    campos = list(puesto.asentado.campos().items())
    for _, campo in campos[:3]:
        puesto.tocar(campo)
    expect(puesto.pagina.locator(".guardado").nth(2)).to_have_text("guardado ✔")
    nueva = _llega_otra(puesto, imagen)
    puesto.tocar(campos[3][1])
    expect(puesto.pagina.locator(".sin-guardar")).to_contain_text("cambió mientras usted la leía")
    # Se guardó, y como leído en la vieja.
    expect(puesto.pagina.locator(".guardado").nth(3)).to_have_text("guardado ✔")
    puesto.foto("otra-imagen-al-teclear")
    for _, campo in campos[4:]:
        puesto.tocar(campo)
    puesto.pagina.locator("#guardar").tap()
    expect(puesto.pagina.locator(".senal[role=alert]")).to_contain_text("cambió mientras usted la leía")
    expect(puesto.pagina.locator(".senal[role=alert]")).to_be_in_viewport()
    expect(puesto.pagina.locator(".renglon.senalado")).to_have_count(len(campos))
    expect(puesto.pagina.locator("#guardar")).to_be_in_viewport(ratio=1)
    puesto.pagina.wait_for_load_state("load")
    puesto.foto("otra-imagen")
    _revisar_pagina(puesto)
    assert puesto.capturas() == []
    puesto.pagina.get_by_role("button", name="Ya los miré: concluir").tap()
    puesto.pagina.wait_for_url(puesto.casa + "/")
    assert [(c.imagen, c.asentado) for c in puesto.capturas()] == [(nueva, puesto.asentado)]


def test_un_renglon_vacio_y_otro_mal_escrito_se_dicen_cada_uno_como_lo_que_es(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    for clave, campo in puesto.asentado.campos().items():
        if clave == "PRI":
            puesto.sigue()
        else:
            puesto.tocar(campo)
    # Como llegaría de una hoja mandada sin hoja.js.
    puesto.pagina.locator('[data-renglon="PAN"] .numero').evaluate("numero => { numero.value = '12a'; }")
    puesto.pagina.locator("#guardar").tap()
    expect(puesto.pagina.locator('[data-renglon="PAN"] .error')).to_contain_text("sólo números")
    expect(puesto.pagina.locator(".por-llenar")).to_contain_text("Falta 1: PRI. Corrija 1: PAN.")
    puesto.foto("vacio-y-malo")
    _revisar_pagina(puesto)


def test_un_dedo_nervioso_marca_dos_veces_ilegible_y_el_renglon_siguiente_queda_como_estaba(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    claves = list(puesto.asentado.campos())
    puesto.pagina.locator('[data-marca="ILEGIBLE"]').dblclick()
    expect(puesto.pagina.locator(".numero").nth(1)).to_be_focused()
    assert [puesto.renglon(c) for c in claves[:3]] == ["ILEGIBLE", "", ""]
    # Quitar la marca no avanza: se va a escribir ahí mismo.
    puesto.pagina.locator(".numero").first.tap()
    puesto.pagina.keyboard.press("i")
    expect(puesto.pagina.locator(".numero").first).to_be_focused()
    assert puesto.renglon(claves[0]) == ""


def test_la_imagen_no_es_de_esa_casilla_y_la_pantalla_dice_que_hacer(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    puesto.pagina.get_by_role("link", name="Sí, capturar").tap()
    expect(puesto.pagina.locator("#si-es")).to_have_text("✔ Sí, es la misma")
    expect(puesto.pagina.locator(".numero").first).to_be_focused()
    puesto.pagina.get_by_role("button", name="No, pedir otra imagen").tap()
    puesto.pagina.get_by_role("button", name="Es otra acta u otro documento").tap()
    expect(puesto.pagina.locator(".aviso.bueno")).to_contain_text("Se pidió otra imagen del acta")


def test_la_imagen_completa_cabe_entera_un_toque_la_acerca_y_se_mueve(puesto: Puesto) -> None:
    puesto.soy("Capturista 1")
    puesto.siguiente()
    puesto.pagina.get_by_role("button", name="Ver imagen completa").tap()
    imagen, marco = puesto.pagina.locator("#completa img"), puesto.pagina.locator("#completa .marco")
    expect(imagen).to_have_js_property("complete", True)
    entera, hueco = _caja(imagen), _caja(marco)
    assert hueco["x"] <= entera["x"]
    assert hueco["y"] <= entera["y"]
    assert entera["x"] + entera["width"] <= hueco["x"] + hueco["width"] + 1
    assert entera["y"] + entera["height"] <= hueco["y"] + hueco["height"] + 1
    puesto.pagina.touchscreen.tap(640, 300)
    cerca = _caja(imagen)
    assert cerca["width"] > entera["width"] * 2
    puesto.pagina.mouse.move(640, 400)
    puesto.pagina.mouse.down()
    puesto.pagina.mouse.move(640, 350)
    puesto.pagina.mouse.up()
    assert round(_caja(imagen)["y"] - cerca["y"]) == -50, "arrastrar la mueve; no es un toque"
    puesto.pagina.touchscreen.tap(640, 300)
    assert _caja(imagen) == entera
    puesto.pagina.get_by_role("button", name="Acercar +").tap()
    assert _caja(imagen)["width"] > entera["width"] * 1.5


def _llega_otra(puesto: Puesto, imagen: tuple[Asentado, bytes, str]) -> str:
    """Alguien digitaliza otra vez el acta; devuelve la huella de la imagen nueva."""
    _, contenido, registro = imagen
    kiosco = abrir_kiosco(puesto.carpeta, RelojDeEnsayo(datetime.fromisoformat(NOCHE)))
    try:
        return _digitalizar(kiosco, contenido + b"\0", registro, "l/2")
    finally:
        kiosco.almacen.desconectar()


def _digitalizar(kiosco: Kiosco, contenido: bytes, registro: str, origen: str) -> str:
    sha256 = kiosco.mesa.imagenes.guardar(contenido)
    bien(kiosco.mesa.digitalizar(ACTA, persona="a", digitalizacion=Digitalizacion.ESCANER, contenido=contenido))
    with kiosco.almacen.transaccion() as t:
        t.conexion.execute(
            "INSERT INTO hojas (lote, numero, estado, digitalizacion, persona, hora, origen, sha256, lectura) "
            "VALUES ('l', 1, 'asignada', 'ESCANER', 'a', '', ?, ?, ?)",
            (origen, sha256, json.dumps({"registro": json.loads(registro)})),
        )
    return sha256


def _caja(que: Locator) -> FloatRect:
    caja = que.bounding_box()
    assert caja is not None
    return caja


def _revisar_pagina(puesto: Puesto) -> None:
    """Todo lo que se toca mide 44 px o más, nada se sale de lado y axe no halla nada."""
    chicos = puesto.pagina.evaluate(
        """() => [...document.querySelectorAll('button, a.boton, input:not([type=hidden])')]
        .filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([_, r]) => r.height < 44 || r.width < 44).map(([t]) => t)"""
    )
    assert chicos == []
    assert puesto.pagina.evaluate("document.documentElement.scrollWidth <= innerWidth")
    violaciones = Axe().run(puesto.pagina).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in violaciones] == []
