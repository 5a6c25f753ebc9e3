"""Los tableros de la sala de prensa: letras grandes y rotan solos, sin JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from nucleo.publicacion.fichas import FichaProceso
from servicio_central.sitio import cifras, rutas
from servicio_central.sitio.avance import avance_de
from servicio_central.sitio.competidoras import barras
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.laminas import NOMBRES
from servicio_central.sitio.mapa import cartograma_de
from servicio_central.sitio.plantilla import pagina

SEGUNDOS: Final = 20
"""Lo que dura cada tablero."""
_TIPOS: Final = {
    "avance": "avance de las actas",
    "votos": "votos por candidatura",
    "mapa": "quién va adelante",
    "faltan": "lo que falta",
}


def paginas_de_pantalla(f: FichaProceso, contexto: Contexto) -> Iterator[tuple[str, bytes]]:
    """Un tablero por elección y por tema, cada uno con el siguiente; al final se vuelve al primero."""
    huso = contexto.proceso.huso
    tableros = [(e, tipo, f"{e.eleccion.clave}-{tipo}.html") for e in f.elecciones for tipo in _TIPOS]
    for lugar, (e, tipo, archivo) in enumerate(tableros):
        ruta = f"pantalla/{archivo}"
        yield (
            ruta,
            pagina(
                "tablero.html",
                ruta,
                contexto,
                nombre=cifras.frase(e.eleccion.nombre),
                clave=e.eleccion.clave,
                que=_TIPOS[tipo],
                tipo=tipo,
                segundos=SEGUNDOS,
                siguiente=tableros[(lugar + 1) % len(tableros)][2],
                corte=f.corte,
                momento=cifras.momento(f.corte.hora, huso),
                a=avance_de(e.parcial, f.corte.ultimo),
                candidaturas=barras(e.por_candidatura, e.eleccion),
                mapa=cartograma_de(e),
            ),
        )
    nombres: Sequence[tuple[str, str]] = [
        (f"{cifras.frase(e.eleccion.nombre)}: {_TIPOS[tipo]}", archivo) for e, tipo, archivo in tableros
    ]
    laminas = [
        (f"{cifras.frase(e.eleccion.nombre)}: {nombre.removesuffix('.svg')}", rutas.eleccion(e.eleccion, nombre))
        for e in f.elecciones
        for nombre in NOMBRES
    ]
    ruta = "pantalla/index.html"
    yield (
        ruta,
        pagina(
            "pantalla.html",
            ruta,
            contexto,
            segundos=SEGUNDOS,
            primero=nombres[0][1],
            tableros=nombres,
            laminas=laminas,
        ),
    )
