"""Qué es lo que leyó el lector de códigos: un gafete, el código de un acta, u otra cosa."""

from __future__ import annotations

from typing import Final

from appliance.acceso import GAFETE_DE_PRACTICA
from appliance.gafete import parece_gafete
from nucleo.codigo_qr import parece_de_acta
from nucleo.eleccion import Proceso

GAFETE: Final = "gafete"
ACTA: Final = "acta"
OTRO: Final = "otro"


def clase_de(texto: str, proceso: Proceso) -> str:
    """`gafete`, `acta` u `otro`. Sólo mira la forma: que sea de aquí lo dice quien lo usa."""
    if parece_gafete(texto) or texto.startswith(f"{GAFETE_DE_PRACTICA}:"):
        return GAFETE
    return ACTA if parece_de_acta(texto) or texto.strip().upper() in proceso.casillas else OTRO
