"""`./prep jornada`: la noche real de Oaxaca 2022 (gubernatura) por el camino verdadero.

Bróker con TLS y lista de acceso, centro y un kiosco por distrito, cada uno en su proceso y con el código que se
instala. El reloj es virtual: a cada instante las personas hacen lo que hicieron entonces, y en cada corte del
calendario se publica. En los cortes que el instituto publicó se compara renglón por renglón. Termina con 0 sólo si
toda diferencia tiene nombre y aritmética.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.falla import Falla
from ensayo.comparacion import Comparacion, comparar
from ensayo.escenario import Escenario, EscenarioRoto, carpeta_nueva
from ensayo.kiosco_de_mano import KioscoDeMano
from ensayo.noche import Noche, cargar_noche
from ensayo.publicada import leer_publicada
from ensayo.veredicto import a_json, contar_sobres, mostrar
from servicio_central.corte import hacer_cortes
from servicio_central.publicacion.corte_hecho import Corte
from servicio_central.publicacion.publicador import Publicador
from servicio_central.tropiezo import Tropiezo

VELOCIDAD = 120.0
"""Segundos virtuales por segundo real: de las 18:00 a las 24:00 en tres minutos."""

_PASO = timedelta(minutes=2)


def principal(argumentos: list[str] | None = None) -> int:
    """Ejecuta la jornada. Devuelve 0 (todo explicado), 1 (hay diferencias sin explicar) o 2 (no se pudo montar)."""
    opciones = _opciones(argumentos)
    consola = Console(width=None if sys.stdout.isatty() else 140)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # quien la termine deja todo apagado, como Ctrl+C
    try:
        return _jornada(opciones, consola)
    except (EscenarioRoto, Tropiezo, Falla) as error:
        consola.print(f"[bold red]La jornada no pudo seguir.[/] {error}")
        if isinstance(error, EscenarioRoto) and error.con_bitacoras:
            consola.print("Siguiente paso: mire las bitácoras en la carpeta del ensayo y vuelva a intentarlo.")
        return 2
    except KeyboardInterrupt:
        consola.print("\nJornada interrumpida: se apagó todo. Lo asentado queda en la carpeta del ensayo.")
        return 130


def _opciones(argumentos: list[str] | None) -> argparse.Namespace:
    lector = argparse.ArgumentParser(
        prog="prep jornada", description="Repite la noche real de Oaxaca 2022 por el camino verdadero."
    )
    lector.add_argument(
        "--velocidad",
        type=float,
        default=VELOCIDAD,
        help="segundos virtuales por segundo real; 0, tan rápido como se pueda (por omisión %(default)s: tres minutos)",
    )
    lector.add_argument(
        "--hasta",
        metavar="HH:MM",
        help="termina en esa hora de la noche (por omisión, el último corte publicado)",
    )
    lector.add_argument(
        "--sin-navegar",
        action="store_true",
        help="termina sola al dar el veredicto, sin dejar las páginas abiertas",
    )
    lector.add_argument(
        "--carpeta",
        type=Path,
        help="dónde montarla (por omisión, .ensayo/jornada; se vacía si es de un ensayo)",
    )
    lector.add_argument(
        "--imagenes",
        choices=("completas", "muestra"),
        default="completas",
        help="se dibuja la hoja de todas las actas, o la de una de cada veinte (por omisión, %(default)s)",
    )
    opciones = lector.parse_args(argumentos)
    if not math.isfinite(opciones.velocidad) or opciones.velocidad < 0:
        lector.error("--velocidad es un número de cero en adelante; 0 es tan rápido como se pueda")
    return opciones


def _jornada(opciones: argparse.Namespace, consola: Console) -> int:
    consola.print("[bold]Jornada: Oaxaca, gubernatura, 5 de junio de 2022[/] · SIMULACRO sobre datos publicados")
    noche = cargar_noche()
    fin = _fin(noche, opciones.hasta)
    carpeta = carpeta_nueva(opciones.carpeta)
    tareas = sum(t.hora <= fin for a in noche.agendas.values() for t in a.tareas)
    consola.print(f"{len(noche.agendas)} CATD, {tareas:,} tareas de personas hasta las {fin:%H:%M}. Carpeta: {carpeta}")
    if (primero := noche.cortes[0][0]) > fin:
        consola.print(
            f"[yellow]No habrá qué comparar: el primer corte que publicó el instituto es el de las {primero:%H:%M}.[/] "
            "Se revisará que no se pierda ningún sobre."
        )
    consola.print("Montando autoridad, bróker, centro y kioscos, cada uno en su proceso…")
    with Escenario(carpeta, noche.definicion, noche.proceso, noche.agendas, opciones.imagenes) as escenario:
        base = f"http://127.0.0.1:{escenario.puerto_web}"
        consola.print(f"Página pública: {base}/   ·   Operación: {base}/proyector")
        comparaciones = _vivir(noche, escenario, fin, opciones.velocidad, consola)
        sobres = contar_sobres({e: escenario.kiosco(e) for e in escenario.equipos}, escenario.centro)
        mostrar(consola, comparaciones, sobres)
        veredicto = a_json(comparaciones, sobres)
        (carpeta / "veredicto.json").write_text(json.dumps(veredicto, ensure_ascii=False, indent=1), encoding="utf-8")
        consola.print(
            f"Cortes y bases de datos: {escenario.centro / 'cortes'}   ·   Detalle: {carpeta / 'veredicto.json'}"
        )
        bien = bool(veredicto["todo_explicado"])
        consola.print(_conclusion(bien, len(comparaciones)))
        if not opciones.sin_navegar:
            _dejar_navegar(noche, escenario, fin, consola)
    return 0 if bien else 1


def _conclusion(bien: bool, cortes: int) -> str:
    if not bien:
        return "[bold red]Hay diferencias sin explicar, o un sobre no llegó.[/]"
    if not cortes:
        return "[bold yellow]Nada que comparar: terminó antes del primer corte que publicó el instituto (21:20).[/]"
    return "[bold green]Toda diferencia tiene nombre y aritmética.[/]"


def _fin(noche: Noche, hasta: str | None) -> datetime:
    ultimo = noche.cortes[-1][0]
    if hasta is None:
        return ultimo
    try:
        hora = datetime.strptime(hasta, "%H:%M").time()
    except ValueError:
        raise EscenarioRoto(f"--hasta {hasta!r} no es una hora; escríbala como 21:20") from None
    dia = noche.inicio.date()
    # Las horas de madrugada son del día siguiente a la jornada.
    if hora < noche.proceso.inicio_operacion.timetz().replace(tzinfo=None):
        dia += timedelta(days=1)
    fin = datetime.combine(dia, hora, tzinfo=ultimo.tzinfo)
    if not noche.inicio < fin <= ultimo:
        raise EscenarioRoto(
            f"--hasta {hasta} queda fuera de la noche publicada ({noche.inicio:%H:%M} a {ultimo:%H:%M})"
        )
    return fin


def calendario(noche: Noche, fin: datetime) -> list[datetime]:
    """Horas de corte hasta `fin`: las del calendario, las que publicó el instituto y el propio fin."""
    proceso = noche.proceso
    cada = timedelta(minutes=proceso.minutos_entre_cortes)
    horas = {c for c, _ in noche.cortes if c <= fin} | {fin}
    hora = proceso.inicio_publicacion
    while hora <= fin:
        horas.add(hora)
        hora += cada
    return sorted(horas)


def _vivir(noche: Noche, escenario: Escenario, fin: datetime, velocidad: float, consola: Console) -> list[Comparacion]:
    comparaciones: list[Comparacion] = []
    publicados = dict(noche.cortes)
    total = sum(1 for a in noche.agendas.values() for t in a.tareas if t.hora <= fin)
    ahora = noche.inicio - _PASO
    with _avance(consola) as avance:
        barra = avance.add_task(f"{ahora:%H:%M}", total=total)
        comienzo = time.monotonic()
        publicador = Publicador(escenario.centro)
        for corte in calendario(noche, fin):
            while ahora < corte:
                ahora = min(corte, ahora + (_PASO if velocidad else corte - ahora))
                escenario.vivir_hasta(ahora)
                escenario.vigilar()
                hechas = sum(1 for a in noche.agendas.values() for t in a.tareas if t.hora <= ahora)
                avance.update(barra, completed=hechas, description=f"{ahora:%H:%M}")
                if velocidad:
                    # Contra el comienzo de la noche: lo que tarde un corte lo recupera el paso siguiente.
                    debido = (ahora - noche.inicio).total_seconds() / velocidad
                    time.sleep(max(0.0, debido - (time.monotonic() - comienzo)))
            escenario.escurrir()
            hecho = hacer_cortes(escenario.centro, noche.proceso, corte, publicador=publicador)[noche.eleccion.clave]
            if corte in publicados:
                comparaciones.append(_comparar(noche, corte, hecho))
                avance.console.print(_frase(comparaciones[-1]))
            elif not consola.is_terminal:
                consola.print(f"Corte {corte:%H:%M}: {hecho.resumen.capturadas:,} actas capturadas")
    return comparaciones


def _comparar(noche: Noche, corte: datetime, hecho: Corte) -> Comparacion:
    (nuestra,) = leer_publicada(hecho.zip)
    return comparar(f"{corte:%H:%M}", dict(noche.cortes)[corte], nuestra, hecho.resumen)


def _frase(c: Comparacion) -> str:
    return (
        f"Corte {c.corte}: {c.iguales_resumen} datos del resumen iguales y {len(c.resumen)} con diferencia; en los "
        f"renglones, {len(c.renglones)} diferencias; sin explicar, {len(c.sin_explicar)}"
    )


@contextmanager
def _avance(consola: Console) -> Iterator[Progress]:
    columnas = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tareas"),
        TimeElapsedColumn(),
    )
    with Progress(*columnas, console=consola, disable=not consola.is_terminal) as avance:
        yield avance


def _dejar_navegar(noche: Noche, escenario: Escenario, desde: datetime, consola: Console) -> None:
    """Deja todo encendido con un kiosco para probar a mano; vuelve a hacer corte cuando algo cambia."""
    libre = next(c for c in noche.proceso.casillas.values() if c.distrito and c.clave not in noche.acopiadas)
    consola.print("Preparando un kiosco para probar a mano…")
    try:
        with KioscoDeMano(escenario, desde) as kiosco:
            consola.print(f"Kiosco para probar a mano: {kiosco.url}   ·   Ctrl+C para terminar")
            consola.print(
                f"Pruebe con la casilla {libre.clave}, que esa noche aún no llegaba; lo que capturen dos personas"
            )
            consola.print("aparece en la página pública en segundos: cada cambio hace su propio corte.")
            anterior = contar_sobres(kiosco.carpetas, escenario.centro).aceptados
            publicador = Publicador(escenario.centro)
            while True:
                escenario.vigilar()
                aceptados = contar_sobres(kiosco.carpetas, escenario.centro).aceptados
                if aceptados != anterior:
                    # Un corte publicado no cambia: cada uno lleva su propio segundo.
                    hora = kiosco.ahora().replace(microsecond=0)
                    hacer_cortes(escenario.centro, noche.proceso, hora, publicador=publicador)
                    anterior = aceptados
                time.sleep(5)
    except KeyboardInterrupt:
        consola.print("\nApagando todo.")


if __name__ == "__main__":
    sys.exit(principal())
