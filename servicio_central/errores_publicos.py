"""Las páginas fijas que ve el público cuando algo no está o no se puede: las mismas en nginx y en la demostración."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

_INICIO: Final = "Vuelva a la página de inicio y siga desde ahí."
PAGINAS: Final = {
    400: ("No se entendió la petición", "La dirección trae algo que no puede llevar.", _INICIO),
    404: (
        "Esa página no existe",
        "La dirección está mal escrita, o eso todavía no se publica.",
        "Revise la dirección o busque su casilla desde la página de inicio.",
    ),
    405: ("Aquí sólo se consulta", "Este sitio publica resultados; no recibe nada.", _INICIO),
    429: (
        "Demasiadas consultas seguidas",
        "Desde su conexión llegaron más consultas de las que se atienden a la vez.",
        "Espere unos segundos y repita. Los datos completos están en los archivos para descargar.",
    ),
    500: (
        "El sitio no pudo contestar",
        "Es una falla del servidor, no de su equipo; los resultados ya publicados no cambian.",
        "Espere un minuto y repita, o consulte a otro de los difusores.",
    ),
}
"""Código HTTP → qué pasó, causa más probable y siguiente paso."""

_PLANTILLAS: Final = Environment(
    loader=PackageLoader("servicio_central", "plantillas"), autoescape=True, undefined=StrictUndefined
)


def pagina_de_error(codigo: int) -> bytes:
    """La de ese código. Raises: KeyError, si no es de `PAGINAS`."""
    que, causa, siguiente = PAGINAS[codigo]
    return (
        _PLANTILLAS.get_template("error_publico.html")
        .render(codigo=codigo, que=que, causa=causa, siguiente=siguiente)
        .encode()
    )
