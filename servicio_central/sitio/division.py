"""La página de un distrito o municipio: sus votos, lo que le falta y sus secciones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nucleo.publicacion.fichas import Corte, FichaDivision
from servicio_central.sitio import cifras, palabras, rutas
from servicio_central.sitio.avance import Avance, Delantera, avance_de, delantera_de
from servicio_central.sitio.competidoras import barras, barras_por_renglon
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.plantilla import pagina


@dataclass(frozen=True, slots=True)
class RenglonDeSeccion:
    """Una sección en la lista de su división."""

    numero: str
    ruta: str
    municipio: str
    contabilizadas: int
    esperadas: int
    votos: int


@dataclass(frozen=True, slots=True)
class RenglonDeDivision:
    """Una división en las tablas de su elección."""

    titulo: str
    ruta: str
    delantera: Delantera
    avance: Avance


def paginas_de_division(f: FichaDivision, corte: Corte, contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """La página de la división; las de sus secciones las da `paginas_de_seccion`."""
    e = f.eleccion
    ruta = rutas.division(e, f.clave)
    municipios = [cifras.nombre_propio(s.municipio_nombre) for s in f.secciones]
    huso = contexto.proceso.huso
    yield (
        ruta,
        pagina(
            "division.html",
            ruta,
            contexto,
            corte=corte,
            hora=cifras.hora(corte.hora, huso),
            momento=cifras.momento(corte.hora, huso),
            nombre=cifras.frase(e.nombre),
            clave=e.clave,
            division=palabras.division(e),
            titulo=titulo(f),
            a=avance_de(f.parcial, corte.ultimo),
            delantera=delantera_de(f, f.clave),
            candidaturas=barras(f.por_candidatura, e, f.clave),
            partidos=barras_por_renglon(f.por_partido, e),
            con_alianzas=bool(e.coaliciones or e.comunes),
            con_municipio=len(set(municipios)) > 1,
            secciones=[
                RenglonDeSeccion(
                    f"{s.seccion:04d}",
                    rutas.seccion(e, s.seccion),
                    municipio,
                    s.parcial.contabilizadas,
                    s.parcial.esperadas,
                    s.parcial.votos_c_cs,
                )
                for s, municipio in zip(f.secciones, municipios, strict=True)
            ],
        ),
    )


def renglon(f: FichaDivision, ultimo: bool) -> RenglonDeDivision:
    """La división resumida en un renglón."""
    return RenglonDeDivision(
        titulo(f), rutas.division(f.eleccion, f.clave), delantera_de(f, f.clave), avance_de(f.parcial, ultimo)
    )


def titulo(f: FichaDivision) -> str:
    """`Distrito 3, Loma Bonita`; las mesas sin división, por su nombre."""
    return palabras.titulo_de_division(f.eleccion, f.clave, cifras.nombre_propio(f.nombre))
