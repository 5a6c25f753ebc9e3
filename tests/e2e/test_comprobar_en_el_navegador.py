"""«Comprobar aquí mismo» en un Chromium de verdad, sobre un centro publicado y con sus cabeceras de siempre."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nucleo.campo import a_json
from nucleo.captura import ultima_verificada
from nucleo.hechos import Captura, Correccion, HechoDeActa, IdActa, Revision, a_contenido, del_catd
from nucleo.transparencia.arbol import Arbol
from tests.acta_comprobable import BASICA, CONTIGUA, ESPECIAL, PRIMERO, SEGUNDO, Publicado, archivos_de, publicar
from tests.carpeta_publica_de_prueba import con_demo, con_nginx
from tests.noche_publicada import ACTAS, un_hecho

pytestmark = pytest.mark.navegador
HAY_NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")

BIEN, MAL, DUDA, NADA = "bien", "mal", "duda", "nada"
PAGINA, DATOS, FIRMA, INCLUIDA, VIGENTE, SOBRES, LECTURAS, IMAGEN = range(8)
"""Los pasos, en el orden en que se ven."""

_ESPERADO = re.compile(r"Failed to load resource|The Cross-Origin-Opener-Policy header has been ignored")
"""Lo que falta, lo que se corta y lo que no es https son parte de algunas pruebas; la política, de ninguna."""

SIN_ED25519 = """
const importar = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (forma, llave, algoritmo, ...resto) {
  if ((algoritmo.name || algoritmo) === "Ed25519")
    return Promise.reject(new DOMException("Algorithm: Unrecognized name", "NotSupportedError"));
  return importar.call(this, forma, llave, algoritmo, ...resto);
};
"""


@pytest.fixture(scope="module")
def publicado(tmp_path_factory: pytest.TempPathFactory) -> Publicado:
    return publicar(tmp_path_factory.mktemp("comprobable") / "centro")


@pytest.fixture(scope="module")
def puerto(publicado: Publicado) -> Iterator[int]:
    with con_demo(publicado.centro) as puerto:
        yield puerto


@pytest.fixture(scope="module")
def navegador() -> Iterator[Browser]:
    # Un nombre que no es el de esta máquina: sin https, el navegador no lo da por seguro.
    opciones = ["--no-sandbox", "--host-resolver-rules=MAP prep.ejemplo.mx 127.0.0.1"]
    with sync_playwright() as playwright:
        navegador = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=opciones)
        yield navegador
        navegador.close()


@pytest.fixture
def abrir(navegador: Browser, puerto: int) -> Iterator[Callable[..., Page]]:
    """Abre la página de un acta en un navegador que no recuerda nada. Una queja de la política hace fallar."""
    contextos, quejas = [], []

    def _abrir(acta: IdActa = BASICA, raiz: str = "", host: str = "127.0.0.1", guion: str = "", **mas: Any) -> Page:
        contexto = navegador.new_context(base_url=f"http://{host}:{puerto}", **mas)
        contextos.append(contexto)
        if guion:
            contexto.add_init_script(guion)
        pagina = contexto.new_page()
        pagina.on("console", lambda m: quejas.extend([m.text] * (_ESPERADO.match(m.text) is None)))
        pagina.on("pageerror", lambda e: quejas.append(str(e)))
        pagina.goto(f"{raiz}/{acta.eleccion}/s/{acta.casilla[2:6]}/{acta.casilla[6:]}.html")
        return pagina

    yield _abrir
    for contexto in contextos:
        contexto.close()
    assert quejas == []


def comprobar(pagina: Page) -> list[str]:
    """Aprieta el botón y espera el veredicto; devuelve cómo quedó cada paso."""
    pagina.click("#comprobar-aqui button")
    expect(pagina.locator(".veredicto")).to_be_visible()
    return [li.get_attribute("class") or "" for li in pagina.locator(".pasos li").all()]


def veredicto(pagina: Page) -> str:
    return (pagina.get_attribute(".veredicto", "class") or "").removeprefix("veredicto ")


@contextmanager
def cambiado(ruta: Path, como: Callable[[bytes], bytes]) -> Iterator[None]:
    """El archivo, con otro contenido; al salir queda como estaba."""
    antes = ruta.read_bytes()
    abierto = gzip.decompress(antes) if ruta.suffix == ".gz" else antes
    despues = como(abierto)
    assert despues != abierto
    ruta.write_bytes(gzip.compress(despues, mtime=0) if ruta.suffix == ".gz" else despues)
    try:
        yield
    finally:
        ruta.write_bytes(antes)


def cambio(viejo: bytes, nuevo: bytes) -> Callable[[bytes], bytes]:
    return lambda datos: datos.replace(viejo, nuevo, 1)


def en_json(*camino: str | int, como: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Cambia un valor del JSON, en esa ruta de llaves."""

    def _cambiar(datos: bytes) -> bytes:
        dato = parte = json.loads(datos)
        for llave in camino[:-1]:
            parte = parte[llave]
        parte[camino[-1]] = como(parte[camino[-1]])
        return json.dumps(dato).encode()

    return _cambiar


