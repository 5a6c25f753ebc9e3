"""Qué le pasa al acta y si se contabiliza: derivado de sus campos, nunca tecleado.

Es la regla de dominio §4.2 (Anexo 13 del Reglamento de Elecciones; LEEME IECM 2024, columnas 37 y 38). Las
reglas etiquetan y jamás rechazan: el acta se publica como está.
"""

from __future__ import annotations

from dataclasses import dataclass

from nucleo.acta import Acta, ActaFueraDeCatalogo, ActaPendiente, ActaSinActa, ActaVerificada, Asentado
from nucleo.campo import Numero
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso, Vocabulario
from nucleo.inconsistencias import (
    ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO,
    CATALOGO,
    EXCEDE_LISTA_NOMINAL,
    FUERA_DE_CATALOGO,
    POR_MOTIVO,
    TODOS_ILEGIBLES_O_SIN_DATO,
)


@dataclass(frozen=True, slots=True)
class Clasificacion:
    """CONTABILIZADA (0, 1 ó 2) y los códigos de inconsistencia, en orden de catálogo."""

    contabilizada: int
    inconsistencias: tuple[str, ...] = ()


def total_calculado(asentado: Asentado) -> int:
    """Votos del acta: suma de todos los renglones, con no registradas y nulos.

    Lo ilegible o en blanco vale cero.
    """
    return sum([campo.valor for campo in asentado.votos.values() if isinstance(campo, Numero)])


def tope(casilla: Casilla, proceso: Proceso) -> int:
    """Votos que caben en la casilla: lista nominal más representaciones; en especial, boletas aprobadas.

    Si a las boletas de una especial se suman las representaciones lo decide el instituto: el LEEME IECM 2024
    las suma y Oaxaca 2022 no (marcó actas de 1001, 1004 y 1005 votos con 22 representaciones).
    """
    if casilla.especial:
        return proceso.boletas_especial + proceso.especial_suma_representantes * casilla.representantes
    return casilla.lista_nominal + casilla.representantes


def clasificar(acta: Acta, proceso: Proceso) -> Clasificacion | None:
    """Clasifica un acta; `None` si todavía está pendiente."""
    match acta:
        case ActaPendiente():
            return None
        case ActaFueraDeCatalogo():
            codigos: tuple[str, ...] = (FUERA_DE_CATALOGO,)
        case ActaSinActa():
            codigos = (POR_MOTIVO[acta.motivo],)
        case ActaVerificada():
            codigos = _de_los_campos(acta.asentado, tope(acta.casilla, proceso))
    # Basta una causa para no contabilizar, aunque otra por sí sola no lo impida.
    causas = {CATALOGO[c].contabilizada for c in codigos} - {1}
    return Clasificacion(causas.pop() if causas else 1, codigos)


def _de_los_campos(asentado: Asentado, tope: int) -> tuple[str, ...]:
    legibles = [isinstance(campo, Numero) for campo in asentado.votos.values()]
    if not any(legibles):
        return (TODOS_ILEGIBLES_O_SIN_DATO,)
    excede = (EXCEDE_LISTA_NOMINAL,) if total_calculado(asentado) > tope else ()
    alguno = () if all(legibles) else (ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO,)
    return excede + alguno


def observaciones(clasificacion: Clasificacion, vocabulario: Vocabulario) -> str:
    """Texto de OBSERVACIONES con las palabras del instituto.

    Lo que no defina sale con el texto del catálogo.
    """
    codigos = clasificacion.inconsistencias
    if not codigos:
        return vocabulario.sin_observacion
    if vocabulario.excede_prevalece and EXCEDE_LISTA_NOMINAL in codigos:
        codigos = (EXCEDE_LISTA_NOMINAL,)
    return vocabulario.separador.join(vocabulario.textos.get(c, CATALOGO[c].texto) for c in codigos)


def cuenta_como_inconsistente(clasificacion: Clasificacion) -> bool:
    """Si el acta entra en PORCENTAJE_ACTAS_INCONSISTENCIAS.

    No entran las «sin acta» ni las fuera de catálogo.
    """
    return any(CATALOGO[c].cuenta_en_porcentaje for c in clasificacion.inconsistencias)
