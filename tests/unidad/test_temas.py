"""La gramática de temas es una biyección, y la lista de acceso deja exactamente lo que la gramática dice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.temas import (
    RESERVADOS,
    USUARIO_CENTRO,
    USUARIO_OBSERVADOR,
    Carril,
    Tema,
    TemaInvalido,
    acl_mosquitto,
    ambito_de,
    filtro_del_centro,
    leer_tema,
)
from tests.estrategias import equipos

AMBITO = "simulacro-oax2022"
ambitos = st.builds("{}-{}".format, st.sampled_from(("simulacro", "oficial")), st.text("az09", min_size=1, max_size=30))
temas = st.builds(Tema, ambitos, equipos.filter(lambda e: e not in RESERVADOS), st.sampled_from(Carril))


@given(temas)
def test_ida_y_vuelta(tema: Tema) -> None:
    assert leer_tema(str(tema)) == tema
    assert str(leer_tema(str(tema))) == str(tema)


@given(temas, temas)
def test_temas_distintos_son_textos_distintos(uno: Tema, otro: Tema) -> None:
    assert (str(uno) == str(otro)) == (uno == otro)


@given(st.text("prep/simulacro-oax2022/catd-01/subebajahechoslatidoacuse+#$./ \n\0", max_size=60))
def test_ningun_otro_texto_es_el_mismo_tema(texto: str) -> None:
    try:
        tema = leer_tema(texto)
    except TemaInvalido as error:
        str(error).encode()
    else:
        assert str(tema) == texto


@given(temas, st.data())
def test_un_caracter_distinto_es_otro_tema_o_ninguno(tema: Tema, datos: st.DataObject) -> None:
    texto = str(tema)
    lugar = datos.draw(st.integers(0, len(texto)))
    letra = datos.draw(st.text(min_size=0, max_size=1))
    otro = texto[:lugar] + letra + texto[lugar + datos.draw(st.integers(0, 1)) :]
    try:
        leido = leer_tema(otro)
    except TemaInvalido:
        return
    assert (leido == tema) == (otro == texto)


@given(temas)
def test_cinco_niveles_sin_puntos_ni_comodines(tema: Tema) -> None:
    """RabbitMQ cambia `/` por `.`: un punto en un nombre movería los niveles."""
    assert str(tema).count("/") == 4
    assert not set(str(tema)) & set(".+#$ ")


@pytest.mark.parametrize(
    "texto",
    [
        "",
        "prep",
        "/prep/simulacro-oax2022/catd-01/sube/hechos",
        "prep/simulacro-oax2022/catd-01/sube/hechos/",
        "prep/simulacro-oax2022/catd-01/sube/hechos\n",
        "PREP/simulacro-oax2022/catd-01/sube/hechos",
        "prep/ensayo-oax2022/catd-01/sube/hechos",
        "prep/simulacro-OAX2022/catd-01/sube/hechos",
        "prep/simulacro-oax2022/+/sube/hechos",
        "prep/simulacro-oax2022/centro/sube/hechos",
        "prep/simulacro-oax2022/catd.01/sube/hechos",
        "prep/simulacro-oax2022/catd-01/baja/hechos",
        "prep/simulacro-oax2022/catd-01/sube/acuse",
        "prep/simulacro-oax2022/catd-01/sube/orden",
        "prep/simulacro-oax2022/catd-٠١/sube/hechos",
    ],
)
def test_lo_que_no_es_un_tema(texto: str) -> None:
    with pytest.raises(TemaInvalido):
        leer_tema(texto)


def test_el_modo_separa_el_simulacro_de_lo_oficial() -> None:
    assert ambito_de("simulacro", "OAX2022") == AMBITO
    assert ambito_de("oficial", "oax2022") != AMBITO
    for modo, proceso in (("ensayo", "oax2022"), ("simulacro", "oax/2022"), ("simulacro", ""), ("", "oax2022")):
        with pytest.raises(TemaInvalido):
            ambito_de(modo, proceso)


# ----------------------------------------------------------------- lista de acceso


def permisos(usuario: str) -> set[tuple[str, str]]:
    """(acción, filtro) que la lista da a ese usuario, leída como la lee mosquitto."""
    dueno, dados = "", set()
    for linea in acl_mosquitto(AMBITO).splitlines():
        match linea.split():
            case ["user", nombre]:
                dueno = nombre
            case ["pattern", accion, filtro]:
                dados.add((accion, filtro.replace("%u", usuario)))
            case ["topic", accion, filtro] if dueno == usuario:
                dados.add((accion, filtro))
            case ["topic", *_] | [] | ["#", *_]:
                pass
            case _:
                raise AssertionError(linea)
    return dados


def permite(usuario: str, accion: str, tema: str) -> bool:
    return any(dada == accion and _casa(filtro, tema) for dada, filtro in permisos(usuario))


def _casa(filtro: str, tema: str) -> bool:
    niveles = list(zip(filtro.split("/"), tema.split("/"), strict=False))
    return filtro.count("/") == tema.count("/") and all(f in ("+", t) for f, t in niveles)


@pytest.mark.parametrize("carril", list(Carril))
@pytest.mark.parametrize("accion", ["read", "write"])
@pytest.mark.parametrize("usuario", ["catd-01", USUARIO_CENTRO, "catd-02", "catd-0"])
def test_cada_quien_escribe_y_lee_lo_suyo_y_nada_mas(usuario: str, accion: str, carril: Carril) -> None:
    tema = str(Tema(AMBITO, "catd-01", carril))
    debe = {
        ("catd-01", "write"): carril.sube,
        ("catd-01", "read"): not carril.sube,
        (USUARIO_CENTRO, "read"): carril.sube,
        (USUARIO_CENTRO, "write"): not carril.sube,
    }.get((usuario, accion), False)
    assert permite(usuario, accion, tema) == debe
    assert not permite(usuario, accion, tema.replace("simulacro", "oficial")), "otro modo, otro mundo"


def test_el_observador_lee_todo_lo_de_su_ambito_y_no_escribe_ni_con_su_nombre() -> None:
    for carril in Carril:
        tema = str(Tema(AMBITO, "catd-01", carril))
        assert permite(USUARIO_OBSERVADOR, "read", tema)
        assert not permite(USUARIO_OBSERVADOR, "write", tema)
        assert not permite(USUARIO_OBSERVADOR, "read", tema.replace("simulacro", "oficial"))
    # Los `pattern` también valen para él: sin esto podría escribir como si fuera un equipo de ese nombre.
    assert ("deny", f"prep/{AMBITO}/{USUARIO_OBSERVADOR}/#") in permisos(USUARIO_OBSERVADOR)
    with pytest.raises(TemaInvalido):
        Tema(AMBITO, USUARIO_OBSERVADOR, Carril.HECHOS)


def test_la_lista_no_abre_comodines_a_los_kioscos() -> None:
    assert all(not set("+#$") & set(filtro) for _, filtro in permisos("catd-01"))
    with pytest.raises(TemaInvalido):
        acl_mosquitto("simulacro-oax2022\nuser catd-01\ntopic readwrite #")


@pytest.mark.parametrize("carril", [c for c in Carril if c.sube])
def test_el_filtro_del_centro_casa_con_todo_equipo_y_la_lista_lo_permite(carril: Carril) -> None:
    filtro = filtro_del_centro(AMBITO, carril)
    assert _casa(filtro, str(Tema(AMBITO, "catd-77", carril)))
    assert ("read", filtro) in permisos(USUARIO_CENTRO)
