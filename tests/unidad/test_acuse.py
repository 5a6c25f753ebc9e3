"""El acuse cierra renglones de bandeja: nadie más que el centro lo firma y nada ambiguo se acepta."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.acuse import (
    MAXIMO_APARTADOS,
    MAXIMO_FALTAN,
    MAXIMO_SUELTOS,
    Acuse,
    Apartado,
    CorteCubierto,
    abrir_acuse,
    sellar_acuse,
)
from nucleo.sobre import CADENA_NUEVA, MAXIMO_BYTES, SobreInvalido, Tipo
from tests.estrategias import desarmar, epocas, equipos, firmante, hex64, horas

CENTRO: Final = firmante("centro")
KIOSCO: Final = firmante("catd-01")
H1, H2 = "a" * 64, "b" * 64
ACUSE: Final = Acuse(
    "catd-01",
    "00112233aabbccdd",
    5,
    H1,
    ((7, H2), (8, H1)),
    ((6, 6), (9, 12)),
    (Apartado(H2, "BIFURCADO"),),
    datetime(2022, 6, 6, 1, 2, 3, tzinfo=UTC),
)


@st.composite
def acuses(dibuja: st.DrawFn) -> Acuse:
    contiguo = dibuja(st.integers(0, 2**40))
    pasos = st.lists(st.integers(1, 1000), max_size=8)
    sueltos = list(accumulate(dibuja(pasos), initial=contiguo))[1:]
    bordes = list(accumulate(dibuja(pasos), initial=contiguo))[1:]
    return Acuse(
        equipo=dibuja(equipos),
        epoca=dibuja(epocas),
        contiguo=contiguo,
        huella=dibuja(hex64.filter(lambda h: h != CADENA_NUEVA)) if contiguo else CADENA_NUEVA,
        sueltos=tuple((s, dibuja(hex64)) for s in sueltos),
        faltan=tuple(zip(bordes[::2], bordes[1::2], strict=False)),
        apartados=tuple(
            dibuja(st.lists(st.builds(Apartado, hex64, st.sampled_from(("BIFURCADO", "FIRMA"))), max_size=3))
        ),
        hora=dibuja(horas),
        corte=dibuja(st.none() | st.builds(CorteCubierto, horas, st.integers(1, contiguo))) if contiguo else None,
    )


@given(acuses())
def test_ida_y_vuelta(acuse: Acuse) -> None:
    assert abrir_acuse(sellar_acuse(acuse, CENTRO), CENTRO.llave) == acuse


def test_un_acuse_que_no_firmo_el_centro_no_cierra_nada() -> None:
    for falso in (
        sellar_acuse(ACUSE, KIOSCO),
        sellar_acuse(ACUSE, firmante("centro")),
        CENTRO.firmar(Tipo.HECHO, desarmar(sellar_acuse(ACUSE, CENTRO))[1]),
        replace(CENTRO, identidad="catd-01").firmar(Tipo.ACUSE, desarmar(sellar_acuse(ACUSE, CENTRO))[1]),
    ):
        with pytest.raises(SobreInvalido):
            abrir_acuse(falso, CENTRO.llave)


def test_el_acuse_mas_largo_cabe_y_lo_que_sobra_se_dira_en_el_siguiente() -> None:
    largo = replace(
        ACUSE,
        sueltos=tuple((7 + i, H1) for i in range(500)),
        faltan=tuple((1000 + 2 * i, 1000 + 2 * i) for i in range(500)),
        apartados=tuple(Apartado(H2, "X" * 40) for _ in range(500)),
    )
    compacto = sellar_acuse(largo, CENTRO)
    assert len(compacto) < MAXIMO_BYTES
    leido = abrir_acuse(compacto, CENTRO.llave)
    assert leido.sueltos == largo.sueltos[:MAXIMO_SUELTOS]
    assert leido.faltan == largo.faltan[:MAXIMO_FALTAN]
    assert len(leido.apartados) == MAXIMO_APARTADOS


@pytest.mark.parametrize(
    "cambios",
    [
        {"otro": 1},
        {"v": 2},
        {"v": True},
        {"contiguo": -1},
        {"contiguo": True},
        {"contiguo": 2**53},
        {"contiguo": 0},  # con huella de otro
        {"huella": CADENA_NUEVA},  # con contiguo 5
        {"huella": "A" * 64},
        {"huella": None},
        {"sueltos": [[7]]},
        {"sueltos": [[7, H1, 1]]},
        {"sueltos": [7]},
        {"sueltos": {"7": H1}},
        {"sueltos": "ab"},
        {"sueltos": [[5, H1]]},  # ya está en contiguo
        {"sueltos": [[7, H1], [7, H2]]},  # dos huellas de la misma secuencia: no hay cuál creer
        {"sueltos": [[8, H1], [7, H2]]},
        {"sueltos": [[i + 6, H1] for i in range(MAXIMO_SUELTOS + 1)]},
        {"faltan": [[9, 8]]},
        {"faltan": [[1, 2]]},
        {"faltan": [[6, 9], [8, 12]]},
        {"faltan": [[i + 6, i + 6] for i in range(MAXIMO_FALTAN + 1)]},
        {"faltan": [["6", "7"]]},
        {"apartados": [[H1, "minúsculas"]]},
        {"apartados": [["corta", "FIRMA"]]},
        {"apartados": [[H1, "FIRMA"]] * (MAXIMO_APARTADOS + 1)},
        {"equipo": "centro/#"},
        {"epoca": ""},
        {"hora": "ayer"},
        {"hora": None},
    ],
)
def test_un_acuse_con_otra_forma_no_cierra_nada(cambios: dict[str, Any]) -> None:
    dato = json.loads(desarmar(sellar_acuse(ACUSE, CENTRO))[1]) | cambios
    with pytest.raises(SobreInvalido) as error:
        abrir_acuse(CENTRO.firmar(Tipo.ACUSE, json.dumps(dato).encode()), CENTRO.llave)
    assert error.value.codigo == "FORMA"


@pytest.mark.parametrize("llave", ["v", "equipo", "contiguo", "huella", "sueltos", "faltan", "apartados", "hora"])
def test_ni_un_campo_de_menos(llave: str) -> None:
    dato = json.loads(desarmar(sellar_acuse(ACUSE, CENTRO))[1])
    del dato[llave]
    with pytest.raises(SobreInvalido):
        abrir_acuse(CENTRO.firmar(Tipo.ACUSE, json.dumps(dato).encode()), CENTRO.llave)


def test_el_centro_no_firma_un_acuse_que_ningun_kiosco_abriria() -> None:
    for malo in (
        replace(ACUSE, contiguo=0),
        replace(ACUSE, sueltos=((3, H1),)),
        replace(ACUSE, apartados=(Apartado(H1, "en minúsculas"),)),
        replace(ACUSE, hora=datetime(2022, 6, 6, 1, 2, 3)),
    ):
        with pytest.raises(SobreInvalido):
            sellar_acuse(malo, CENTRO)


CON_CORTE: Final = replace(ACUSE, corte=CorteCubierto(datetime(2022, 6, 6, 1, 40, tzinfo=UTC), 4))


def test_un_centro_que_aun_no_dice_el_corte_se_entiende_igual() -> None:
    dato = json.loads(desarmar(sellar_acuse(CON_CORTE, CENTRO))[1])
    del dato["corte"]
    assert abrir_acuse(CENTRO.firmar(Tipo.ACUSE, json.dumps(dato).encode()), CENTRO.llave) == ACUSE
    assert "corte" not in json.loads(desarmar(sellar_acuse(ACUSE, CENTRO))[1])


@pytest.mark.parametrize(
    "corte",
    [
        None,
        [],
        ["2022-06-06T01:40:00+00:00"],
        ["2022-06-06T01:40:00+00:00", 0],
        ["2022-06-06T01:40:00+00:00", 6],  # más de lo que el centro tiene
        ["2022-06-06T01:40:00+00:00", True],
        ["2022-06-06T01:40:00+00:00", "4"],
        ["2022-06-06T01:40:00", 4],
        [4, "2022-06-06T01:40:00+00:00"],
        {"hora": "2022-06-06T01:40:00+00:00", "contiguo": 4},
        ["2022-06-06T01:40:00+00:00", 4, 4],
        ["2022-06-06T01:40:00+00:00", 4, []],
        ["2022-06-06T01:40:00+00:00", 4, ["GUB"]],
        ["2022-06-06T01:40:00+00:00", 4, ["GUB/200001B0100/x"]],
        ["2022-06-06T01:40:00+00:00", 4, ["GUB/B", "GUB/A"]],
        ["2022-06-06T01:40:00+00:00", 4, ["GUB/A", "GUB/A"]],
        ["2022-06-06T01:40:00+00:00", 4, [f"GUB/{n:03}" for n in range(65)]],
        ["2022-06-06T01:40:00+00:00", 4, ["GUB/A"], 1],
        "20:40",
    ],
)
def test_un_corte_que_promete_de_mas_o_no_se_entiende(corte: object) -> None:
    dato = json.loads(desarmar(sellar_acuse(ACUSE, CENTRO))[1]) | {"corte": corte}
    with pytest.raises(SobreInvalido):
        abrir_acuse(CENTRO.firmar(Tipo.ACUSE, json.dumps(dato).encode()), CENTRO.llave)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=30), lambda hijos: st.lists(hijos, max_size=3)))
def test_cualquier_cosa_en_el_corte_se_lee_o_se_rechaza(corte: Any) -> None:
    dato = json.loads(desarmar(sellar_acuse(ACUSE, CENTRO))[1]) | {"corte": corte}
    try:
        acuse = abrir_acuse(CENTRO.firmar(Tipo.ACUSE, json.dumps(dato).encode()), CENTRO.llave)
    except SobreInvalido:
        return
    assert acuse.corte is not None
    assert 1 <= acuse.corte.contiguo <= acuse.contiguo


@pytest.mark.parametrize("dudas", [(), None, ("GUB/200001B0100",), tuple(f"GUB/{n:03}" for n in range(64))])
def test_lo_que_estaba_en_duda_va_y_viene_y_solo_si_lo_hay(dudas: tuple[str, ...] | None) -> None:
    corte = CorteCubierto(ACUSE.hora, 4, dudas)
    compacto = sellar_acuse(replace(CON_CORTE, corte=corte), CENTRO)
    assert abrir_acuse(compacto, CENTRO.llave).corte == corte
    assert len(json.loads(desarmar(compacto)[1])["corte"]) == (2 if dudas == () else 3)


def test_el_centro_no_firma_un_corte_que_incluye_lo_que_no_tiene() -> None:
    with pytest.raises(SobreInvalido):
        sellar_acuse(replace(CON_CORTE, corte=CorteCubierto(ACUSE.hora, ACUSE.contiguo + 1)), CENTRO)
