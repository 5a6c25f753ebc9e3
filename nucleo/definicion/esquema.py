"""Qué claves acepta la definición de un proceso, tabla por tabla.

Es el único lugar donde se enumeran: lo leen el lector (para rechazar lo que no conoce y pedir lo que falta) y
la prueba que exige que `docs/definicion.md` las explique todas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nucleo.inconsistencias import CODIGOS

RAIZ: Final = ""


@dataclass(frozen=True, slots=True)
class Claves:
    """Claves de una tabla, en el orden en que se documentan."""

    obligatorias: tuple[str, ...]
    opcionales: tuple[str, ...] = ()

    @property
    def todas(self) -> tuple[str, ...]:
        return self.obligatorias + self.opcionales


ESQUEMA: Final[Mapping[str, Claves]] = {
    RAIZ: Claves(
        (
            "clave",
            "nombre",
            "entidad",
            "entidad_nombre",
            "siglas",
            "huso",
            "boletas_especial",
            "especial_suma_representantes",
            "calendario",
            "partidos",
            "elecciones",
        ),
        ("modo", "observaciones"),
    ),
    "calendario": Claves(("inicio_operacion", "inicio_publicacion", "cierre"), ("minutos_entre_cortes",)),
    "observaciones": Claves((), ("sin_observacion", "separador", "excede_prevalece", "textos")),
    "observaciones.textos": Claves((), CODIGOS),
    "partidos": Claves(("sigla", "nombre")),
    "elecciones": Claves(
        ("clave", "nombre", "ambito", "tipo_acta", "tipo_acta_especial"),
        (
            "ancho_tipo_acta",
            "tipos_casilla",
            "formato",
            "partidos",
            "orden",
            "independientes",
            "coaliciones",
            "comunes",
            "candidaturas",
        ),
    ),
    "elecciones.independientes": Claves(("clave", "nombre"), ("ambitos",)),
    "elecciones.coaliciones": Claves(
        ("nombre", "partidos"), ("prefijo", "separador", "abreviaturas", "combinaciones", "ambitos")
    ),
    "elecciones.comunes": Claves(("clave", "nombre", "porcentajes", "remanente"), ("ambitos",)),
    "elecciones.candidaturas": Claves(("partidos", "propietaria"), ("suplente", "ambito")),
}
"""Nombre de la tabla → sus claves. Las de `abreviaturas` y `porcentajes` son siglas de partidos."""
