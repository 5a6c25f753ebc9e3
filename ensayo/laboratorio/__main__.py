"""`./prep laboratorio`: vive noches malas hasta que una viole un invariante, y dice cuál y cómo repetirla.

Sale con 0 si todas cumplieron, 1 si alguna no, y 2 si lo pedido no se entiende.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ensayo.crecer.__main__ import main as crecer
from ensayo.laboratorio.fuzz import principal as fuzz
from ensayo.laboratorio.jalisco.orden import principal as jalisco
from ensayo.laboratorio.noche import Plan, plan_de
from ensayo.laboratorio.procesos import principal as procesos
from ensayo.laboratorio.reduccion import reducir
from ensayo.laboratorio.tanda import EJERCITADO, Resumen, vivir_plan, vivir_tanda


def principal(argumentos: list[str] | None = None) -> int:
    """Punto de entrada."""
    argumentos = sys.argv[1:] if argumentos is None else argumentos
    if argumentos[:1] == ["crecer"]:
        return crecer(argumentos[1:])
    if argumentos[:1] == ["jalisco"]:
        return jalisco(argumentos[1:])
    opciones = _opciones(argumentos)
    consola = Console(width=None if sys.stdout.isatty() else 140)
    if opciones.procesos:
        return procesos(opciones.procesos, opciones.semilla, consola)
    if opciones.fuzz:
        return fuzz(opciones.fuzz, opciones.semilla, opciones.nucleos, consola)
    if opciones.narrar or opciones.solo is not None or opciones.hechos:
        return _una(opciones, consola)
    return _tanda(opciones, consola)


def _opciones(argumentos: list[str]) -> argparse.Namespace:
    lector = argparse.ArgumentParser(
        prog="prep laboratorio",
        description="Vive noches malas con el código que se instala y un reloj virtual.",
        epilog="Además: «prep laboratorio jalisco», la noche de un estado entero con sus imágenes, y «prep laboratorio "
        "crecer», la noche en que se muere un nodo de cada cosa. Con --help, cada una dice sus opciones.",
    )
    lector.add_argument("--noches", type=int, default=300, help="cuántas (por omisión, %(default)s)")
    lector.add_argument("--semilla", type=int, default=0, help="la primera; las demás son las que siguen")
    lector.add_argument("--kioscos", type=int, help="cuántos por noche (por omisión, de 3 a 8)")
    lector.add_argument("--nucleos", type=int, default=os.cpu_count() or 1, help="procesos (por omisión, %(default)s)")
    lector.add_argument("--narrar", action="store_true", help="vive una sola noche y cuenta todo lo que pasa")
    lector.add_argument("--solo", metavar="N,N", help="de las desgracias de esa semilla, sólo éstas (desde 0)")
    lector.add_argument("--hechos", type=int, default=0, help="hojas por kiosco, en una sola noche")
    lector.add_argument("--procesos", type=int, metavar="R", help="corridas con procesos, TLS y kill -9 de verdad")
    lector.add_argument("--fuzz", type=int, metavar="N", help="mensajes mutados que se le dan al centro")
    opciones = lector.parse_args(argumentos)
    if min(opciones.noches, opciones.nucleos, opciones.kioscos or 1) < 1:
        lector.error("--noches, --kioscos y --nucleos son al menos 1")
    try:
        opciones.solo = None if opciones.solo is None else [int(n) for n in opciones.solo.split(",") if n]
    except ValueError:
        lector.error("--solo lleva números separados por comas")
    return opciones


def _una(opciones: argparse.Namespace, consola: Console) -> int:
    plan = plan_de(opciones.semilla, opciones.kioscos)
    if opciones.solo is not None:
        plan = replace(plan, desgracias=tuple(d for i, d in enumerate(plan.desgracias) if i in opciones.solo))
    plan = replace(plan, hechos=opciones.hechos)
    _decir_plan(plan, consola)
    veredicto = vivir_plan(plan, (lambda dicho: consola.print(dicho, markup=False)) if opciones.narrar else None)
    return _decir_violaciones(veredicto.violaciones, consola)


def _tanda(opciones: argparse.Namespace, consola: Console) -> int:
    semillas = range(opciones.semilla, opciones.semilla + opciones.noches)
    consola.print(f"{opciones.noches:,} noches desde la semilla {opciones.semilla}, en {opciones.nucleos} procesos")
    comienzo = time.monotonic()
    columnas = (BarColumn(), MofNCompleteColumn(), TextColumn("noches"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columnas, console=consola, disable=not consola.is_terminal) as barra:
        tarea = barra.add_task("", total=opciones.noches)
        resumen = vivir_tanda(
            *(semillas, opciones.kioscos, opciones.nucleos), lambda r: _avanzar(r, barra, tarea, consola)
        )
    segundos = time.monotonic() - comienzo
    _mostrar(resumen, consola)
    por_minuto = 60 * resumen.noches / segundos
    consola.print(
        f"{resumen.noches:,} noches en {segundos:,.0f} s: {por_minuto:,.0f} por minuto; 10,000 tardarían "
        f"{10_000 / por_minuto:,.0f} min"
    )
    if resumen.mala is None:
        consola.print("[bold green]Todas cumplieron todos los invariantes.[/]")
        return 0
    plan = resumen.mala.plan
    consola.print(f"[bold red]Falló la semilla {plan.semilla}.[/]")
    _decir_violaciones(resumen.mala.violaciones, consola)
    consola.print("Reduciendo…")
    menor = reducir(plan, lambda p: bool(vivir_plan(p).violaciones))
    _decir_plan(menor, consola)
    consola.print(f"Repetir: {_orden(plan, menor)}")
    return 1


def _avanzar(resumen: Resumen, barra: Progress, tarea: TaskID, consola: Console) -> None:
    barra.update(tarea, completed=resumen.noches)
    if not consola.is_terminal and resumen.noches % 250 == 0:
        consola.print(f"van {resumen.noches:,} noches")


def _orden(plan: Plan, menor: Plan) -> str:
    solo = ",".join(str(i) for i, d in enumerate(plan.desgracias) if d in menor.desgracias)
    hechos = f" --hechos {menor.hechos}" if menor.hechos else ""
    return f"./prep laboratorio --semilla {plan.semilla} --kioscos {plan.kioscos} --solo {solo or ','}{hechos} --narrar"


def _decir_plan(plan: Plan, consola: Console) -> None:
    consola.print(f"Semilla {plan.semilla}, {plan.kioscos} kioscos, {len(plan.desgracias)} desgracias:")
    for desgracia in plan.desgracias:
        consola.print(f"  {desgracia}", markup=False)


def _decir_violaciones(violaciones: list[str], consola: Console) -> int:
    for violacion in violaciones:
        consola.print(f"[red]•[/] {violacion}")
    if not violaciones:
        consola.print("[green]Cumplió todos los invariantes.[/]")
    return 1 if violaciones else 0


def _mostrar(resumen: Resumen, consola: Console) -> None:
    tabla = Table("veces", "qué se ejercitó")
    for suceso in (*EJERCITADO, *sorted(resumen.cuenta.keys() - set(EJERCITADO))):
        veces = resumen.cuenta[suceso]
        tabla.add_row(f"{veces:,}", suceso if veces else f"[yellow]{suceso}: nunca ocurrió[/]")
    consola.print(tabla)


if __name__ == "__main__":
    sys.exit(principal())
