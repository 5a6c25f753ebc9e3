"""Qué archivos lleva un corte: de las fichas a (ruta, bytes), JSON y páginas, que salen de lo mismo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

from nucleo.computo import Resumen
from nucleo.eleccion import Ambito, Proceso
from nucleo.publicacion import fichas, rutas
from nucleo.publicacion.armado import Cambios
from nucleo.publicacion.json_publico import delta, diccionario, esquema, paginas, piezas
from servicio_central.sitio import geografia
from servicio_central.sitio import rutas as del_sitio
from servicio_central.sitio.paginas import (
    Contexto,
    pagina_de_casilla,
    paginas_de_division,
    paginas_de_eleccion,
    paginas_de_proceso,
    paginas_de_seccion,
)

MAPAS: Final = "mapas"
"""Carpeta del centro donde el instituto puede dejar `distritos.geojson` y `municipios.geojson`."""

_DE_CADA_AMBITO: Final = {Ambito.DISTRITO: "distritos.geojson", Ambito.MUNICIPIO: "municipios.geojson"}

Archivos = Iterator[tuple[str, bytes]]


def contexto_de(centro: Path, proceso: Proceso) -> Contexto:
    """Lo que las páginas necesitan del proceso. Un mapa que no se entiende se queda en cartograma."""
    mapas = {}
    for ambito, nombre in _DE_CADA_AMBITO.items():
        try:
            mapas[ambito] = geografia.leer((centro / MAPAS / nombre).read_bytes())
        except (OSError, geografia.GeografiaInvalida):
            continue
    return Contexto(proceso, geografias=mapas)


def del_corte(ficha: fichas.FichaProceso, contexto: Contexto) -> Archivos:
    """Lo que se vuelve a escribir en cada corte, cambie o no."""
    for ruta, dato in paginas.paginas_del_corte(ficha):
        yield ruta, piezas.a_bytes(dato)
    yield rutas.DICCIONARIO, piezas.a_bytes(diccionario.diccionario(ficha.proceso))
    yield rutas.ESQUEMA, piezas.a_bytes(esquema.esquema())
    yield from paginas_de_proceso(ficha, contexto)
    for eleccion in ficha.elecciones:
        yield from paginas_de_eleccion(eleccion, ficha.corte, contexto)
        for division in eleccion.divisiones:
            yield from paginas_de_division(division, ficha.corte, contexto)


def de_secciones(cuales: Iterable[fichas.FichaSeccion], contexto: Contexto) -> Archivos:
    """Lo de unas secciones y de todas sus actas."""
    for ficha in cuales:
        for ruta, dato in paginas.paginas_de_secciones([ficha], contexto.proceso):
            yield ruta, piezas.a_bytes(dato)
        yield from paginas_de_seccion(ficha, contexto)


def de_casillas(cuales: Iterable[fichas.FichaSeccion], contexto: Contexto) -> Archivos:
    """La página que reúne a todas las elecciones de cada sección. Deben venir en orden de sección."""
    for _, grupo in groupby(cuales, key=lambda f: f.seccion):
        yield pagina_de_casilla(list(grupo), contexto)


def de_casilla(seccion: int) -> str:
    """La ruta de esa página."""
    return del_sitio.casilla(seccion)


def de_delta(
    anterior: fichas.Corte | None, antes: Mapping[str, Resumen], ficha: fichas.FichaProceso, cambios: Cambios
) -> tuple[str, bytes]:
    """Qué cambió desde el corte anterior."""
    return rutas.DELTA, piezas.a_bytes(delta.entre(anterior, antes, ficha, cambios))
