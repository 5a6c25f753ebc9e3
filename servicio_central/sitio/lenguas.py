"""El resumen en lenguas originarias: sólo con traducción completa, revisada y con nombre de quien la revisó.

Los catálogos (`.po`) vienen vacíos a propósito. Ninguna máquina los llena: mientras falte una frase, la lengua, o quién
revisó, esa página no existe.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from babel.messages.pofile import PoFileError, read_po

from nucleo.publicacion.fichas import FichaProceso
from servicio_central.sitio import cifras
from servicio_central.sitio.avance import avance_de
from servicio_central.sitio.competidoras import barras
from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.plantilla import pagina

CATALOGOS: Final = ("mazateco", "mixe", "mixteco", "zapoteco")
FRASES: Final = (
    "Resultados preliminares",
    "No son el resultado legal: dicen lo que está en las actas que han llegado.",
    "Hora del corte",
    "Actas esperadas",
    "Actas capturadas",
    "Actas contabilizadas",
    "Actas que faltan por sumar",
    "Participación ciudadana",
    "Candidatura",
    "Votos",
    "Total de votos",
    "Ver en español",
)
"""Lo que hay que traducir: pocas frases y ninguna con cifras dentro; las cifras van en tablas."""


@dataclass(frozen=True)
class Lengua:
    """Una lengua que ya se puede publicar."""

    codigo: str
    """ISO 639-3 de la variante, elegida por quien la revisó."""
    nombre: str
    revisada_por: str
    frases: Mapping[str, str]

    @property
    def ruta(self) -> str:
        return f"resumen-{self.codigo}.html"


def leer_catalogo(crudo: bytes, nombre: str) -> Lengua | None:
    """La lengua de un catálogo `.po`; `None` si le falta una frase, su código o quién la revisó."""
    try:
        catalogo = read_po(io.BytesIO(crudo), abort_invalid=True)
    except (PoFileError, ValueError):
        # Un catálogo a medio escribir (hasta un «Language» vacío) no debe detener un corte.
        return None
    codigo, revisada_por = (catalogo.locale_identifier or "").strip(), (catalogo.last_translator or "").strip()
    frases = {str(m.id): str(m.string) for m in catalogo if m.id and m.string and not m.fuzzy}
    # Sin ese renglón, gettext pone un nombre de relleno.
    revisada_por = "" if "EMAIL@ADDRESS" in revisada_por else revisada_por
    completa = all(frases.get(frase, "").strip() for frase in FRASES)
    if not (completa and revisada_por and len(codigo) == 3 and codigo.isascii() and codigo.isalpha()):
        return None
    return Lengua(codigo.lower(), (catalogo.language_team or "").strip() or nombre, revisada_por, frases)


@cache
def publicables() -> tuple[Lengua, ...]:
    """Las de los catálogos que viajan con el programa; hoy, ninguna."""
    carpeta = resources.files("servicio_central.sitio").joinpath("catalogos")
    leidas = (leer_catalogo(carpeta.joinpath(f"{n}.po").read_bytes(), n.capitalize()) for n in CATALOGOS)
    return tuple(lengua for lengua in leidas if lengua is not None)


def paginas_de_lenguas(f: FichaProceso, contexto: Contexto, lenguas: Iterable[Lengua]) -> Iterator[tuple[str, bytes]]:
    """El resumen de la portada en cada lengua publicable."""
    elecciones = [
        {
            "nombre": cifras.frase(e.eleccion.nombre),
            "a": avance_de(e.parcial, f.corte.ultimo),
            "barras": barras(e.por_candidatura, e.eleccion),
        }
        for e in f.elecciones
    ]
    momento = cifras.momento(f.corte.hora, contexto.proceso.huso)
    for lengua in lenguas:
        datos = {"lengua": lengua, "t": lengua.frases, "momento": momento, "elecciones": elecciones}
        yield lengua.ruta, pagina("lengua.html", lengua.ruta, contexto, **datos)
