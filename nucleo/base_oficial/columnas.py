"""Columnas de la base de datos: su nombre de 2024, lo que significan y cómo las han llamado otros.

Este catálogo ordena la escritura, explica el LEEME y permite leer bases de otros años; así ninguno de los
tres se desactualiza por su cuenta. Orden y nombres: LEEME INE e IECM 2024; sinónimos: dominio §7.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nucleo.base_oficial.celdas import llano
from nucleo.eleccion import Ambito


@dataclass(frozen=True, slots=True)
class Columna:
    """Una columna fija del archivo, o un dato del resumen."""

    nombre: str
    descripcion: str
    sinonimos: tuple[str, ...] = ()


RESUMEN: Final = (
    Columna("ACTAS_ESPERADAS", "Actas de todas las casillas aprobadas para esta elección."),
    Columna("ACTAS_REGISTRADAS", "Actas ya asentadas en el sistema, sumen o no; incluye las fuera de catálogo."),
    Columna("ACTAS_FUERA_CATALOGO", "Actas que no se pudieron asociar a una casilla aprobada."),
    Columna("ACTAS_CAPTURADAS", "Actas registradas que sí pertenecen al catálogo, sumen o no."),
    Columna("PORCENTAJE_ACTAS_CAPTURADAS", "ACTAS_CAPTURADAS × 100 / ACTAS_ESPERADAS."),
    Columna("ACTAS_CONTABILIZADAS", "Actas cuyos votos se suman."),
    Columna("PORCENTAJE_ACTAS_CONTABILIZADAS", "ACTAS_CONTABILIZADAS × 100 / ACTAS_ESPERADAS."),
    Columna(
        "PORCENTAJE_ACTAS_INCONSISTENCIAS",
        "Actas con algún renglón ilegible o sin dato, con todos así, o que exceden la lista nominal, × 100 "
        "/ ACTAS_ESPERADAS. "
        "No entran las «sin acta» ni las fuera de catálogo.",
        ("PORCENTAJE_ACTAS_CON_INCONSISTENCIAS",),
    ),
    Columna(
        "ACTAS_NO_CONTABILIZADAS",
        "Actas del catálogo capturadas cuyos votos no se suman; cada una dice por qué.",
    ),
    Columna(
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
        "Personas en la lista nominal de las actas contabilizadas; las casillas especiales no tienen lista.",
        ("LISTA_NOMINAL_ACTAS_CONTABILZADAS",),
    ),
    Columna("TOTAL_VOTOS_C_CS", "Votos de las actas contabilizadas, con casillas especiales."),
    Columna("TOTAL_VOTOS_S_CS", "Votos de las actas contabilizadas, sin casillas especiales."),
    Columna(
        "PORCENTAJE_PARTICIPACION_CIUDADANA",
        "TOTAL_VOTOS_S_CS × 100 / LISTA_NOMINAL_ACTAS_CONTABILIZADAS; en el último corte, con TOTAL_VOTOS_C_CS.",
        ("PARTICIPACION_CIUDADANA",),
    ),
)
"""Los trece datos del resumen, en orden."""

ANTES_DE_LA_DIVISION: Final = (
    Columna(
        "CLAVE_CASILLA",
        "Entidad (2), sección (4), tipo (1), número (2) y extraordinaria contigua (2) de la casilla.",
    ),
    Columna("CLAVE_ACTA", "CLAVE_CASILLA seguida de TIPO_ACTA."),
    Columna("ID_ENTIDAD", "Clave de la entidad, a dos posiciones.", ("ID_ESTADO",)),
    Columna("ENTIDAD", "Nombre de la entidad.", ("ESTADO",)),
)
DISTRITO: Final = (
    Columna(
        "ID_DISTRITO_LOCAL",
        "Número del distrito local; N/A en las mesas que no pertenecen a uno.",
        ("ID_DISTRITO", "ID_DISTRITO_FEDERAL"),
    ),
    Columna("DISTRITO_LOCAL", "Nombre del distrito local.", ("DISTRITO", "DISTRITO_FEDERAL")),
)
MUNICIPIO: Final = (
    Columna(
        "ID_MUNICIPIO",
        "Número del municipio; N/A en las mesas que no pertenecen a uno.",
        ("ID_ALCALDIA", "ID_DEMARCACION"),
    ),
    Columna("MUNICIPIO", "Nombre del municipio.", ("ALCALDIA", "DEMARCACION")),
)
DESPUES_DE_LA_DIVISION: Final = (
    Columna("SECCION", "Sección electoral, a cuatro posiciones."),
    Columna("ID_CASILLA", "Número de la casilla, a dos posiciones."),
    Columna(
        "TIPO_CASILLA",
        "B básica, C contigua, E extraordinaria, S especial, M voto en el extranjero, A voto anticipado, P "
        "prisión preventiva.",
    ),
    Columna("EXT_CONTIGUA", "Número de la contigua de una extraordinaria, a dos posiciones."),
    Columna("UBICACION_CASILLA", "1 urbana, 2 no urbana, 3 fuera de catálogo."),
    Columna("TIPO_ACTA", "Número impreso en el acta.", ("NUM_ACTA_IMPRESO",)),
)
COMPLEMENTARIAS: Final = (
    Columna(
        "TOTAL_BOLETAS_SOBRANTES",
        "Boletas no usadas y canceladas.",
        ("NUM_BOLETAS_SOBRANTES", "BOLETAS_SOBRANTES"),
    ),
    Columna(
        "TOTAL_PERSONAS_VOTARON",
        "Personas de la lista nominal que votaron.",
        ("TOTAL_CIUDADANOS_VOTARON", "PERSONAS_VOTARON", "CIUDADANOS_VOTARON"),
    ),
    Columna(
        "TOTAL_REP_PARTIDO_CI_VOTARON",
        "Representaciones de partidos y candidaturas independientes que votaron.",
        ("TOTAL_REP_PARTIDO_CSP_VOTARON", "REP_PARTIDO_CI_VOTARON"),
    ),
    Columna("TOTAL_VOTOS_SACADOS", "Votos sacados de la urna.", ("NUM_BOLETAS_EXTRAIDAS", "VOTOS_SACADOS")),
)
FINALES_DE_VOTO: Final = (
    Columna(
        "NO_REGISTRADAS",
        "Votos para candidaturas no registradas.",
        ("NO_REGISTRADOS", "NO_VOTOS_CAN_NREG", "NUM_VOTOS_CAN_NREG", "CNR", "CANDIDATURAS_NO_REGISTRADAS"),
    ),
    Columna("NULOS", "Votos nulos.", ("NO_VOTOS_NULOS", "NUM_VOTOS_NULOS", "VOTOS_NULOS", "VN")),
)
DESPUES_DE_LOS_VOTOS: Final = (
    Columna("TOTAL_VOTOS_ASENTADO", "Total de votos escrito en el acta, cuadre o no.", ("TOTAL_VOTOS_ASENTADOS",)),
    Columna(
        "TOTAL_VOTOS_CALCULADO",
        "Suma que hace el sistema de todos los renglones de votos; lo ilegible o sin dato vale cero.",
        ("TOTAL_VOTOS_CALCULADOS", "TOTAL_VOTOS"),
    ),
    Columna("LISTA_NOMINAL", "Personas con derecho a votar en la casilla; 0 en las especiales."),
    Columna(
        "REPRESENTANTES_PP_CI",
        "Representaciones acreditadas ante la casilla; N/A en las mesas M, A y P.",
        ("REPRESENTANTES_PP_CSP", "REPRESENTANTES"),
    ),
    Columna("OBSERVACIONES", "Inconsistencias del acta; más abajo se explica cada una."),
    Columna("CONTABILIZADA", "1 sí, 0 no, 2 fuera de catálogo; vacío si aún no se captura.", ("CONTABILIZADAS",)),
    Columna(
        "MECANISMOS_TRASLADO",
        "D dispositivo de apoyo, F centro fijo, I centro itinerante; vacío si no hubo.",
        ("MECANISMO_TRASLADO", "CRYT"),
    ),
    Columna("CODIGO_INTEGRIDAD", "SHA-256 de la imagen del acta.", ("SHA", "SHA256")),
    Columna("FECHA_HORA_ACOPIO", "Cuándo se recibió o se fotografió el acta.", ("HORA_ACOPIO",)),
    Columna("FECHA_HORA_CAPTURA", "Cuándo se capturó.", ("HORA_CAPTURA",)),
    Columna(
        "FECHA_HORA_VERIFICACION",
        "Cuándo se verificó.",
        ("HORA_REGISTRO", "HORA_VERIFICACION", "FECHA_HORA_REGISTRO"),
    ),
    Columna("ORIGEN", "CASILLA o CATD: dónde se digitalizó."),
    Columna("DIGITALIZACION", "MOVIL o ESCANER: con qué se digitalizó."),
    Columna(
        "TIPO_DOCUMENTO",
        "ACTA PREP; RPP copia de representaciones; CC copia del consejo; PPC copia de representaciones "
        "obtenida del consejo; "
        "ACTA VMRE, VA, VPPP o UE según la modalidad de voto.",
    ),
)
SOLO_LECTURA: Final = (
    Columna("COTEJADA", "1 aceptada, 2 aceptada después de corregirse, 3 en corrección, 0 sin cotejar (INE)."),
    Columna("CODIGOS_ENTREGADOS_PMDC", "Códigos de urna electrónica entregados (INE 2021)."),
    Columna("CODIGOS_SOBRANTES", "Códigos de urna electrónica sobrantes (INE 2021)."),
    Columna("CODIGOS_UTILIZADOS", "Códigos de urna electrónica usados (INE 2021)."),
    Columna("CASILLA", "Nombre de la casilla en bases antiguas."),
)
"""Columnas que otros publican y esta base no escribe."""

CANDIDATURAS: Final = (
    Columna(
        "PARTIDO_CI",
        "Partidos que la postulan, separados por coma, o la candidatura independiente.",
        ("PARTIDO_CSP",),
    ),
    Columna("CANDIDATURA_PROPIETARIA", "Nombre de la persona candidata."),
    Columna("CANDIDATURA_SUPLENTE", "Nombre de la persona suplente, si la hay."),
)


def division(ambito: Ambito) -> tuple[Columna, ...]:
    """Las dos columnas de la división: municipio en ayuntamientos, distrito local en lo demás."""
    return MUNICIPIO if ambito is Ambito.MUNICIPIO else DISTRITO


def fijas_antes(ambito: Ambito) -> tuple[Columna, ...]:
    """Columnas que preceden a las de votos."""
    return ANTES_DE_LA_DIVISION + division(ambito) + DESPUES_DE_LA_DIVISION + COMPLEMENTARIAS


ANTERIORES: Final = frozenset(
    c.nombre for c in (*ANTES_DE_LA_DIVISION, *DISTRITO, *MUNICIPIO, *DESPUES_DE_LA_DIVISION, *COMPLEMENTARIAS)
)
"""Nombres canónicos que van antes de los votos."""

POSTERIORES: Final = frozenset(c.nombre for c in DESPUES_DE_LOS_VOTOS)
"""Nombres canónicos que van después de los votos."""


def normalizar(nombre: str) -> str:
    """Nombre de columna comparable: sin acentos, comillas ni signos, en mayúsculas y con guiones bajos."""
    return "_".join(llano(nombre).strip(" '\"=").split())


def _canonicos(columnas: Iterable[Columna]) -> Mapping[str, str]:
    return {alias: c.nombre for c in columnas for alias in (c.nombre, *c.sinonimos)}


_FIJAS: Final = _canonicos(
    (
        *ANTES_DE_LA_DIVISION,
        *DISTRITO,
        *MUNICIPIO,
        *DESPUES_DE_LA_DIVISION,
        *COMPLEMENTARIAS,
        *FINALES_DE_VOTO,
        *DESPUES_DE_LOS_VOTOS,
        *SOLO_LECTURA,
    )
)
_RESUMEN: Final = _canonicos(RESUMEN)


def canonica(nombre: str) -> str | None:
    """Nombre de 2024 de una columna fija, o `None` si no lo es (un partido, por ejemplo)."""
    return _FIJAS.get(normalizar(nombre))


def canonica_de_resumen(nombre: str) -> str:
    """Nombre de 2024 de un dato del resumen; si no se conoce, el mismo nombre normalizado."""
    normal = normalizar(nombre)
    return _RESUMEN.get(normal, normal)
