"""Porcentajes: enteros, truncados y siempre con cuatro decimales."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditoria import reglas_porcentaje
from nucleo.porcentaje import a_texto, de_diezmilesimas, diezmilesimas


@pytest.mark.parametrize(
    ("parte", "total", "texto"),
    [
        (2617, 5707, "45.8559"),
        (4, 5, "80.0000"),
        (5707, 5707, "100.0000"),
        (1, 3, "33.3333"),
        (2, 3, "66.6666"),
        (1, 10_000_000, "0.0000"),
        (7, 4, "175.0000"),
        (0, 5707, "0.0000"),
    ],
)
def test_se_trunca_y_no_se_redondea(parte: int, total: int, texto: str) -> None:
    assert a_texto(parte, total) == texto


def test_aun_no_hay_nada_que_dividir() -> None:
    assert a_texto(0, 0) == "0.0000"
    assert a_texto(5, 0) == "0.0000"


def test_una_cantidad_negativa_no_es_un_porcentaje() -> None:
    with pytest.raises(ValueError, match="no son negativas"):
        diezmilesimas(-1, 10)
    with pytest.raises(ValueError, match="no son negativas"):
        a_texto(1, -10)


def test_oaxaca_publico_un_diezmilesimo_de_menos_por_truncar_dos_veces_en_flotante() -> None:
    assert a_texto(4356, 5707) == "76.3273"
    culpable = reglas_porcentaje.que_lo_explica("76.3272", 4356, 5707)
    assert culpable is not None
    assert culpable.nombre == "truncamiento doble en punto flotante"


def test_un_instituto_que_redondea_queda_a_la_vista() -> None:
    assert a_texto(2, 3) == "66.6666"
    culpable = reglas_porcentaje.que_lo_explica("66.6667", 2, 3)
    assert culpable is not None
    assert culpable.nombre == "redondeo"
    assert reglas_porcentaje.que_lo_explica("66.6668", 2, 3) is None


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_coincide_con_decimal_truncado_aunque_las_cantidades_sean_enormes(parte: int, total: int) -> None:
    with localcontext() as contexto:
        contexto.prec = 60
        exacto = (Decimal(parte) * 100 / Decimal(total)).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)
    assert a_texto(parte, total) == f"{exacto:f}"


@given(st.integers(0, 10**12))
def test_el_punto_se_inserta_sin_perder_ceros(valor: int) -> None:
    texto = de_diezmilesimas(valor)
    assert int(texto.replace(".", "")) == valor
    assert len(texto.partition(".")[2]) == 4
