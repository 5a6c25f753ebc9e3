"""Las gráficas sueltas que un periódico incrusta: SVG que se explica solo, sin hoja de estilo y con su hora."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from nucleo.eleccion import Ambito
from nucleo.publicacion.fichas import Corte, FichaEleccion
from servicio_central.sitio import cifras, rutas
from servicio_central.sitio.avance import Avance
from servicio_central.sitio.competidoras import Barra
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.mapa import Mapa
from servicio_central.sitio.plantilla import plantilla

NOMBRES: Final = ("votos.svg", "avance.svg", "mapa.svg", "cartograma.svg")
"""`mapa.svg` son los contornos si la definición los trae; `cartograma.svg`, siempre los hexágonos."""


def laminas_de(
    f: FichaEleccion,
    corte: Corte,
    contexto: Contexto,
    a: Avance,
    filas: Sequence[Barra],
    mapa: Mapa,
    contornos: Mapa | None,
) -> Iterator[tuple[str, bytes]]:
    """Votos, avance y mapa de una elección, con fondo propio porque no saben sobre qué página caerán."""
    nombre = cifras.frase(f.eleccion.nombre)
    entidad = cifras.nombre_propio(contexto.proceso.entidad_nombre)
    ensayo = "" if contexto.proceso.modo == "oficial" else "SIMULACRO. "
    pie = f"{ensayo}PREP {entidad}, preliminar. Corte de las {cifras.momento(corte.hora, contexto.proceso.huso)}."
    cuantas = f"{a.contabilizadas:,} de {cifras.cuenta(a.esperadas, 'acta')} contabilizadas"
    datos: dict[str, dict[str, Any]] = {
        "votos.svg": {
            "titulo": f"{nombre}: votos por candidatura",
            "subtitulo": f"{cuantas}. Porcentajes de {cifras.cuenta(a.votos, 'voto')}.",
            "filas": filas,
            "total": a.votos,
            "alto": 90 + len(filas) * 46 + 44,
        },
        "avance.svg": {"titulo": f"{nombre}: avance de las actas", "subtitulo": cuantas, "a": a},
        "mapa.svg": {"titulo": f"{nombre}: quién va adelante por {mapa.division}", "m": contornos or mapa},
        "cartograma.svg": {"titulo": f"{nombre}: quién va adelante por {mapa.division}", "m": mapa},
    }
    if f.eleccion.ambito is not Ambito.ENTIDAD:
        datos["votos.svg"]["titulo"] += f", suma de los {mapa.division}s"
    for archivo in NOMBRES:
        cual = plantilla("mapa.svg" if archivo == "cartograma.svg" else archivo)
        yield rutas.eleccion(f.eleccion, archivo), cual.render(pie=pie, **datos[archivo]).encode()
