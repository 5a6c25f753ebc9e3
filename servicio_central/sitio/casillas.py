"""«Conoce los resultados de tu casilla»: cómo llegar a una sección sin JavaScript y sin una lista de miles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from servicio_central.sitio import cifras, rutas
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.plantilla import pagina


@dataclass(frozen=True, slots=True)
class Centena:
    """Las secciones que comienzan con las mismas dos cifras."""

    numero: int
    ruta: str
    desde: str
    hasta: str
    secciones: tuple[tuple[str, str, str], ...]
    """Número, ruta y lugar de cada una."""


def paginas_de_casillas(contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """El buscador y las listas por centenas; sólo dependen del catálogo."""
    centenas = _centenas(contexto)
    ruta = "casilla/index.html"
    yield ruta, pagina("casilla_inicio.html", ruta, contexto, centenas=centenas)
    for c in centenas:
        datos = {"desde": c.desde, "hasta": c.hasta, "secciones": c.secciones}
        yield c.ruta, pagina("casilla_centena.html", c.ruta, contexto, **datos)


def _centenas(contexto: Contexto) -> tuple[Centena, ...]:
    lugares: dict[int, str] = {}
    for casilla in contexto.proceso.casillas.values():
        lugares.setdefault(casilla.seccion, cifras.nombre_propio(casilla.lugar))
    centenas = []
    for numero, grupo in groupby(sorted(lugares), key=lambda seccion: seccion // 100):
        suyas = tuple((f"{s:04d}", rutas.casilla(s), lugares[s]) for s in grupo)
        centenas.append(Centena(numero, rutas.centena(numero), suyas[0][0], suyas[-1][0], suyas))
    return tuple(centenas)
