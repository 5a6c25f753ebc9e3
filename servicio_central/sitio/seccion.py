"""Una sección: su página, la de cada una de sus actas y la que reúne a todas las elecciones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from nucleo import coalicion
from nucleo.publicacion.fichas import FichaActa, FichaSeccion
from servicio_central.sitio import cifras, palabras, rutas
from servicio_central.sitio.acta import Marco, pagina_de_acta, partes_del_marco
from servicio_central.sitio.avance import avance_de
from servicio_central.sitio.competidoras import barras
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.plantilla import pagina


@dataclass(frozen=True, slots=True)
class RenglonDeCasilla:
    """Una casilla en la lista de su sección."""

    nombre: str
    archivo: str
    ruta: str
    situacion: str
    observada: bool
    votos: int | None


@dataclass(frozen=True, slots=True)
class EleccionDeSeccion:
    """Una elección en la página que reúne a todas."""

    clave: str
    nombre: str
    ruta: str
    contabilizadas: int
    esperadas: int
    cambio: str
    casillas: tuple[RenglonDeCasilla, ...]


def paginas_de_seccion(
    f: FichaSeccion, contexto: Contexto, actas: Iterable[FichaActa] | None = None
) -> Iterator[tuple[str, bytes]]:
    """La página de la sección y la de cada una de sus actas.

    Ninguna dice el corte vigente: sus bytes sólo cambian si cambia algo de la sección.

    Args:
        actas: de cuáles de las suyas; sin decirlo, de todas.
    """
    e = f.eleccion
    ruta = rutas.seccion(e, f.seccion)
    nombre = cifras.frase(e.nombre)
    division = _division(f)
    migas = [
        (cifras.nombre_propio(contexto.proceso.entidad_nombre), rutas.PORTADA),
        (nombre, rutas.eleccion(e)),
        (division, rutas.division(e, f.division)),
    ]
    yield (
        ruta,
        pagina(
            "seccion.html",
            ruta,
            contexto,
            numero=f"{f.seccion:04d}",
            nombre=nombre,
            migas=migas,
            lugar=_lugar(f),
            cambio=_cambio(f, contexto),
            a=avance_de(f.parcial, ultimo=False),
            casillas=_casillas(f),
            candidaturas=barras(coalicion.por_candidatura(dict(f.parcial.votos), e, f.division), e, f.division),
            en_todas=rutas.casilla(f.seccion),
        ),
    )
    marco = Marco(nombre, partes_del_marco(contexto), _migas([*migas, (f"Sección {f.seccion:04d}", ruta)]), _lugar(f))
    for acta in f.actas if actas is None else actas:
        yield rutas.acta(e, acta.casilla), pagina_de_acta(acta, marco)


def pagina_de_casilla(fichas: Sequence[FichaSeccion], contexto: Contexto) -> tuple[str, bytes]:
    """«Conoce los resultados de tu casilla»: la misma sección en todas las elecciones en que tiene casillas.

    Args:
        fichas: de una misma sección, una por elección; al menos una.
    """
    ruta = rutas.casilla(fichas[0].seccion)
    elecciones = tuple(
        EleccionDeSeccion(
            f.eleccion.clave,
            cifras.frase(f.eleccion.nombre),
            rutas.seccion(f.eleccion, f.seccion),
            f.parcial.contabilizadas,
            f.parcial.esperadas,
            _cambio(f, contexto),
            _casillas(f),
        )
        for f in fichas
    )
    numero = f"{fichas[0].seccion:04d}"
    return ruta, pagina(
        "casilla_seccion.html", ruta, contexto, numero=numero, lugar=_lugar(fichas[0]), elecciones=elecciones
    )


def _division(f: FichaSeccion) -> str:
    """`Distrito 3`: en las migas basta el número."""
    return palabras.titulo_de_division(f.eleccion, f.division, "")


def _lugar(f: FichaSeccion) -> str:
    division = cifras.nombre_propio(f.division_nombre)
    municipio = cifras.nombre_propio(f.municipio_nombre)
    if f.division is None:
        return division
    titulo = palabras.titulo_de_division(f.eleccion, f.division, division)
    return f"{titulo}; {municipio}" if municipio and municipio != division else titulo


def _cambio(f: FichaSeccion, contexto: Contexto) -> str:
    horas = [a.publicada_en.hora for a in f.actas if a.publicada_en is not None]
    return cifras.momento(max(horas), contexto.proceso.huso) if horas else ""


def _casillas(f: FichaSeccion) -> tuple[RenglonDeCasilla, ...]:
    return tuple(_renglon(a) for a in f.actas)


def _renglon(a: FichaActa) -> RenglonDeCasilla:
    return RenglonDeCasilla(
        palabras.nombre_de_casilla(a.casilla),
        rutas.nombre_de_acta(a.casilla) + ".html",
        rutas.acta(a.eleccion, a.casilla),
        palabras.situacion_de(a)[0],
        bool(a.renglones and a.clasificacion is not None and a.clasificacion.inconsistencias),
        a.total_calculado,
    )


def _migas(pares: Sequence[tuple[str, str]]) -> Markup:
    """Las mismas migas de `piezas.html`, escritas una vez para todas las actas de la sección."""
    enlaces = Markup("").join(Markup('<li><a href="../../../{}">{}</a></li>').format(r, escape(t)) for t, r in pares)
    return Markup('<nav class="migas" aria-label="Dónde estás"><ul>{}</ul></nav>').format(enlaces)
