"""Las órdenes del centro: sólo él las firma, y su forma no admite nada de más."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings

from nucleo.orden import (
    MAXIMA_VIGENCIA,
    MostrarMensaje,
    Orden,
    Que,
    Reenviar,
    Renacer,
    TomarDefinicion,
    a_datos,
    abrir_orden,
    de_datos,
    sellar_orden,
)
from nucleo.sobre import SobreInvalido, Tipo
from tests.estrategias import desarmar, firmante, ordenes

CENTRO: Final = firmante("centro")
HORA: Final = datetime(2022, 6, 6, 1, 2, 3, tzinfo=UTC)
ORDEN: Final = Orden("oax2022", "simulacro", "catd-01", "0" * 16, 3, HORA, HORA + timedelta(hours=1), Reenviar(7))


@given(ordenes)
@settings(max_examples=60)
def test_ida_y_vuelta(que: Que) -> None:
    orden = replace(ORDEN, que=que)
    assert abrir_orden(sellar_orden(orden, CENTRO), CENTRO.llave) == orden
    assert de_datos(*a_datos(que)) == que


def con(**cambios: Any) -> str:
    dato = json.loads(desarmar(sellar_orden(ORDEN, CENTRO))[1]) | cambios
    return CENTRO.firmar(Tipo.ORDEN, json.dumps(dato).encode())


@pytest.mark.parametrize(
    "cambios",
    [
        {"otro": 1},
        {"v": 2},
        {"numero": 0},
        {"numero": True},
        {"numero": "3"},
        {"caduca": HORA.isoformat()},
        {"caduca": (HORA + MAXIMA_VIGENCIA + timedelta(seconds=1)).isoformat()},
        {"caduca": "mañana"},
        {"equipo": "CATD"},
        {"epoca": "x"},
        {"orden": "apagar"},
        {"orden": None},
        {"orden": "renacer"},
        {"datos": {}},
        {"datos": {"desde": 0}},
        {"datos": {"desde": 1, "hasta": 2}},
        {"orden": "mensaje", "datos": {"texto": "x" * 201}},
        {"orden": "mensaje", "datos": {"texto": "a\nb"}},
        {"orden": "definicion", "datos": {"sha256": "x", "bytes": 1, "version": 1}},
        {"orden": "definicion", "datos": {"sha256": "a" * 64, "bytes": 2**30, "version": 1}},
    ],
)
def test_una_orden_con_otra_forma(cambios: dict[str, Any]) -> None:
    with pytest.raises(SobreInvalido) as error:
        abrir_orden(con(**cambios), CENTRO.llave)
    assert error.value.codigo == "FORMA"


def test_solo_el_centro_ordena() -> None:
    carga = desarmar(sellar_orden(ORDEN, CENTRO))[1]
    for falso in (
        firmante("centro").firmar(Tipo.ORDEN, carga),
        replace(CENTRO, identidad="catd-01").firmar(Tipo.ORDEN, carga),
        CENTRO.firmar(Tipo.ACUSE, carga),
    ):
        with pytest.raises(SobreInvalido):
            abrir_orden(falso, CENTRO.llave)


@pytest.mark.parametrize(
    "que", [Reenviar(0), MostrarMensaje("x" * 201), MostrarMensaje("\x00"), TomarDefinicion("a" * 64, 0, 1)]
)
def test_el_centro_no_firma_una_orden_que_ningun_kiosco_abriria(que: Que) -> None:
    with pytest.raises(SobreInvalido):
        sellar_orden(replace(ORDEN, que=que), CENTRO)
    assert sellar_orden(replace(ORDEN, que=Renacer()), CENTRO)
