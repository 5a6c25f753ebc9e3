"""Bytes hostiles o dañados: la definición se acepta o se rechaza con problemas completos; nunca revienta."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nucleo.acta import COMPLEMENTARIOS
from nucleo.catalogo import COLUMNAS, leer_catalogo
from nucleo.definicion import leer_proceso
from nucleo.definicion.localizador import Localizador
from nucleo.eleccion import Proceso, TipoOpcion
from nucleo.gzip_acotado import descomprimir
from nucleo.hechos import MAXIMO_CAMPOS
from nucleo.problema_archivo import Problema

DATOS = Path(__file__).parents[2] / "datos"
TOML = (DATOS / "ejemplo_tres_elecciones" / "eleccion.toml").read_bytes()
TOML_OAXACA = (DATOS / "oaxaca_2022" / "eleccion.toml").read_bytes()
CATALOGO = (DATOS / "ejemplo_tres_elecciones" / "casillas.csv").read_bytes()

RAPIDO = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAGMENTOS = [
    *(
        b"",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b'"',
        b"'",
        b'"""',
        b"[",
        b"]",
        b"[[",
        b"{",
        b"}",
        b"=",
        b",",
    ),
    *(b"#", b".", b"-1", b"9" * 30, b"1e400", b"nan", b"true", b"2024-06-02", b"9999-12-31T23:59:59-06:00", b"\\u0000"),
    *(b"0001-01-01T00:00:00+06:00", b"[[elecciones]]", b"[elecciones]", b'"PAN"', b"partidos = []", b"ambitos = [0]"),
    *(b'ambito = "distrito"', b"a.b.c = 1", "Ñ".encode(), "٣".encode(), b'clave = "NULOS"', b"\xe2\x80\xae"),
]


@st.composite
def mutado(draw: st.DrawFn, original: bytes) -> bytes:
    """El original con unos cuantos cortes, cambios, repeticiones o injertos."""
    datos = original
    for _ in range(draw(st.integers(1, 4))):
        desde = draw(st.integers(0, len(datos)))
        hasta = draw(st.integers(desde, min(len(datos), desde + draw(st.sampled_from([0, 1, 5, 60])))))
        injerto = draw(st.sampled_from(FRAGMENTOS) | st.binary(max_size=4) | st.just(datos[desde:hasta] * 2))
        datos = datos[:desde] + injerto + datos[hasta:]
    return datos


@st.composite
def con_renglones_movidos(draw: st.DrawFn, original: bytes) -> bytes:
    """El original con líneas enteras borradas o puestas en otro lugar: casi siempre es TOML válido."""
    lineas = original.split(b"\n")
    for _ in range(draw(st.integers(1, 5))):
        linea = lineas.pop(draw(st.integers(0, len(lineas) - 1)))
        if draw(st.booleans()):
            lineas.insert(draw(st.integers(0, len(lineas))), linea)
    return b"\n".join(lineas)


def revisar(toml: bytes, catalogo: bytes) -> None:
    resultado = leer_proceso(toml, catalogo)
    if isinstance(resultado, Proceso):
        revisar_proceso(resultado)
        return
    assert resultado
    lineas = {"eleccion.toml": toml.count(b"\n") + 1, "casillas.csv": catalogo.count(b"\n") + 1}
    for problema in resultado:
        revisar_problema(problema, lineas[problema.archivo])


def revisar_problema(problema: Problema, lineas: int) -> None:
    assert 0 <= problema.linea <= lineas, problema
    assert problema.que, problema
    assert problema.causa, problema
    assert problema.siguiente, problema
    assert str(problema).isprintable(), problema
    assert len(problema.que) < 1_000, problema


def revisar_proceso(proceso: Proceso) -> None:
    """Lo que todo lo demás da por cierto de un proceso aceptado."""
    assert proceso.casillas
    assert proceso.elecciones
    assert proceso.inicio_operacion <= proceso.inicio_publicacion < proceso.cierre
    assert 1 <= proceso.minutos_entre_cortes <= 20
    for eleccion in proceso.elecciones.values():
        claves = [o.clave for o in eleccion.opciones]
        assert len(set(claves)) == len(claves) <= MAXIMO_CAMPOS - len(COMPLEMENTARIOS)
        assert claves[-2:] == ["NO_REGISTRADAS", "NULOS"]
        assert not set(claves) & set(COMPLEMENTARIOS)
        assert all(c in eleccion.por_clave for coalicion in eleccion.coaliciones for c in coalicion.combinaciones)
        for comun in eleccion.comunes:
            assert sum(comun.diezmilesimas.values()) == 10_000
            assert comun.remanente in comun.partidos
        for casilla in proceso.esperadas(eleccion.clave):
            revisar_un_partido_una_alianza(proceso, eleccion.clave, casilla.clave)


