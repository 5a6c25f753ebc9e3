"""Los formatos de acta del proceso, para las pantallas que recortan la imagen; sin ellos se trabaja con la completa."""

from __future__ import annotations

import logging
from typing import Final

from appliance.pantalla.pagina import Pantalla
from nucleo.definicion import DefinicionInvalida
from nucleo.formato import Formato, leer_formatos

_REGISTRO: Final = logging.getLogger("kiosco")


def formatos_de(p: Pantalla) -> tuple[Formato, ...]:
    """Los del proceso de este kiosco; ninguno si no se entienden, y queda dicho en su registro."""
    try:
        return leer_formatos(p.kiosco.identidad.proceso)
    except (DefinicionInvalida, OSError) as error:
        # Sin formato se trabaja con la imagen completa: no es razón para no abrir la pantalla esa noche.
        _REGISTRO.error("sin recortes: los formatos del proceso no se entienden: %s", error)
        return ()
