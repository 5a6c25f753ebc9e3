"""La entrada del sitio: de cada ficha, sus páginas como (ruta dentro del corte, bytes sin comprimir).

Quien hace el corte pide sólo lo que cambió: las de una sección dependen nada más de su ficha y de la definición; las
de una división, una elección y el proceso dicen además la hora del corte.
"""

from __future__ import annotations

from servicio_central.sitio.contexto import Contexto
from servicio_central.sitio.division import paginas_de_division
from servicio_central.sitio.eleccion import paginas_de_eleccion
from servicio_central.sitio.fijas import paginas_de_espera
from servicio_central.sitio.proceso import paginas_de_proceso, paginas_de_siempre
from servicio_central.sitio.seccion import pagina_de_casilla, paginas_de_seccion

__all__ = (
    "Contexto",
    "pagina_de_casilla",
    "paginas_de_division",
    "paginas_de_eleccion",
    "paginas_de_espera",
    "paginas_de_proceso",
    "paginas_de_seccion",
    "paginas_de_siempre",
)