def otra_letra(texto: str, donde: int) -> str:
    distinta = "B" if texto[donde] == "A" else "A"
    return f"{texto[:donde]}{distinta}{texto[donde + 1 :] if donde != -1 else ''}"


# ----------------------------------------------------------------------------------------------------- lo que es cierto


@pytest.mark.parametrize(
    ("acta", "raiz", "pasos"),
    [
        (BASICA, "", [BIEN] * 8),
        (CONTIGUA, "", [BIEN] * 7 + [NADA]),
        (ESPECIAL, "", [BIEN] * 6 + [NADA, NADA]),
        (BASICA, f"/cortes/{PRIMERO}", [BIEN] * 6 + [NADA, NADA]),
        (CONTIGUA, f"/cortes/{PRIMERO}", [BIEN] * 5 + [NADA] * 3),
        (BASICA, f"/cortes/{SEGUNDO}", [BIEN] * 8),
    ],
    ids=[
        "con imagen",
        "corregida, imagen en camino",
        "sin acta",
        "en captura, en un corte de antes",
        "sólo eslabones",
        "en su corte",
    ],
)
def test_un_acta_buena_se_comprueba_completa(
    abrir: Callable[..., Page], acta: IdActa, raiz: str, pasos: list[str]
) -> None:
    pagina = abrir(acta, raiz)
    assert comprobar(pagina) == pasos
    assert veredicto(pagina) == BIEN
    assert pagina.evaluate("document.activeElement.textContent").startswith("✔ Todo lo que se comprobó coincide")
    expect(pagina.get_by_role("status")).to_contain_text("Todo lo que se comprobó coincide")
    assert comprobar(pagina) == pasos, "se puede repetir"


@pytest.mark.skipif(HAY_NGINX is None, reason="no hay nginx (lo instala ./prep probar)")
def test_con_nginx_se_comprueba_igual(navegador: Browser, publicado: Publicado) -> None:
    with con_nginx(publicado.centro) as puerto:
        pagina = navegador.new_page()
        pagina.goto(f"http://127.0.0.1:{puerto}/GUB/s/0001/B0100.html")
        assert comprobar(pagina) == [BIEN] * 8
        pagina.close()


def test_se_ensena_la_llave_para_compararla_con_la_impresa(abrir: Callable[..., Page], publicado: Publicado) -> None:
    pagina = abrir()
    comprobar(pagina)
    vkey = (publicado.centro / "registro" / "llave").read_text().strip()
    assert pagina.inner_text(".pasos .ref") == vkey


def test_la_pagina_dice_que_su_programa_lo_entrega_el_mismo_sitio(abrir: Callable[..., Page]) -> None:
    dicho = abrir().inner_text("#comprobar-aqui")
    assert "te lo entrega este mismo sitio" in dicho
    assert "./prep verificar" in dicho
    assert "espejo" in dicho


# ----------------------------------------------------------------------------------------------------- lo que se cambió

