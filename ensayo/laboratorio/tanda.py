"""Muchas noches seguidas, repartidas entre núcleos, y el resumen de lo que de verdad ejercitaron."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from ensayo.laboratorio.desgracias import CLASES
from ensayo.laboratorio.fragil import Momento
from ensayo.laboratorio.noche import Plan, Veredicto, plan_de, vivir
from ensayo.tuberia import carpeta_en_memoria

PORCION = 8
"""Noches que se le encargan a un núcleo cada vez."""

EJERCITADO = (
    *(f"desgracia: {clase}" for clase in CLASES),
    *(f"{quien} muerto {momento.value}" for quien in ("kiosco", "centro") for momento in Momento),
    "mensaje perdido después del PUBACK (subida)",
    "mensaje perdido después del PUBACK (bajada)",
    "mensaje duplicado (subida)",
    "mensaje con un byte cambiado (subida)",
    "mensaje tomado que el bróker olvidó",
    "kiosco restaurado de una copia vieja",
    "centro restaurado de un respaldo",
    "el kiosco no guardó: DISCO_LLENO",
    "el kiosco no guardó: RELOJ",
    "transitorio ALMACEN",
    "transitorio CASILLA_DESCONOCIDA",
    "bifurcado BIFURCADO",
    "repetido",
    "fatal FIRMA",
    "fatal KID_AJENO",
    "fatal EQUIPO_NO_VIGENTE",
    "el enlace dijo: ALARMA",
    "acta publicada que un hecho nuevo cambió",
    "acta en duda",
    "trozo de imagen mandado",
    "imagen completa",
    "imagen perdida",
)
"""Lo que unos cientos de noches deben haber hecho al menos una vez; si no, el azar no llega a todo."""


@dataclass
class Resumen:
    """Lo acumulado de una tanda."""

    noches: int = 0
    cuenta: Counter[str] = field(default_factory=Counter)
    mala: Veredicto | None = None
    """La primera noche, en el orden de las semillas, que violó algo."""

    def agregar(self, veredicto: Veredicto) -> None:
        self.noches += 1
        self.cuenta += veredicto.cuenta
        if veredicto.violaciones and self.mala is None:
            self.mala = veredicto

    def sin_ejercitar(self) -> list[str]:
        """Lo que debió ocurrir y no ocurrió."""
        return [suceso for suceso in EJERCITADO if not self.cuenta[suceso]]


def vivir_plan(plan: Plan, narrar: Callable[[str], None] | None = None) -> Veredicto:
    """Vive un plan en una carpeta que se borra al terminar. Un defecto que escape también es una violación."""
    with carpeta_en_memoria() as carpeta:
        try:
            return vivir(plan, carpeta / "noche", narrar)
        except Exception as error:
            donde = traceback.extract_tb(error.__traceback__)[-1]
            return Veredicto(plan, [f"DEFECTO {error!r} en {donde.filename}:{donde.lineno}"])


def vivir_tanda(
    semillas: Iterable[int], kioscos: int | None, nucleos: int, avance: Callable[[Resumen], None]
) -> Resumen:
    """Vive esas noches hasta acabar o hasta la primera que viole algo."""
    resumen = Resumen()
    with _repartidor(nucleos) as repartir:
        for veredicto in repartir(partial(_vivir_semilla, kioscos), semillas):
            resumen.agregar(veredicto)
            avance(resumen)
            if resumen.mala is not None:
                break
    return resumen


def _vivir_semilla(kioscos: int | None, semilla: int) -> Veredicto:
    return vivir_plan(plan_de(semilla, kioscos))


_Repartir = Callable[[Callable[[int], Veredicto], Iterable[int]], Iterator[Veredicto]]


@contextmanager
def _repartidor(nucleos: int) -> Iterator[_Repartir]:
    if nucleos == 1:
        yield lambda hacer, semillas: map(hacer, semillas)
        return
    hijos = ProcessPoolExecutor(nucleos, initializer=os.nice, initargs=(5,))
    try:
        yield lambda hacer, semillas: hijos.map(hacer, semillas, chunksize=PORCION)
    finally:
        hijos.shutdown(cancel_futures=True)
