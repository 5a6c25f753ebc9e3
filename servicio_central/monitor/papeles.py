"""Qué puede hacer cada quien en la sala. Cada papel puede lo del anterior."""

from __future__ import annotations

from enum import Enum


class Papel(Enum):
    """El papel de una cuenta."""

    VISTA = "vista"
    """Mira todo; no toca nada."""
    OPERADOR = "operador"
    """Además reconoce alarmas, deja notas y propone dictámenes."""
    SUPERVISOR = "supervisor"
    """Además confirma lo que otra persona propuso y lee la bitácora de accesos."""

    def alcanza(self, minimo: Papel) -> bool:
        orden = list(Papel)
        return orden.index(self) >= orden.index(minimo)
