"""La página pública de un corte: HTML fijo que se lee sin JavaScript, con toda cifra junto a su denominador.

Depende sólo de los datos y de la hora del corte: dos personas con las mismas hojas obtienen la misma página.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from nucleo import porcentaje
from nucleo.base_oficial import fechas
from nucleo.computo import PENDIENTE
from nucleo.eleccion import Ambito, Eleccion, Proceso, TipoOpcion
from nucleo.inconsistencias import CATALOGO
from servicio_central.tablas import Tablas

_MESES: Final = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
_DIAS: Final = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"]


@dataclass(frozen=True, slots=True)
class Barra:
    """Un renglón de votos. `largo` va de 0 a 1000: milésimas de la barra más larga."""

    nombre: str
    detalle: str
    votos: int
    porcentaje: str
    largo: int


def publica(proceso: Proceso, tablas: Tablas, hora: datetime, nombre: str, zip_: str, dato: Mapping[str, Any]) -> bytes:
    """HTML de una elección en un corte.

    Args:
        nombre: el de la carpeta del corte; los enlaces van a ella, que no cambia, y no a lo que se publique después.
        zip_: nombre del archivo de la base de datos.
        dato: lo mismo que va en `resumen.json` para esa elección.
    """
    r = tablas.resumen
    total = sum(tablas.por_renglon.values())
    return (
        entorno()
        .get_template("publica.html")
        .render(
            proceso=proceso,
            eleccion=tablas.eleccion,
            otras=[e for e in proceso.elecciones.values() if e.clave != tablas.eleccion.clave],
            r=r,
            corte=_hora_llana(hora, proceso.huso),
            corte_oficial=fechas.corte(hora, proceso.huso),
            ruta=f"/cortes/{nombre}",
            avance=[
                ("Esperadas", r.esperadas, None),
                ("Capturadas", r.capturadas, porcentaje.a_texto(*r.porcentaje_capturadas)),
                ("Contabilizadas", r.contabilizadas, porcentaje.a_texto(*r.porcentaje_contabilizadas)),
                ("Con inconsistencias", r.inconsistentes, porcentaje.a_texto(*r.porcentaje_inconsistencias)),
            ],
            participacion=porcentaje.a_texto(*r.participacion),
            total=total,
            candidaturas=_barras(tablas.por_candidatura, tablas.eleccion, _de_candidatura),
            renglones=_barras(tablas.por_renglon, tablas.eleccion, _de_renglon),
            partidos=_barras(tablas.por_partido, tablas.eleccion, _de_renglon),
            con_coaliciones=bool(tablas.eleccion.coaliciones or tablas.eleccion.comunes),
            faltantes=[(c, n, _causa(c)) for c, n in tablas.faltantes.items() if n],
            suma_faltantes=sum(tablas.faltantes.values()),
            ubicacion=tablas.por_ubicacion,
            zip=dato["zip"],
            conjunto=dato["conjunto"],
            hechos=dato["hechos"],
        )
        .encode()
    )


def espera(proceso: Proceso) -> bytes:
    """HTML mientras no hay ningún corte: que aún no se publique es un estado normal y se explica."""
    inicio = _hora_llana(proceso.inicio_publicacion, proceso.huso)
    return entorno().get_template("espera.html").render(proceso=proceso, inicio=inicio).encode()


def estilo() -> bytes:
    """Hoja de estilo de las páginas; va dentro de cada corte para que se pueda leer en cualquier parte."""
    return resources.files("servicio_central").joinpath("plantillas/estilo.css").read_bytes()


@cache
def entorno() -> Environment:
    """Plantillas, con escape automático: ningún nombre de la definición puede volverse HTML."""
    entorno = Environment(
        loader=PackageLoader("servicio_central", "plantillas"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    entorno.filters["miles"] = miles
    return entorno


def miles(cantidad: int) -> str:
    """Cantidad con coma de millares, como se escribe en México: 1,234,567."""
    return f"{cantidad:,}"


def _barras(
    votos: Mapping[str, int], eleccion: Eleccion, nombrar: Callable[[str, Eleccion], tuple[str, str]]
) -> list[Barra]:
    mayor = max(votos.values(), default=0)
    total = sum(votos.values())
    barras = []
    for clave, cuantos in votos.items():
        nombre, detalle = nombrar(clave, eleccion)
        por_ciento = porcentaje.a_texto(cuantos, total)
        barras.append(Barra(nombre, detalle, cuantos, por_ciento, cuantos * 1000 // max(mayor, 1)))
    return barras


def _de_renglon(clave: str, eleccion: Eleccion) -> tuple[str, str]:
    opcion = eleccion.por_clave.get(clave)
    if opcion is None or opcion.nombre == clave:
        return clave, ""
    if opcion.tipo in (TipoOpcion.NO_REGISTRADAS, TipoOpcion.NULOS):
        return opcion.nombre, ""
    if opcion.tipo is TipoOpcion.COMBINACION:
        return "-".join(opcion.partidos), "coalición: la boleta marcó todos estos partidos"
    return clave, opcion.nombre


def _de_candidatura(clave: str, eleccion: Eleccion) -> tuple[str, str]:
    grupos = {c.nombre: c.partidos for c in eleccion.coaliciones} | {c.clave: c.partidos for c in eleccion.comunes}
    partidos = grupos.get(clave, (clave,))
    nombre, detalle = ("-".join(partidos), clave) if clave in grupos else _de_renglon(clave, eleccion)
    personas = []
    if eleccion.ambito is Ambito.ENTIDAD:
        personas = [c.propietaria for c in eleccion.candidaturas if set(c.partidos) == set(partidos)]
    return nombre, " · ".join(t for t in (*personas, detalle) if t and t != nombre)


def _causa(codigo: str) -> str:
    if codigo == PENDIENTE:
        return "Todavía no llega o no termina de verificarse."
    return CATALOGO[codigo].publico


def _hora_llana(hora: datetime, huso: str) -> str:
    local = hora.astimezone(ZoneInfo(huso))
    dia = f"{_DIAS[local.weekday()]} {local.day} de {_MESES[local.month - 1]} de {local.year}"
    return f"{local:%H:%M} h ({fechas.desfase(local)}) del {dia}"
