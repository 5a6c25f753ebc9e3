"""Las plantillas del sitio: con escape automático, y nada que falte pasa en silencio."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from nucleo.modos import OFICIAL
from servicio_central.sitio import cifras, palabras, rutas
from servicio_central.sitio.cartograma import HEXAGONO
from servicio_central.sitio.contexto import Contexto


@cache
def entorno() -> Environment:
    """Plantillas, con escape automático: ningún nombre de la definición puede volverse HTML."""
    entorno = Environment(
        loader=PackageLoader("servicio_central.sitio", "plantillas"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    entorno.filters |= {
        "miles": cifras.miles,
        "frase": cifras.frase,
        "propio": cifras.nombre_propio,
        "tamano": cifras.tamano,
    }
    entorno.globals |= {
        "cuenta": cifras.cuenta,
        "por_ciento": cifras.por_ciento,
        "enumerar": cifras.enumerar,
        "rutas": rutas,
        "palabras": palabras,
        "HEXAGONO": HEXAGONO,
    }
    return entorno


@cache
def plantilla(nombre: str) -> Template:
    return entorno().get_template(nombre)


def pagina(nombre: str, ruta: str, contexto: Contexto, /, **datos: Any) -> bytes:
    """Una página completa.

    Args:
        nombre: el de la plantilla.
        ruta: la de la página dentro del corte: de ahí salen los enlaces relativos.
    """
    proceso = contexto.proceso
    return (
        plantilla(nombre)
        .render(
            proceso=proceso,
            entidad=cifras.nombre_propio(proceso.entidad_nombre),
            ensayo=proceso.modo != OFICIAL,
            ruta=ruta,
            raiz=rutas.raiz(ruta),
            **datos,
        )
        .encode()
    )


def estatico(nombre: str) -> bytes:
    """Un archivo que se publica tal cual: la hoja de estilo, el guion o el icono."""
    return resources.files("servicio_central.sitio").joinpath("plantillas", nombre).read_bytes()
