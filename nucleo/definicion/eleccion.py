"""Lee una `[[elecciones]]` hasta formar los renglones de su acta."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from nucleo.casilla import TIPOS, Casilla
from nucleo.definicion.alianzas import LectorDeAlianzas, siglas_conocidas
from nucleo.definicion.ambitos import Divisiones, divisiones_de
from nucleo.definicion.candidaturas import leer_candidaturas
from nucleo.definicion.renglones import Renglones
from nucleo.definicion.tabla import COLUMNA, LIBRE, Forma, Tabla
from nucleo.eleccion import Ambito, CandidaturaComun, Coalicion, Eleccion, Opcion, TipoOpcion

_CLAVE: Final = Forma(
    re.compile(r"[A-Z][A-Z0-9_]{0,19}"), "mayúsculas, cifras y guion bajo, hasta 20 posiciones, como DIP_LOC"
)
_TIPO_ACTA: Final = Forma(re.compile(r"[A-Z0-9]{1,6}"), "el tipo impreso en el acta, como 2, 2E o A02")
_TIPOS_CASILLA: Final = Forma(re.compile(f"[{TIPOS}]{{1,7}}"), f"letras de {TIPOS}")


def leer_eleccion(
    tabla: Tabla, partidos: Mapping[str, str], casillas: Mapping[str, Casilla], lineas: Mapping[str, int]
) -> Eleccion:
    """La elección que describe esa tabla; sólo sirve si no quedó anotado ningún problema.

    Args:
        partidos: sigla → nombre de todo el proceso.
        casillas: el catálogo, o vacío si no se pudo leer.
        lineas: CLAVE_CASILLA → línea del catálogo.
    """
    antes = tabla.defectos()
    base = Eleccion(
        clave=tabla.texto("clave", _CLAVE),
        nombre=tabla.texto("nombre"),
        ambito=Ambito(tabla.uno_de("ambito", tuple(a.value for a in Ambito), "entidad")),
        opciones=(),
        tipo_acta=tabla.texto("tipo_acta", _TIPO_ACTA),
        tipo_acta_especial=tabla.texto("tipo_acta_especial", _TIPO_ACTA),
        ancho_tipo_acta=tabla.entero("ancho_tipo_acta", 0, 8),
        tipos_casilla=frozenset(tabla.texto("tipos_casilla", _TIPOS_CASILLA, TIPOS)),
        formato=tabla.texto("formato", LIBRE),
    )
    divisiones = divisiones_de(base, tabla, casillas, lineas)
    renglones = Renglones()
    lector = LectorDeAlianzas(partidos, divisiones, renglones)
    con_renglon = tuple(lector.comunes(tabla))
    comunes = tuple(comun for comun, _, _ in con_renglon)
    propios = _propios(tabla, partidos, comunes)
    for sigla in propios:
        ambitos = _donde_tiene_renglon(sigla, comunes, divisiones)
        if ambitos is None or ambitos:
            opcion = Opcion(sigla, TipoOpcion.PARTIDO, partidos[sigla], (sigla,), ambitos)
            renglones.agregar(opcion, tabla, "partidos")
    for _, opcion, su_tabla in con_renglon:
        renglones.agregar(opcion, su_tabla, "clave")
    coaliciones = tuple(lector.coaliciones(tabla, propios))
    for independiente in tabla.tablas("independientes", "elecciones.independientes"):
        clave, nombre = independiente.texto("clave", COLUMNA), independiente.texto("nombre")
        opcion = Opcion(clave, TipoOpcion.INDEPENDIENTE, nombre, (), divisiones.leer(independiente))
        renglones.agregar(opcion, independiente, "clave")
    _revisar_nombres(tabla, coaliciones, renglones)
    opciones = renglones.ordenados(tabla)
    # Juzgar las candidaturas contra alianzas mal leídas sólo repetiría cada defecto con otras palabras.
    juzgar = tabla.defectos() == antes
    candidaturas = tuple(leer_candidaturas(tabla, opciones, lector.alianzas, divisiones, juzgar))
    return replace(base, opciones=opciones, coaliciones=coaliciones, comunes=comunes, candidaturas=candidaturas)


def _propios(tabla: Tabla, partidos: Mapping[str, str], comunes: Sequence[CandidaturaComun]) -> tuple[str, ...]:
    """Partidos con renglón propio; el emblema único de toda la entidad lo sustituye (dominio §5.3)."""
    en_comun = {p: c.clave for c in comunes if c.ambitos is None for p in c.partidos}
    escritos = tabla.textos("partidos", COLUMNA)
    if escritos is None:
        return tuple(p for p in partidos if p not in en_comun)
    siglas_conocidas(tabla, "partidos", escritos, partidos)
    for i, sigla in enumerate(escritos):
        if sigla in en_comun:
            tabla.problema(
                f"{sigla} tiene renglón propio y va en la candidatura común {en_comun[sigla]} en toda la entidad",
                "la candidatura común de emblema único sustituye el renglón de cada partido",
                "quítelo de «partidos»; si los emblemas van separados, defínala en [[elecciones.coaliciones]]",
                "partidos",
                i,
            )
    return tuple(dict.fromkeys(p for p in escritos if p in partidos and p not in en_comun))


def _donde_tiene_renglon(
    sigla: str, comunes: Sequence[CandidaturaComun], divisiones: Divisiones
) -> frozenset[int] | None:
    ocupados = frozenset(a for c in comunes if sigla in c.partidos for a in c.ambitos or ())
    return divisiones.numeros - ocupados if ocupados else None


def _revisar_nombres(tabla: Tabla, coaliciones: Sequence[Coalicion], renglones: Renglones) -> None:
    """Votos por candidatura mezcla nombres de coalición y claves de quien va solo: no deben coincidir."""
    vistos = set(renglones.opciones)
    for coalicion in coaliciones:
        if coalicion.nombre in vistos:
            tabla.problema(
                f"«{coalicion.nombre}» ya nombra otra coalición o una columna",
                "se copió de otra coalición",
                "dé a cada coalición un nombre propio",
                "coaliciones",
            )
        vistos.add(coalicion.nombre)
