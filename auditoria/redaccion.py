"""El informe en palabras.

Primero una página para cualquiera, después el detalle para quien lo quiera comprobar.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from auditoria.informe import Hallado, Informe
from auditoria.reglas_renglon import REGLAS, Gravedad, Regla, Violacion
from nucleo.concordancia import concordar
from nucleo.problema_archivo import Problema

_ANCHO: Final = 100
_EJEMPLOS: Final = 5
_ORDENES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controles, cambios de sentido, bytes que no eran texto y saltos de línea."""


def redactar(informe: Informe) -> str:
    """Texto del informe, sin color y con líneas de hasta 100 posiciones, legible en pantalla o en un archivo."""
    if isinstance(informe.hallado, Problema):
        p = informe.hallado
        donde = f"{p.archivo}, línea {p.linea}" if p.linea else p.archivo
        lineas = [
            *_titulo("Auditoría de una base de datos del PREP"),
            *_parrafo(f"VEREDICTO: no se pudo leer {donde}."),
            *_parrafo(f"Qué pasó: {p.que}."),
            *_parrafo(f"Causa probable: {p.causa}."),
            *_parrafo(f"Siguiente paso: {p.siguiente}."),
        ]
    else:
        lineas = [*_portada(informe.archivo, informe.hallado), *_detalle(informe.hallado)]
    return "\n".join(visible(linea) for linea in lineas) + "\n"


def visible(texto: str) -> str:
    """El texto con una marca en lugar de cada signo que una terminal obedece en vez de mostrar."""
    return "".join("\ufffd" if unicodedata.category(c) in _ORDENES else c for c in texto)


def _portada(archivo: str, h: Hallado) -> Iterator[str]:
    yield from _titulo("Auditoría de una base de datos del PREP")
    yield from _parrafo(f"Archivo:  {archivo}")
    yield from _parrafo(f"Elección: {h.tipo_eleccion or 'no lo dice'}. Corte: {h.corte or 'no lo dice'}")
    yield ""
    yield from _parrafo(
        "VEREDICTO: hay discrepancias entre lo publicado y lo que resulta de sus propios datos."
        if h.discrepa
        else "VEREDICTO: consistente. Lo publicado es lo que resulta de sus propios datos."
    )
    yield ""
    yield "En pocas palabras"
    yield from _vineta(_avance(h))
    yield from _vineta(_sobre_el_resumen(h))
    for dato in h.resumen:
        if dato.coincide is False:
            yield from _vineta(
                f"{dato.campo} dice {dato.publicado or 'vacío'} y resulta {dato.recalculado}. "
                f"Cómo se llega a lo publicado: {dato.regla}.",
                4,
            )
    if h.esperadas.coincide is False:
        yield from _vineta(
            f"Dice esperar {h.esperadas.publicado} actas y trae {h.esperadas.recalculado} en su catálogo.", 4
        )
    grupos = _por_regla(h.violaciones)
    graves = [r for r in grupos if r.gravedad is Gravedad.DISCREPANCIA]
    if graves:
        yield from _vineta("En el acta por acta hay datos que contradicen la regla con que se publican:")
    else:
        yield from _vineta("En el acta por acta, ningún dato contradice la regla con que se publica.")
    for regla in graves:
        yield from _vineta(_cuantas(grupos[regla], regla), 4)
    avisos = [r for r in grupos if r.gravedad is Gravedad.AVISO]
    if avisos:
        yield from _vineta("Además, conviene saber (no cambia el veredicto):")
    for regla in avisos:
        yield from _vineta(_cuantas(grupos[regla], regla), 4)
    yield ""
    yield from _parrafo(
        "Qué no dice esta auditoría: si el papel es auténtico, si se transcribió bien o quién ganó. El "
        "PREP es preliminar y "
        "publica las actas como están."
    )


def _avance(h: Hallado) -> str:
    n = h.por_contabilizada
    registradas = n["0"] + n["1"] + n["2"]
    if not registradas:
        return f"Es un archivo en ceros: {_miles(n[''])} actas esperadas y ninguna registrada."
    partes = [
        f"suman votos {_miles(n['1'])}",
        f"no se suman {_miles(n['0'])}",
        f"fuera de catálogo {_miles(n['2'])}",
        f"pendientes {_miles(n[''])}",
    ]
    return f"Trae {_miles(h.renglones)} renglones y {_miles(registradas)} actas registradas: {', '.join(partes)}."