CAMBIOS: dict[str, tuple[str, Callable[[bytes], bytes], int, str]] = {
    "un dígito del JSON": ("datos", cambio(b'"seccion":1', b'"seccion":2'), DATOS, "alguien cambió"),
    "un voto del JSON": ("datos", cambio(b'"asentado":1234', b'"asentado":1235'), PAGINA, "no son las del archivo"),
    "el JSON cortado": ("datos", lambda d: d[:-40], PAGINA, "dañado"),
    "una letra de la hoja": ("hojas", cambio(rb"\"ficha\":\"", rb"\"ficha\":\"0"), DATOS, "huella"),
    "otra imagen en la hoja": (
        "hojas",
        cambio(rb"\"imagen\":\"5", rb"\"imagen\":\"6"),
        INCLUIDA,
        "no está en el registro",
    ),
    "la hoja de otra acta": ("hojas", cambio(b"200001B0100", b"200001C0100"), INCLUIDA, "otra acta"),
    "la hoja, con espacios": ("hojas", cambio(rb"acta\n{", rb"acta\n{ "), INCLUIDA, "dañada"),
    "una letra de un sobre": (
        "hojas",
        en_json("sobres", 2, "sobre", como=lambda s: otra_letra(s, 400)),
        SOBRES,
        "se cambió",
    ),
    "una letra de una firma": (
        "hojas",
        en_json("sobres", 2, "sobre", como=lambda s: otra_letra(s, -20)),
        SOBRES,
        "firma",
    ),
    "un sobre repetido": ("hojas", en_json("sobres", como=lambda s: [*s, s[0]]), SOBRES, "no nombra"),
    "la llave de otro": (
        "hojas",
        en_json("llaves", como=lambda d: {k: d[o] for k, o in zip(d, reversed(d), strict=True)}),
        SOBRES,
        "no es de la llave",
    ),
    "una huella de la prueba": ("prueba", lambda d: _en_renglon(d, 2), INCLUIDA, "no está en el registro"),
    "el índice de la prueba": ("prueba", cambio(b"index 1", b"index "), INCLUIDA, ""),
    "la raíz firmada": ("prueba", lambda d: _en_renglon(d, -4), FIRMA, "firma del registro"),
    "el punto de control": ("punto", lambda d: _en_renglon(d, 2), VIGENTE, "firma del registro"),
    "un punto de control sin firma": ("punto", lambda d: d.replace(b"prep/", b"otro/"), VIGENTE, "no lo firma"),
    "la llave del registro": ("llave", cambio(b"+A", b"+B"), FIRMA, "llave del registro"),
}


def _en_renglon(datos: bytes, cual: int) -> bytes:
    renglones = datos.split(b"\n")
    renglones[cual] = (b"B" if renglones[cual][:1] == b"A" else b"A") + renglones[cual][1:]
    return b"\n".join(renglones)


@pytest.mark.parametrize("que", CAMBIOS)
def test_cualquier_cosa_cambiada_se_dice_con_una_tache(
    abrir: Callable[..., Page], publicado: Publicado, que: str
) -> None:
    archivo, como, paso, palabras = CAMBIOS[que]
    with cambiado(publicado.centro / archivos_de(BASICA)[archivo], como):
        pagina = abrir()
        pasos = comprobar(pagina)
    assert pasos[paso] == MAL, pasos
    assert palabras in pagina.locator(".pasos li").nth(paso).inner_text()
    assert veredicto(pagina) == MAL
    assert "no des por buena" in pagina.inner_text(".veredicto")
    assert "./prep verificar acta B0100.tlog-proof" in pagina.inner_text(".veredicto")


def test_un_byte_de_la_imagen_cambiado_se_nota(abrir: Callable[..., Page], publicado: Publicado) -> None:
    ruta = publicado.centro / "imagenes_publicas" / publicado.imagen[:2] / f"{publicado.imagen}.webp"
    with cambiado(ruta, lambda d: d[:-1] + bytes([d[-1] ^ 1])):
        pagina = abrir()
        assert comprobar(pagina) == [*[BIEN] * 7, MAL]
    assert "sus bytes no dan la huella" in pagina.locator(".pasos li").nth(IMAGEN).inner_text().lower()


@pytest.mark.parametrize(
    ("viejo", "nuevo", "paso"),
    [(b"1,234", b"1,235", PAGINA), (b'<img src="/imagenes/', b'<img src="/icono.svg?', IMAGEN)],
    ids=["otra cantidad", "otra imagen"],
)
def test_una_pagina_que_ensena_otra_cosa_que_sus_datos_se_nota(
    abrir: Callable[..., Page], publicado: Publicado, viejo: bytes, nuevo: bytes, paso: int
) -> None:
    with cambiado(publicado.centro / f"cortes/{SEGUNDO}/GUB/s/0001/B0100.html.gz", cambio(viejo, nuevo)):
        pagina = abrir()
        pasos = comprobar(pagina)
    assert [i for i, como in enumerate(pasos) if como == MAL] == [paso]
    assert veredicto(pagina) == MAL


def test_un_registro_que_perdio_hojas_se_nota(abrir: Callable[..., Page], publicado: Publicado) -> None:
    viejo = (publicado.centro / "registro" / "puntos" / PRIMERO).read_bytes()
    with cambiado(publicado.centro / "registro" / "checkpoint", lambda _: viejo):
        pagina = abrir()
        pasos = comprobar(pagina)
    assert [i for i, como in enumerate(pasos) if como == MAL] == [VIGENTE]
    assert "perdió hojas" in pagina.locator(".pasos li").nth(VIGENTE).inner_text()


