"""Lo que alguien escribe en la sala y queda asentado: cabe en un renglón y todo se ve.

Un carácter invisible haría que dos textos distintos se leyeran igual, o que uno se leyera al revés.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from nucleo.problema import Rechazo

MAXIMO: Final = 500
"""Caracteres de una nota o un motivo."""

_INVISIBLES: Final = {
    "\u00ad": "guion opcional",
    "\u200b": "espacio de ancho cero",
    "\u200c": "separador de ancho cero",
    "\u200d": "unión de ancho cero, la de los emojis compuestos",
    "\u2060": "unión de palabras",
    "\ufeff": "marca de inicio de archivo",
    **dict.fromkeys("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "marca de dirección"),
}

_CLASES: Final = {
    "Cc": "carácter de control",
    "Cf": "marca de formato",
    "Co": "signo propio de otro programa",
    "Cs": "la mitad de un signo",
}


def limpio(texto: str) -> str:
    """En un renglón, sin espacios de más."""
    return " ".join(texto.split())


def objecion(que: str, texto: str, siguiente: str, *, minimo: int = 1, maximo: int = MAXIMO) -> Rechazo | None:
    """Por qué ese texto, ya limpio, no se puede asentar; `None` si sí.

    Args:
        que: cómo se llama lo escrito, con su artículo: «la nota».
        siguiente: qué escribir si falta o sobra.
    """
    codigo = que.split()[-1].upper()
    if len(texto) < minimo:
        return Rechazo(codigo, f"falta {que}", "se envió sin escribir", siguiente)
    if len(texto) > maximo:
        return Rechazo(
            codigo, f"{que} mide {len(texto)} caracteres y caben {maximo}", "se pegó un texto largo", siguiente
        )
    lugar, malo = next(((i, c) for i, c in enumerate(texto, 1) if not c.isprintable()), (0, ""))
    if malo:
        return Rechazo(
            codigo,
            f"{que} trae un carácter que no se ve: en el lugar {lugar}, {_como_se_llama(malo)} (U+{ord(malo):04X})",
            "se pegó de un mensaje o de otro documento, con un emoji compuesto o una marca invisible",
            "bórrelo con lo que tenga junto y tecléelo aquí, sin pegar",
        )
    return None


def _como_se_llama(signo: str) -> str:
    return _INVISIBLES.get(signo) or _CLASES.get(unicodedata.category(signo), "signo que aún no existe")
