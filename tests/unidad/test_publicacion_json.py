"""Los JSON públicos: cumplen su esquema, cada llave está explicada, son los mismos bytes siempre y se leen sin fe."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.base_oficial.escritura import escribir_zip
from nucleo.base_oficial.paquetes import bases
from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.armado import Armador, Cambios
from nucleo.publicacion.fichas import Corte, FichaProceso
from nucleo.publicacion.json_publico import delta, paginas, piezas
from nucleo.publicacion.json_publico.diccionario import diccionario, llaves_de
from nucleo.publicacion.json_publico.esquema import PAGINAS, esquema
from nucleo.publicacion.manifiesto import Archivo, Manifiesto, ManifiestoInvalido
from tests.noche_publicada import PROCESO, Tramo, noches
from tests.unidad.actas_de_prueba import INICIO
from tests.validador_de_esquema import faltas


def vivir(tramos: list[Tramo]) -> tuple[Armador, list[tuple[FichaProceso, Cambios]]]:
    armador = Armador(PROCESO)
    cortes = []
    for tramo in tramos:
        armador.agregar(tramo.hechos)
        armador.imagenes(tramo.imagenes)
        cambios = armador.cortar(tramo.corte)
        cortes.append((armador.todo(tramo.corte, {"GUB": ("GUB.zip", 12, "ef" * 32)}), cambios))
    return armador, cortes


def publicar(tramos: list[Tramo]) -> dict[str, bytes]:
    """Todas las páginas del último corte, con su delta."""
    armador, cortes = vivir(tramos)
    ficha, cambios = cortes[-1]
    todas = [(e, s) for e in PROCESO.elecciones for s in sorted({c.seccion for c in PROCESO.esperadas(e)})]
    pares = dict(paginas.paginas_del_corte(ficha))
    pares |= dict(paginas.paginas_de_secciones(armador.secciones(todas), PROCESO))
    anterior = cortes[-2][0] if len(cortes) > 1 else None
    antes = (
        {e.eleccion.clave: e.parcial.resumen(anterior.corte.ultimo) for e in anterior.elecciones} if anterior else {}
    )
    pares[rutas.DELTA] = delta.entre(anterior.corte if anterior else None, antes, ficha, cambios)
    return {ruta: piezas.a_bytes(dato) for ruta, dato in pares.items()}


def pagina_de(ruta: str) -> str:
    """Con qué esquema se valida una ruta."""
    ruta = re.sub(r"^[A-Z_]+/", "ELE/", ruta)
    ruta = re.sub(r"^ELE/d/(\d+|sin)/", "ELE/d/N/", ruta)
    ruta = re.sub(r"^ELE/s/\d{4}/", "ELE/s/NNNN/", ruta)
    return re.sub(r"[BCESMAP]\d{4}\.json$", "TIIEE.json", ruta)


@given(noches())
@settings(max_examples=40)
def test_todo_json_cumple_el_esquema_que_se_publica(tramos: list[Tramo]) -> None:
    formas = json.loads(piezas.a_bytes(esquema()))["$defs"]
    usadas = set()
    for ruta, contenido in publicar(tramos).items():
        usadas.add(pagina_de(ruta))
        assert faltas(json.loads(contenido), formas[pagina_de(ruta)], ruta) == []
    assert usadas == set(PAGINAS)


def _hojas(dato: Any, ruta: str = "") -> set[str]:
    """Las rutas de todas las llaves que de verdad aparecen."""
    if isinstance(dato, list):
        return {r for elemento in dato for r in _hojas(elemento, f"{ruta}[]")}
    if not isinstance(dato, dict):
        return set()
    propias = {f"{ruta}.{llave}" if ruta else llave for llave in dato}
    return propias | {r for llave, v in dato.items() for r in _hojas(v, f"{ruta}.{llave}" if ruta else llave)}


@given(noches())
@settings(max_examples=20)
def test_cada_llave_que_aparece_esta_en_el_diccionario(tramos: list[Tramo]) -> None:
    dichas = {p: {fila["llave"] for fila in filas} for p, filas in diccionario(PROCESO)["json"].items()}
    for ruta, contenido in publicar(tramos).items():
        suyas = dichas[pagina_de(ruta)]
        for llave in _hojas(json.loads(contenido)):
            libre = {re.sub(rf"^({re.escape(r[:-2])})\.[^.]+", r"\1.*", llave) for r in suyas if r.endswith(".*")}
            assert llave in suyas or libre & suyas, (ruta, llave)


def test_cada_columna_de_la_base_oficial_esta_en_el_diccionario_y_nada_sobra() -> None:
    armador, _ = vivir([Tramo((), frozenset(), Corte("20240602_2000", INICIO, False))])
    for clave in PROCESO.elecciones:
        nombre, contenido = escribir_zip(PROCESO, clave, armador.actas(clave), INICIO, False)
        dicho = diccionario(PROCESO)["bases"][clave]
        lineas = bases(contenido, nombre)[0].contenido.decode("utf-8-sig").splitlines()
        assert [f["columna"] for f in dicho["resumen"]] == lineas[2].split(",")
        assert [f["columna"] for f in dicho["columnas"]] == lineas[5].split(",")
        assert all(fila["explicacion"] and fila["fuente"] for filas in dicho.values() for fila in filas)


def test_toda_llave_dice_que_es_y_de_donde_sale() -> None:
    for pagina, forma in PAGINAS.items():
        filas = list(llaves_de(forma))
        assert len({f["llave"] for f in filas}) == len(filas), pagina
        assert all(fila["explicacion"].strip() and fila["fuente"].strip() for fila in filas)


@given(noches())
@settings(max_examples=20)
def test_los_mismos_hechos_dan_los_mismos_bytes(tramos: list[Tramo]) -> None:
    revueltos = [Tramo(tuple(reversed(t.hechos)), t.imagenes, t.corte) for t in tramos]
    assert publicar(revueltos) == publicar(tramos)


@given(noches())
@settings(max_examples=30)
def test_ningun_numero_de_punto_flotante_y_ningun_porcentaje_sin_denominador(tramos: list[Tramo]) -> None:
    def revisar(dato: Any) -> None:
        assert not isinstance(dato, float)
        if isinstance(dato, dict):
            assert "porcentaje" not in dato or "entre" in dato
        for hijo in dato.values() if isinstance(dato, dict) else dato if isinstance(dato, list) else ():
            revisar(hijo)

    for contenido in publicar(tramos).values():
        revisar(json.loads(contenido))


@given(noches())
@settings(max_examples=30)
def test_el_delta_dice_todas_las_actas_que_cambiaron_y_solo_esas(tramos: list[Tramo]) -> None:
    _, cortes = vivir(tramos)
    ficha, cambios = cortes[-1]
    dicho = delta.entre(None, {}, ficha, cambios)
    assert [(a["eleccion"], a["casilla"]) for a in dicho["actas"]] == [(a.eleccion, a.casilla) for a in cambios.actas]
    paginas_ = publicar(tramos)
    for acta in dicho["actas"]:
        assert json.loads(paginas_[acta["ruta"]])["publicada_en"]["nombre"] == ficha.corte.nombre
        assert json.loads(paginas_[acta["ruta_seccion"]])["seccion"] == acta["seccion"]


# ----------------------------------------------------------------------------------------------------------- manifiesto

_rutas = st.from_regex(r"[A-Z]{1,3}(/[a-z0-9]{1,4}){0,3}\.json", fullmatch=True)
_archivos = st.dictionaries(_rutas, st.binary(max_size=20).map(manifiesto.archivo_de), max_size=8)


@given(_archivos)
def test_el_manifiesto_va_y_vuelve_y_no_depende_del_orden(archivos: dict[str, Archivo]) -> None:
    escrito = Manifiesto("20240602_2000", archivos).a_bytes()
    assert manifiesto.leer(escrito) == Manifiesto("20240602_2000", archivos)
    alreves = dict(reversed(archivos.items()))
    assert Manifiesto("20240602_2000", alreves).a_bytes() == escrito


@given(st.binary(max_size=300))
def test_unos_bytes_cualesquiera_no_son_un_manifiesto(datos: bytes) -> None:
    with pytest.raises(ManifiestoInvalido):
        manifiesto.leer(datos)


@given(_archivos, st.data())
def test_un_manifiesto_tocado_se_rechaza_o_dice_otra_cosa(archivos: dict[str, Archivo], datos: st.DataObject) -> None:
    original = Manifiesto("20240602_2000", archivos)
    escrito = bytearray(original.a_bytes())
    escrito[datos.draw(st.integers(0, len(escrito) - 1))] ^= datos.draw(st.integers(1, 255))
    with suppress(ManifiestoInvalido):
        assert manifiesto.leer(bytes(escrito)) != original


@pytest.mark.parametrize(
    "ruta", ["../x.json", "/etc/passwd", "a//b", "a/./b", "a/../b", "", "a\\b", ".oculto", "a/b\n", "a b", "ñ.json"]
)
def test_una_ruta_que_se_sale_de_la_carpeta_no_se_escribe_ni_se_lee(ruta: str) -> None:
    with pytest.raises(ManifiestoInvalido):
        Manifiesto("x", {ruta: Archivo("00" * 32, 1)}).a_bytes()
    datos = json.dumps({"v": 1, "de": "x", "archivos": [[ruta, "00" * 32, 1]]}).encode()
    with pytest.raises(ManifiestoInvalido):
        manifiesto.leer(datos)


def test_las_rutas_de_una_seccion_van_en_su_propio_manifiesto() -> None:
    assert manifiesto.seccion_de("GUB/s/0085/index.json") == "GUB/s/0085"
    assert manifiesto.seccion_de("GUB/d/1/index.json") is None
    assert manifiesto.seccion_de("GUB/index.json") is None
    assert manifiesto.ruta_del_de_seccion("GUB/s/0085") == "GUB/s/0085/manifiesto.json"
