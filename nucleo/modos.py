"""Los tres modos en que se usa un PREP. El modo va en la firma, en los temas y en cada pantalla; nunca se mezclan."""

from __future__ import annotations

from typing import Final

CAPACITACION: Final = "capacitacion"
"""Para aprender: actas de muestra, sin centro. Nada de lo que se hace ahí cuenta ni se envía."""
SIMULACRO: Final = "simulacro"
"""Los ensayos generales, con todo el sistema (art. 349 del Reglamento de Elecciones)."""
OFICIAL: Final = "oficial"
"""La jornada."""

MODOS: Final = (CAPACITACION, SIMULACRO, OFICIAL)
CON_CENTRO: Final = (SIMULACRO, OFICIAL)
"""Los modos en que hay un centro que recibe."""
