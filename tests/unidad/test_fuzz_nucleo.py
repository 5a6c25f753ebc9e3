"""Basura de toda clase en las puertas del núcleo: sólo salen los errores que su docstring promete.

Un error inesperado aquí tumba al centro, y como el bróker vuelve a entregar el mensaje, lo tumba otra vez. Tres
fuentes: texto y bytes al azar; mensajes buenos con un trozo cambiado; y lo mismo *bien firmado*, que es lo que manda
un kiosco tomado.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nucleo.acuse import Acuse, Apartado, abrir_acuse, sellar_acuse
from nucleo.campo import CampoInvalido, a_texto, de_json, de_texto
from nucleo.casilla import ClaveInvalida, partir_clave
from nucleo.hechos import HechoInvalido, a_contenido, de_contenido
from nucleo.latido import abrir_latido, sellar_latido
from nucleo.orden import Orden, Renacer, abrir_orden, sellar_orden
from nucleo.padron import AUTORIDAD, Equipo, Exclusion, LlaveInscrita, Padron, abrir_padron, sellar_padron
from nucleo.paquete import DefinicionFirmada, abrir_definicion, sellar_definicion
from nucleo.sobre import Sobre, SobreInvalido, Tipo, abrir, huella, leer_json, quien_dice_ser, sellar
from nucleo.temas import TemaInvalido, acl_mosquitto, ambito_de, leer_tema
from tests.estrategias import armar, campos, desarmar, firmante, firmar_a_mano, hechos, json_cualquiera, ordenes
from tests.unidad.test_latido import LATIDO

KIOSCO: Final = firmante("catd-01")
CENTRO: Final = firmante("centro")
AUTORA: Final = firmante(AUTORIDAD)
HORA: Final = datetime(2022, 6, 6, 1, 2, 3, tzinfo=UTC)
EPOCA: Final = "00112233aabbccdd"
ACUSE: Final = Acuse(
    *("catd-01", EPOCA, 1, "a" * 64, ((3, "b" * 64),), ((2, 2),), (Apartado("c" * 64, "FIRMA"),), HORA)
)
PADRON: Final = Padron(
    "oax2022",
    "simulacro",
    1,
    {
        "catd-01": Equipo(
            *("catd-01", "acatlan", frozenset({EPOCA}), KIOSCO.llave, True, None),
            anteriores=(LlaveInscrita(firmante("vieja").llave, {EPOCA: 7}),),
            exclusiones={EPOCA: Exclusion(9, "se robaron el kiosco", HORA)},
            casillas=("D5", "200123"),
        )
    },
)
ORDEN: Final = Orden("oax2022", "simulacro", "catd-01", EPOCA, 3, HORA, HORA + timedelta(hours=1), Renacer())
DEFINICION: Final = DefinicionFirmada("oax2022", "simulacro", 4, "d" * 64, 5000, "e" * 64)
cualquier_hecho = st.one_of(*hechos().values())


def _sobre(contenido: dict[str, Any]) -> str:
    fijos = ("oax2022", "simulacro", "acatlan", "catd-01", EPOCA, 1, "0" * 64, HORA, "libre", "a-1", "0.1.0")
    return sellar(Sobre(*fijos, contenido), KIOSCO)


Puerta = tuple[Callable[[str], object], Callable[[], st.SearchStrategy[str]], Any]
PUERTAS: Final[dict[str, Puerta]] = {
    "abrir": (
        lambda texto: de_contenido(abrir(texto, KIOSCO.llave).contenido),
        lambda: cualquier_hecho.map(lambda h: _sobre(a_contenido(h))),
        KIOSCO.llave,
    ),
    "abrir_acuse": (
        lambda texto: abrir_acuse(texto, CENTRO.llave),
        lambda: st.just(sellar_acuse(ACUSE, CENTRO)),
        CENTRO.llave,
    ),
    "abrir_latido": (
        lambda texto: abrir_latido(texto, KIOSCO.llave),
        lambda: st.just(sellar_latido(LATIDO, KIOSCO)),
        KIOSCO.llave,
    ),
    "abrir_orden": (
        lambda texto: abrir_orden(texto, CENTRO.llave),
        lambda: ordenes.map(lambda que: sellar_orden(replace(ORDEN, que=que), CENTRO)),
        CENTRO.llave,
    ),
    "abrir_definicion": (
        lambda texto: abrir_definicion(texto, AUTORA.llave),
        lambda: st.just(sellar_definicion(DEFINICION, AUTORA)),
        AUTORA.llave,
    ),
    "abrir_padron": (
        lambda texto: abrir_padron(texto, AUTORA.llave),
        lambda: st.just(sellar_padron(PADRON, AUTORA)),
        AUTORA.llave,
    ),
}
HONDO: Final[list[Any]] = reduce(lambda dentro, _: [dentro], range(800), [])
LIMPIOS: Final = (SobreInvalido, HechoInvalido)


def entra(puerta: Callable[[str], object], texto: str) -> None:
    """Pasa o se rechaza con un error limpio, cuyo mensaje se puede guardar y mostrar."""
    dicho = ""
    try:
        puerta(texto)
    except LIMPIOS as error:
        dicho = str(error)
    assert len(dicho.encode()) < 5000


def mutado(datos: st.DataObject, dato: Any) -> Any:
    """El mismo JSON con un cambio en algún lugar: otro valor, una llave menos, una más."""
    if isinstance(dato, dict) and dato and datos.draw(st.booleans()):
        llave = datos.draw(st.sampled_from(sorted(dato)))
        if datos.draw(st.integers(0, 4)) == 0:
            return {k: v for k, v in dato.items() if k != llave}
        return dato | {llave: mutado(datos, dato[llave])}
    if isinstance(dato, list) and dato and datos.draw(st.booleans()):
        lugar = datos.draw(st.integers(0, len(dato) - 1))
        return [*dato[:lugar], mutado(datos, dato[lugar]), *dato[lugar + 1 :]]
    if isinstance(dato, dict) and datos.draw(st.booleans()):
        return dato | {datos.draw(st.text(max_size=8)): datos.draw(json_cualquiera)}
    if isinstance(dato, str) and datos.draw(st.booleans()):
        return dato + datos.draw(st.sampled_from(("", "\n", "\0", "\ud800", "ñ", "=", "AA")))
    return datos.draw(json_cualquiera | st.sampled_from((10**30, -1, 2**53, True, "\ud800", HONDO)))


@pytest.mark.parametrize("nombre", list(PUERTAS))
@given(st.text() | st.text("ey.AJhbGciOi_-=\n", max_size=200) | st.binary().map(lambda b: b.decode("latin-1")))
@example("..")
@example(".".join(["e30"] * 3))
@example("W10.e30.AAAA")
@example("ImFsZyI.e30.AAAA")
@example("WyJhbGciLCJ0eXAiLCJraWQiXQ.e30.AAAA")  # el encabezado es ["alg","typ","kid"]
def test_texto_al_azar(nombre: str, texto: str) -> None:
    entra(PUERTAS[nombre][0], texto)
    for tipo in Tipo:
        with pytest.raises(SobreInvalido):
            quien_dice_ser(texto, tipo)


@pytest.mark.parametrize("nombre", list(PUERTAS))
@given(st.data())
def test_un_trozo_cambiado_en_el_camino(nombre: str, datos: st.DataObject) -> None:
    puerta, buenos, _ = PUERTAS[nombre]
    bueno = datos.draw(buenos())
    desde = datos.draw(st.integers(0, len(bueno)))
    hasta = datos.draw(st.integers(desde, len(bueno)))
    otro = bueno[:desde] + datos.draw(st.text(max_size=6) | st.text("eyJ.AB_-", max_size=6)) + bueno[hasta:]
    entra(puerta, otro)
    assert len(huella(bueno)) == 64


@pytest.mark.parametrize("nombre", list(PUERTAS))
@given(st.data())
@settings(max_examples=150)
def test_carga_mala_bien_firmada(nombre: str, datos: st.DataObject) -> None:
    puerta, buenos, llave = PUERTAS[nombre]
    cabeza, carga, _ = desarmar(datos.draw(buenos()))
    otra = json.dumps(mutado(datos, json.loads(carga))).encode()
    entra(puerta, firmar_a_mano(llave, cabeza, otra))


@pytest.mark.parametrize("nombre", list(PUERTAS))
@given(st.data())
def test_bytes_malos_bien_firmados(nombre: str, datos: st.DataObject) -> None:
    puerta, buenos, llave = PUERTAS[nombre]
    cabeza, carga, _ = desarmar(datos.draw(buenos()))
    desde = datos.draw(st.integers(0, len(carga)))
    hasta = datos.draw(st.integers(desde, min(len(carga), desde + 8)))
    entra(puerta, firmar_a_mano(llave, cabeza, carga[:desde] + datos.draw(st.binary(max_size=8)) + carga[hasta:]))


@pytest.mark.parametrize("nombre", list(PUERTAS))
@given(st.data())
def test_encabezado_malo_bien_firmado(nombre: str, datos: st.DataObject) -> None:
    puerta, buenos, llave = PUERTAS[nombre]
    cabeza, carga, firma = desarmar(datos.draw(buenos()))
    mala = datos.draw(st.binary(max_size=40) | st.just(cabeza).map(lambda c: c * 2))
    otra = json.dumps(mutado(datos, json.loads(cabeza))).encode()
    entra(puerta, firmar_a_mano(llave, datos.draw(st.sampled_from((mala, otra))), carga))
    entra(puerta, armar(mala, carga, firma))


@given(json_cualquiera)
def test_contenido_al_azar(dato: object) -> None:
    for contenido in (dato, {"hecho": dato}, {"hecho": "captura", "campos": dato}):
        with pytest.raises(HechoInvalido) as error:
            de_contenido(contenido)
        str(error.value).encode()


@given(cualquier_hecho, st.data())
@settings(max_examples=200)
def test_contenido_casi_bueno(hecho: Any, datos: st.DataObject) -> None:
    try:
        leido = de_contenido(mutado(datos, a_contenido(hecho)))
    except HechoInvalido as error:
        str(error).encode()
    else:
        assert de_contenido(a_contenido(leido)) == leido


@given(st.binary(max_size=200) | json_cualquiera.map(lambda d: json.dumps(d).encode()))
def test_json_al_azar(datos: bytes) -> None:
    try:
        dato = leer_json(datos)
    except SobreInvalido:
        return
    assert json.loads(datos.decode()) == dato


@given(st.text())
def test_temas_claves_y_campos_al_azar(texto: str) -> None:
    for puerta, limpio in ((leer_tema, TemaInvalido), (partir_clave, ClaveInvalida), (acl_mosquitto, TemaInvalido)):
        with pytest.raises(limpio) as error:
            puerta(texto)
        str(error.value).encode()
    with pytest.raises(TemaInvalido):
        ambito_de(texto, texto)
    try:
        assert de_texto(a_texto(de_texto(texto))) == de_texto(texto)
    except CampoInvalido as error_de_campo:
        str(error_de_campo).encode()


@given(json_cualquiera)
def test_campo_al_azar(dato: object) -> None:
    try:
        de_json(dato)
    except CampoInvalido as error:
        str(error).encode()


@given(campos)
def test_todo_campo_va_y_vuelve(campo: Any) -> None:
    assert de_texto(a_texto(campo)) == campo
