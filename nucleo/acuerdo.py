"""Qué leyó cada persona de cada campo y cuándo hay acuerdo: la cuenta en que se apoya la doble captura."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from nucleo.campo import SIN_DATO, Campo
from nucleo.hechos import Captura, Correccion, HechoDeActa

_H = TypeVar("_H", bound=HechoDeActa)


def en_orden(hechos: Iterable[_H]) -> list[_H]:
    """Por hora y tipo; el contenido completo sólo desempata, porque escribirlo cuesta más que todo lo demás."""
    orden = sorted(hechos, key=_hora_y_tipo)
    if any(_hora_y_tipo(a) == _hora_y_tipo(b) for a, b in pairwise(orden)):
        orden.sort(key=lambda h: (*_hora_y_tipo(h), repr(h)))
    return orden


def _hora_y_tipo(hecho: HechoDeActa) -> tuple[datetime, str]:
    return hecho.hora, type(hecho).__name__


def lecturas_de(capturas: Sequence[Captura], correcciones: Sequence[Correccion]) -> dict[str, dict[str, Campo]]:
    """Campo → persona → la primera lectura que esa persona hizo de él. `capturas` trae a lo más una por persona."""
    lecturas: dict[str, dict[str, Campo]] = {n: {} for c in capturas for n in c.asentado.campos()}
    hechos: list[Captura | Correccion] = [*capturas, *correcciones]
    for hecho in en_orden(hechos):
        campos = hecho.asentado.campos() if isinstance(hecho, Captura) else hecho.campos
        for nombre in lecturas.keys() & campos.keys():
            lecturas[nombre].setdefault(hecho.persona, campos[nombre])
    # Quien transcribió el acta sin ese renglón leyó que no hay dato; si no, cada corrección quedaría una contra una.
    for leidos in lecturas.values():
        for captura in capturas:
            leidos.setdefault(captura.persona, SIN_DATO)
    return lecturas


def acuerdo(leidos: Mapping[str, Campo]) -> Campo | None:
    """La lectura que apoyan dos personas o más, y más que cualquier otra; `None` si no la hay."""
    if len(leidos) == 2:
        # Casi todos los campos de casi todas las actas; contar con `Counter` triplica el costo del corte.
        uno, otro = leidos.values()
        return uno if uno == otro else None
    (campo, apoyos), *resto = Counter(leidos.values()).most_common(2)
    if apoyos < 2 or (resto and resto[0][1] == apoyos):
        return None
    return campo
