"""Lo que se dice al final de una jornada: qué coincidió, qué defecto ajeno explica cada diferencia y qué quedó sin
explicar.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ensayo.comparacion import NO_COMPARADAS, Comparacion, Diferencia
from nucleo.computo import RESUMEN


@dataclass(frozen=True)
class Conservacion:
    """Contabilidad de sobres entre los kioscos y el centro."""

    asentados: int
    aceptados: int
    perdidos: int
    de_mas: int
    sin_acuse: int
    bifurcados: int
    cuarentena: int

    @property
    def cuadra(self) -> bool:
        return not (self.perdidos or self.de_mas or self.sin_acuse or self.bifurcados or self.cuarentena)


def contar_sobres(kioscos: Mapping[str, Path], centro: Path) -> Conservacion:
    """Cruza, huella por huella, lo asentado en cada kiosco con lo aceptado en el centro."""
    asentados: list[tuple[str, int, str]] = []
    sin_acuse = 0
    for equipo, carpeta in kioscos.items():
        with _leer(carpeta / "almacen.sqlite") as bd:
            asentados += [(equipo, s, h) for s, h in bd.execute("SELECT secuencia, huella FROM hechos")]
            sin_acuse += int(bd.execute("SELECT count(*) FROM bandeja WHERE estado <> 'cerrado'").fetchone()[0])
    with _leer(centro / "almacen.sqlite") as bd:
        aceptados = [tuple(f) for f in bd.execute("SELECT equipo, secuencia, huella FROM hechos") if f[0] in kioscos]
        bifurcados = int(bd.execute("SELECT count(*) FROM bifurcaciones").fetchone()[0])
        cuarentena = int(bd.execute("SELECT count(*) FROM cuarentena").fetchone()[0])
    return Conservacion(
        asentados=len(asentados),
        aceptados=len(aceptados),
        perdidos=len(set(asentados) - set(aceptados)),
        de_mas=len(set(aceptados) - set(asentados)) + len(aceptados) - len(set(aceptados)),
        sin_acuse=sin_acuse,
        bifurcados=bifurcados,
        cuarentena=cuarentena,
    )


def _leer(ruta: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{ruta}?mode=ro", uri=True, timeout=10))


def mostrar(consola: Console, cortes: Sequence[Comparacion], sobres: Conservacion) -> None:
    """Escribe la tabla de veredicto y el detalle de cada defecto."""
    tabla = Table(title="Veredicto: nuestra base contra la publicada", title_justify="left")
    for encabezado in (
        "Corte",
        "Resumen",
        "Columnas derivadas",
        "Transcritas",
        "Con defecto ajeno",
        "Sin explicar",
    ):
        tabla.add_column(encabezado, justify="left" if encabezado == "Corte" else "right")
    for c in cortes:
        nombradas = sum(c.por_defecto().values())
        tabla.add_row(
            c.corte,
            f"{c.iguales_resumen} iguales + {sum(1 for d in c.resumen if d.defecto)} explicados de {len(RESUMEN)}",
            f"{c.iguales_derivadas:,} iguales",
            f"{c.iguales_transcritas:,} iguales",
            str(nombradas),
            str(len(c.sin_explicar)),
        )
    if cortes:
        consola.print(tabla)
        for c in cortes:
            _mostrar_resumen(consola, c)
        _mostrar_defectos(consola, cortes)
        for columna, razon in NO_COMPARADAS.items():
            consola.print(f"No se compara {columna}: {razon}.")
    consola.print(
        f"Sobres: {sobres.asentados:,} asentados en los kioscos, {sobres.aceptados:,} aceptados en el centro; "
        f"{sobres.perdidos} perdidos, {sobres.de_mas} de más, {sobres.sin_acuse} sin acuse, "
        f"{sobres.bifurcados} bifurcados, {sobres.cuarentena} en cuarentena."
    )


def _mostrar_resumen(consola: Console, c: Comparacion) -> None:
    for d in c.resumen:
        consola.print(f"  {c.corte}  {d.campo}: publicado {d.publicado}, recalculado {d.nuestro}")
        consola.print(f"      {d.defecto or 'SIN EXPLICAR'}{': ' + d.aritmetica if d.aritmetica else ''}")


def _mostrar_defectos(consola: Console, cortes: Sequence[Comparacion]) -> None:
    ejemplos: dict[str, Diferencia] = {}
    for c in cortes:
        for d in c.renglones:
            ejemplos.setdefault(d.defecto or "SIN EXPLICAR", d)
    if not ejemplos:
        return
    tabla = Table(title="Defectos conocidos del sistema oficial, en los renglones", title_justify="left")
    tabla.add_column("Defecto")
    for c in cortes:
        tabla.add_column(c.corte, justify="right")
    tabla.add_column("Ejemplo")
    for defecto, d in ejemplos.items():
        cuentas = [str(sum((x.defecto or "SIN EXPLICAR") == defecto for x in c.renglones)) for c in cortes]
        ejemplo = f"{d.donde} {d.campo}: {d.publicado!r} y es {d.nuestro!r} ({d.aritmetica})"
        tabla.add_row(defecto, *cuentas, ejemplo)
    consola.print(tabla)


def a_json(cortes: Sequence[Comparacion], sobres: Conservacion) -> dict[str, Any]:
    """El mismo veredicto, para máquinas."""
    return {
        "cortes": [
            {
                "corte": c.corte,
                "resumen_iguales": c.iguales_resumen,
                "derivadas_iguales": c.iguales_derivadas,
                "transcritas_iguales": c.iguales_transcritas,
                "diferencias": [vars(d) for d in (*c.resumen, *c.renglones)],
                "sin_explicar": len(c.sin_explicar),
            }
            for c in cortes
        ],
        "sobres": vars(sobres),
        "todo_explicado": not any(c.sin_explicar for c in cortes) and sobres.cuadra,
    }
