"""Reducir la noche que falla: quitarle desgracias y trabajo mientras siga fallando."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ensayo.laboratorio.desgracias import sin
from ensayo.laboratorio.noche import Plan

INTENTOS = 60


def reducir(plan: Plan, falla: Callable[[Plan], bool], intentos: int = INTENTOS) -> Plan:
    """El plan más chico que se halló y aún falla; el mismo si no se pudo quitar nada.

    Args:
        falla: vive ese plan y dice si se viola algún invariante.
    """
    for hechos in (2, 4, 8):
        if intentos > 0 and falla(menor := replace(plan, hechos=hechos)):
            plan = menor
            break
        intentos -= 1
    cual = len(plan.desgracias) - 1
    while cual >= 0 and intentos > 0:
        intentos -= 1
        if falla(menor := replace(plan, desgracias=sin(plan.desgracias, cual))):
            plan = menor
        cual -= 1
    return plan
