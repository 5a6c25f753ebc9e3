"""El latido delata los sobres que nunca llegaron; por eso tampoco se le cree a cualquiera."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.latido import Latido, abrir_latido, sellar_latido
from nucleo.sobre import CADENA_NUEVA, SobreInvalido, Tipo
from tests.estrategias import desarmar, epocas, equipos, firmante, hex64, horas

KIOSCO: Final = firmante("catd-01")
LATIDO: Final = Latido(
    equipo="catd-01",
    catd="acatlan",
    epoca="00112233aabbccdd",
    sesion="ffeeddccbbaa9988",
    motivo="pulso",
    secuencia=41,
    huella="ab" * 32,
    pendientes=3,
    apartados=0,
    hora="2022-06-05T20:00:00-05:00",
    reloj="sincronizado",
    disco_libre=10**11,
    version="0.1.0+abc",
)
cuentas = st.integers(0, 2**53 - 1)
latidos = st.builds(
    Latido,
    equipo=st.just("catd-01"),
    catd=equipos,
    epoca=epocas,
    sesion=epocas,
    motivo=st.sampled_from(("nacimiento", "pulso", "muerte")),
    secuencia=cuentas,
    huella=hex64 | st.just(CADENA_NUEVA),
    pendientes=cuentas,
    apartados=cuentas,
    hora=horas.map(lambda h: h.isoformat()),
    reloj=st.sampled_from(("sincronizado", "libre", "desconocido", "virtual")),
    disco_libre=cuentas,
    version=st.text("az09.+-_:", min_size=1, max_size=80),
    mas_viejo_s=st.integers(-1, 2**31 - 1),
    imagenes=cuentas,
    imagenes_bytes=cuentas,
    desfase_ms=st.integers(-(2**53), 2**53 - 1),
    salida=st.sampled_from(("", "cable", "celular-2")),
    medidos_bytes=cuentas,
    escaner=st.sampled_from(("", "listo", "sin_escaner", "falla")),
    definicion=hex64 | st.just(""),
)


def con(cambios: dict[str, Any]) -> str:
    dato = json.loads(desarmar(sellar_latido(LATIDO, KIOSCO))[1]) | cambios
    return KIOSCO.firmar(Tipo.LATIDO, json.dumps(dato).encode())


@given(latidos)
def test_ida_y_vuelta(latido: Latido) -> None:
    assert abrir_latido(sellar_latido(latido, KIOSCO), KIOSCO.llave) == latido


def test_un_kiosco_no_late_por_otro() -> None:
    """Con la llave de uno se podía decir que otro había muerto, o que su cola era más larga."""
    with pytest.raises(SobreInvalido):
        abrir_latido(con({"equipo": "catd-02"}), KIOSCO.llave)
    with pytest.raises(SobreInvalido):
        sellar_latido(replace(LATIDO, equipo="catd-02"), KIOSCO)


def test_un_latido_no_pasa_por_hecho_ni_un_hecho_por_latido() -> None:
    carga = desarmar(sellar_latido(LATIDO, KIOSCO))[1]
    for tipo in Tipo:
        if tipo is not Tipo.LATIDO:
            with pytest.raises(SobreInvalido) as error:
                abrir_latido(KIOSCO.firmar(tipo, carga), KIOSCO.llave)
            assert error.value.codigo == "TIPO"


@pytest.mark.parametrize(
    "cambios",
    [
        {"otro": 1},
        {"v": True},
        {"v": 1.0},
        {"v": None},
        {"motivo": "resurrección"},
        {"secuencia": -1},
        {"secuencia": True},
        {"secuencia": 2**53},
        {"disco_libre": 1.5},
        {"disco_libre": None},
        {"huella": ""},
        {"sesion": "x"},
        {"hora": "2022-06-05T20:00:00"},
        {"hora": 5},
        {"reloj": "sincronizado\n"},
        {"version": "0.1.0 (de prueba)"},
        {"version": ""},
    ],
)
def test_un_latido_con_otra_forma(cambios: dict[str, Any]) -> None:
    with pytest.raises(SobreInvalido) as error:
        abrir_latido(con(cambios), KIOSCO.llave)
    assert error.value.codigo == "FORMA"


@pytest.mark.parametrize("llave", ["v", *(c.name for c in fields(Latido) if c.default is MISSING)])
def test_ni_un_campo_de_menos(llave: str) -> None:
    dato = json.loads(desarmar(sellar_latido(LATIDO, KIOSCO))[1])
    del dato[llave]
    with pytest.raises(SobreInvalido):
        abrir_latido(KIOSCO.firmar(Tipo.LATIDO, json.dumps(dato).encode()), KIOSCO.llave)


def test_late_un_kiosco_que_aun_no_se_actualiza() -> None:
    dato = json.loads(desarmar(sellar_latido(LATIDO, KIOSCO))[1])
    for campo in fields(Latido):
        if campo.default is not MISSING:
            del dato[campo.name]
    assert abrir_latido(KIOSCO.firmar(Tipo.LATIDO, json.dumps(dato).encode()), KIOSCO.llave) == LATIDO


def test_no_se_sella_un_latido_que_el_centro_tiraria() -> None:
    """Un kiosco que late sin que nadie lo entienda se ve igual que uno muerto."""
    with pytest.raises(SobreInvalido):
        sellar_latido(replace(LATIDO, version="0.1.0 (de prueba)"), KIOSCO)
