"""La hoja en que la bitácora del kiosco viaja al centro, dentro de la misma cadena firmada que las actas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nucleo.eventos import RenglonDeBitacora
from nucleo.renglon import PERSONA, HechoInvalido, Renglon, hora_con_huso

MAXIMO_RENGLONES: Final = 100
MAXIMO_DETALLE: Final = 200
"""Caracteres. Quien la arma además corta la hoja para que quepa en un sobre (`appliance.bitacora`)."""
MAXIMO_ACTA: Final = 90

_EVENTO: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class HojaDeBitacora:
    """Renglones seguidos de la bitácora del kiosco. `desde` numera el primero; `previo` es la huella del anterior.

    No es de ningún acta ni cambia ningún resultado: viaja en la cadena firmada para que nadie la recorte.
    """

    hora: datetime
    desde: int
    previo: str
    renglones: tuple[RenglonDeBitacora, ...]


def contenido_de_hoja(hoja: HojaDeBitacora) -> dict[str, Any]:
    """Lo propio de la hoja dentro del contenido del sobre."""
    return {
        "desde": hoja.desde,
        "previo": hoja.previo,
        "renglones": [[r.hora, r.evento, r.persona, r.acta, r.detalle] for r in hoja.renglones],
    }


def leer_hoja(r: Renglon) -> HojaDeBitacora:
    """Lectura estricta. Raises: HechoInvalido."""
    renglones = r.tomar("renglones")
    if not isinstance(renglones, list) or not 0 < len(renglones) <= MAXIMO_RENGLONES:
        raise HechoInvalido(f"una hoja de bitácora lleva de 1 a {MAXIMO_RENGLONES} renglones")
    return HojaDeBitacora(
        r.hora(),
        r.entero("desde", 1, 2**53 - 1),
        r.huella("previo"),
        tuple(_renglon(renglon) for renglon in renglones),
    )


def _renglon(dato: object) -> RenglonDeBitacora:
    if not isinstance(dato, list) or len(dato) != 5 or not all(isinstance(x, str) for x in dato):
        raise HechoInvalido("un renglón de bitácora son cinco textos")
    hora, evento, persona, acta, detalle = dato
    hora_con_huso(hora)
    # No se exige que el evento esté declarado aquí: un kiosco más nuevo puede tener otros.
    if _EVENTO.fullmatch(evento) is None or (persona and PERSONA.fullmatch(persona) is None):
        raise HechoInvalido("el evento o la persona de un renglón de bitácora no tienen su forma")
    if len(acta) > MAXIMO_ACTA or len(detalle) > MAXIMO_DETALLE or not (acta + detalle).isprintable():
        raise HechoInvalido("un renglón de bitácora trae un texto largo o con signos raros")
    return RenglonDeBitacora(hora, evento, persona, acta, detalle)
