"""Clasificación: qué acta suma, cuál no y por qué."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.acta import (
    SIN_PROCEDENCIA,
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    MotivoSinActa,
)
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.casilla import Casilla
from nucleo.clasificacion import (
    Clasificacion,
    clasificar,
    cuenta_como_inconsistente,
    observaciones,
    total_calculado,
)
from nucleo.eleccion import Vocabulario
from nucleo.inconsistencias import CATALOGO, CODIGOS
from tests.unidad.actas_de_prueba import CASILLAS, asentado_con, de_eleccion, proceso_raro

PROCESO = proceso_raro()
BASICA, ESPECIAL, MESA = CASILLAS[0], CASILLAS[3], CASILLAS[6]


def _acta(casilla: Casilla, *votos: Campo, total: Campo = SIN_DATO) -> ActaVerificada:
    asentado = asentado_con({f"P{i}": voto for i, voto in enumerate(votos)}, total)
    return ActaVerificada(casilla, asentado, SIN_PROCEDENCIA)


def _clase(acta: Acta) -> tuple[int, tuple[str, ...]]:
    clasificacion = clasificar(acta, PROCESO)
    assert clasificacion is not None
    return clasificacion.contabilizada, clasificacion.inconsistencias


def test_lo_que_no_ha_llegado_no_se_clasifica() -> None:
    assert clasificar(ActaPendiente(BASICA), PROCESO) is None


def test_el_acta_que_nadie_puede_asociar_a_una_casilla() -> None:
    assert _clase(ActaFueraDeCatalogo("x", SIN_PROCEDENCIA)) == (2, ("FUERA_DE_CATALOGO",))


@pytest.mark.parametrize("motivo", MotivoSinActa)
def test_el_paquete_llega_sin_acta(motivo: MotivoSinActa) -> None:
    contabilizada, (codigo,) = _clase(ActaSinActa(BASICA, motivo))
    assert contabilizada == 0
    assert CATALOGO[codigo].motivo is motivo


def test_tamaulipas_mezcla_de_ilegible_y_en_blanco_sin_nada_legible() -> None:
    """Caso a de dominio §4.2: se evaluaban por separado y 2 actas sin un solo dato se sumaron."""
    assert _clase(_acta(BASICA, ILEGIBLE, SIN_DATO, ILEGIBLE)) == (0, ("TODOS_ILEGIBLES_O_SIN_DATO",))


def test_oaxaca_todo_en_blanco_aunque_el_total_si_se_lea() -> None:
    """Caso b: 2 actas con todo «sin dato» quedaron contabilizadas; el total asentado no es un renglón de votos."""
    acta = _acta(BASICA, SIN_DATO, SIN_DATO, total=Numero(300))
    assert _clase(acta) == (0, ("TODOS_ILEGIBLES_O_SIN_DATO",))


def test_quintana_roo_el_acta_tiene_mas_votos_que_votantes() -> None:
    """Caso c: 6 actas que exceden lista nominal más representaciones se sumaron."""
    assert _clase(_acta(BASICA, Numero(508), Numero(0))) == (1, ())
    assert _clase(_acta(BASICA, Numero(508), Numero(1))) == (0, ("EXCEDE_LISTA_NOMINAL",))


def test_entre_la_lista_nominal_y_las_representaciones_todavia_cabe() -> None:
    assert _clase(_acta(BASICA, Numero(501))) == (1, ())


def test_excede_y_ademas_tiene_un_renglon_ilegible() -> None:
    codigos = ("EXCEDE_LISTA_NOMINAL", "ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO")
    assert _clase(_acta(BASICA, Numero(600), ILEGIBLE)) == (0, codigos)


def test_un_solo_cero_legible_basta_para_sumar() -> None:
    assert _clase(_acta(BASICA, Numero(0), SIN_DATO)) == (1, ("ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO",))


def test_un_total_que_no_cuadra_se_publica_y_se_suma() -> None:
    assert _clase(_acta(BASICA, Numero(10), Numero(5), total=Numero(999))) == (1, ())


def test_el_tope_de_una_especial_lo_decide_el_instituto() -> None:
    """Oaxaca 2022 marcó 1001 y no 994: mil boletas sin sumar representaciones."""
    acta = _acta(ESPECIAL, Numero(1000), Numero(1))
    assert _clase(acta) == (0, ("EXCEDE_LISTA_NOMINAL",))
    suma = clasificar(acta, proceso_raro(especial_suma_representantes=True))
    assert suma == Clasificacion(1)


def test_la_mesa_del_extranjero_tiene_lista_nominal_y_se_respeta() -> None:
    assert _clase(_acta(MESA, Numero(700))) == (1, ())
    assert _clase(_acta(MESA, Numero(701))) == (0, ("EXCEDE_LISTA_NOMINAL",))


def test_cada_instituto_lo_dice_con_sus_palabras() -> None:
    dos = Clasificacion(0, ("EXCEDE_LISTA_NOMINAL", "ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO"))
    oaxaca = Vocabulario({}, sin_observacion="-")
    iecm = Vocabulario({"EXCEDE_LISTA_NOMINAL": "Excede"}, separador=" y ", excede_prevalece=True)
    assert observaciones(dos, oaxaca) == "EXCEDE LISTA NOMINAL. ALGUN CAMPO ILEGIBLE O SIN DATO"
    assert observaciones(dos, iecm) == "Excede"
    assert observaciones(Clasificacion(1), oaxaca) == "-"
    assert observaciones(Clasificacion(1), iecm) == ""


def test_las_sin_acta_y_las_fuera_de_catalogo_no_entran_en_el_porcentaje() -> None:
    cuentan = {c for c in CODIGOS if cuenta_como_inconsistente(Clasificacion(0, (c,)))}
    assert cuentan == {
        "TODOS_ILEGIBLES_O_SIN_DATO",
        "EXCEDE_LISTA_NOMINAL",
        "ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO",
    }
    assert not cuenta_como_inconsistente(Clasificacion(1))


@given(st.data())
def test_los_codigos_salen_siempre_en_el_orden_del_catalogo(datos: st.DataObject) -> None:
    for acta in datos.draw(de_eleccion(PROCESO, "GUB")):
        clasificacion = clasificar(acta, PROCESO)
        if clasificacion is not None:
            codigos = clasificacion.inconsistencias
            assert list(codigos) == sorted(codigos, key=CODIGOS.index)
            assert clasificacion.contabilizada in (0, 1, 2)


def test_lo_ilegible_vale_cero_al_sumar() -> None:
    assert total_calculado(asentado_con({"A": Numero(3), "B": ILEGIBLE, "C": SIN_DATO, "D": Numero(4)})) == 7
