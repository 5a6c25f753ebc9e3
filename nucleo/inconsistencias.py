"""El catálogo de inconsistencias: qué tiene el acta, si se contabiliza y cómo se dice a cada persona.

Los datos viven en `inconsistencias.toml`; aquí se validan una vez y se entregan con tipo. Cada instituto
publica con sus palabras (`Vocabulario`), pero los códigos y sus consecuencias son los mismos para todos
(dominio §4.2).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from types import MappingProxyType
from typing import Final

from nucleo.acta import MotivoSinActa

FUERA_DE_CATALOGO: Final = "FUERA_DE_CATALOGO"
SIN_ACTA_PAQUETE_NO_ENTREGADO: Final = "SIN_ACTA_PAQUETE_NO_ENTREGADO"
SIN_ACTA_CASILLA_NO_INSTALADA: Final = "SIN_ACTA_CASILLA_NO_INSTALADA"
SIN_ACTA_PAQUETE_SIN_BOLSA: Final = "SIN_ACTA_PAQUETE_SIN_BOLSA"
SIN_ACTA_CONTINGENCIA_URNA: Final = "SIN_ACTA_CONTINGENCIA_URNA"
TODOS_ILEGIBLES_O_SIN_DATO: Final = "TODOS_ILEGIBLES_O_SIN_DATO"
EXCEDE_LISTA_NOMINAL: Final = "EXCEDE_LISTA_NOMINAL"
ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO: Final = "ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO"

CODIGOS: Final = (
    FUERA_DE_CATALOGO,
    SIN_ACTA_PAQUETE_NO_ENTREGADO,
    SIN_ACTA_CASILLA_NO_INSTALADA,
    SIN_ACTA_PAQUETE_SIN_BOLSA,
    SIN_ACTA_CONTINGENCIA_URNA,
    TODOS_ILEGIBLES_O_SIN_DATO,
    EXCEDE_LISTA_NOMINAL,
    ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO,
)
"""Todos los códigos, en el orden de evaluación y de publicación."""


class CatalogoInvalido(ValueError):
    """`inconsistencias.toml` no dice lo que el código espera."""


@dataclass(frozen=True, slots=True)
class Inconsistencia:
    """Una entrada del catálogo."""

    codigo: str
    contabilizada: int
    """Valor de CONTABILIZADA que causa: 0, 1 ó 2."""
    cuenta_en_porcentaje: bool
    """Si entra en PORCENTAJE_ACTAS_INCONSISTENCIAS."""
    texto: str
    """OBSERVACIONES con el vocabulario de los OPL en 2024."""
    para_captura: str
    """Frase neutra para quien transcribe: nunca invita a «arreglar» el papel."""
    para_coordinacion: str
    """Causa y siguiente paso."""
    publico: str
    """Una frase llana para la ciudadanía."""
    fundamento: str
    motivo: MotivoSinActa | None = None


def leer_catalogo(toml: str) -> Mapping[str, Inconsistencia]:
    """Valida el texto TOML y lo entrega como código → `Inconsistencia`, en orden.

    Raises:
        CatalogoInvalido: si falta o sobra un campo o un código, o un valor está fuera de rango.
    """
    catalogo = {}
    for renglon in tomllib.loads(toml).get("inconsistencia", []):
        entrada = _entrada(renglon)
        catalogo[entrada.codigo] = entrada
    if tuple(catalogo) != CODIGOS:
        raise CatalogoInvalido(f"los códigos deben ser, en orden, {', '.join(CODIGOS)}")
    return MappingProxyType(catalogo)


def _entrada(renglon: Mapping[str, object]) -> Inconsistencia:
    codigo = str(renglon.get("codigo", "(sin código)"))
    requeridos = {c.name for c in fields(Inconsistencia)} - {"motivo"}
    if sobra := set(renglon) - requeridos - {"motivo_sin_acta"}:
        raise CatalogoInvalido(f"{codigo}: campo desconocido {', '.join(sorted(sobra))}")
    textos = requeridos - {"contabilizada", "cuenta_en_porcentaje"}
    if falta := [t for t in sorted(textos) if not (isinstance(renglon.get(t), str) and renglon[t])]:
        raise CatalogoInvalido(f"{codigo}: falta el texto de {', '.join(falta)}")
    contabilizada, cuenta = renglon.get("contabilizada"), renglon.get("cuenta_en_porcentaje")
    # `true` también es un entero para Python; por eso se pregunta el tipo exacto.
    if type(contabilizada) is not int or not 0 <= contabilizada <= 2 or not isinstance(cuenta, bool):
        raise CatalogoInvalido(f"{codigo}: contabilizada es 0, 1 ó 2 y cuenta_en_porcentaje es verdadero o falso")
    motivo = renglon.get("motivo_sin_acta")
    if motivo not in (None, *(m.value for m in MotivoSinActa)):
        raise CatalogoInvalido(f"{codigo}: motivo_sin_acta es uno de 1 a 4")
    return Inconsistencia(
        contabilizada=contabilizada,
        cuenta_en_porcentaje=cuenta,
        motivo=None if motivo is None else MotivoSinActa(motivo),
        **{t: str(renglon[t]) for t in textos},
    )


CATALOGO: Final = leer_catalogo(resources.files("nucleo").joinpath("inconsistencias.toml").read_text("utf-8"))
"""Código → inconsistencia, en el orden de evaluación."""

POR_MOTIVO: Final[Mapping[MotivoSinActa, str]] = MappingProxyType(
    {i.motivo: i.codigo for i in CATALOGO.values() if i.motivo is not None}
)
"""Motivo de «sin acta» → código."""


def a_markdown() -> str:
    """Tabla del catálogo para la documentación, una inconsistencia por renglón."""
    columnas = [c.name for c in fields(Inconsistencia) if c.name != "motivo"]
    lineas = ["| " + " | ".join(columnas) + " |", "|" + "---|" * len(columnas)]
    for entrada in CATALOGO.values():
        lineas.append("| " + " | ".join(_celda(getattr(entrada, c)) for c in columnas) + " |")
    return "\n".join(lineas) + "\n"


def _celda(dato: object) -> str:
    if isinstance(dato, bool):
        return "sí" if dato else "no"
    return str(dato)
