"""Lo que dice un sobre propio, sin volver a comprobar su firma: lo firmó este kiosco y el almacén no deja cambiarlo."""

from __future__ import annotations

import base64
import json
from typing import Any

from nucleo.hechos import Hecho, de_contenido


def contenido_de(compacto: str) -> dict[str, object]:
    """El JSON del hecho que lleva el sobre."""
    dato: dict[str, object] = _carga(compacto)["contenido"]
    return dato


def hecho_de(compacto: str) -> Hecho:
    """El hecho que lleva el sobre."""
    return de_contenido(contenido_de(compacto))


def calidad_de(compacto: str) -> str:
    """Qué tan bueno era el reloj cuando se selló (`appliance.reloj`)."""
    return str(_carga(compacto)["reloj"])


def _carga(compacto: str) -> dict[str, Any]:
    carga = compacto.split(".")[1]
    dato: dict[str, Any] = json.loads(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))
    return dato
