"""La sala de operación en un Chromium de verdad, con ciento cincuenta kioscos vivos que laten por la ingesta."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from nucleo.acta import Digitalizacion, MotivoSinActa
from nucleo.hechos import IdActa, Imagen, SinActa
from nucleo.problema import Rechazo
from nucleo.temas import Carril
from servicio_central.informe_de_mochila import Informe
from servicio_central.ingesta import Mensaje
from servicio_central.monitor.papeles import Papel
from tests.centro_de_verdad import esperar
from tests.foto import tomar
from tests.sala_de_prueba import CLAVE, SalaDePrueba

pytestmark = pytest.mark.navegador

CUANTOS = 150


class Noche:
    """Ciento cincuenta kioscos que laten de verdad mientras dura la prueba; algunos, con su desgracia."""

    def __init__(self, sala: SalaDePrueba) -> None:
        self.sala = sala
        self.distinto: dict[str, dict[str, Any]] = {
            "catd-010": {"mas_viejo_s": 2400, "pendientes": 131, "imagenes": 64, "imagenes_bytes": 41 * 10**6},
            "catd-011": {"mas_viejo_s": 700, "pendientes": 12, "salida": "celular", "medidos_bytes": 9 * 10**6},
            "catd-012": {"mas_viejo_s": 120, "pendientes": 4},
            "catd-020": {"desfase_ms": -42_000, "reloj": "libre"},
            "catd-030": {"disco_libre": 200 * 10**6},
            "catd-040": {"escaner": "falla"},
            "catd-050": {"version": "v3.9"},
            "catd-051": {"definicion": "ab" * 32},
        }
        self.callados = {"catd-060", "catd-061"}
        self.nunca = {"catd-150"}
        self._parar = threading.Event()
        self._hilo = threading.Thread(target=self._latir, daemon=True)
        self._turno = threading.Lock()

    def empezar(self) -> None:
        self._armar()
        self._hilo.start()

    def _armar(self) -> None:
        todos = [e for e in self.sala.equipos if e not in self.nunca]
        self.latir(*todos)
        casillas = list(self.sala.proceso.casillas.values())
        (eleccion,) = self.sala.proceso.elecciones
        hora = self.sala.proceso.inicio_publicacion
        mensajes = []
        for n, equipo in enumerate(todos):
            for c in casillas[n * 37 : n * 37 + 3]:
                hecho = SinActa(IdActa(eleccion, c.clave), hora, MotivoSinActa.CASILLA_NO_INSTALADA, "ana", "coordina")
                mensajes.append(self.sala.hoja(equipo, hecho))
        self.procesar(*mensajes)
        # Una bifurcación y una cuarentena de verdad.
        gemelo = self.sala.equipos["catd-070"]
        gemelo.secuencia -= 1
        otro = SinActa(IdActa(eleccion, casillas[5000].clave), hora, MotivoSinActa.PAQUETE_NO_ENTREGADO, "x", "y")
        self.procesar(self.sala.hoja("catd-070", otro))
        self.procesar(Mensaje(self.sala.inscrito.tema("catd-071", Carril.HECHOS), b"basura <script>"))
        self.latir(*todos)
        self._traer_en_mano(eleccion, [c.clave for c in casillas[5600:5604]])
        # El bróker publica su testamento: se les cortó.
        for equipo in self.callados:
            sesion = f"{int(equipo[-3:]):016x}"
            self.procesar(
                self.sala.latido(equipo, sesion=sesion), self.sala.latido(equipo, sesion=sesion, motivo="muerte")
            )

    def _traer_en_mano(self, eleccion: str, casillas: list[str]) -> None:
        """Una mochila completa, una en parte y una que no era; y cuatro imágenes que aún no llegan."""
        buzon, ahora = self.sala.centro.mochilas.buzon, datetime.now(UTC).isoformat(timespec="seconds")
        completa = Informe("catd-033-0a1b2c3d4e5f-00000001", ahora, equipo="catd-033", sobres=42, imagenes=40)
        completa.destinos.update(aceptado=30, repetido=12)
        completa.imagenes_nuevas, completa.imagenes_que_estaban = 28, 12
        en_parte = Informe("catd-034-0a1b2c3d4e5f-00000002", ahora, equipo="catd-034", sobres=20, imagenes=8)
        en_parte.destinos.update(aceptado=15, repetido=2, fatal=1)
        en_parte.codigos.update(FIRMA=1)
        en_parte.archivos_malos["imagenes/000003.jwe"] = "no mide lo que firmó el manifiesto"
        ajena = Informe("rechazada-20220605T233000-01234567", ahora)
        ajena.rechazo = Rechazo("SELLO", "la mochila es para otro centro", "se confundió la memoria", "llévela al suyo")
        for informe in (completa, en_parte, ajena):
            buzon.informar(informe)
        (buzon.entrada / "catd-035-0a1b2c3d4e5f-00000003").mkdir()
        hora = self.sala.proceso.inicio_publicacion
        declaradas = (
            Imagen(IdActa(eleccion, c), hora, f"{n:064x}", 312_000, Digitalizacion.ESCANER, "ana")
            for n, c in enumerate(casillas)
        )
        self.procesar(*(self.sala.hoja("catd-033", h) for h in declaradas))

    def procesar(self, *mensajes: Mensaje) -> None:
        with self._turno:
            self.sala.centro.ingesta.procesar(mensajes)
            self.sala.centro.enlace.estado.recibidos += len(mensajes)

    def latir(self, *equipos: str) -> None:
        self.procesar(*(self.sala.latido(e, **self.distinto.get(e, {})) for e in equipos))

    def _latir(self) -> None:
        """Cada quince segundos todos, de diez en diez por segundo, como en la noche."""
        vivos = [e for e in self.sala.equipos if e not in self.callados | self.nunca]
        while not self._parar.is_set():
            for i in range(0, len(vivos), 10):
                if self._parar.wait(1):
                    return
                self.latir(*vivos[i : i + 10])

    def terminar(self) -> None:
        self._parar.set()
        self._hilo.join(timeout=5)


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noche]:
    sala = SalaDePrueba(tmp_path_factory.mktemp("sala"), CUANTOS)
    for nombre, papel in (("ana", Papel.OPERADOR), ("sofia", Papel.SUPERVISOR), ("vigia", Papel.VISTA)):
        sala.cuenta(nombre, papel)
    noche = Noche(sala)
    noche.empezar()
    yield noche
    noche.terminar()
    sala.cerrar()


@pytest.fixture(scope="module")
def navegador() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        navegador = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield navegador
        navegador.close()


_sesiones: dict[tuple[str, str], Any] = {}


def entrar(navegador: Browser, noche: Noche, quien: str, **ajustes: Any) -> BrowserContext:
    """Con el formulario la primera vez; después, con la misma galleta: cada código sirve una sola vez."""
    sesion = _sesiones.get((noche.sala.url, quien))
    contexto = navegador.new_context(base_url=noche.sala.url, storage_state=sesion, **ajustes)
    if sesion is None:
        pagina = contexto.new_page()
        pagina.goto("/operacion")
        assert pagina.url.endswith("/operacion/entrar")
        pagina.fill("#cuenta", quien)
        pagina.fill("#clave", CLAVE)
        pagina.fill("#codigo", noche.sala.codigo(quien))
        pagina.click("button:has-text('Entrar')")
        assert pagina.url.endswith("/operacion"), pagina.inner_text("main")
        _sesiones[noche.sala.url, quien] = contexto.storage_state()
        pagina.close()
    return contexto


def vigilada(contexto: BrowserContext, quejas: list[str]) -> Page:
    """Cualquier queja del navegador (CSP, JavaScript, un 404) hace fallar la prueba."""
    pagina = contexto.new_page()
    pagina.on("console", lambda m: quejas.append(m.text) if m.type in ("error", "warning") else None)
    pagina.on("pageerror", lambda e: quejas.append(str(e)))
    return pagina


def sin_barreras(pagina: Page, nombre: str, fotos: Path) -> None:
    tomar(pagina, fotos / f"{nombre}.png")
    violaciones = Axe().run(pagina).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in violaciones] == [], nombre
    assert pagina.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{nombre} se sale de lado"


@pytest.mark.parametrize("colores", ["light", "dark"])
@pytest.mark.parametrize(("ancho", "alto"), [(1280, 800), (390, 844)])
def test_a_las_once_de_la_noche_lo_malo_esta_arriba_y_con_palabras(
    noche: Noche, navegador: Browser, tmp_path: Path, ancho: int, alto: int, colores: Any
) -> None:
    quejas: list[str] = []
    contexto = entrar(navegador, noche, "ana", viewport={"width": ancho, "height": alto}, color_scheme=colores)
    pagina = vigilada(contexto, quejas)
    pagina.goto("/operacion")
    assert "crítica" in pagina.inner_text("h1")
    primera = pagina.inner_text("#alarmas article >> nth=0")
    assert "Bifurcación" in primera
    assert "catd-070" in primera
    assert "Siguiente paso" in primera
    assert pagina.locator("#rejilla li").count() == CUANTOS
    assert "caído" in pagina.inner_text("#c-catd-060")
    assert "40 min" in pagina.inner_text("#c-catd-010")
    assert "nunca" in pagina.inner_text("#c-catd-150")
    assert "catd-0" in pagina.inner_text("#tabla tr >> nth=0")
    assert pagina.locator("#mapa g").count() == len({c.distrito for c in noche.sala.proceso.casillas.values()})
    sin_barreras(pagina, f"tablero-{ancho}-{colores}", tmp_path)
    tomar(pagina, tmp_path / f"tablero-{ancho}-{colores}-entero.png", completa=True)
    contexto.close()
    assert quejas == []


@pytest.mark.parametrize(("ancho", "alto"), [(1920, 1080), (390, 844)])
def test_el_proyector_no_pide_cuenta_ni_dice_quien(
    noche: Noche, navegador: Browser, tmp_path: Path, ancho: int, alto: int
) -> None:
    quejas: list[str] = []
    contexto = navegador.new_context(base_url=noche.sala.url, viewport={"width": ancho, "height": alto})
    pagina = vigilada(contexto, quejas)
    pagina.goto("/proyector")
    texto = pagina.inner_text("body")
    assert "catd-070" in texto
    assert not {"ana", "sofia", "coordina"} & set(texto.replace("/", " ").split())
    assert pagina.locator("form, button, main a").count() == 0
    sin_barreras(pagina, f"proyector-{ancho}", tmp_path)
    contexto.close()
    assert quejas == []


def test_lo_que_pasa_se_ve_antes_de_un_segundo_y_solo_se_mueve_su_renglon(
    noche: Noche, navegador: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    contexto = entrar(navegador, noche, "vigia", viewport={"width": 1280, "height": 800})
    pagina = contexto.new_page()
    pagina.goto("/operacion")
    assert esperar(lambda: noche.sala.sala.observador.sala.oyentes >= 1)
    pagina.evaluate("document.getElementById('k-catd-100').dataset.intacto = 'sí'")
    tardanzas = []
    for n, equipo in enumerate(f"catd-{i:03d}" for i in range(80, 92)):
        noche.distinto[equipo] = {"imagenes": 7000 + n, "imagenes_bytes": 10**6}
        comienzo = time.monotonic()
        noche.latir(equipo)
        pagina.wait_for_function(
            "([id, texto]) => document.getElementById(id).innerText.includes(texto)",
            arg=[f"k-{equipo}", f"7,0{n:02d}"],
            polling=10,
            timeout=15_000,
        )
        tardanzas.append(time.monotonic() - comienzo)
    with capsys.disabled():
        peor, mediana = max(tardanzas), sorted(tardanzas)[len(tardanzas) // 2]
        print(f"\nsala, {CUANTOS} kioscos: del suceso a la página, mediana {mediana:.3f} s, peor {peor:.3f} s")
    assert pagina.evaluate("document.getElementById('k-catd-100').dataset.intacto") == "sí"
    contexto.close()


def test_el_que_empeora_sube_y_el_que_se_compone_baja_a_su_lugar(noche: Noche, navegador: Browser) -> None:
    contexto = entrar(navegador, noche, "vigia", viewport={"width": 1280, "height": 800})
    pagina = contexto.new_page()
    pagina.goto("/operacion")
    assert esperar(lambda: noche.sala.sala.observador.sala.oyentes >= 1)
    pagina.evaluate("document.getElementById('k-catd-110').dataset.intacto = 'sí'")

    def en_su_lugar(equipo: str, arriba: bool) -> bool:
        en_orden = list(noche.sala.sala.observador.pagina()[1].listas["tabla"])
        vistos = pagina.eval_on_selector_all("#tabla tr", "trs => trs.map(tr => tr.id.slice(2))")
        return bool(vistos == en_orden and (en_orden.index(equipo) < 40) == arriba)

    for equipo, distinto in (("catd-120", {"escaner": "falla"}), ("catd-109", {"escaner": "falla"}), ("catd-120", {})):
        noche.distinto[equipo] = distinto
        noche.latir(equipo)
        assert esperar(partial(en_su_lugar, equipo, bool(distinto)), 20), f"la tabla no quedó en orden con {equipo}"
    assert pagina.evaluate("document.getElementById('k-catd-110').dataset.intacto") == "sí"
    contexto.close()


def test_veinte_navegadores_no_le_cuestan_retratos_al_centro(noche: Noche, navegador: Browser) -> None:
    """Veinte oyentes reciben los mismos bytes, y el observador mira lo mismo que con uno."""
    observador = noche.sala.sala.observador
    recibido: list[list[bytes]] = [[] for _ in range(20)]
    listos = threading.Barrier(21)

    def oir(donde: list[bytes]) -> None:
        with httpx.stream("GET", f"{noche.sala.url}/proyector/vivo?desde={observador.version}", timeout=20) as r:
            listos.wait()
            for pedazo in r.iter_bytes():
                donde.append(pedazo)
                if b"57 por salir" in b"".join(donde):
                    return

    hilos = [threading.Thread(target=oir, args=(d,), daemon=True) for d in recibido]
    for hilo in hilos:
        hilo.start()
    listos.wait()
    antes = observador.miradas
    noche.distinto["catd-099"] = {"pendientes": 57}
    noche.latir("catd-099")
    for hilo in hilos:
        hilo.join(timeout=20)
        assert not hilo.is_alive(), "a un navegador no le llegó"
    # El tope lo pone el reloj del observador, no cuántos oyen: con veinte retratos por suceso serían cientos.
    assert observador.miradas - antes < 100


def test_reconocer_no_quita_la_alarma_solo_deja_de_parpadear(noche: Noche, navegador: Browser, tmp_path: Path) -> None:
    contexto = entrar(navegador, noche, "ana", viewport={"width": 1280, "height": 800})
    otra = contexto.new_page()
    otra.goto("/operacion")
    pagina = contexto.new_page()
    pagina.goto("/operacion")
    suya = "#alarmas article:has-text('catd-030')"
    assert "viva" in (otra.get_attribute(suya, "class") or "")
    pagina.click(f"{suya} a.boton")
    sin_barreras(pagina, "alarma", tmp_path)
    pagina.fill("#nota", "Hablé con el técnico: va en camino <b>ya</b>")
    pagina.click("button:has-text('Reconocer')")
    assert pagina.url.endswith("/operacion")
    # La otra pantalla lo ve sola, y la alarma sigue ahí.
    otra.wait_for_function(
        "() => [...document.querySelectorAll('#alarmas article')].some("
        "a => a.innerText.includes('catd-030') && a.innerText.includes('Reconocida por ana'))"
    )
    assert "viva" not in (otra.get_attribute(suya, "class") or "")
    otra.click(f"{suya} a.boton")
    assert "<b>ya</b>" in otra.inner_text("ol.notas")
    contexto.close()


def test_dos_personas_revisan_una_bifurcacion_y_lo_contado_no_cambia(
    noche: Noche, navegador: Browser, tmp_path: Path
) -> None:
    antes = noche.sala.centro.almacen.cadenas_guardadas()["catd-070", noche.sala.equipos["catd-070"].epoca]
    de_ana = entrar(navegador, noche, "ana", viewport={"width": 1280, "height": 800})
    pagina = de_ana.new_page()
    pagina.goto("/operacion/revision")
    sin_barreras(pagina, "revision", tmp_path)
    pagina.click("a:has-text('Bifurcación')")
    assert "PAQUETE_NO_ENTREGADO" in pagina.inner_text("main") or '"motivo"' in pagina.inner_text("main")
    sin_barreras(pagina, "caso", tmp_path)
    pagina.check("input[value=copia]")
    pagina.fill("#nota", "El CATD dice que ayer se llevaron el equipo un rato")
    pagina.click("button:has-text('Proponer')")
    assert "la responde otra persona" in pagina.inner_text("main")
    caso = pagina.url
    de_sofia = entrar(navegador, noche, "sofia", viewport={"width": 1280, "height": 800})
    otra = de_sofia.new_page()
    otra.goto(caso)
    otra.click("button:has-text('Confirmar')")
    assert "El código no es correcto" in otra.inner_text("main"), "una sesión abierta y sola no confirma"
    noche.sala.sala.libreta.agregar("UPDATE cuentas SET ultimo_paso = 0 WHERE nombre = ?", ("sofia",))
    otra.fill("#codigo", noche.sala.codigo("sofia"))
    otra.click("button:has-text('Confirmar')")
    texto = otra.inner_text("main")
    assert "Dictaminado por ana y sofia" in texto
    assert "padrón nuevo" in texto
    assert noche.sala.centro.almacen.cadenas_guardadas()["catd-070", noche.sala.equipos["catd-070"].epoca] == antes
    sin_barreras(otra, "caso-dictaminado", tmp_path)
    otra.goto("/operacion/accesos")
    assert "entró" in otra.inner_text("main")
    sin_barreras(otra, "accesos", tmp_path)
    de_ana.close()
    de_sofia.close()


def test_un_equipo_y_la_vida_de_un_acta(noche: Noche, navegador: Browser, tmp_path: Path) -> None:
    contexto = entrar(navegador, noche, "vigia", viewport={"width": 1280, "height": 800})
    pagina = contexto.new_page()
    pagina.goto("/operacion/equipo/catd-060")
    assert "Se cortó su conexión" in pagina.inner_text("main")
    assert pagina.locator(".linea rect.tramo").count() >= 2
    sin_barreras(pagina, "equipo", tmp_path)
    clave = list(noche.sala.proceso.casillas)[37 * 69]
    pagina.goto(f"/operacion/acta?buscar={clave}")
    sin_barreras(pagina, "buscar", tmp_path)
    pagina.click(f"a:has-text('{clave}')")
    texto = pagina.inner_text("main")
    assert "sin acta" in texto
    assert "catd-070/ana" in texto
    sin_barreras(pagina, "acta", tmp_path)
    for camino in ("/operacion/distrito/1", "/operacion/alarmas", "/operacion/alarmas/SILENCIO"):
        pagina.goto(camino)
        sin_barreras(pagina, camino.strip("/").replace("/", "-"), tmp_path)
    contexto.close()


def test_se_ordena_desde_un_catd_y_su_vida_se_ve_pasar_sin_recargar(
    noche: Noche, navegador: Browser, tmp_path: Path
) -> None:
    quejas: list[str] = []
    contexto = entrar(navegador, noche, "ana", viewport={"width": 1280, "height": 800})
    mesa, pagina = vigilada(contexto, quejas), vigilada(contexto, quejas)
    mesa.goto("/operacion/ordenes")
    pagina.goto("/operacion/equipo/catd-090")
    pagina.click("a:has-text('Ordenarle algo')")
    sin_barreras(pagina, "ordenar", tmp_path)
    tomar(pagina, tmp_path / "ordenar-entero.png", completa=True)
    pagina.fill("#texto-mensaje", "Llamen a la sala <b>ya</b>")
    pagina.click("button:has-text('Ordenar: mostrarle un mensaje')")
    suya = "#ordenes tr:has-text('catd-090')"
    mesa.wait_for_selector(f"{suya}:has-text('encolada')")
    # Lo que hace el enlace con su bróker, y después el kiosco con su latido.
    while noche.sala.centro.despacho.siguiente() is not None:
        pass
    mesa.wait_for_selector(f"{suya}:has-text('bajada')")
    sin_barreras(mesa, "mesa-en-curso", tmp_path)
    noche.distinto["catd-090"] = {"orden": 1}
    noche.latir("catd-090")
    mesa.wait_for_selector(f"{suya}:has-text('cumplida')")
    assert "<b>ya</b>" in mesa.inner_text(suya)
    assert mesa.locator("#mochilas tbody tr").count() == 3
    sin_barreras(mesa, "mesa", tmp_path)
    tomar(mesa, tmp_path / "mesa-entera.png", completa=True)
    pagina.goto("/operacion/equipo/catd-033")
    texto = pagina.inner_text("main")
    assert "Imágenes que el centro aún no tiene: 4" in texto
    assert "entró completa" in texto
    sin_barreras(pagina, "equipo-con-mochila", tmp_path)
    tomar(pagina, tmp_path / "equipo-con-mochila-entero.png", completa=True)
    pagina.click(".ancha a[href*='/operacion/acta/'] >> nth=0")
    assert "la imagen aún no llega" in pagina.inner_text("main")
    sin_barreras(pagina, "acta-sin-imagen", tmp_path)
    contexto.close()
    assert quejas == []


def test_lo_delicado_lo_autorizan_dos_y_la_baja_sale_como_solicitud(
    noche: Noche, navegador: Browser, tmp_path: Path
) -> None:
    de_ana = entrar(navegador, noche, "ana", viewport={"width": 1280, "height": 800})
    de_sofia = entrar(navegador, noche, "sofia", viewport={"width": 1280, "height": 800})
    pagina, otra = de_ana.new_page(), de_sofia.new_page()
    otra.goto("/operacion/ordenes")
    for accion, titulo in (("pausar_imagenes", "Que no mande imágenes"), ("baja", "Darlo de baja")):
        pagina.goto("/operacion/equipo/catd-091/ordenar")
        pagina.fill(f"#motivo-{accion}", "Se lo llevaron del CATD")
        pagina.click(f"section:has(h2:text-is('{titulo}')) button")
        assert "lo responde otra persona" in pagina.inner_text("main")
        sin_barreras(pagina, f"pedido-{accion}", tmp_path)
    otra.wait_for_selector("#pedidos article >> nth=1")
    sin_barreras(otra, "mesa-por-autorizar", tmp_path)
    for paso, que in ((1, "no mandar imágenes"), (2, "darlo de baja")):
        otra.goto("/operacion/ordenes")
        otra.click(f"#pedidos article:has-text('{que}') a.boton")
        otra.fill("#codigo", "000000")
        otra.click("button:has-text('Autorizar')")
        assert "El código no es correcto" in otra.inner_text("main")
        sin_barreras(otra, f"pedido-codigo-malo-{paso}", tmp_path)
        # Cada código sirve una vez: se borra el gastado, como si hubiera pasado medio minuto.
        noche.sala.sala.libreta.agregar("UPDATE cuentas SET ultimo_paso = 0 WHERE nombre = ?", ("sofia",))
        otra.fill("#codigo", noche.sala.codigo("sofia"))
        otra.click("button:has-text('Autorizar')")
        sin_barreras(otra, f"pedido-autorizado-{paso}", tmp_path)
    assert "falta que la autoridad firme" in otra.inner_text("main")
    with otra.expect_download() as bajada:
        otra.click("a:has-text('Descargar la solicitud')")
    assert "--baja catd-091" in Path(bajada.value.path()).read_text("utf-8")
    assert [o.quien for o in noche.sala.centro.despacho.bandeja.de("catd-091")] == ["ana y sofia (pedido 1)"]
    de_ana.close()
    de_sofia.close()


def test_si_el_centro_deja_de_contestar_la_pagina_lo_dice(noche: Noche, navegador: Browser) -> None:
    contexto = navegador.new_context(base_url=noche.sala.url)
    pagina = contexto.new_page()
    pagina.clock.install(time=datetime.now(UTC))
    pagina.route("**/proyector/vivo*", lambda ruta: ruta.abort())
    pagina.goto("/proyector")
    assert pagina.is_hidden("#sin-vivo")
    pagina.clock.fast_forward(20_000)
    pagina.wait_for_selector("#sin-vivo:not([hidden])")
    assert "Sin conexión con el centro" in pagina.inner_text("#sin-vivo")
    contexto.close()


def test_sin_javascript_el_tablero_se_lee_completo(noche: Noche, navegador: Browser) -> None:
    contexto = entrar(navegador, noche, "ana", java_script_enabled=False)
    pagina = contexto.new_page()
    pagina.goto("/operacion")
    assert "Siguiente paso" in pagina.inner_text("#alarmas")
    assert pagina.locator("#tabla tr").count() == CUANTOS
    contexto.close()