def revisar_un_partido_una_alianza(proceso: Proceso, eleccion: str, casilla: str) -> None:
    definida = proceso.elecciones[eleccion]
    donde = definida.division(proceso.casillas[casilla])
    alianzas = [(a.partidos, a.ambitos) for a in definida.coaliciones]
    alianzas += [(a.partidos, a.ambitos) for a in definida.comunes]
    partidos = [p for siglas, ambitos in alianzas if ambitos is None or donde in ambitos for p in siglas]
    assert len(partidos) == len(set(partidos))
    renglones = definida.opciones_de(proceso.casillas[casilla])
    solos = {o.clave for o in renglones if o.tipo is TipoOpcion.PARTIDO}
    en_comun = {p for o in renglones if o.tipo is TipoOpcion.COMUN for p in o.partidos}
    assert not solos & en_comun


@RAPIDO
@given(st.binary(max_size=400))
@example(b"a = [" * 1_000)
@example(b"a." * 999 + b"b = 1")
@example(b"partidos = 1\nelecciones = {}\ncalendario = []")
@example(b"elecciones = [1, {}, []]\npartidos = [[]]")
def test_bytes_al_azar_en_lugar_de_la_definicion(toml: bytes) -> None:
    revisar(toml, CATALOGO)


@RAPIDO
@given(mutado(TOML))
def test_una_definicion_danada(toml: bytes) -> None:
    revisar(toml, CATALOGO)


@RAPIDO
@given(con_renglones_movidos(TOML) | con_renglones_movidos(TOML_OAXACA))
def test_una_definicion_con_renglones_perdidos_o_movidos(toml: bytes) -> None:
    revisar(toml, CATALOGO)


@RAPIDO
@given(st.binary(max_size=400))
@example(",".join(COLUMNAS).encode() + b"\n" + b"," * 7)
@example(",".join(COLUMNAS).encode() + b"\n\r\n\r")
def test_bytes_al_azar_en_lugar_del_catalogo(catalogo: bytes) -> None:
    revisar(TOML, catalogo)


@RAPIDO
@given(mutado(CATALOGO) | con_renglones_movidos(CATALOGO))
def test_un_catalogo_danado(catalogo: bytes) -> None:
    leido = leer_catalogo(catalogo)
    lineas = catalogo.count(b"\n") + 1
    for problema in (*leido.problemas, *leido.avisos):
        revisar_problema(problema, lineas)
    assert set(leido.casillas) == set(leido.lineas)
    revisar(TOML, catalogo)


@RAPIDO
@given(st.binary(max_size=200))
def test_un_gzip_al_azar(datos: bytes) -> None:
    try:
        descomprimir(datos, 100)
    except ValueError as error:
        assert str(error)  # noqa: PT017


@RAPIDO
@given(mutado(TOML) | con_renglones_movidos(TOML))
def test_el_localizador_conoce_la_linea_de_cada_valor(toml: bytes) -> None:
    try:
        texto = toml.decode("utf-8")
        dato = tomllib.loads(texto)
    except ValueError:
        return
    localizador = Localizador(texto)
    lineas = texto.replace("\r\n", "\n").split("\n")
    pendientes: list[tuple[tuple[str | int, ...], object]] = [((), dato)]
    while pendientes:
        ruta, valor = pendientes.pop()
        hijos = valor.items() if isinstance(valor, dict) else enumerate(valor) if isinstance(valor, list) else ()
        pendientes += [((*ruta, llave), hijo) for llave, hijo in hijos]
        if ruta and isinstance(ruta[-1], str) and ruta[-1].isascii() and ruta[-1].isidentifier():
            assert ruta[-1] in lineas[localizador.linea(ruta) - 1], ruta
