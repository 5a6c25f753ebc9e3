"""Vuelve a calcular el resumen publicado a partir de los renglones, y nombra la regla que lo explica.

Se toma CONTABILIZADA como se publicó (los renglones mal contabilizados se denuncian aparte): así se sabe si
el resumen sale de *sus* renglones. De los trece datos, ACTAS_ESPERADAS no se deriva; sólo se compara con el
catálogo que el archivo trae.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditoria import reglas_porcentaje
from auditoria.ficha import Estado, Ficha
from nucleo.base_oficial.celdas import entero, llano
from nucleo.base_oficial.lectura import BaseLeida
from nucleo.computo import RESUMEN

ESPERADAS, *DERIVABLES = RESUMEN

_SIN_EXPLICACION = "ninguna de las reglas conocidas lo reproduce"
_NO_PUBLICADO = "este formato no lo publica"


@dataclass(frozen=True, slots=True)
class Dato:
    """Un dato del resumen: lo publicado, lo recalculado y la regla que explica lo publicado.

    `coincide` es `None` si no hay con qué comparar.
    """

    campo: str
    publicado: str | None
    recalculado: str | None
    coincide: bool | None
    regla: str


@dataclass(frozen=True, slots=True)
class _Cuenta:
    """Un entero posible y cómo se obtiene."""

    valor: int
    regla: str


@dataclass(frozen=True, slots=True)
class _Razon:
    """Un porcentaje posible y de qué sale."""

    parte: int
    total: int
    regla: str


_Posibles = tuple[tuple[_Cuenta, ...], tuple[_Cuenta, ...]] | tuple[tuple[_Razon, ...], tuple[_Razon, ...]]
"""Las formas que cumplen y las que no, en el orden en que se prueban."""


def recalcular(base: BaseLeida, fichas: Sequence[Ficha]) -> list[Dato]:
    """Los doce datos derivables del resumen, en su orden."""
    posibles = _posibles(fichas, _esperadas(base, fichas))
    sin_actas = not any(f.contabilizada for f in fichas)
    return [_comparar(campo, base.resumen.get(campo), posibles[campo], sin_actas) for campo in DERIVABLES]


def comparar_esperadas(base: BaseLeida, fichas: Sequence[Ficha]) -> Dato:
    """ACTAS_ESPERADAS contra los renglones de catálogo, si el archivo los trae todos."""
    renglones = sum(f.estado is not Estado.FUERA_DE_CATALOGO for f in fichas)
    publicado = base.resumen.get(ESPERADAS)
    esperadas = entero(publicado or "")
    if publicado is None:
        return Dato(ESPERADAS, publicado, str(renglones), None, _NO_PUBLICADO)
    if esperadas is None:
        return Dato(ESPERADAS, publicado, str(renglones), False, _SIN_EXPLICACION)
    if renglones < esperadas and not any(f.estado is Estado.PENDIENTE for f in fichas):
        return Dato(ESPERADAS, publicado, None, None, "el archivo sólo trae las actas registradas")
    especiales = sum(f.especial for f in fichas) if _con_representacion_proporcional(base) else 0
    if especiales and esperadas == renglones + especiales:
        # En diputaciones la casilla especial levanta además un acta de representación proporcional (dominio §5.1).
        regla = f"renglones de catálogo más {especiales} actas de representación proporcional que no trae"
        return Dato(ESPERADAS, publicado, str(esperadas), True, regla)
    regla = "renglones de catálogo en el archivo"
    return Dato(ESPERADAS, publicado, str(renglones), esperadas == renglones, regla)


def _con_representacion_proporcional(base: BaseLeida) -> bool:
    return "ID_DISTRITO_LOCAL" in base.posiciones and re.search("DIPUTA(CION|D)", llano(base.tipo_eleccion)) is not None


def _esperadas(base: BaseLeida, fichas: Sequence[Ficha]) -> int:
    publicadas = entero(base.resumen.get(ESPERADAS, ""))
    if publicadas is not None:
        return publicadas
    return sum(f.estado is not Estado.FUERA_DE_CATALOGO for f in fichas)


def _posibles(fichas: Sequence[Ficha], esperadas: int) -> Mapping[str, _Posibles]:
    n = Counter(f.publicada for f in fichas)
    suman = [f for f in fichas if f.contabilizada]
    lista = sum(f.lista_nominal or 0 for f in suman if not f.especial)
    con = sum(f.total for f in suman)
    sin = sum(f.total for f in suman if not f.especial)
    del_catalogo = [f for f in fichas if f.publicada in ("0", "1")]
    inconsistentes = sum(f.dice_inconsistencia for f in del_catalogo)
    sin_acta = sum(f.estado is Estado.SIN_ACTA for f in del_catalogo)
    sin_contar_especiales = max(0, con - sum(f.especial for f in suman))
    capturadas = n["0"] + n["1"]
    return {
        "ACTAS_REGISTRADAS": (
            (_Cuenta(capturadas + n["2"], "actas con CONTABILIZADA 0, 1 ó 2"),),
            (_Cuenta(capturadas, "actas con CONTABILIZADA 0 ó 1: olvida las fuera de catálogo"),),
        ),
        "ACTAS_FUERA_CATALOGO": ((_Cuenta(n["2"], "actas con CONTABILIZADA 2"),), ()),
        "ACTAS_CAPTURADAS": (
            (_Cuenta(capturadas, "actas con CONTABILIZADA 0 ó 1"),),
            (_Cuenta(capturadas + n["2"], "actas con CONTABILIZADA 0, 1 ó 2: incluye las fuera de catálogo"),),
        ),
        "PORCENTAJE_ACTAS_CAPTURADAS": (
            (_Razon(capturadas, esperadas, "capturadas entre esperadas"),),
            (_Razon(capturadas + n["2"], esperadas, "registradas entre esperadas"),),
        ),
        "ACTAS_CONTABILIZADAS": ((_Cuenta(n["1"], "actas con CONTABILIZADA 1"),), ()),
        "PORCENTAJE_ACTAS_CONTABILIZADAS": (
            (_Razon(n["1"], esperadas, "contabilizadas entre esperadas"),),
            (_Razon(n["1"], capturadas, "contabilizadas entre capturadas"),),
        ),
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": (
            (_Razon(inconsistentes, esperadas, "actas con observación que cuenta, entre esperadas"),),
            (
                _Razon(inconsistentes + sin_acta, esperadas, "incluye las «sin acta»"),
                _Razon(inconsistentes + n["2"], esperadas, "incluye las fuera de catálogo"),
                _Razon(inconsistentes + sin_acta + n["2"], esperadas, "incluye «sin acta» y fuera de catálogo"),
                _Razon(inconsistentes, capturadas, "entre capturadas"),
            ),
        ),
        "ACTAS_NO_CONTABILIZADAS": (
            (_Cuenta(n["0"], "actas con CONTABILIZADA 0"),),
            (_Cuenta(n["0"] + n["2"], "actas con CONTABILIZADA 0 ó 2: incluye las fuera de catálogo"),),
        ),
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": (
            (_Cuenta(lista, "suma de LISTA_NOMINAL de las contabilizadas"),),
            (
                _Cuenta(sum(f.lista_nominal or 0 for f in suman), "suma también la lista nominal de las especiales"),
                _Cuenta(sum(f.lista_nominal or 0 for f in del_catalogo), "suma la de todas las capturadas"),
            ),
        ),
        "TOTAL_VOTOS_C_CS": (
            (_Cuenta(con, "votos de las contabilizadas, con especiales"),),
            (_Cuenta(sin, "votos sin especiales: debía incluirlas"),),
        ),
        "TOTAL_VOTOS_S_CS": (
            (_Cuenta(sin, "votos de las contabilizadas, sin los de las especiales"),),
            (
                _Cuenta(sin_contar_especiales, "resta el número de actas especiales en vez de sus votos"),
                _Cuenta(con, "votos con especiales: debía excluirlas"),
            ),
        ),
        "PORCENTAJE_PARTICIPACION_CIUDADANA": (
            (
                _Razon(sin, lista, "sin especiales, como durante la operación"),
                _Razon(con, lista, "con especiales, como en el último corte"),
            ),
            (_Razon(sin_contar_especiales, lista, "resta el número de actas especiales en vez de sus votos"),),
        ),
    }


def _comparar(campo: str, publicado: str | None, posibles: _Posibles, sin_actas: bool) -> Dato:
    debidas, indebidas = posibles
    recalculado = _texto(debidas[0])
    if publicado is None:
        return Dato(campo, None, recalculado, None, _NO_PUBLICADO)
    if publicado in ("", "-") and sin_actas and reglas_porcentaje.iguales(recalculado, "0"):
        return Dato(campo, publicado, recalculado, True, "vacío por cero: aún no hay actas contabilizadas")
    for texto, regla, cumple in (
        *_explicaciones(publicado, debidas, True),
        *_explicaciones(publicado, indebidas, False),
    ):
        # Si no cumple, lo recalculado es lo que debió publicarse y la regla es la que explica lo publicado.
        return Dato(campo, publicado, texto if cumple else recalculado, cumple, regla)
    return Dato(campo, publicado, recalculado, False, _SIN_EXPLICACION)


def _explicaciones(
    publicado: str, posibles: Iterable[_Cuenta | _Razon], debidas: bool
) -> Iterator[tuple[str, str, bool]]:
    """Cada forma que reproduce lo publicado: (recalculado, regla, si cumple).

    Primero las aritméticas exactas.
    """
    inexactas = []
    for p in posibles:
        if isinstance(p, _Cuenta):
            if entero(publicado) == p.valor:
                yield str(p.valor), p.regla, debidas
        elif aritmetica := reglas_porcentaje.que_lo_explica(publicado, p.parte, p.total):
            exacta = aritmetica is reglas_porcentaje.EXACTA
            forma = "" if reglas_porcentaje.con_cuatro_decimales(publicado) else "; sin sus cuatro decimales"
            explicacion = (_texto(p), f"{p.regla}; {aritmetica.nombre}{forma}", debidas and exacta)
            if exacta:
                yield explicacion
            else:
                inexactas.append(explicacion)
    yield from inexactas


def _texto(posible: _Cuenta | _Razon) -> str:
    if isinstance(posible, _Cuenta):
        return str(posible.valor)
    return reglas_porcentaje.EXACTA.calcular(posible.parte, posible.total)