# --------------------------------------------------------------------------------------------------- lo que no se puede


@pytest.mark.parametrize(
    ("archivo", "pasos"),
    [
        ("datos", {PAGINA, DATOS, LECTURAS, IMAGEN}),
        ("hojas", {DATOS, INCLUIDA, SOBRES, LECTURAS, IMAGEN}),
        ("prueba", {FIRMA, INCLUIDA, VIGENTE}),
        ("punto", {VIGENTE}),
        ("llave", {FIRMA, INCLUIDA, VIGENTE}),
    ],
)
def test_si_falta_un_archivo_se_dice_cual_y_nunca_se_da_por_bueno(
    abrir: Callable[..., Page], publicado: Publicado, archivo: str, pasos: set[int]
) -> None:
    ruta = publicado.centro / archivos_de(BASICA)[archivo]
    ruta.rename(ruta.with_name(".quitado"))
    try:
        pagina = abrir()
        hallados = comprobar(pagina)
    finally:
        ruta.with_name(".quitado").rename(ruta)
    assert {i for i, como in enumerate(hallados) if como == DUDA} == pasos
    assert MAL not in hallados
    assert "no está" in pagina.inner_text(".pasos")
    assert veredicto(pagina) == DUDA
    assert "esto no es un visto bueno" in pagina.inner_text(".veredicto")


def test_sin_los_sobres_que_la_hoja_nombra_no_se_da_por_bueno(abrir: Callable[..., Page], publicado: Publicado) -> None:
    with cambiado(publicado.centro / archivos_de(BASICA)["hojas"], en_json("sobres", como=lambda s: s[:-1])):
        pagina = abrir()
        assert comprobar(pagina)[SOBRES] == DUDA
    assert "faltan 1 de los 4" in pagina.inner_text(".pasos").lower()
    assert veredicto(pagina) == DUDA


def test_sin_padron_no_hay_con_que_llave_abrir_y_se_dice(abrir: Callable[..., Page], publicado: Publicado) -> None:
    with cambiado(publicado.centro / archivos_de(BASICA)["hojas"], en_json("llaves", como=lambda _: {})):
        pagina = abrir()
        assert comprobar(pagina)[SOBRES] == DUDA
    assert "no hay con qué llave abrir" in pagina.inner_text(".pasos").lower()


def test_un_navegador_sin_ed25519_lo_dice_y_no_da_por_bueno(abrir: Callable[..., Page]) -> None:
    pagina = abrir(guion=SIN_ED25519)
    pasos = comprobar(pagina)
    assert [pasos[FIRMA], pasos[INCLUIDA], pasos[VIGENTE]] == [DUDA] * 3
    assert pasos[DATOS] == pasos[SOBRES] == BIEN
    assert "Este navegador no sabe comprobar firmas Ed25519" in pagina.inner_text(".pasos")
    assert veredicto(pagina) == DUDA
    assert "./prep verificar acta B0100.tlog-proof" in pagina.inner_text(".veredicto")


def test_sin_https_lo_dice_y_no_da_por_bueno(abrir: Callable[..., Page]) -> None:
    pagina = abrir(host="prep.ejemplo.mx")
    assert comprobar(pagina) == []
    assert "https" in pagina.inner_text(".veredicto")
    assert veredicto(pagina) == DUDA


def test_sin_red_lo_dice_y_al_volver_se_puede_repetir(abrir: Callable[..., Page]) -> None:
    pagina = abrir()
    pagina.context.set_offline(True)
    assert set(comprobar(pagina)) == {DUDA}
    assert "revisa tu conexión" in pagina.inner_text(".pasos")
    assert veredicto(pagina) == DUDA
    pagina.context.set_offline(False)
    pagina.click("#comprobar-aqui button")
    expect(pagina.locator(".veredicto.bien")).to_be_visible()


def test_sin_javascript_no_hay_boton_que_no_sirva(abrir: Callable[..., Page]) -> None:
    pagina = abrir(java_script_enabled=False)
    assert pagina.locator("#comprobar-aqui button").count() == 0
    assert "descarga su prueba" in pagina.inner_text("main")


# ---------------------------------------------------------------------------------------------------------------- se ve


