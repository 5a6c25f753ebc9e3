"""El padrón dice a quién se le cree; sólo lo firma la autoridad y no admite nada de más."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from nucleo.padron import AUTORIDAD, Equipo, Exclusion, LlaveInscrita, Padron, abrir_padron, sellar_padron
from nucleo.sobre import SobreInvalido, Tipo
from nucleo.temas import USUARIO_CENTRO
from tests.estrategias import desarmar, epocas, equipos, firmante, horas, textos
from tests.muestras import proceso_chico

FIRMA: Final = firmante(AUTORIDAD)
LLAVES: Final = [ECKey.generate_key("P-256") for _ in range(3)]
EPOCA: Final = "00112233aabbccdd"
UNO: Final = Equipo("catd-01", "acatlan", frozenset({EPOCA}), LLAVES[0])
PADRON: Final = Padron("oax2022", "simulacro", 3, {"catd-01": UNO})

secuencias = st.integers(0, 2**53 - 1)
nombres = equipos.filter(lambda n: n not in (USUARIO_CENTRO, AUTORIDAD))


@st.composite
def inscritos_como(dibuja: st.DrawFn, nombre: str) -> Equipo:
    """Con una a tres llaves, abiertas o cerradas, y quizá con exclusiones y ámbito."""
    suyas = dibuja(st.frozensets(epocas, max_size=3))
    limite = st.none() | (st.dictionaries(st.sampled_from(sorted(suyas)), secuencias) if suyas else st.just({}))
    nueva, *viejas = dibuja(st.permutations(LLAVES))[: dibuja(st.integers(1, 3))]
    exclusion = st.builds(Exclusion, secuencias, textos, horas)
    return Equipo(
        nombre,
        dibuja(equipos),
        suyas,
        nueva,
        dibuja(st.booleans()),
        dibuja(limite),
        tuple(LlaveInscrita(vieja, dibuja(limite)) for vieja in viejas),
        dibuja(st.dictionaries(st.sampled_from(sorted(suyas)), exclusion)) if suyas else {},
        tuple(dibuja(st.lists(st.sampled_from(("D5", "M12", "20", "200001", "200001B0100")), max_size=3))),
    )


@st.composite
def padrones(dibuja: st.DrawFn) -> Padron:
    inscritos = {
        nombre: dibuja(inscritos_como(nombre)) for nombre in dibuja(st.lists(nombres, max_size=4, unique=True))
    }
    modo = dibuja(st.sampled_from(("simulacro", "oficial")))
    return Padron("oax2022", modo, dibuja(st.integers(0, 2**53 - 1)), inscritos)


def sin_llaves(padron: Padron) -> dict[str, Any]:
    return {
        n: (
            (e.nombre, e.catd, e.epocas, e.vigente, e.casillas, e.exclusiones),
            [(i.identificador, i.hasta) for i in e.llaves],
        )
        for n, e in padron.equipos.items()
    }


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
        {"v": 1},
        {"v": 3},
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
    """En la versión 1 y, con la misma llave dentro de su lista, en la 2."""
    with pytest.raises(SobreInvalido) as error:
        abrir_padron(version_1(**cambios), FIRMA.llave)
    assert error.value.codigo == "FORMA"
    if "llave" in cambios:
        cambios = {"llaves": [{"id": LLAVES[0].thumbprint(), "llave": cambios["llave"]}]}
    with pytest.raises(SobreInvalido) as error:
        abrir_padron(con_equipo(**cambios), FIRMA.llave)
    assert error.value.codigo == "FORMA"


def version_1(**cambios: Any) -> str:
    """Un padrón como los que se firmaban antes: una sola llave por equipo."""
    equipo = {"catd": "acatlan", "epocas": [EPOCA], "llave": LLAVES[0].as_dict(private=False), "vigente": True}
    equipo["llave"] = {k: v for k, v in LLAVES[0].as_dict(private=False).items() if k in ("kty", "crv", "x", "y")}
    return con(v=1, equipos={"catd-01": equipo | cambios})


def test_un_padron_de_la_version_1_se_sigue_leyendo() -> None:
    equipo = abrir_padron(version_1(), FIRMA.llave).equipos["catd-01"]
    assert [i.identificador for i in equipo.llaves] == [LLAVES[0].thumbprint()]
    assert (equipo.hasta, dict(equipo.exclusiones), equipo.casillas) == (None, {}, ())


_BUENA: Final[dict[str, Any]] = {
    "id": LLAVES[0].thumbprint(),
    "llave": {k: v for k, v in LLAVES[0].as_dict(private=False).items() if k in ("kty", "crv", "x", "y")},
}
_EXCLUSION: Final[dict[str, Any]] = {"hasta": 3, "motivo": "robo", "fecha": "2022-06-05T20:00:00+00:00"}


@pytest.mark.parametrize(
    "cambios",
    [
        {"llaves": []},
        {"llaves": {}},
        {"llaves": [_BUENA] * 2},
        {"llaves": [_BUENA] * 5},
        {"llaves": [_BUENA | {"id": LLAVES[1].thumbprint()}]},
        {"llaves": [_BUENA | {"otro": 1}]},
        {"llaves": [_BUENA | {"hasta": {EPOCA: -1}}]},
        {"llaves": [_BUENA | {"hasta": {EPOCA: True}}]},
        {"llaves": [_BUENA | {"hasta": {"f" * 16: 3}}]},
        {"llaves": [_BUENA | {"hasta": 3}]},
        {"llave": _BUENA["llave"]},
        {"exclusiones": {}},
        {"exclusiones": {"f" * 16: _EXCLUSION}},
        {"exclusiones": {EPOCA: _EXCLUSION | {"hasta": "3"}}},
        {"exclusiones": {EPOCA: _EXCLUSION | {"motivo": ""}}},
        {"exclusiones": {EPOCA: _EXCLUSION | {"motivo": "a\nb"}}},
        {"exclusiones": {EPOCA: _EXCLUSION | {"motivo": "x" * 201}}},
        {"exclusiones": {EPOCA: _EXCLUSION | {"fecha": "ayer"}}},
        {"exclusiones": {EPOCA: _EXCLUSION | {"otro": 1}}},
        {"casillas": []},
        {"casillas": "D5"},
        {"casillas": ["*"]},
        {"casillas": ["D0"]},
        {"casillas": [""]},
        {"casillas": ["20"] * 201},
    ],
)
def test_llaves_exclusiones_y_casillas_con_otra_forma(cambios: dict[str, Any]) -> None:
    with pytest.raises(SobreInvalido) as error:
        abrir_padron(con_equipo(**cambios), FIRMA.llave)
    assert error.value.codigo == "FORMA"


def test_una_llave_cerrada_vale_hasta_donde_se_cerro_y_en_ninguna_otra_epoca() -> None:
    abierta, cerrada = LlaveInscrita(LLAVES[0]), LlaveInscrita(LLAVES[1], {EPOCA: 7})
    assert abierta.vale(EPOCA, 10**9)
    assert [cerrada.vale(EPOCA, n) for n in (1, 7, 8)] == [True, True, False]
    assert not cerrada.vale("f" * 16, 1)


def test_la_exclusion_alcanza_solo_a_lo_posterior_de_esa_epoca() -> None:
    exclusion = Exclusion(7, "robo", datetime(2022, 6, 6, tzinfo=UTC))
    padron = replace(PADRON, equipos={"catd-01": replace(UNO, exclusiones={EPOCA: exclusion})})
    alcanza = [padron.excluye("catd-01", EPOCA, n) is exclusion for n in (1, 7, 8)]
    assert alcanza == [False, False, True]
    assert padron.excluye("catd-01", "f" * 16, 8) is None
    assert padron.excluye("catd-02", EPOCA, 8) is None


def test_que_casillas_toca_un_equipo() -> None:
    (casilla,) = [c for c in proceso_chico().casillas.values() if c.clave == "200001B0100"]
    tocan = {c: replace(UNO, casillas=(c,)).toca(casilla) for c in ("20", "200001", "200001B0100", "200002", "D99")}
    assert tocan == {"20": True, "200001": True, "200001B0100": True, "200002": False, "D99": False}
    assert replace(UNO, casillas=(f"D{casilla.distrito}",)).toca(casilla)
    assert replace(UNO, casillas=("D98", f"M{casilla.municipio}")).toca(casilla)
    assert UNO.toca(casilla)


def test_no_se_firma_un_padron_que_nadie_abriria() -> None:
    for malo in (
        replace(PADRON, version=-1),
        replace(PADRON, modo=""),
        replace(PADRON, equipos={"centro": replace(UNO, nombre=USUARIO_CENTRO)}),
        replace(PADRON, equipos={"catd-01": replace(UNO, llave=ECKey.generate_key("P-384"))}),
    ):
        with pytest.raises(SobreInvalido):
            sellar_padron(malo, FIRMA)
