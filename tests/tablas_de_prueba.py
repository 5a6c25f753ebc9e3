"""Los números de una página pública: resumen, votos por renglón, por candidatura y por partido, y lo que falta."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nucleo import coalicion, computo
from nucleo.acta import Acta
from nucleo.computo import Resumen
from nucleo.eleccion import Eleccion, Proceso


@dataclass(frozen=True)
class Tablas:
    """Todo en votos o actas contabilizadas, en el orden del acta."""

    eleccion: Eleccion
    resumen: Resumen
    por_renglon: Mapping[str, int]
    por_candidatura: Mapping[str, int]
    """Cada coalición reúne a sus partidos y combinaciones donde existe."""
    por_partido: Mapping[str, int]
    """Con lo que a cada partido le toca de sus coaliciones, repartido por distrito o municipio."""
    faltantes: Mapping[str, int]
    """Causa → actas esperadas que todavía no se contabilizan."""
    por_ubicacion: Mapping[str, int]


def tablas_de(actas: Sequence[Acta], proceso: Proceso, eleccion: str, resumen: Resumen) -> Tablas:
    """Calcula las tablas de una elección con sus actas."""
    que_se_elige = proceso.elecciones[eleccion]
    por_division = computo.votos_por_division(actas, proceso, eleccion)
    renglones: Counter[str] = Counter()
    candidaturas: Counter[str] = Counter()
    for division, votos in por_division.items():
        renglones.update(votos)
        candidaturas.update(coalicion.por_candidatura(votos, que_se_elige, division))
    return Tablas(
        que_se_elige,
        resumen,
        {clave: renglones[clave] for clave in que_se_elige.por_clave},
        dict(candidaturas),
        coalicion.repartir_divisiones(por_division, que_se_elige),
        computo.faltantes_por_causa(actas, proceso, eleccion),
        computo.contabilizadas_por_ubicacion(actas, proceso),
    )
