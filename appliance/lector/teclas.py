"""Qué signo es cada tecla, como lo manda un lector en modo teclado con distribución de Estados Unidos."""

from __future__ import annotations

from typing import Final

FINES: Final = (28, 96, 15)
"""Enter, el del teclado numérico y Tab."""
MAYUSCULAS: Final = (42, 54)
MODIFICADORAS: Final = (29, 97, 56, 100, 125, 126)
"""Control, Alt y Meta: con ellas no se escribe, se manda."""

_FILAS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
# El teclado numérico no obedece a las mayúsculas.
_NUMERICO: Final = {71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3"}

SIGNOS: Final[dict[int, tuple[str, str]]] = {
    **{
        inicio + i: (solo, con)
        for inicio, solos, cons in _FILAS
        for i, (solo, con) in enumerate(zip(solos, cons, strict=True))
    },
    **{tecla: (signo, signo) for tecla, signo in {**_NUMERICO, 55: "*", 82: "0", 83: ".", 98: "/"}.items()},
}
"""Código de `linux/input-event-codes.h` → (sin mayúsculas, con mayúsculas)."""
