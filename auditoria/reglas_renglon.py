"""Las reglas que se exigen a cada renglón y qué tan grave es romperlas.

Es discrepancia lo que contradice la aritmética o la regla legal con que se publica un dato derivado. Es aviso
lo que conviene mirar y puede ser legítimo: el PREP publica las actas como están y no corrige relojes ni
papeles.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Gravedad(Enum):
    """Si la regla rota cambia el veredicto."""

    DISCREPANCIA = "discrepancia"
    AVISO = "aviso"


@dataclass(frozen=True, slots=True)
class Regla:
    """Una regla de renglón. `publico` completa la frase «n actas …»."""

    clave: str
    gravedad: Gravedad
    publico: str
    fundamento: str


@dataclass(frozen=True, slots=True)
class Violacion:
    """Un renglón que rompe una regla."""

    regla: Regla
    linea: int
    clave_acta: str
    detalle: str


_D, _A = Gravedad.DISCREPANCIA, Gravedad.AVISO

TOTAL_CALCULADO_NO_SUMA: Final = Regla(
    "TOTAL_CALCULADO_NO_SUMA",
    _D,
    "cuyo total calculado no es la suma de sus votos",
    "LEEME IECM 2024, columna 34",
)
TODOS_SIN_DATO_CONTABILIZADA: Final = Regla(
    "TODOS_SIN_DATO_CONTABILIZADA",
    _D,
    "sin ninguna cantidad legible y aun así contabilizadas",
    "LEEME IECM 2024, columna 37",
)
EXCEDE_CONTABILIZADA: Final = Regla(
    "EXCEDE_CONTABILIZADA",
    _D,
    "con más votos que personas con derecho a votar y aun así contabilizadas",
    "LEEME IECM 2024, variables 6 y 9",
)
CONTABILIZADA_NO_CORRESPONDE: Final = Regla(
    "CONTABILIZADA_NO_CORRESPONDE",
    _D,
    "con un valor de CONTABILIZADA que sus datos no explican",
    "LEEME IECM 2024, columna 38",
)
OBSERVACION_NO_CORRESPONDE: Final = Regla(
    "OBSERVACION_NO_CORRESPONDE",
    _D,
    "cuyas OBSERVACIONES no son las que resultan de sus campos",
    "LEEME IECM 2024, columna 37",
)
CLAVE_CASILLA_NO_COMPONE: Final = Regla(
    "CLAVE_CASILLA_NO_COMPONE",
    _D,
    "cuya CLAVE_CASILLA no es la unión de sus partes",
    "LEEME IECM 2024, columna 1",
)
CLAVE_ACTA_NO_COMPONE: Final = Regla(
    "CLAVE_ACTA_NO_COMPONE",
    _D,
    "cuya CLAVE_ACTA no es la clave de casilla más el tipo de acta",
    "LEEME IECM 2024, columna 2",
)
ACTA_DUPLICADA: Final = Regla(
    "ACTA_DUPLICADA", _D, "que aparecen más de una vez", "LEEME IECM 2024, columna 2: la clave es única"
)
VOTOS_EN_ACTA_EXCLUIDA: Final = Regla(
    "VOTOS_EN_ACTA_EXCLUIDA",
    _D,
    "fuera de la suma (sin acta o fuera de catálogo) y con votos",
    "dominio §4.2: sin acta y fuera de catálogo no tienen votos que publicar",
)
FUERA_DE_CATALOGO_CON_CASILLA: Final = Regla(
    "FUERA_DE_CATALOGO_CON_CASILLA",
    _D,
    "fuera de catálogo según el archivo y con la clave completa de su casilla",
    "dominio §4.2: es la que no se puede asociar a una casilla",
)
PENDIENTE_CON_DATOS: Final = Regla(
    "PENDIENTE_CON_DATOS",
    _D,
    "aún sin capturar y ya con observación o cantidades",
    "LEEME IECM 2024, columna 38",
)
ESPECIAL_CON_LISTA_NOMINAL: Final = Regla(
    "ESPECIAL_CON_LISTA_NOMINAL",
    _D,
    "de casilla especial con lista nominal distinta de cero",
    "LEEME IECM 2024, columna 35",
)
DATO_DESCONOCIDO: Final = Regla(
    "DATO_DESCONOCIDO",
    _D,
    "con un dato de votos que no es número, ilegible ni sin dato",
    "LEEME IECM 2024, columnas 16 a 34",
)
TOTAL_ASENTADO_DISTINTO: Final = Regla(
    "TOTAL_ASENTADO_DISTINTO",
    _A,
    "donde el total escrito a mano no es la suma de sus votos (así está el papel)",
    "Anexo 13: el PREP publica lo asentado",
)
LISTA_NOMINAL_NO_NUMERICA: Final = Regla(
    "LISTA_NOMINAL_NO_NUMERICA",
    _A,
    "ya registradas que perdieron su lista nominal en el archivo",
    "LEEME IECM 2024: la lista nominal se conserva",
)
ESPECIAL_FUERA_DE_LO_USUAL: Final = Regla(
    "ESPECIAL_FUERA_DE_LO_USUAL",
    _A,
    "de casilla especial cuyo exceso no se juzgó con las 1000 boletas de costumbre",
    "dominio §4.2.4; otro límite puede ser legal",
)
CLAVE_EN_DOS_DIVISIONES: Final = Regla(
    "CLAVE_EN_DOS_DIVISIONES",
    _A,
    "de casillas que aparecen en más de un distrito o municipio (una sección partida levanta un acta para cada uno)",
    "Campeche 2021: secciones repartidas entre el municipio viejo y el nuevo, o entre dos juntas",
)
OBSERVACION_DESCONOCIDA: Final = Regla(
    "OBSERVACION_DESCONOCIDA", _A, "con una observación que esta auditoría no conoce", "dominio §4.3"
)
HUELLA_MALFORMADA: Final = Regla(
    "HUELLA_MALFORMADA", _A, "cuya huella de imagen no es un SHA-256", "LEEME IECM 2024, columna 40"
)
HUELLA_REPETIDA: Final = Regla(
    "HUELLA_REPETIDA",
    _A,
    "que comparten la misma imagen con otra acta",
    "LEEME INE 2024, columna 43: la huella identifica a cada imagen",
)
HUELLA_FALTANTE: Final = Regla(
    "HUELLA_FALTANTE", _A, "capturadas sin huella de su imagen", "LEEME IECM 2024, columna 40"
)
HORAS_EN_DESORDEN: Final = Regla(
    "HORAS_EN_DESORDEN",
    _A,
    "con horas fuera de secuencia (acopio, captura, verificación)",
    "LEEME IECM 2024, columnas 41 a 43",
)
HORA_POSTERIOR_AL_CORTE: Final = Regla(
    "HORA_POSTERIOR_AL_CORTE", _A, "con una hora posterior al propio corte", "LEEME IECM 2024, columna 41"
)
HORA_FUERA_DE_OPERACION: Final = Regla(
    "HORA_FUERA_DE_OPERACION",
    _A,
    "con una hora anterior a la apertura de las casillas",
    "LEEME IECM 2024, columna 41: las horas caen dentro de la operación",
)
HORA_MALFORMADA: Final = Regla(
    "HORA_MALFORMADA", _A, "con una hora que no se entiende", "LEEME IECM 2024, columnas 41 a 43"
)

REGLAS: Final = (
    TOTAL_CALCULADO_NO_SUMA,
    TODOS_SIN_DATO_CONTABILIZADA,
    EXCEDE_CONTABILIZADA,
    CONTABILIZADA_NO_CORRESPONDE,
    OBSERVACION_NO_CORRESPONDE,
    CLAVE_CASILLA_NO_COMPONE,
    CLAVE_ACTA_NO_COMPONE,
    ACTA_DUPLICADA,
    VOTOS_EN_ACTA_EXCLUIDA,
    FUERA_DE_CATALOGO_CON_CASILLA,
    PENDIENTE_CON_DATOS,
    ESPECIAL_CON_LISTA_NOMINAL,
    DATO_DESCONOCIDO,
    TOTAL_ASENTADO_DISTINTO,
    LISTA_NOMINAL_NO_NUMERICA,
    ESPECIAL_FUERA_DE_LO_USUAL,
    CLAVE_EN_DOS_DIVISIONES,
    OBSERVACION_DESCONOCIDA,
    HUELLA_MALFORMADA,
    HUELLA_REPETIDA,
    HUELLA_FALTANTE,
    HORAS_EN_DESORDEN,
    HORA_POSTERIOR_AL_CORTE,
    HORA_FUERA_DE_OPERACION,
    HORA_MALFORMADA,
)
"""Todas, primero las que cambian el veredicto."""
