"""Cómo se enteran las máquinas: `avance.atom` y el mapa del sitio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from markupsafe import Markup

from nucleo.publicacion.fichas import FichaProceso
from servicio_central.sitio import cifras, rutas
from servicio_central.sitio.avance import avance_de
from servicio_central.sitio.contexto import Contexto


def paginas_de_sindicacion(f: FichaProceso, contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """El canal siempre; el mapa del sitio sólo si se sabe en qué dirección está, porque exige direcciones completas."""
    yield "avance.atom", _atom(f, contexto).encode()
    if contexto.origen:
        yield "sitemap.xml", _sitemap(f, contexto.origen).encode()


def _atom(f: FichaProceso, contexto: Contexto) -> str:
    """Una entrada por elección con su avance en este corte."""
    proceso, cuando = contexto.proceso, _utc(f.corte.hora)
    entidad = cifras.nombre_propio(proceso.entidad_nombre)
    entradas = []
    for e in f.elecciones:
        a = avance_de(e.parcial, f.corte.ultimo)
        dicho = (
            f"{a.contabilizadas:,} de {cifras.cuenta(a.esperadas, 'acta')} contabilizadas "
            f"({a.por_ciento_contabilizadas} de las esperadas). Resultados preliminares."
        )
        direccion = contexto.origen + rutas.corte(f.corte.nombre, rutas.eleccion(e.eleccion))
        entradas.append(
            Markup(
                "<entry><id>urn:prep:{}:{}:{}</id><title>{}, corte de las {}</title><updated>{}</updated>"
                '<link href="{}"/><summary>{}</summary></entry>\n'
            ).format(
                proceso.clave,
                f.corte.nombre,
                e.eleccion.clave,
                cifras.frase(e.eleccion.nombre),
                cifras.hora(f.corte.hora, proceso.huso),
                cuando,
                direccion,
                dicho,
            )
        )
    return str(
        Markup(
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es-MX">'
            "<id>urn:prep:{}</id><title>PREP {}</title><author><name>PREP {}</name></author><updated>{}</updated>"
            '<link rel="self" href="{}/avance.atom"/>\n{}</feed>\n'
        ).format(proceso.clave, entidad, entidad, cuando, contexto.origen, Markup("").join(entradas))
    )


def _sitemap(f: FichaProceso, origen: str) -> str:
    """Hasta secciones: de ahí se llega a cada acta, y con ellas se rebasarían las 50,000 direcciones del formato."""
    todas = Markup("").join(Markup("<url><loc>{}/{}</loc></url>\n").format(origen, r) for r in _rutas(f))
    cabeza = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return cabeza + str(todas) + "</urlset>\n"


def _rutas(f: FichaProceso) -> Iterable[str]:
    yield from ("index.html", "casilla/index.html", "datos.html", "verificar.html", "ayuda.html", "glosario.html")
    for e in f.elecciones:
        for archivo in ("index", "divisiones", "estadistica", "pendientes", "fuera"):
            yield rutas.eleccion(e.eleccion, f"{archivo}.html")
        for d in e.divisiones:
            yield rutas.division(e.eleccion, d.clave)
            yield from (rutas.seccion(e.eleccion, s.seccion) for s in d.secciones)


def _utc(hora: datetime) -> str:
    return f"{hora.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
