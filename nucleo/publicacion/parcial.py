"""El parcial: lo que suman unas actas cualesquiera. Dos parciales se suman, y el de toda la elección es la suma de los
de sus secciones: por eso un corte sólo vuelve a contar las secciones que cambiaron.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nucleo.computo import Resumen


@dataclass(frozen=True, slots=True)
class Parcial:
    """Cantidades en actas, personas o votos, sólo enteros. `Parcial()` es el de ningún acta."""

    esperadas: int = 0
    fuera_catalogo: int = 0
    contabilizadas: int = 0
    no_contabilizadas: int = 0
    inconsistentes: int = 0
    lista_nominal_esperada: int = 0
    """De todas las casillas esperadas, con acta o sin ella."""
    lista_nominal: int = 0
    """De las contabilizadas; las especiales aportan cero."""
    votos_c_cs: int = 0
    votos_s_cs: int = 0
    """Sin casillas especiales."""
    urbanas: int = 0
    no_urbanas: int = 0
    """Contabilizadas por ubicación."""
    votos: Mapping[str, int] = ()  # type: ignore[assignment]
    """Clave de renglón → votos contabilizados, con los renglones que existen en esas actas."""
    faltantes: Mapping[str, int] = ()  # type: ignore[assignment]
    """Causa → esperadas que no se contabilizan. Sus valores suman `esperadas - contabilizadas`."""
    inconsistencias: Mapping[str, int] = ()  # type: ignore[assignment]
    """Código del catálogo → actas que la tienen."""

    def resumen(self, ultimo_corte: bool) -> Resumen:
        """Los trece datos oficiales de estas actas."""
        return Resumen(
            self.esperadas,
            self.fuera_catalogo,
            self.contabilizadas,
            self.no_contabilizadas,
            self.inconsistentes,
            self.lista_nominal,
            self.votos_c_cs,
            self.votos_s_cs,
            ultimo_corte,
        )
