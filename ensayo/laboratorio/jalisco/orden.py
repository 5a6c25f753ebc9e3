"""`./prep laboratorio jalisco`: la noche de un estado entero por un bróker de verdad, y su veredicto.

Sale con 0 si todo quedó entregado, nada doble, y lo publicado es lo recalculado; 1 si no; 2 si no se pudo montar.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.table import Table

from ensayo.escenario import EscenarioRoto
from ensayo.laboratorio.jalisco.estado import DURACION
from ensayo.laboratorio.jalisco.hojas import CUANTAS, TOPE
from ensayo.laboratorio.jalisco.medidor import Muestra
from ensayo.laboratorio.jalisco.noche import NocheDelEstado, Pedido, Vivida, fin_de
from ensayo.laboratorio.jalisco.veredicto import (
    comparar_publicado,
    contar_imagenes,
    demoras_de,
    esperan,
    terminar_regreso,
)
from ensayo.veredicto import contar_sobres
from servicio_central.tropiezo import Tropiezo

CASILLAS: Final = 9_820
CATDS: Final = 126
MINUTOS: Final = 15.0
CRECE_POCO: Final = 1.25
"""Lo más que la segunda mitad de la noche puede multiplicar la memoria: pasado el pico, más es una fuga."""
_MITAD: Final = 0.5
_HOLGURA: Final = 16 * 2**20
"""Bytes de que no se habla: un recolector de basura que no ha pasado."""

_MB: Final = 10**6


def principal(argumentos: list[str] | None = None) -> int:
    """Punto de entrada."""
    opciones = _opciones(argumentos)
    consola = Console(width=None if sys.stdout.isatty() else 160)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        with TemporaryDirectory(prefix="prep-jalisco-", dir=opciones.carpeta) as carpeta:
            return _correr(Path(carpeta), opciones, consola)
    except (EscenarioRoto, Tropiezo, ValueError) as error:
        consola.print(f"[bold red]La noche no pudo seguir.[/] {error}")
        return 2
    except KeyboardInterrupt:
        consola.print("\nInterrumpida: se apagó todo y no queda nada en el disco.")
        return 130


def _opciones(argumentos: list[str] | None) -> argparse.Namespace:
    lector = argparse.ArgumentParser(
        prog="prep laboratorio jalisco", description="Vive la noche de un estado entero, con sus imágenes."
    )
    lector.add_argument("--casillas", type=int, default=CASILLAS, help="casillas (%(default)s); cada una, tres actas")
    lector.add_argument("--catd", type=int, default=CATDS, help="CATD, con un kiosco cada uno (%(default)s)")
    lector.add_argument("--minutos", type=float, default=MINUTOS, help="en cuántos se vive la noche (%(default)s)")
    lector.add_argument("--hojas", type=int, default=CUANTAS, help="hojas distintas que se dibujan (%(default)s)")
    lector.add_argument(
        "--carpeta", type=Path, help="dónde escribir (por omisión, la de lo temporal); al final se borra"
    )
    opciones = lector.parse_args(argumentos)
    if not 3 <= opciones.catd <= opciones.casillas or opciones.hojas < 1 or not 0.05 <= opciones.minutos <= 600:
        lector.error("--catd va de 3 a --casillas, --hojas es al menos 1 y --minutos, de 0.05 a 600")
    if opciones.carpeta is not None and not opciones.carpeta.is_dir():
        lector.error(f"--carpeta {opciones.carpeta} no es una carpeta; dé una que exista, con lugar para la noche")
    return opciones


def _correr(carpeta: Path, opciones: argparse.Namespace, consola: Console) -> int:
    pedido = Pedido(opciones.casillas, opciones.catd, opciones.minutos, opciones.hojas)
    actas = pedido.casillas * 3
    # Cada imagen está en el kiosco y en el centro.
    hacen_falta = actas * TOPE * 2 + 2**30
    if shutil.disk_usage(carpeta).free < hacen_falta:
        raise ValueError(
            f"hacen falta {hacen_falta / 1e9:.0f} GB libres en {carpeta}: use --carpeta o menos --casillas"
        )
    consola.print(
        f"[bold]{actas:,} actas con imagen, {pedido.catds} CATD[/]; {DURACION} de noche en {pedido.minutos:g} min "
        f"({pedido.velocidad:.0f} veces más aprisa). Carpeta: {carpeta}"
    )
    noche = NocheDelEstado(carpeta, pedido, consola.print)
    with noche.montada():
        consola.print(f"{_encabezado()}", highlight=False)
        vivida = noche.vivir(_contador(noche, consola))
    return _juzgar(noche, vivida, pedido, consola)


def _encabezado() -> str:
    return (
        f"{'hora':>6} {'sobres':>9} {'atraso':>7} {'por s':>6} │ {'imágenes':>8} {'atraso':>7} {'MB/s':>5} │ "
        f"{'CPU: centro':>11} {'bróker':>6} {'kioscos':>7} {'gente':>6} │ "
        f"{'MB: centro':>10} {'bróker':>6} {'kioscos':>7}"
    )


def _contador(noche: NocheDelEstado, consola: Console) -> Callable[[str, Muestra], None]:
    anterior: list[Muestra] = []

    def contar(hora: str, m: Muestra) -> None:
        antes = anterior[-1] if anterior else None
        sobres_s, bytes_s = m.por_segundo(antes) if antes else (0.0, 0.0)
        cpu = [m.cpu_desde(antes, g) if antes else 0.0 for g in ("centro", "bróker", "kioscos", "gente")]
        mb = [m.gastos[g].memoria / _MB for g in ("centro", "bróker", "kioscos")]
        a = m.avance
        consola.print(
            f"{hora:>6} {a.aceptados:>9,} {a.sobres_faltan:>7,} {sobres_s:>6,.0f} │ "
            f"{a.imagenes - a.imagenes_faltan:>8,} {a.imagenes_faltan:>7,} {bytes_s / _MB:>5.1f} │ "
            f"{cpu[0]:>11.0%} {cpu[1]:>6.0%} {cpu[2]:>7.0%} {cpu[3]:>6.0%} │ "
            f"{mb[0]:>10,.1f} {mb[1]:>6,.1f} {mb[2]:>7,.0f}",
            highlight=False,
        )
        anterior.append(m)

    return contar


# ----------------------------------------------------------------------------------------------------------- veredicto


def _juzgar(noche: NocheDelEstado, v: Vivida, pedido: Pedido, consola: Console) -> int:
    consola.print("Todo apagado. Revisando los discos…")
    comienzo = time.monotonic()
    sobres = contar_sobres({e: noche.kiosco(e) for e in v.estado.catds}, noche.centro)
    imagenes = contar_imagenes(noche.kioscos, noche.centro)
    publicado = comparar_publicado(noche.kioscos, noche.centro, v.estado.proceso, fin_de(v.estado))
    terminar_regreso(v.regreso, noche.centro)
    consola.print(f"Revisado en {time.monotonic() - comienzo:.0f} s.")
    _decir_gasto(v, consola)
    _decir_demoras(noche, v, consola)
    r = v.regreso
    consola.print(
        f"Tras el apagón, {r.cifras:,} sobres quedaron al corriente en {r.cifras_s:.1f} s y {r.cuantas_imagenes:,} "
        f"imágenes en {r.imagenes_s:.1f} s; antes que la última cifra de su kiosco llegaron {r.imagenes_ya:,} imágenes."
    )
    en_espera = esperan(noche.centro)
    juicios = [
        (
            f"{sobres.asentados:,} sobres asentados, {sobres.aceptados:,} aceptados; perdidos {sobres.perdidos}, de "
            f"más o dobles {sobres.de_mas}, sin acuse {sobres.sin_acuse}, en cuarentena {sobres.cuarentena}, "
            f"bifurcados {sobres.bifurcados}, en espera {en_espera}",
            sobres.cuadra and not en_espera,
        ),
        (
            f"{imagenes.declaradas:,} imágenes declaradas, {imagenes.enteras:,} enteras en el centro con su SHA-256 "
            f"vuelto a calcular ({imagenes.bytes / 1e9:.2f} GB; mediana {imagenes.mediana / 1024:.0f} KB, mayor "
            f"{imagenes.mayor / 1024:.0f} KB); dañadas {imagenes.danadas}, de más {imagenes.de_mas}, sin cerrar "
            f"{imagenes.sin_cerrar}, a medias {imagenes.a_medias}",
            imagenes.cuadra and imagenes.declaradas == v.estado.actas,
        ),
        (
            f"{publicado.actas:,} actas publicadas, {publicado.iguales:,} iguales a lo recalculado; totales "
            f"{'iguales' if publicado.totales else 'DISTINTOS'}",
            publicado.cuadra and publicado.actas == v.estado.actas,
        ),
        ("tras el apagón, las cifras al corriente antes que las imágenes", r.cuadra),
        *((f"memoria plana: {g}", _plana(v, g)) for g in ("centro", "bróker", "kioscos")),
    ]
    for dicho, bien in juicios:
        consola.print(f"[{'green' if bien else 'bold red'}]{'sí' if bien else 'NO'}[/] · {dicho}", highlight=False)
    bien = all(b for _, b in juicios)
    consola.print("[bold green]La noche cumple.[/]" if bien else "[bold red]La noche NO cumple.[/]")
    return 0 if bien else 1


def _decir_gasto(v: Vivida, consola: Console) -> None:
    sobres_s, bytes_s, cpu = v.medidor.total()
    pico_s, pico_b = v.medidor.picos()
    consola.print(
        f"De principio a fin, {sobres_s:,.0f} sobres/s y {bytes_s / _MB:.1f} MB/s; en el mejor tramo, {pico_s:,.0f} "
        f"sobres/s y {pico_b / _MB:.1f} MB/s. Drenado en {v.drenado_s:.0f} s. Lo más que se atrasó la gente: "
        f"{v.retraso_s:.1f} s."
    )
    tabla = Table(
        "proceso",
        "núcleos, de media",
        "memoria mayor",
        "creció desde el primer cuarto",
        "desde la mitad",
        "por mil sobres",
    )
    for grupo, nucleos in cpu.items():
        del_cuarto, _ = v.medidor.crecimiento(grupo, 0.25)
        crecio, por_mil = v.medidor.crecimiento(grupo, _MITAD)
        tabla.add_row(
            *(grupo, f"{nucleos:.2f}", f"{v.medidor.mayor(grupo) / _MB:,.1f} MB"),
            *(f"{del_cuarto / _MB:+,.1f} MB", f"{crecio / _MB:+,.1f} MB", f"{por_mil / 1024:+,.1f} KB"),
        )
    consola.print(tabla)


def _decir_demoras(noche: NocheDelEstado, v: Vivida, consola: Console) -> None:
    region = set(v.estado.region)
    fuera = demoras_de(noche.kiosco(e) for e in v.estado.catds if e not in region)
    dentro = demoras_de(map(noche.kiosco, region))
    for quienes, d in (("los que nunca se quedaron sin enlace", fuera), ("los del apagón", dentro)):
        consola.print(
            f"Verificada → aceptada, {quienes}: p50 {d.percentil(0.5):.3f} s, p99 {d.percentil(0.99):.2f} s, mayor "
            f"{d.percentil(1.0):.2f} s ({len(d.segundos):,} actas)"
        )


def _plana(v: Vivida, grupo: str) -> bool:
    crecio, _ = v.medidor.crecimiento(grupo, _MITAD)
    return crecio <= max(_HOLGURA, (CRECE_POCO - 1) * v.medidor.mayor(grupo))


if __name__ == "__main__":
    sys.exit(principal())
