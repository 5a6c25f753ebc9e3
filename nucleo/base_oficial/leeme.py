"""El LEEME.txt que acompaña a la base: se genera del mismo catálogo que la escribe, para que no mienta."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from nucleo.base_oficial import columnas
from nucleo.eleccion import Ambito, Eleccion, Opcion, Proceso, TipoOpcion
from nucleo.inconsistencias import CATALOGO

_ANCHO: Final = 110

_RENGLON: Final = {
    TipoOpcion.PARTIDO: "Votos para {nombre}.",
    TipoOpcion.COMBINACION: "Votos marcados a la vez para {partidos}.",
    TipoOpcion.COMUN: "Votos para la candidatura común de {partidos}.",
    TipoOpcion.INDEPENDIENTE: "Votos para {nombre} (candidatura independiente).",
    TipoOpcion.NO_REGISTRADAS: "Votos para candidaturas no registradas.",
    TipoOpcion.NULOS: "Votos nulos.",
}


def generar(proceso: Proceso, eleccion_clave: str) -> str:
    """Texto del LEEME de una elección, con líneas de hasta 110 posiciones terminadas en LF."""
    eleccion = proceso.elecciones[eleccion_clave]
    partes = [
        _titulo(f"Resultados electorales preliminares: {eleccion.nombre}"),
        _parrafo(
            f"{proceso.nombre}. Estos resultados son preliminares e informativos; no son definitivos ni "
            "tienen efectos jurídicos. "
            "Transcriben lo que dicen las actas: si un acta no cuadra, así se publica."
        ),
        _titulo("Cómo está hecho el archivo de resultados"),
        _parrafo(
            "Texto en UTF-8 separado por comas. Línea 1: tipo de elección. Línea 2: fecha y hora del "
            "corte, en hora de la entidad. "
            "Líneas 3 y 4: nombres y valores del resumen. Línea 5: en blanco. Línea 6: nombres de las "
            "columnas. Desde la línea 7: "
            "un renglón por acta."
        ),
        _parrafo(
            "Están todas las actas esperadas desde el primer corte: las que aún no se publican traen "
            "vacíos sus datos. Primero van "
            "las mesas de voto en el extranjero, anticipado y en prisión preventiva; al final, las actas "
            "fuera de catálogo. Los "
            "porcentajes llevan cuatro decimales truncados, sin redondear."
        ),
        _titulo("Resumen (líneas 3 y 4)"),
        _lista((c.nombre, c.descripcion) for c in columnas.RESUMEN),
        _titulo("Columnas (desde la línea 6)"),
        _lista((c.nombre, c.descripcion) for c in columnas.fijas_antes(eleccion.ambito)),
        _lista((o.clave, explicar(o)) for o in eleccion.opciones),
        _lista((c.nombre, c.descripcion) for c in columnas.DESPUES_DE_LOS_VOTOS),
        _titulo("Qué puede haber en un campo del acta"),
        _lista(
            (
                ("Un número", "La cantidad asentada."),
                ("ILEGIBLE", "No se lee ni con letra ni con número; vale cero."),
                ("SIN DATO", "Está en blanco con letra y con número; vale cero."),
                ("SIN ACTA", "El acta no llegó con el paquete electoral."),
                ("-", "Ese renglón no existe en el acta de ese distrito o municipio."),
                ("N/A", "No aplica: por ejemplo, la huella y las horas de una casilla sin acta."),
            )
        ),
        _titulo("Observaciones"),
        _lista(_observaciones(proceso)),
        _titulo("Archivo de candidaturas"),
        _lista(columnas_de_candidaturas(eleccion)),
        _titulo("Cómo comprobar la imagen de un acta"),
        _parrafo(
            "Descargue la imagen y calcule su SHA-256 (por ejemplo, con la orden sha256sum): debe ser "
            "igual a CODIGO_INTEGRIDAD."
        ),
    ]
    return "\n".join(partes)


def _observaciones(proceso: Proceso) -> Iterable[tuple[str, str]]:
    textos = proceso.vocabulario.textos
    yield "(vacío)", "El acta aún no se captura o no tiene inconsistencias."
    if proceso.vocabulario.sin_observacion:
        yield proceso.vocabulario.sin_observacion, "El acta no tiene inconsistencias."
    for codigo, entrada in CATALOGO.items():
        yield textos.get(codigo, entrada.texto), f"CONTABILIZADA {entrada.contabilizada}. {entrada.publico}"


def columnas_de_candidaturas(eleccion: Eleccion) -> Iterable[tuple[str, str]]:
    """Nombre y explicación de cada columna del archivo de candidaturas, en orden."""
    yield "ID_ENTIDAD", "Clave de la entidad, a dos posiciones."
    if eleccion.ambito is not Ambito.ENTIDAD:
        primera = columnas.division(eleccion.ambito)[0]
        yield primera.nombre, primera.descripcion
    yield from ((c.nombre, c.descripcion) for c in columnas.CANDIDATURAS)


def explicar(opcion: Opcion) -> str:
    """Qué cuenta la columna de ese renglón."""
    frase = _RENGLON[opcion.tipo].format(nombre=opcion.nombre, partidos=", ".join(opcion.partidos))
    return frase if opcion.ambitos is None else f"{frase} No existe en toda la entidad: donde no, aparece «-»."


def _titulo(texto: str) -> str:
    return f"{texto.upper()}\n{'=' * len(texto)}\n"


def _parrafo(texto: str) -> str:
    return textwrap.fill(texto, _ANCHO) + "\n"


def _lista(renglones: Iterable[tuple[str, str]]) -> str:
    return "".join(
        textwrap.fill(f"{nombre}: {texto}", _ANCHO, initial_indent="  ", subsequent_indent="      ") + "\n"
        for nombre, texto in renglones
    )
