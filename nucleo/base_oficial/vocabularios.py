"""Lo que significan las OBSERVACIONES de cada instituto, con los códigos del catálogo (dominio §4.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nucleo.base_oficial.celdas import llano
from nucleo.inconsistencias import (
    ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO,
    EXCEDE_LISTA_NOMINAL,
    FUERA_DE_CATALOGO,
    SIN_ACTA_CASILLA_NO_INSTALADA,
    SIN_ACTA_CONTINGENCIA_URNA,
    SIN_ACTA_PAQUETE_NO_ENTREGADO,
    SIN_ACTA_PAQUETE_SIN_BOLSA,
    TODOS_ILEGIBLES_O_SIN_DATO,
)

SIN_ACTA_SIN_MOTIVO: Final = "SIN_ACTA_SIN_MOTIVO"
"""«Sin acta» a secas (Puebla 2018): el archivo no dice por qué."""

_IDENTIFICADA: Final = ""
"""Nota de trámite que no es inconsistencia: identificación forzada o por proceso técnico operativo."""

# De lo específico a lo general: cada frase reconocida se retira antes de buscar la siguiente.
_FRASES: Final = tuple(
    (re.compile(frase), codigo)
    for frase, codigo in (
        (r"(NO IDENTIFICADAS? ?-? ?)?FUERA DEL? CATALOGO", FUERA_DE_CATALOGO),
        (r"SIN ACTA( ?\( ?1 ?\)| 1\b|( POR)? PAQUETE NO ENTREGADO)", SIN_ACTA_PAQUETE_NO_ENTREGADO),
        (r"SIN ACTA( ?\( ?2 ?\)| 2\b|( POR)? CASILLA NO INSTALADA)", SIN_ACTA_CASILLA_NO_INSTALADA),
        (
            r"SIN ACTA( ?\( ?3 ?\)| 3\b|( POR)?( PAQUETE ENTREGADO)? SIN (BOLSA|SOBRE))",
            SIN_ACTA_PAQUETE_SIN_BOLSA,
        ),
        (
            r"SIN ACTA( ?\( ?4 ?\)| 4\b|( POR)? CONTINGENCIA( EN( LA)?)? URNA ELECTRONICA)",
            SIN_ACTA_CONTINGENCIA_URNA,
        ),
        (r"SIN ACTA", SIN_ACTA_SIN_MOTIVO),
        (
            r"TODOS( LOS CAMPOS)? (ILEGIBLES O SIN DATOS?|ILEGIBLES?|VACIOS?|SIN DATOS?)",
            TODOS_ILEGIBLES_O_SIN_DATO,
        ),
        (r"EXCEDE (LA )?LISTA NOMINAL", EXCEDE_LISTA_NOMINAL),
        (r"ALGUN(OS)? (CAMPOS?|DATOS?) ILEGIBLES? O SIN DATOS?", ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO),
        (r"ILEGIBLES?|SIN DATOS?", ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO),
        (r"IDENTIFICACION (FORZADA|POR PROCESO TECNICO OPERATIVO)", _IDENTIFICADA),
    )
)


@dataclass(frozen=True, slots=True)
class Observado:
    """Códigos que dice una celda de OBSERVACIONES y el texto que no se reconoció, si lo hubo."""

    codigos: frozenset[str]
    desconocido: str = ""


def interpretar(texto: str) -> Observado:
    """Lee OBSERVACIONES en cualquiera de los vocabularios conocidos; vacío, `-`, `--` y `[]` son ninguna."""
    resto = llano(texto)
    codigos = set()
    for frase, codigo in _FRASES:
        resto, veces = frase.subn(" ", resto)
        if veces and codigo:
            codigos.add(codigo)
    desconocido = " ".join(re.findall(r"\w+", resto))
    return Observado(frozenset(codigos), desconocido)
