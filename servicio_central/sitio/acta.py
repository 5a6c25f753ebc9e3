"""La página de un acta: sus datos junto a su imagen, su historia y cómo comprobarla.

Es la que más se repite (treinta mil en una noche como la de Jalisco): lo que no cambia de un acta a otra se escribe una
vez por elección o por sección.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from jinja2 import Template
from markupsafe import Markup, escape

from nucleo.acta import ActaVerificada
from nucleo.campo import Campo, Numero, a_texto
from nucleo.eleccion import Opcion, Proceso, TipoOpcion
from nucleo.modos import OFICIAL
from nucleo.publicacion.fichas import FichaActa, Suceso
from servicio_central.sitio import cifras, palabras, rutas
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.plantilla import plantilla

_HUECO: Final = "\ue000"
"""Signo de uso privado: no está en ninguna plantilla."""
_SALTO: Final = Markup("\n")
_DOCUMENTO: Final = " Se tomó de otro documento ({}), no del acta destinada al PREP."


@dataclass(frozen=True, slots=True)
class Marco:
    """Lo que comparten las actas de una sección, ya escrito."""

    nombre: str
    """De la elección."""
    partes: tuple[str, str, str, str]
    """Las de `partes_del_marco`."""
    migas: Markup
    lugar: str


def pagina_de_acta(f: FichaActa, marco: Marco) -> bytes:
    """HTML del acta. No dice el corte vigente: así, mientras el acta no cambie, su página tampoco."""
    c, proceso = f.casilla, f.proceso
    titulo, explicacion = palabras.situacion_de(f)
    casilla = palabras.nombre_de_casilla(c)
    archivo = rutas.nombre_de_acta(c)
    papel = palabras.documento(f.acta)
    publicada = f.publicada_en
    huella = f.imagen
    cuerpo = _cuerpo().render(
        nombre=marco.nombre,
        migas=marco.migas,
        lugar=marco.lugar,
        archivo=archivo,
        casilla=casilla,
        casilla_larga=casilla if casilla.startswith("Mesa") else f"Casilla {casilla}",
        seccion=f"{c.seccion:04d}",
        titulo=titulo,
        explicacion=explicacion,
        observaciones=_observaciones(f, explicacion),
        publicada="" if publicada is None else cifras.momento(publicada.hora, proceso.huso),
        imagen=rutas.imagen(huella) if huella else "",
        presente=f.imagen_presente,
        huella=huella,
        peso=cifras.tamano(f.imagen_bytes),
        renglones=_renglones(f),
        total="–" if f.total_calculado is None else cifras.miles(f.total_calculado),
        otros=_otros(f),
        tope=cifras.miles(f.tope),
        tope_nombre=_tope(f),
        documento=_DOCUMENTO.format(papel) if papel else "",
        sucesos=_SALTO.join([_suceso(s, proceso) for s in f.cronologia]),
        referencia=referencia(f),
        prueba="" if publicada is None else rutas.prueba(publicada.nombre, f.eleccion, c),
        clave_acta=f.eleccion.clave_acta(c),
    )
    antes, entre, luego, despues = marco.partes
    cabeza = escape(f"{casilla}, sección {c.seccion:04d}, {marco.nombre}")
    return "".join((antes, cabeza, entre, archivo, luego, cuerpo, despues)).encode()


@lru_cache(maxsize=8)
def partes_del_marco(contexto: Contexto) -> tuple[str, str, str, str]:
    """La página sin lo propio del acta: antes del título, hasta su archivo, hasta su contenido y hasta el final."""
    proceso = contexto.proceso
    hecha = plantilla("marco_de_acta.html").render(
        proceso=proceso,
        entidad=cifras.nombre_propio(proceso.entidad_nombre),
        ensayo=proceso.modo != OFICIAL,
        raiz="../../../",
        hueco=_HUECO,
    )
    antes, entre, luego, despues = hecha.split(_HUECO)
    return antes, entre, luego, despues


@cache
def _cuerpo() -> Template:
    return plantilla("acta.html")


def referencia(f: FichaActa) -> str:
    """Lo que identifica sin duda a un acta y a lo que de ella se publicó."""
    partes = [f"PREP {f.proceso.clave}", f.eleccion.clave, f"acta {f.eleccion.clave_acta(f.casilla)}"]
    if f.publicada_en is not None:
        partes.append(f"corte {f.publicada_en.nombre}")
    if f.imagen:
        partes.append(f"imagen {f.imagen}")
    if f.hojas:
        partes.append(f"hoja {f.hojas[-1]}")
    return " / ".join(partes)


def _observaciones(f: FichaActa, ya_dicho: str) -> list[str]:
    codigos = f.clasificacion.inconsistencias if f.clasificacion is not None else ()
    return [t for t in (palabras.observacion(codigo)[1] for codigo in codigos) if t != ya_dicho]


def _tope(f: FichaActa) -> str:
    if f.casilla.especial:
        return "las boletas aprobadas para la casilla especial"
    return "su lista nominal y las representaciones de partidos"


def _cantidad(campo: Campo) -> str:
    return cifras.miles(campo.valor) if isinstance(campo, Numero) else a_texto(campo)


def _renglones(f: FichaActa) -> Markup:
    """Los renglones del acta. Una cantidad sólo puede ser cifras o dos palabras fijas: no hay qué escapar."""
    filas = [f'<tr>{_etiqueta(opcion)}<td class="n">{_cantidad(campo)}</td></tr>' for opcion, campo in f.renglones]
    return Markup("\n".join(filas))


def _otros(f: FichaActa) -> Markup:
    if not isinstance(f.acta, ActaVerificada):
        return Markup("")
    filas = [
        f'<tr><th scope="row">{dicho}</th><td class="n">{_cantidad(getattr(f.acta.asentado, campo))}</td></tr>'
        for campo, dicho in palabras.COMPLEMENTARIOS
    ]
    return Markup("\n".join(filas))


@lru_cache(maxsize=1024)
def _etiqueta(opcion: Opcion) -> Markup:
    """Encabezado de un renglón, con su nombre completo, escapado una sola vez."""
    nombre, detalle = opcion.clave, opcion.nombre
    if opcion.tipo is TipoOpcion.COMBINACION:
        nombre, detalle = " · ".join(opcion.partidos), ""
    elif opcion.tipo is not TipoOpcion.PARTIDO:
        nombre, detalle = opcion.nombre, ""
    aparte = Markup(' <span class="detalle">{}</span>').format(detalle) if detalle and detalle != nombre else ""
    return Markup('<th scope="row"><span class="nombre">{}</span>{}</th>').format(nombre, aparte)


def _suceso(s: Suceso, proceso: Proceso) -> Markup:
    cuando = f'<li><time datetime="{rutas.sello(s.hora)}">{cifras.momento_breve(s.hora, proceso.huso)}</time>'
    detalle = f": {escape(s.detalle)}" if s.detalle else ""
    return Markup(f"{cuando}{escape(palabras.suceso(s.que))}{detalle}</li>")
