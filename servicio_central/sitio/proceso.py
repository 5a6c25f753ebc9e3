"""La portada y todo lo que no es de una sola elección."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nucleo.eleccion import Ambito
from nucleo.publicacion.fichas import Corte, FichaEleccion, FichaProceso
from servicio_central.sitio import cifras, rutas
from servicio_central.sitio.avance import Avance, Delantera, avance_de, delantera_de
from servicio_central.sitio.casillas import paginas_de_casillas
from servicio_central.sitio.competidoras import Barra, barras
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.fijas import paginas_del_corte, paginas_sin_corte
from servicio_central.sitio.lenguas import paginas_de_lenguas, publicables
from servicio_central.sitio.mapa import Mapa, cartograma_de
from servicio_central.sitio.pantalla import paginas_de_pantalla
from servicio_central.sitio.plantilla import pagina
from servicio_central.sitio.sindicacion import paginas_de_sindicacion


@dataclass(frozen=True, slots=True)
class EnPortada:
    """Una elección resumida en la portada."""

    clave: str
    nombre: str
    estatal: bool
    """Si se gana en toda la entidad; si no, sólo tiene sentido decir quién va adelante por división."""
    avance: Avance
    delantera: Delantera
    barras: tuple[Barra, ...]
    mapa: Mapa


def paginas_de_proceso(f: FichaProceso, contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """Lo que no es de una sola elección y dice la hora del corte: portada, datos, tableros, canal y mapa del sitio."""
    yield rutas.PORTADA, _portada(f, contexto)
    yield from paginas_del_corte(f, contexto)
    yield from paginas_de_pantalla(f, contexto)
    yield from paginas_de_sindicacion(f, contexto)
    yield from paginas_de_lenguas(f, contexto, publicables())


def paginas_de_siempre(contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """Lo que sólo depende de la definición: ayuda, glosario, estilo y buscador de casillas."""
    yield from paginas_sin_corte(contexto)
    yield from paginas_de_casillas(contexto)


def _portada(f: FichaProceso, contexto: Contexto) -> bytes:
    huso = contexto.proceso.huso
    return pagina(
        "portada.html",
        rutas.PORTADA,
        contexto,
        corte=f.corte,
        hora=cifras.hora(f.corte.hora, huso),
        momento=cifras.momento(f.corte.hora, huso),
        elecciones=[_en_portada(e, f.corte) for e in f.elecciones],
        lenguas=publicables(),
    )


def _en_portada(f: FichaEleccion, corte: Corte) -> EnPortada:
    e = f.eleccion
    return EnPortada(
        e.clave,
        e.nombre,
        e.ambito is Ambito.ENTIDAD,
        avance_de(f.parcial, corte.ultimo),
        delantera_de(f),
        barras(f.por_candidatura, e),
        cartograma_de(f),
    )
