"""`./prep catd modo`: en qué modo está el aparato, y pasarlo a otro con confirmación."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from appliance.catd.suborden import BIEN, NO_COINCIDE, Suborden
from appliance.consola import anunciar, decir
from appliance.modo import PRACTICA, cambiar, planear, resolver
from nucleo.modos import MODOS
from nucleo.problema import Rechazo


def correr(opciones: Namespace) -> int:
    """Sin `--a` sólo dice el modo. Con `--a` y sin `--confirmar` dice qué pasará. Raises: Falla."""
    if opciones.a is None:
        anunciar(f"Se trabaja en {resolver(opciones.carpeta)}")
        return BIEN
    plan = planear(opciones.carpeta, opciones.a)
    if isinstance(plan, Rechazo):
        decir(f"catd modo: {plan}")
        return NO_COINCIDE
    if opciones.confirmar is None:
        que = f"se BORRA lo de {plan.de} ({plan.hechos} hechos)" if plan.se_borra else "no se borra nada"
        anunciar(f"Al pasar a {plan.a} {que}. Para hacerlo: --a {plan.a} --confirmar '{plan.confirmacion}'")
        return BIEN
    hecho = cambiar(opciones.carpeta, opciones.a, opciones.confirmar, practica=opciones.practica)
    if isinstance(hecho, Rechazo):
        decir(f"catd modo: {hecho}")
        return NO_COINCIDE
    anunciar(f"El aparato quedó en modo {opciones.a}: {hecho}. Vuelva a arrancar las pantallas.")
    return BIEN


def _preparar(argumentos: ArgumentParser) -> None:
    argumentos.add_argument("--carpeta", type=Path, required=True, help="carpeta del aparato, con una por modo")
    argumentos.add_argument("--a", choices=MODOS, help="modo al que se pasa")
    argumentos.add_argument("--confirmar", metavar="TEXTO", help="el texto que pide la orden sin esta opción")
    argumentos.add_argument("--practica", type=Path, default=PRACTICA, help="definición de capacitación")


SUBORDEN = Suborden("modo", "dice o cambia el modo: capacitación, simulacro u oficial", _preparar, correr)
