"""Noches malas con reloj virtual: cientos de calendarios de fallas sobre el código de producción, y un juez al final.

La semilla que falle se imprime con la orden que la repite; `./prep laboratorio --noches N` vive las que se quieran.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from ensayo.laboratorio.desgracias import CLASES, Desgracia
from ensayo.laboratorio.invariantes import Juez
from ensayo.laboratorio.noche import Plan, plan_de
from ensayo.laboratorio.reduccion import reducir
from ensayo.laboratorio.tanda import EJERCITADO, Resumen, vivir_plan

DESDE = int(os.environ.get("PREP_SEMILLA", "0"))
POR_TANDA = 15
TANDAS = 4


@pytest.mark.parametrize("tanda", range(TANDAS))
def test_pase_lo_que_pase_nada_se_pierde_ni_se_cuenta_dos_veces(tanda: int) -> None:
    inicio = DESDE + tanda * POR_TANDA
    resumen = Resumen()
    for semilla in range(inicio, inicio + POR_TANDA):
        veredicto = vivir_plan(plan_de(semilla))
        resumen.agregar(veredicto)
        assert veredicto.violaciones == [], f"./prep laboratorio --semilla {semilla} --noches 1"
    # Cada tanda, por chica que sea, hizo sufrir al sistema.
    assert resumen.cuenta["hoja asentada"] > 30 * POR_TANDA
    assert len(resumen.sin_ejercitar()) < len(EJERCITADO) // 2, resumen.sin_ejercitar()


def _noche_con_todo(semilla: int) -> Plan:
    azar = random.Random(semilla)
    clases = azar.sample(CLASES, len(CLASES))
    desgracias = [Desgracia(6.0 + 7 * n, c, n, azar.choice((3.0, 12.0)), azar.random()) for n, c in enumerate(clases)]
    return Plan(semilla, 4, tuple(desgracias), hechos=12)


def test_el_azar_llega_a_todo_lo_que_debe_ejercitar() -> None:
    """Pocas noches en que pasa de todo: lo que nunca ocurra aquí, el laboratorio ya no lo sabe hacer."""
    resumen = Resumen()
    semilla = 0
    while semilla < 6 or (resumen.sin_ejercitar() and semilla < 40):
        veredicto = vivir_plan(_noche_con_todo(semilla))
        assert veredicto.violaciones == [], semilla
        resumen.agregar(veredicto)
        semilla += 1
    assert resumen.sin_ejercitar() == []


def _dos_discos_y_un_respaldo(semilla: int) -> Plan:
    """Se clona un kiosco, se respalda el centro, y cuando el centro pierde su disco el original está apagado."""
    azar = random.Random(semilla)
    segundo = azar.uniform(60.0, 90.0)
    calendario = [
        Desgracia(segundo, "clonar llave", 0, 15.0, azar.random()),
        Desgracia(segundo + 1.0, "restaurar centro", 0, 15.0, azar.random()),
        Desgracia(segundo + 25.0, "matar kiosco", 0, 90.0, azar.random()),
        Desgracia(azar.uniform(5.0, 140.0), azar.choice(CLASES), 1, 5.0, azar.random()),
    ]
    return Plan(semilla, 3, tuple(sorted(calendario, key=lambda d: d.segundo)), hechos=azar.choice((30, 60)))


def test_el_centro_vuelve_de_un_respaldo_con_un_kiosco_clonado_o_restaurado() -> None:
    """El otro disco puede ocupar antes los lugares que el centro perdió (semilla 21): lo ya cerrado se vuelve a dar."""
    for plan in (plan_de(21), *map(_dos_discos_y_un_respaldo, range(4))):
        assert vivir_plan(plan).violaciones == [], plan


def test_la_misma_semilla_es_la_misma_noche() -> None:
    una, otra = vivir_plan(plan_de(7)), vivir_plan(plan_de(7))
    # Los bytes estropeados caen sobre firmas que son azar puro; todo lo demás se repite.
    azarosos = ("FIRMA", "FORMA", "TIPO", "KID", "ilegible")
    for veredicto in (una, otra):
        for suceso in [s for s in veredicto.cuenta if any(a in s for a in azarosos)]:
            del veredicto.cuenta[suceso]
    assert una.cuenta == otra.cuenta


def test_el_regreso_de_ciento_cuarenta_kioscos_a_la_vez() -> None:
    plan = Plan(1, 140, (Desgracia(60.0, "regreso simultaneo", 0, 40.0, 0.9),), hechos=3)
    veredicto = vivir_plan(plan)
    assert veredicto.violaciones == []
    assert veredicto.cuenta["hoja asentada"] == 140 * 3
    # El azar de las esperas los separa: el centro nunca ve un lote que no le quepa, y nadie llega al límite.
    assert veredicto.cuenta["drenado hasta el límite"] == 0


def test_una_noche_que_falla_se_reduce_a_lo_que_la_hace_fallar() -> None:
    plan = plan_de(3, 4)
    culpable = plan.desgracias[1]
    intentos: Counter[int] = Counter()

    def falla(otro: Plan) -> bool:
        intentos[len(otro.desgracias)] += 1
        return culpable in otro.desgracias

    menor = reducir(plan, falla)
    assert menor.desgracias == (culpable,)
    assert menor.hechos == 2
    assert sum(intentos.values()) < 60


def test_el_juez_dice_una_vez_cada_cosa_y_no_se_desborda() -> None:
    juez = Juez(Path("/no/hay"), Counter())
    for n in range(100):
        juez.acusar(f"violación {n % 50}")
    assert len(juez.violaciones) == len(set(juez.violaciones)) == 20


def test_cada_clase_de_desgracia_cabe_en_un_plan() -> None:
    vistas = {d.clase for semilla in range(300) for d in plan_de(semilla).desgracias}
    assert vistas == set(CLASES)