def _sobre_el_resumen(h: Hallado) -> str:
    comparados = [d for d in h.resumen if d.coincide is not None]
    if not comparados:
        return "El archivo no trae resumen que comprobar."
    bien = sum(d.coincide is True for d in comparados)
    return f"Se volvieron a calcular {len(comparados)} cifras del resumen: {bien} coinciden."


def _detalle(h: Hallado) -> Iterator[str]:
    yield ""
    yield from _titulo("Detalle 1. Resumen")
    yield f"{'campo':<36}{'publicado':>12}{'recalculado':>13}  ¿igual?"
    for d in (h.esperadas, *h.resumen):
        igual = {True: "sí", False: "NO", None: "—"}[d.coincide]
        publicado = "no está" if d.publicado is None else d.publicado or "vacío"
        yield f"{d.campo:<36}{publicado:>12}{d.recalculado or '—':>13}  {igual}"
        yield from _sangrado(f"regla: {d.regla}")
    yield ""
    yield from _titulo("Detalle 2. Columnas que se derivan de otras")
    for c in h.columnas:
        yield f"{c.columna:<24}{_miles(c.coinciden):>9} de {_miles(c.revisados):>7} renglones"
        yield from _sangrado(f"regla: {c.regla}")
    yield ""
    yield from _titulo("Detalle 3. Renglones que rompen una regla")
    grupos = _por_regla(h.violaciones)
    if not grupos:
        yield "Ninguno."
    for regla, violaciones in grupos.items():
        yield f"{regla.clave} ({regla.gravedad.value}): {_miles(len(violaciones))}."
        yield from _sangrado(f"Fundamento: {regla.fundamento}.")
        for v in violaciones[:_EJEMPLOS]:
            yield from _sangrado(f"línea {v.linea}, {v.clave_acta or 'sin clave'}: {v.detalle}")
        if len(violaciones) > _EJEMPLOS:
            yield f"    … y {_miles(len(violaciones) - _EJEMPLOS)} más (todas con --json)"
    yield ""
    yield from _titulo("Detalle 4. Lo que se dedujo del archivo")
    yield from _parrafo(f"Forma: {h.dialecto.describir()}.")
    yield from _parrafo(f"Partidos: {', '.join(h.planilla.partidos) or 'ninguno'}.")
    if h.planilla.independientes:
        yield from _parrafo(f"Candidaturas independientes: {', '.join(h.planilla.independientes)}.")
    for coalicion in h.planilla.coaliciones():
        yield from _parrafo(f"Coalición: {', '.join(coalicion)} ({_combinaciones(len(coalicion))}).")
    for falta in h.planilla.faltantes():
        yield from _parrafo(f"Falta la combinación {', '.join(falta)}.")
    yield from _parrafo(f"Tope de votos en casillas especiales: {h.criterios.especial.explicacion}.")


def _combinaciones(partidos: int) -> str:
    cuantas = 2**partidos - partidos - 1
    return "una combinación" if cuantas == 1 else f"{cuantas} combinaciones"


def _por_regla(violaciones: list[Violacion]) -> dict[Regla, list[Violacion]]:
    grupos: defaultdict[Regla, list[Violacion]] = defaultdict(list)
    for violacion in violaciones:
        grupos[violacion.regla].append(violacion)
    return {regla: grupos[regla] for regla in REGLAS if regla in grupos}


def _cuantas(violaciones: list[Violacion], regla: Regla) -> str:
    renglones = len({v.linea for v in violaciones})
    return f"{concordar(renglones, 'acta', 'actas')} {regla.publico}."


def _miles(n: int) -> str:
    return f"{n:,}"


def _titulo(texto: str) -> Iterator[str]:
    yield texto.upper()
    yield "=" * len(texto)


def _parrafo(texto: str) -> Iterator[str]:
    yield from textwrap.wrap(visible(texto), _ANCHO)


def _sangrado(texto: str) -> Iterator[str]:
    yield from textwrap.wrap(visible(texto), _ANCHO, initial_indent="    ", subsequent_indent="      ")


def _vineta(texto: str, sangria: int = 1) -> Iterator[str]:
    espacio = " " * sangria
    yield from textwrap.wrap(visible(texto), _ANCHO, initial_indent=f"{espacio}- ", subsequent_indent=f"{espacio}  ")