@pytest.mark.parametrize("modo", ["light", "dark"])
@pytest.mark.parametrize("caso", [BIEN, MAL, DUDA])
def test_se_lee_en_telefono_de_dia_y_de_noche_y_sin_barreras(
    abrir: Callable[..., Page], publicado: Publicado, modo: str, caso: str
) -> None:
    archivo, como = {
        BIEN: ("datos", None),
        MAL: ("datos", cambio(b'"asentado":1234', b'"asentado":1235')),
        DUDA: ("hojas", en_json("llaves", como=lambda _: {})),
    }[caso]
    pagina = abrir(color_scheme=modo, viewport={"width": 320, "height": 800})
    ruta = publicado.centro / archivos_de(BASICA)[archivo]
    if como is None:
        comprobar(pagina)
    else:
        with cambiado(ruta, como):
            comprobar(pagina)
    assert veredicto(pagina) == caso
    for ancho in (320, 1280):
        pagina.set_viewport_size({"width": ancho, "height": 800})
        assert pagina.evaluate("document.documentElement.scrollWidth <= innerWidth"), ancho
        assert Axe().run(pagina).response["violations"] == []


def test_se_aprieta_con_el_teclado(abrir: Callable[..., Page]) -> None:
    pagina = abrir()
    pagina.focus("#comprobar-aqui button")
    pagina.keyboard.press("Enter")
    expect(pagina.locator(".veredicto h3")).to_be_focused()


# ------------------------------------------------------------------------------------ las cuentas, contra las de nucleo

_DECIDIR = """async (sobres) => {
  const { decidido, NoSePuede } = await import("/comprobaciones.js");
  try {
    const hallado = decidido(sobres);
    return hallado && Object.fromEntries(hallado.campos);
  } catch (error) {
    if (error instanceof NoSePuede) return "no se puede";
    throw error;
  }
}"""
_INCLUIR = """async (casos) => {
  const { incluida, Falso } = await import("/comprobaciones.js");
  const bytes = (b) => Uint8Array.from(b);
  const hallados = [];
  for (const [hoja, indice, tamano, raiz, camino] of casos) {
    try {
      await incluida(bytes(hoja), indice, tamano, bytes(raiz), camino.map(bytes));
      hallados.push(true);
    } catch (error) {
      if (!(error instanceof Falso)) throw error;
      hallados.push(false);
    }
  }
  return hallados;
}"""


@pytest.fixture(scope="module")
def modulo(navegador: Browser, puerto: int) -> Iterator[Page]:
    pagina = navegador.new_page()
    pagina.goto(f"http://127.0.0.1:{puerto}/ayuda.html")
    yield pagina
    pagina.close()


@settings(max_examples=150)
@given(hechos=st.lists(un_hecho(), max_size=14))
def test_la_doble_captura_da_lo_mismo_que_en_el_centro(modulo: Page, hechos: list[HechoDeActa]) -> None:
    lecturas = [h for h in hechos if isinstance(h, Captura | Correccion | Revision) and h.acta == ACTAS[0]]
    sobres = [{"catd": "c1", "contenido": a_contenido(h)} for h in lecturas]
    hallado = modulo.evaluate(_DECIDIR, sobres)
    del_centro = ultima_verificada([del_catd(h, "c1") for h in lecturas])  # type: ignore[misc]
    horas = [(h.hora, type(h), h.vuelta) for h in lecturas]
    if hallado == "no se puede":
        assert len(set(horas)) < len(horas)
    else:
        esperado = None if del_centro is None else {k: a_json(v) for k, v in del_centro.asentado.campos().items()}
        assert hallado == esperado


def test_la_inclusion_da_lo_mismo_que_en_el_centro(modulo: Page) -> None:
    """Todas las hojas de todos los árboles de hasta 20, y ninguna con otra hoja, otro índice o un camino mocho."""
    buenas, malas = [], []
    arbol = Arbol()
    for tamano in range(1, 21):
        arbol.agregar(bytes([tamano - 1]))
        raiz = list(arbol.raiz())
        for i in range(tamano):
            camino = [list(h) for h in arbol.inclusion(i, tamano)]
            buenas.append([[i], i, tamano, raiz, camino])
            malas.append([[i + 1], i, tamano, raiz, camino])
            malas.append([[i], i + 1, tamano, raiz, camino])
            malas.append([[i], i, tamano, raiz, [*camino, raiz]])
            if camino:
                malas.append([[i], i, tamano, raiz, camino[:-1]])
    assert set(modulo.evaluate(_INCLUIR, buenas)) == {True}
    assert set(modulo.evaluate(_INCLUIR, malas)) == {False}
