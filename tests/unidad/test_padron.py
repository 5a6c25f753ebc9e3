"""El padrón dice a quién se le cree; sólo lo firma la autoridad y no admite nada de más."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from nucleo.padron import AUTORIDAD, Equipo, Padron, abrir_padron, sellar_padron
from nucleo.sobre import SobreInvalido, Tipo
from nucleo.temas import USUARIO_CENTRO
from tests.estrategias import desarmar, epocas, equipos, firmante

FIRMA: Final = firmante(AUTORIDAD)
LLAVES: Final = [ECKey.generate_key("P-256") for _ in range(3)]
EPOCA: Final = "00112233aabbccdd"
UNO: Final = Equipo("catd-01", "acatlan", frozenset({EPOCA}), LLAVES[0])
PADRON: Final = Padron("oax2022", "simulacro", 3, {"catd-01": UNO})

nombres = equipos.filter(lambda n: n not in (USUARIO_CENTRO, AUTORIDAD))


@st.composite
def padrones(dibuja: st.DrawFn) -> Padron:
    inscritos = {
        nombre: Equipo(
            nombre,
            dibuja(equipos),
            dibuja(st.frozensets(epocas, max_size=3)),
            dibuja(st.sampled_from(LLAVES)),
            dibuja(st.booleans()),
        )
        for nombre in dibuja(st.lists(nombres, max_size=4, unique=True))
    }
    modo = dibuja(st.sampled_from(("simulacro", "oficial")))
    return Padron("oax2022", modo, dibuja(st.integers(0, 2**53 - 1)), inscritos)


def sin_llaves(padron: Padron) -> dict[str, Any]:
    return {n: (e.nombre, e.catd, e.epocas, e.vigente, e.llave.thumbprint()) for n, e in padron.equipos.items()}


def con(**cambios: Any) -> str:
    dato = json.loads(desarmar(sellar_padron(PADRON, FIRMA))[1]) | cambios
    return FIRMA.firmar(Tipo.PADRON, json.dumps(dato).encode())


def con_equipo(nombre: str = "catd-01", **cambios: Any) -> str:
    equipo = json.loads(desarmar(sellar_padron(PADRON, FIRMA))[1])["equipos"]["catd-01"]
    return con(equipos={nombre: equipo | cambios})


@given(padrones())
@settings(max_examples=40)
def test_ida_y_vuelta(padron: Padron) -> None:
    leido = abrir_padron(sellar_padron(padron, FIRMA), FIRMA.llave)
    assert (leido.proceso, leido.modo, leido.version) == (padron.proceso, padron.modo, padron.version)
    assert sin_llaves(leido) == sin_llaves(padron)
    assert all(not e.llave.is_private for e in leido.equipos.values())


def test_la_llave_privada_no_sale_en_el_padron() -> None:
    assert LLAVES[0].is_private
    assert '"d"' not in desarmar(sellar_padron(PADRON, FIRMA))[1].decode()


def test_un_padron_de_mil_kioscos_abre() -> None:
    """joserfc corta en 128 000 bytes: el padrón de un estado grande se firmaba y ya nadie lo podía leer."""
    muchos = {f"catd-{i:04}": replace(UNO, nombre=f"catd-{i:04}") for i in range(1000)}
    compacto = sellar_padron(replace(PADRON, equipos=muchos), FIRMA)
    assert len(compacto) > 128_000
    assert len(abrir_padron(compacto, FIRMA.llave).equipos) == 1000


def test_solo_la_autoridad_firma_el_padron() -> None:
    carga = desarmar(sellar_padron(PADRON, FIRMA))[1]
    otra = firmante(AUTORIDAD)
    for falso in (
        otra.firmar(Tipo.PADRON, carga),
        replace(FIRMA, identidad="catd-01").firmar(Tipo.PADRON, carga),
        FIRMA.firmar(Tipo.HECHO, carga),
    ):
        with pytest.raises(SobreInvalido):
            abrir_padron(falso, FIRMA.llave)


@pytest.mark.parametrize(
    "cambios",
    [
        {"otro": 1},
        {"v": 2},
        {"v": True},
        {"version": "3"},
        {"version": 3.9},
        {"version": True},
        {"version": -1},
        {"proceso": None},
        {"proceso": ["oax2022"]},
        {"modo": 1},
        {"equipos": []},
        {"equipos": {"catd-01": None}},
        {"equipos": {"catd-01": {}}},
    ],
)
def test_un_padron_con_otra_forma(cambios: dict[str, Any]) -> None:
    with pytest.raises(SobreInvalido) as error:
        abrir_padron(con(**cambios), FIRMA.llave)
    assert error.value.codigo == "FORMA"


@pytest.mark.parametrize("nombre", [USUARIO_CENTRO, AUTORIDAD, "", "Catd-01", "catd/01", "+", "catd-01\n"])
def test_nombres_que_un_kiosco_no_puede_tener(nombre: str) -> None:
    """Un kiosco llamado «centro» tendría en el bróker los permisos del centro."""
    with pytest.raises(SobreInvalido):
        abrir_padron(con_equipo(nombre), FIRMA.llave)


def _jwk(**cambios: Any) -> dict[str, Any]:
    return {**LLAVES[0].as_dict(private=False), **cambios}


@pytest.mark.parametrize(
    "cambios",
    [
        {"otro": 1},
        {"vigente": 1},
        {"epocas": EPOCA},
        {"epocas": {EPOCA: 1}},
        {"epocas": [1]},
        {"epocas": ["x"]},
        {"catd": 1},
        {"llave": None},
        {"llave": "-----BEGIN PUBLIC KEY-----"},
        {"llave": {}},
        {"llave": LLAVES[0].as_dict(private=True)},
        {"llave": ECKey.generate_key("P-384").as_dict(private=False)},
        {"llave": _jwk(crv="secp256k1")},
        {"llave": _jwk(kty="RSA")},
        {"llave": _jwk(kty="oct")},
        {"llave": _jwk(x="AA")},
        {"llave": _jwk(x=1)},
        {"llave": _jwk(y="ñ")},
        {"llave": _jwk(x=LLAVES[1].as_dict(private=False)["x"])},  # el punto no está en la curva
        {"llave": _jwk(use="enc")},
    ],
)
def test_un_equipo_con_otra_forma(cambios: dict[str, Any]) -> None:
    with pytest.raises(SobreInvalido) as error:
        abrir_padron(con_equipo(**cambios), FIRMA.llave)
    assert error.value.codigo == "FORMA"


def test_no_se_firma_un_padron_que_nadie_abriria() -> None:
    for malo in (
        replace(PADRON, version=-1),
        replace(PADRON, modo=""),
        replace(PADRON, equipos={"centro": replace(UNO, nombre=USUARIO_CENTRO)}),
        replace(PADRON, equipos={"catd-01": replace(UNO, llave=ECKey.generate_key("P-384"))}),
    ):
        with pytest.raises(SobreInvalido):
            sellar_padron(malo, FIRMA)
