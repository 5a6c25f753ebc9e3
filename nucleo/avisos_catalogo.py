"""Lo que en un catálogo de casillas es raro sin estar mal: se avisa y se sigue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nucleo.casilla import Casilla
from nucleo.problema_archivo import Problema

SIN_DIVISION: Final = "MAP"
"""Mesas que no pertenecen a ningún distrito, municipio ni sección (dominio §7.1)."""


def avisos_de(casillas: Mapping[str, Casilla], lineas: Mapping[str, int], archivo: str) -> tuple[Problema, ...]:
    """Secciones sin básica, listas nominales en cero y secciones en dos distritos, en orden de catálogo.

    Args:
        casillas: CLAVE_CASILLA → casilla.
        lineas: CLAVE_CASILLA → línea del archivo.
        archivo: cómo llamarlo en los avisos.
    """
    con_basica = {c.seccion for c in casillas.values() if c.tipo == "B"}
    distrito_de: dict[int, int | None] = {}
    avisos: list[Problema] = []
    for clave, casilla in casillas.items():
        if casilla.tipo in SIN_DIVISION:
            continue
        linea, seccion = lineas[clave], casilla.seccion
        if seccion not in con_basica and seccion not in distrito_de:
            que = f"la sección {seccion} no tiene casilla básica"
            causa = "falta un renglón, o la sección se fusionó con otra"
            avisos.append(Problema(archivo, linea, que, causa, _CONFIRMAR))
        if distrito_de.setdefault(seccion, casilla.distrito) != casilla.distrito:
            que = f"la sección {seccion} aparece en dos distritos"
            avisos.append(Problema(archivo, linea, que, "un distrito mal copiado", _CONFIRMAR))
        if casilla.lista_nominal == 0 and not casilla.especial:
            que = f"la casilla {clave} tiene lista nominal 0"
            siguiente = "consiga el dato: con pocos votos se daría por excedida"
            avisos.append(Problema(archivo, linea, que, "no se conocía al armar el catálogo", siguiente))
    return tuple(avisos)


_CONFIRMAR: Final = "confírmelo con el catálogo aprobado por los consejos"
