"""Los eventos de la bitácora: todo lo que se anota está declarado, y nada se declara por si acaso."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from nucleo.eventos import eventos

RAIZ: Final = Path(__file__).resolve().parents[2]
MODULOS: Final = {
    str(m.relative_to(RAIZ)): ast.parse(m.read_text("utf-8")) for m in sorted((RAIZ / "appliance").rglob("*.py"))
}
SE_ANOTA: Final = "anotar"
LUGAR: Final = 1
"""El evento es el segundo argumento de `Transaccion.anotar`."""
POR_DONDE_PASA: Final = {"appliance/almacen.py"}
"""Donde el evento es un parámetro porque ahí vive `anotar`."""


def anotaciones(arbol: ast.Module) -> Iterator[ast.expr]:
    """El evento de cada llamada a `anotar` de una transacción."""
    for nodo in ast.walk(arbol):
        match nodo:
            case ast.Call(func=ast.Attribute(attr=quien), args=argumentos) if quien == SE_ANOTA:
                yield argumentos[LUGAR]


def textos(expresion: ast.expr, arbol: ast.Module) -> set[str]:
    """Los textos que puede valer: él mismo, los de sus dos ramas, o los que se le dan a ese nombre en el módulo."""
    match expresion:
        case ast.Constant(value=str(texto)):
            return {texto}
        case ast.IfExp(body=si, orelse=no):
            return textos(si, arbol) | textos(no, arbol)
        case ast.Name(id=nombre):
            return {t for valor in _dados_a(nombre, arbol) for t in textos(valor, arbol)}
    raise AssertionError(f"línea {expresion.lineno}: no se puede leer qué evento se anota; escríbalo")


def _dados_a(nombre: str, arbol: ast.Module) -> Iterator[ast.expr]:
    for nodo in ast.walk(arbol):
        match nodo:
            case ast.Assign(targets=[ast.Name(id=quien)], value=valor) if quien == nombre:
                yield valor
            case ast.AnnAssign(target=ast.Name(id=quien), value=ast.expr() as valor) if quien == nombre:
                yield valor
            case ast.FunctionDef(name=funcion, args=ast.arguments(args=parametros)):
                lugares = [i for i, p in enumerate(parametros) if p.arg == nombre]
                yield from (llamada.args[i] for i in lugares for llamada in _llamadas(funcion, arbol))


def _llamadas(funcion: str, arbol: ast.Module) -> Iterator[ast.Call]:
    for nodo in ast.walk(arbol):
        match nodo:
            case ast.Call(func=ast.Name(id=quien)) if quien == funcion:
                yield nodo


def se_anotan(modulo: str) -> set[str]:
    arbol = MODULOS[modulo]
    return {t for evento in anotaciones(arbol) for t in textos(evento, arbol)}


@pytest.mark.parametrize("modulo", [m for m in MODULOS if m not in POR_DONDE_PASA])
def test_no_se_anota_un_evento_que_nadie_declaro(modulo: str) -> None:
    arbol = MODULOS[modulo]
    assert all(textos(evento, arbol) for evento in anotaciones(arbol)), f"{modulo}: no se sabe qué evento se anota"
    assert se_anotan(modulo) <= set(eventos()), f"{modulo} anota {se_anotan(modulo) - set(eventos())}, sin declarar"


def test_ningun_evento_se_declara_y_no_se_anota() -> None:
    anotados = {e for m in MODULOS if m not in POR_DONDE_PASA for e in se_anotan(m)}
    assert len(anotados) > 40
    assert set(eventos()) == anotados, f"nadie anota {set(eventos()) - anotados}"
