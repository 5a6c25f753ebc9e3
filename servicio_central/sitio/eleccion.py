"""Las páginas de una elección: avance y votos, divisiones, estadística, pendientes, fuera de catálogo y láminas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nucleo import porcentaje
from nucleo.acta import ActaFueraDeCatalogo
from nucleo.eleccion import Ambito
from nucleo.inconsistencias import CATALOGO
from nucleo.publicacion.fichas import Corte, FichaEleccion
from servicio_central.sitio import cifras, palabras, rutas
from servicio_central.sitio.avance import avance_de, delantera_de
from servicio_central.sitio.competidoras import barras, barras_por_renglon
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.division import renglon
from servicio_central.sitio.laminas import laminas_de
from servicio_central.sitio.mapa import cartograma_de, mapa_de
from servicio_central.sitio.plantilla import pagina


@dataclass(frozen=True, slots=True)
class DocumentoFuera:
    """Un documento fuera de catálogo."""

    folio: str
    hora: str
    huella: str
    imagen: str


def paginas_de_eleccion(f: FichaEleccion, corte: Corte, contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """Las páginas propias de la elección; las de sus divisiones y secciones salen de sus fichas."""
    e, huso = f.eleccion, contexto.proceso.huso
    a, mapa, contornos = avance_de(f.parcial, corte.ultimo), cartograma_de(f), mapa_de(f, contexto)
    candidaturas = barras(f.por_candidatura, e)
    comunes: dict[str, Any] = {
        "corte": corte,
        "hora": cifras.hora(corte.hora, huso),
        "momento": cifras.momento(corte.hora, huso),
        "nombre": cifras.frase(e.nombre),
        "clave": e.clave,
        "division": palabras.division(e),
        "a": a,
    }

    def hecha(archivo: str, **datos: Any) -> tuple[str, bytes]:
        ruta = rutas.eleccion(e, archivo)
        plantilla = "eleccion.html" if archivo == "index.html" else archivo
        return ruta, pagina(plantilla, ruta, contexto, **comunes, **datos)

    yield hecha(
        "index.html",
        estatal=e.ambito is Ambito.ENTIDAD,
        delantera=delantera_de(f),
        candidaturas=candidaturas,
        partidos=barras_por_renglon(f.por_partido, e),
        renglones=barras_por_renglon({c: f.parcial.votos.get(c, 0) for c in e.por_clave}, e),
        con_alianzas=bool(e.coaliciones or e.comunes),
        mapa=mapa,
        contornos=contornos,
        zip=f.zip,
    )
    filas = [renglon(d, corte.ultimo) for d in f.divisiones]
    yield hecha("divisiones.html", filas=filas)
    yield hecha("pendientes.html", filas=filas)
    yield hecha("estadistica.html", **_estadistica(f))
    yield hecha("fuera.html", documentos=_fuera(f, huso))
    yield from laminas_de(f, corte, contexto, a, candidaturas, mapa, contornos)


def _estadistica(f: FichaEleccion) -> dict[str, Any]:
    p = f.parcial
    return {
        "ubicacion": (("Urbanas", p.urbanas), ("No urbanas", p.no_urbanas)),
        "votos_a": p.votos_s_cs,
        "votos_b": p.votos_c_cs - p.votos_s_cs,
        "especiales": f.especiales,
        "lista_esperada": p.lista_nominal_esperada,
        "observaciones": [
            (
                *palabras.observacion(codigo),
                cuantas := dict(p.inconsistencias).get(codigo, 0),
                f"{porcentaje.a_texto(cuantas, p.esperadas)}\u00a0%" if entrada.contabilizada != 2 else "–",
            )
            for codigo, entrada in CATALOGO.items()
        ],
    }


def _fuera(f: FichaEleccion, huso: str) -> list[DocumentoFuera]:
    documentos = []
    for acta in f.fuera:
        if isinstance(acta, ActaFueraDeCatalogo):
            acopio, huella = acta.procedencia.acopio, acta.procedencia.imagen
            documentos.append(
                DocumentoFuera(
                    acta.folio,
                    cifras.momento_breve(acopio, huso) if acopio else "",
                    huella,
                    rutas.imagen(huella) if huella else "",
                )
            )
    return documentos
