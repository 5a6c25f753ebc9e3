"""Qué archivos lleva un corte: de las fichas a (ruta, bytes), JSON y páginas, que salen de lo mismo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

from nucleo.computo import Resumen
from nucleo.eleccion import Ambito, Proceso
from nucleo.hechos import IdActa
from nucleo.publicacion import fichas, rutas
from nucleo.publicacion.armado import Armador, Cambios
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
    paginas_de_siempre,
)

MAPAS: Final = "mapas"
"""Carpeta del centro donde el instituto puede dejar `distritos.geojson` y `municipios.geojson`."""

_DE_CADA_AMBITO: Final = {Ambito.DISTRITO: "distritos.geojson", Ambito.MUNICIPIO: "municipios.geojson"}

Archivos = Iterator[tuple[str, bytes]]


def firma_de_mapas(centro: Path) -> tuple[tuple[int, int] | None, ...]:
    """Cambia si alguien puso, quitó o cambió un mapa."""
    return tuple(_firma(centro / MAPAS / nombre) for nombre in _DE_CADA_AMBITO.values())


def _firma(ruta: Path) -> tuple[int, int] | None:
    try:
        dato = ruta.stat()
    except OSError:
        return None
    return dato.st_mtime_ns, dato.st_size


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
    """Lo que dice la hora del corte, y por eso siempre cambia."""
    for ruta, dato in paginas.paginas_del_corte(ficha):
        yield ruta, piezas.a_bytes(dato)
    yield from paginas_de_proceso(ficha, contexto)
    for eleccion in ficha.elecciones:
        yield from paginas_de_eleccion(eleccion, ficha.corte, contexto)
        for division in eleccion.divisiones:
            yield from paginas_de_division(division, ficha.corte, contexto)


def de_siempre(contexto: Contexto) -> Archivos:
    """Lo que sólo depende de la definición."""
    yield rutas.DICCIONARIO, piezas.a_bytes(diccionario.diccionario(contexto.proceso))
    yield rutas.ESQUEMA, piezas.a_bytes(esquema.esquema())
    yield from paginas_de_siempre(contexto)


def de_secciones(
    cuales: Iterable[tuple[str, int]], armador: Armador, cambios: Cambios, contexto: Contexto
) -> Iterator[tuple[str, bytes | None]]:
    """Lo de unas secciones y de todas sus actas; `None`, si es lo mismo que en el corte anterior."""
    cambiadas = set(cambios.actas)
    for ficha in armador.secciones(cuales):
        clave = ficha.eleccion.clave
        yield f"{rutas.seccion(clave, ficha.seccion)}.json", piezas.a_bytes(paginas.de_seccion(ficha, contexto.proceso))
        nuevas = []
        for acta in ficha.actas:
            cual, ruta = IdActa(clave, acta.casilla.clave), rutas.acta(clave, acta.casilla)
            if cambios.de_cero or cual in cambiadas:
                yield f"{ruta}.json", armador.json_de(cual)
                nuevas.append(acta)
            else:
                yield f"{ruta}.json", None
                yield f"{ruta}.html", None
        yield from paginas_de_seccion(ficha, contexto, nuevas)


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
