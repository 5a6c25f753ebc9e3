"""Con qué lee códigos y comprime el proceso de visión: el único lugar donde se eligen."""

from __future__ import annotations

from typing import Final

from appliance.vision.codigos import LectorDeCodigos
from appliance.vision.compresion import comprimir
from appliance.vision.segunda_opinion import SegundaOpinion

__all__ = ["comprimir", "leer_codigos"]

leer_codigos: Final = LectorDeCodigos(SegundaOpinion())
"""zxing y, si no basta, zbar en otro proceso, que no arranca hasta que hace falta."""
