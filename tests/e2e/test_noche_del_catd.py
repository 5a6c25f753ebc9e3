"""La noche completa de un CATD, en un Chromium de verdad, con los dedos y a 1280×800, contra el kiosco de verdad.

Debajo corren el escáner y el lector de la mesa de pruebas, SANE, la visión, el enlace, mosquitto y el centro. Cada
pantalla distinta se visita en el navegador: se fotografía, se mide y se revisa con axe. El volumen que no enseña una
pantalla nueva (acopiar la séptima acta, leer la duodécima) va por HTTP, con las mismas páginas y formularios.

`PREP_CAPTURAS=DIR` conserva las fotos. Se exime de los 44 px sólo un enlace dentro de un párrafo.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from ensayo.mesa_de_pruebas.charola import Estorbo
from nucleo.acta import ActaFueraDeCatalogo, ActaSinActa, ActaVerificada
from nucleo.campo import Campo, Ilegible, Numero, SinDato
from nucleo.codigo_qr import codigo_de
from nucleo.hechos import IdActa
from tests.actas_de_la_noche import SECCIONES, Papel, dibujado, papeles
from tests.catd_de_prueba import CatdDePrueba, esperar
from tests.persona_por_http import PersonaPorHttp
from tests.puesto_de_prueba import hoja_en_blanco
from tests.recorrido import Recorrido
from tests.turno_de_prueba import entrar

CHROMIUM = "/usr/bin/chromium"
ACTAS = 30

pytestmark = [pytest.mark.navegador, pytest.mark.lento, pytest.mark.broker]


class Noche:
    """El CATD, su gente y la página que todos comparten."""

    def __init__(self, catd: CatdDePrueba, pagina: Page, recorrido: Recorrido, todos: list[Papel]) -> None:
        self.catd = catd
        self.pagina = pagina
        self.ver = recorrido.ver
        self.papeles = {p.acta: p for p in todos}
        self.vueltas: dict[IdActa, int] = {}
        self._quien = ""

    # ------------------------------------------------------------------------------------------------ entrar y salir

    def ir(self, ruta: str) -> None:
        self.pagina.goto(self.catd.casa + ruta)

    def toca(self, que: Locator) -> None:
        """Toca algo que lleva a otra página, y espera a que llegue."""
        with self.pagina.expect_navigation():
            que.tap()

    def confirma(self, que: Locator) -> None:
        """Un botón que pide tocarse dos veces."""
        que.tap()
        expect(que).to_contain_text("oque otra vez")
        self.toca(que)

    def boton(self, nombre: str) -> None:
        self.toca(self.pagina.get_by_role("button", name=nombre).first)

    def liga(self, nombre: str) -> None:
        self.toca(self.pagina.get_by_role("link", name=nombre).first)

    def bueno(self, texto: str) -> None:
        expect(self.pagina.locator(".aviso.bueno")).to_contain_text(texto, ignore_case=True)

    def entra(self, clave: str) -> None:
        """Pasa su gafete por el lector y teclea su NIP con los dedos; si el turno ya es suyo, no hace falta."""
        if clave == self._quien:
            return
        self.ir("/turno?otra=1")
        self.ver("turno-gafete")
        self.catd.mesa.leer(self.catd.gente[clave].gafete)
        self.nip(clave)
        self.pagina.wait_for_url(self.catd.casa + "/")
        self._quien = clave

    def nip(self, clave: str, *, tecleado: str = "") -> None:
        expect(self.pagina.locator("#forma-nip")).to_contain_text(self.catd.gente[clave].nombre)
        self.ver("turno-nip")
        for cifra in tecleado or self.catd.gente[clave].nip:
            self.pagina.locator(f'#teclado-nip [data-tecla="{cifra}"]').tap()
        self.toca(self.pagina.locator("#forma-nip .principal"))

    def termina(self) -> None:
        self.ir("/turno")
        self.ver("turno-propio")
        self.confirma(self.pagina.locator("form[action='/turno/terminar'] button"))
        self.bueno("Terminó el turno")
        self._quien = ""
        self.ver("turno-terminado")

    @contextmanager
    def por_http(self, clave: str) -> Iterator[PersonaPorHttp]:
        casa = self.catd.casa
        cabeceras = {"origin": casa, "sec-fetch-site": "same-origin"}
        with httpx.Client(
            base_url=casa, headers=cabeceras, follow_redirects=True, trust_env=False, timeout=30
        ) as cliente:
            entrar(cliente, clave, gafete=self.catd.gente[clave].gafete, nip=self.catd.gente[clave].nip)
            yield PersonaPorHttp(cliente)
            PersonaPorHttp(cliente).mandar("/", "/turno/terminar")

    # ------------------------------------------------------------------------------------------------------- capturar

    def leido(self, acta: IdActa, persona: str) -> dict[str, Campo]:
        return self.papeles[acta].leido_por(persona, self.vueltas.get(acta, 1))

    def toma(self) -> IdActa:
        """Toca «Siguiente acta» y devuelve cuál le tocó."""
        self.ir("/")
        self.boton("Siguiente acta")
        self.pagina.wait_for_selector(".renglon.activo")
        return self.abierta()

    def abierta(self) -> IdActa:
        ruta = self.pagina.locator("#hoja").get_attribute("action") or ""
        _, _, eleccion, casilla = ruta.split("/")
        return IdActa(eleccion, casilla)

    def teclea(self, campos: dict[str, Campo], *, dedos: bool = False) -> None:
        """Llena los renglones que haya en la hoja, con teclas o con el teclado de la pantalla."""
        claves = [str(c) for c in self.pagina.locator("[name=renglon]").evaluate_all("es => es.map(e => e.value)")]
        self.pagina.locator(".numero").first.focus()
        for clave in claves:
            match campos[clave]:
                case Numero(valor) if dedos:
                    for cifra in str(valor):
                        self.pagina.locator(f'[data-tecla="{cifra}"]').tap()
                case Numero(valor):
                    self.pagina.keyboard.type(str(valor))
                case Ilegible():
                    self._marca("ILEGIBLE", "i", dedos)
                case SinDato():
                    self._marca("SIN DATO", "s", dedos)
            if not isinstance(campos[clave], Numero):
                continue
            if dedos:
                self.pagina.locator('[data-tecla="siguiente"]').tap()
            else:
                self.pagina.keyboard.press("Enter")

    def _marca(self, marca: str, tecla: str, dedos: bool) -> None:
        if dedos:
            self.pagina.locator(f'[data-marca="{marca}"]').tap()
        else:
            self.pagina.keyboard.press(tecla)

    def concluye(self) -> None:
        self.toca(self.pagina.locator("#guardar"))


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noche]:
    carpeta = tmp_path_factory.mktemp("noche")
    fotos = Path(os.environ.get("PREP_CAPTURAS", carpeta / "fotos"))
    fotos.mkdir(parents=True, exist_ok=True)
    with CatdDePrueba(carpeta / "catd", secciones=SECCIONES) as catd, sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pagina = navegador.new_page(viewport={"width": 1280, "height": 800}, has_touch=True)
        pagina.set_default_timeout(20_000)
        recorrido = Recorrido(pagina, fotos)
        yield Noche(catd, pagina, recorrido, papeles(catd.proceso, ACTAS))
        navegador.close()
        print(f"\n{recorrido.informe()}\nfotos en {fotos}")
        (fotos / "tiempos.txt").write_text(recorrido.informe() + "\n")
    assert recorrido.hallazgos == []


def test_la_noche_completa_de_un_catd(noche: Noche) -> None:
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    try:
        proceso, todos = noche.catd.proceso, list(noche.papeles.values())
        hojas = {p.acta: pool.submit(dibujado, proceso, p) for p in todos}
        sin_codigo = pool.submit(dibujado, proceso, todos[11], con_codigo=False)
        ajeno = pool.submit(dibujado, proceso, papeles(proceso, ACTAS + 1)[-1], con_codigo=False)
        _alistar(noche)
        _acopiar(noche, todos)
        _digitalizar(noche, {a: h.result() for a, h in hojas.items()}, sin_codigo.result(), ajeno.result())
        noche.catd.cortar_la_red()
        _primeras_lecturas(noche)
        _segundas_lecturas(noche)
        _desacuerdos(noche)
        _bloquear(noche)
        _sin_enlace(noche)
        _cotejar(noche)
        _empacar(noche)
        noche.catd.devolver_la_red()
        _coordinar(noche)
        _todo_entregado(noche)
    finally:
        pool.shutdown(cancel_futures=True)
    _comparar_con_la_verdad(noche)


def _alistar(n: Noche) -> None:
    n.entra("coordina-1")
    n.ver("inicio-coordinacion")
    n.ir("/coordinacion")
    n.ver("tablero-vacio")
    n.ir("/coordinacion/alistamiento")
    n.ver("alistamiento-sin-hacer")
    n.catd.mesa.meter_hoja(hoja_en_blanco())
    n.boton("Probar el escáner")
    expect(n.pagina.locator("main")).to_contain_text("La hoja en blanco ya pasó")
    n.boton("Hacer el informe")
    expect(n.pagina.locator("table")).to_contain_text("Disco", ignore_case=True)
    n.ver("alistamiento-hecho")


def _acopiar(n: Noche, todos: list[Papel]) -> None:
    """Por lector, por sección y de la lista de faltantes en el navegador; las demás por HTTP."""
    n.entra("acopio-1")
    n.ver("inicio-acopio")
    n.ir("/esperadas")
    n.ver("faltan-por-llegar")
    for papel in todos[:4]:
        n.ir("/acopio")
        n.ver("acopio")
        proceso = n.catd.proceso
        n.catd.mesa.leer(codigo_de(proceso.casillas[papel.acta.casilla], proceso.elecciones["GUB"]))
        n.pagina.wait_for_selector("text=¿Es la de su papel?")
        n.ver("acopio-confirmar")
        n.boton("Sí, registrar acopio")
        expect(n.pagina.locator("h1")).to_contain_text("Acopio registrado")
    n.ver("acopio-hecho")
    n.boton("Imprimir etiqueta")
    n.bueno("Etiqueta")
    n.ver("acopio-etiqueta")
    for papel in todos[4:6]:
        casilla = n.catd.proceso.casillas[papel.acta.casilla]
        n.ir("/acopio")
        n.pagina.get_by_label("sección").fill(f"{casilla.seccion:04d}")
        n.boton("Buscar bolsa")
        n.ver("acopio-por-seccion")
        n.toca(n.pagina.locator(f'a.candidata[href$="{papel.acta.casilla}"]'))
        n.boton("Sí, registrar acopio")
        expect(n.pagina.locator("h1")).to_contain_text("Acopio registrado")
    n.ir("/acopio")
    n.pagina.get_by_label("sección").fill("9999")
    n.boton("Buscar bolsa")
    n.ver("acopio-seccion-ajena")
    n.ir(f"/acopio/GUB/{todos[0].acta.casilla}")
    n.ver("acopio-repetido")
    n.ir("/sin-acta")
    n.pagina.get_by_label("Clave de la casilla").fill(_sin_acta(n).casilla)
    n.boton("Declarar sin acta")
    n.ver("sin-acta-incompleta")
    n.pagina.get_by_label("La casilla no se instaló").check(force=True)
    n.pagina.get_by_label("Coral Coordina").check(force=True)
    n.pagina.get_by_label("NIP").fill(n.catd.gente["coordina-1"].nip)
    n.boton("Declarar sin acta")
    n.bueno("declarada sin acta")
    n.ir("/fuera")
    n.ver("fuera-de-catalogo")
    n.ir("/coordinacion")
    expect(n.pagina.locator("main")).to_contain_text("no es de su papel")
    n.ver("papel-ajeno")
    n.ir("/no-existe")
    n.ver("no-existe")
    with n.por_http("acopio-1") as ana:
        for papel in todos[6:]:
            # Una llega sin acopiar: se acopia desde su hoja ya digitalizada.
            if papel is not todos[12]:
                assert "Acopio registrado" in ana.acopiar(papel.acta)


def _sin_acta(n: Noche) -> IdActa:
    return papeles(n.catd.proceso, ACTAS + 1)[-1].acta


def _digitalizar(n: Noche, hojas: dict[IdActa, bytes], sin_codigo: bytes, ajena: bytes) -> None:
    todas = list(hojas)
    n.entra("digital-1")
    n.ver("inicio-digitalizacion")
    n.ir("/digitalizacion")
    n.ver("digitalizacion-vacia")
    charola, p = n.catd.mesa.charola, n.pagina
    for acta in todas[:8]:
        n.catd.mesa.meter_hoja(hojas[acta])
    charola.fallar(Estorbo.ATASCO, 5)
    n.boton("Digitalizar hojas")
    expect(p.locator("form.falla")).to_contain_text("atasc", ignore_case=True)
    expect(p.locator(".hecha.asignada")).to_have_count(5, timeout=180_000)
    n.ver("digitalizacion-atasco")
    n.toca(p.locator("form.falla").get_by_role("button", name="Entendido"))
    expect(p.locator("form.falla")).to_have_count(0)
    charola.despejar()
    for hoja in (hoja_en_blanco(), hojas[todas[0]], sin_codigo, ajena, *(hojas[a] for a in todas[8:11])):
        n.catd.mesa.meter_hoja(hoja)
    n.boton("Digitalizar hojas")
    expect(p.locator(".dudosa")).to_have_count(3, timeout=180_000)
    n.ver("digitalizacion-por-revisar")
    # Mientras se deciden las dudosas, el resto entra en otro lote.
    for acta in todas[12:]:
        n.catd.mesa.meter_hoja(hojas[acta])
    expect(p.get_by_role("button", name="Digitalizar hojas")).to_be_enabled(timeout=180_000)
    n.boton("Digitalizar hojas")
    _hoja_en_blanco(n)
    _identificar_a_mano(n, todas[11])
    _fuera_de_catalogo(n)
    n.ir("/digitalizacion")
    expect(p.locator(".dudosa")).to_have_count(1, timeout=240_000)
    n.toca(p.locator(".dudosa"))
    expect(p.locator(".motivo h1")).to_contain_text("no está acopiada")
    n.ver("hoja-sin-acopiar")
    n.boton("Acopiar ahora")
    n.bueno("quedó en")
    assert esperar(lambda: _con_imagen(n) == set(hojas), 240), set(hojas) - _con_imagen(n)
    n.ver("digitalizacion-todo-listo")
    n.toca(p.locator(".hecha.asignada").first)
    n.ver("hoja-digitalizada")


def _con_imagen(n: Noche) -> set[IdActa]:
    """Las que ya se pueden capturar: la cola sigue avanzando mientras alguien decide las dudosas."""
    with closing(sqlite3.connect(f"file:{n.catd.carpeta / 'almacen.sqlite'}?mode=ro", uri=True, timeout=10)) as bd:
        return {IdActa(e, c) for e, c in bd.execute("SELECT eleccion, casilla FROM hechos WHERE tipo = 'imagen'")}


def _hoja_en_blanco(n: Noche) -> None:
    n.toca(n.pagina.locator(".dudosa", has_text="blanco"))
    expect(n.pagina.locator("h1")).to_contain_text("blanco")
    n.ver("hoja-en-blanco")
    n.liga("Descartar la hoja")
    n.ver("hoja-descartar")
    n.toca(n.pagina.locator("main form button").first)
    n.bueno("apartada")


def _identificar_a_mano(n: Noche, acta: IdActa) -> None:
    seccion = n.catd.proceso.casillas[acta.casilla].seccion
    n.toca(n.pagina.locator(".dudosa").first)
    n.ver("hoja-sin-codigo")
    n.liga("Decir de qué casilla es")
    n.ver("identificar-seccion")
    for cifra in f"{seccion:04d}":
        n.pagina.locator(f'[data-tecla="{cifra}"]').tap()
    n.boton("Buscar casillas")
    n.ver("identificar-casillas")
    n.toca(n.pagina.locator(f'a[href$="casilla={acta.casilla}"]'))
    n.ver("identificar-confirmar")
    n.boton("Sí, es de esta casilla")
    n.bueno("quedó en")


def _fuera_de_catalogo(n: Noche) -> None:
    n.toca(n.pagina.locator(".dudosa").first)
    n.liga("Declarar fuera de catálogo")
    n.ver("declarar-fuera")
    n.pagina.get_by_label("Coral Coordina").check(force=True)
    n.pagina.get_by_label("NIP").fill(n.catd.gente["coordina-1"].nip)
    n.boton("Declarar fuera de catálogo")
    n.bueno("fuera de catálogo")


def _primeras_lecturas(n: Noche) -> None:
    """Cuatro en el navegador (una sólo con dedos, otra en pausa); las demás por HTTP, entre dos personas."""
    p = n.pagina
    n.entra("captura-1")
    n.ver("inicio-captura")
    acta = n.toma()
    n.ver("captura")
    for boton, tapa, cierra in (
        ("¿Cómo se captura?", "#ayuda", "Cerrar la ayuda"),
        ("La imagen no se ve bien", "#imagen-mala", "Seguir capturando"),
        ("Ver imagen completa", "#completa", "Cerrar imagen"),
    ):
        p.get_by_role("button", name=boton).tap()
        expect(p.locator(tapa)).to_be_visible()
        n.ver("captura-" + tapa.strip("#"))
        p.get_by_role("button", name=cierra).tap()
    n.concluye()
    expect(p.locator(".instruccion.malo", has_text="No se concluyó")).to_be_visible()
    n.ver("captura-faltan")
    n.teclea(n.leido(acta, "captura-1"), dedos=True)
    n.ver("captura-llena")
    n.concluye()
    n.bueno("ahora la leerá otra persona")
    n.ver("captura-concluida")
    acta = n.toma()
    n.teclea(n.leido(acta, "captura-1"))
    n.boton("Pausar acta")
    n.bueno("en pausa")
    n.ver("captura-en-pausa")
    assert n.toma() == acta
    n.ver("captura-continua")
    n.concluye()
    n.bueno("ahora la leerá otra persona")
    for _ in range(2):
        acta = n.toma()
        n.teclea(n.leido(acta, "captura-1"))
        n.concluye()
        n.bueno("ahora la leerá otra persona")
    n.termina()
    with n.por_http("captura-1") as carlos, n.por_http("captura-2") as carla:
        while carlos.leer_siguiente(lambda a: n.leido(a, "captura-1")):
            carla.leer_siguiente(lambda a: n.leido(a, "captura-2"))


def _segundas_lecturas(n: Noche) -> None:
    """En el navegador, hasta topar con renglones señalados; las demás por HTTP."""
    p = n.pagina
    n.entra("verifica-1")
    n.ver("inicio-verificacion")
    for _ in range(8):
        acta = n.toma()
        n.ver("segunda-lectura")
        leido = n.leido(acta, "verifica-1")
        n.teclea(leido)
        if n.papeles[acta].que == "la segunda corrige al mirar otra vez":
            break
        n.concluye()
        p.wait_for_selector(".aviso.bueno, .senal[role=alert]")
        if p.locator(".senal[role=alert]").count():
            n.ver("segunda-senalada")
            n.concluye()
            n.bueno("lo leerá una tercera")
            break
        n.bueno("VERIFICADA")
        n.ver("verificada")
    n.termina()
    with n.por_http("verifica-1") as vera:
        while vera.leer_siguiente(lambda a: n.leido(a, "verifica-1")):
            pass


def _desacuerdos(n: Noche) -> None:
    """Una corrección ciega en el navegador; la que sigue sin acuerdo, entre dos."""
    p = n.pagina
    n.entra("verifica-2")
    acta = n.toma()
    expect(p.locator("h1").first).to_contain_text("Corrección a ciegas")
    n.ver("correccion-a-ciegas")
    n.teclea(n.leido(acta, "verifica-2"))
    n.concluye()
    p.wait_for_selector(".aviso.bueno")
    while True:
        n.ir("/")
        n.boton("Siguiente acta")
        p.wait_for_selector("#hoja, .aviso.bueno")
        if not p.locator("#hoja").count():
            break
        acta = n.abierta()
        n.teclea(n.leido(acta, "verifica-2"))
        n.concluye()
        p.wait_for_selector(".aviso.bueno, .senal[role=alert]")
        if p.locator(".senal[role=alert]").count():
            n.concluye()
            p.wait_for_selector(".aviso.bueno")
    n.ver("nada-que-capturar")
    revision = p.locator('a[href^="/revision/"]')
    expect(revision).to_have_count(1)
    n.ver("inicio-con-revision")
    n.toca(revision)
    expect(p.locator("#hoja")).to_be_visible()
    acta = n.abierta()
    n.ver("revision-entre-dos")
    n.pagina.get_by_label("Coral Coordina").check(force=True)
    n.pagina.get_by_label("Su NIP").fill(n.catd.gente["coordina-1"].nip)
    n.teclea(n.papeles[acta].dice.campos())
    n.concluye()
    n.bueno("VERIFICADA")


def _bloquear(n: Noche) -> None:
    n.boton("Bloquear")
    expect(n.pagina.locator("main")).to_contain_text("loquead")
    n.ver("bloqueada")
    n.nip(n._quien, tecleado="135790")
    n.ver("nip-equivocado")
    n.nip(n._quien)
    n.pagina.wait_for_url(n.catd.casa + "/")


def _sin_enlace(n: Noche) -> None:
    """La red lleva cortada desde antes de la primera lectura."""
    expect(n.pagina.locator(".barra .enlace")).to_contain_text("sin enlace desde", timeout=70_000)
    expect(n.pagina.locator(".barra .enlace")).to_contain_text("en espera")
    n.ver("sin-enlace")


def _cotejar(n: Noche) -> None:
    """Una no coincide y se recaptura; las demás se cotejan."""
    p = n.pagina
    malo = next(a for a, x in n.papeles.items() if x.que.startswith("las dos leen lo mismo"))
    n.entra("verifica-2")
    n.ir("/cotejo")
    n.ver("cotejo")
    p.locator("[name=que]").fill(malo.casilla)
    n.boton("Buscar el acta")
    p.wait_for_url("**/cotejo/GUB/*")
    n.ver("cotejo-acta")
    p.get_by_text("No coincide", exact=True).tap()
    n.ver("cotejo-no-coincide")
    n.confirma(p.locator("button[value=recaptura]"))
    n.bueno("se capturará otra vez")
    n.vueltas[malo] = 2
    n.ir("/cotejo")
    n.toca(p.locator("a[href^='/cotejo/GUB']").first)
    n.boton("Sí, coincide")
    n.bueno("coincide con el papel")
    n.ver("cotejo-coincide")
    with n.por_http("captura-2") as carla, n.por_http("verifica-1") as vera:
        assert carla.leer_siguiente(lambda a: n.leido(a, "captura-2")) == malo
        assert vera.leer_siguiente(lambda a: n.leido(a, "verifica-1")) == malo
        while True:
            hallada = re.search(r'href="(/cotejo/GUB/[^"]+)"', vera.ver("/cotejo"))
            if hallada is None:
                break
            assert "oincide con el papel" in vera.mandar(hallada[1], hallada[1] + "/coincide")


def _empacar(n: Noche) -> None:
    p = n.pagina
    n.entra("acopio-1")
    n.ir("/empaquetado")
    n.ver("empaquetado")
    proceso = n.catd.proceso
    primera = next(iter(n.papeles))
    n.catd.mesa.leer(codigo_de(proceso.casillas[primera.casilla], proceso.elecciones["GUB"]))
    n.bueno("En la")
    n.ver("empaquetado-guardada")
    n.toca(p.locator(".lista-actas button").first)
    n.bueno("En la")
    n.confirma(p.locator("form[action='/empaquetado/cerrar'] button"))
    n.ver("empaquetado-cerrada")
    with n.por_http("acopio-1") as ana:
        dichos = [ana.mandar("/empaquetado", "/empaquetado", que=acta.casilla) for acta in n.papeles]
    # Las dos de la caja que ya se cerró no salen de ella por volver a pasarlas.
    assert sum("ya se cerró con su relación" in dicho for dicho in dichos) == 2
    assert sum("aviso bueno" in dicho for dicho in dichos) == len(dichos) - 2


def _coordinar(n: Noche) -> None:
    n.entra("coordina-1")
    n.ir("/coordinacion")
    n.ver("tablero")
    n.ir(f"/coordinacion/acta/GUB/{next(iter(n.papeles)).casilla}")
    n.ver("acta-en-el-tablero")
    n.boton("Imprimir recibo con QR")
    n.bueno("Recibo")
    n.ver("recibo")
    for ruta in ("estado", "bitacora", "mochila"):
        n.ir("/coordinacion/" + ruta)
        n.ver(ruta)


def _todo_entregado(n: Noche) -> None:
    n.ir("/")
    expect(n.pagina.locator(".barra .enlace")).to_contain_text("todo entregado", timeout=90_000)
    n.ver("todo-entregado")


def _comparar_con_la_verdad(n: Noche) -> None:
    fuera = _sin_acta(n)

    def llegaron() -> bool:
        libro = n.catd.libro()
        return all(isinstance(libro[a], ActaVerificada) for a in n.papeles)

    assert esperar(llegaron, 30), [str(a) for a in n.papeles if not isinstance(n.catd.libro()[a], ActaVerificada)]
    libro = n.catd.libro()
    for acta, papel in n.papeles.items():
        publicada = libro[acta]
        assert isinstance(publicada, ActaVerificada)
        assert publicada.asentado == papel.dice, f"{acta}: {papel.que}"
    assert isinstance(libro[fuera], ActaSinActa)
    assert sum(isinstance(a, ActaFueraDeCatalogo) for a in n.catd.fuera_de_catalogo()) == 1
