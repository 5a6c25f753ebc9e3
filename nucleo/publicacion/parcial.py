"""El parcial: lo que suman unas actas cualesquiera. Dos parciales se suman, y el de toda la elección es la suma de los
de sus secciones: por eso un corte sólo vuelve a contar las secciones que cambiaron.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from nucleo.acta import Acta, ActaFueraDeCatalogo, ActaVerificada
from nucleo.campo import valor
from nucleo.clasificacion import clasificar, cuenta_como_inconsistente
from nucleo.computo import Resumen
from nucleo.eleccion import Eleccion, Proceso
from nucleo.inconsistencias import CATALOGO
from nucleo.publicacion.situacion import PENDIENTES, Situacion

CAUSAS: Final[tuple[str, ...]] = (
    *(s.value for s in PENDIENTES),
    *(codigo for codigo, entrada in CATALOGO.items() if entrada.contabilizada == 0),
)
"""Por qué una esperada no se contabiliza, en el orden en que se publican: primero lo que aún puede llegar."""


@dataclass(frozen=True, slots=True)
class Parcial:
    """Cantidades en actas, personas o votos, sólo enteros. `Parcial()` es el de ningún acta."""

    esperadas: int = 0
    fuera_catalogo: int = 0
    contabilizadas: int = 0
    no_contabilizadas: int = 0
    inconsistentes: int = 0
    lista_nominal_esperada: int = 0
    """De todas las casillas esperadas, con acta o sin ella."""
    lista_nominal: int = 0
    """De las contabilizadas; las especiales aportan cero."""
    votos_c_cs: int = 0
    votos_s_cs: int = 0
    """Sin casillas especiales."""
    urbanas: int = 0
    no_urbanas: int = 0
    """Contabilizadas por ubicación."""
    votos: Mapping[str, int] = field(default_factory=dict)
    """Clave de renglón → votos contabilizados, con los renglones que existen en esas actas."""
    faltantes: Mapping[str, int] = field(default_factory=dict)
    """Causa (una de `CAUSAS`) → esperadas que no se contabilizan; sin las que están en cero. Sus valores suman
    `esperadas - contabilizadas`."""
    inconsistencias: Mapping[str, int] = field(default_factory=dict)
    """Código del catálogo → actas que la tienen, sin las que están en cero."""

    def __add__(self, otro: Parcial) -> Parcial:
        return sumar((self, otro))

    def resumen(self, ultimo_corte: bool) -> Resumen:
        """Los trece datos oficiales de estas actas."""
        return Resumen(
            self.esperadas,
            self.fuera_catalogo,
            self.contabilizadas,
            self.no_contabilizadas,
            self.inconsistentes,
            self.lista_nominal,
            self.votos_c_cs,
            self.votos_s_cs,
            ultimo_corte,
        )


def sumar(parciales: Iterable[Parcial]) -> Parcial:
    """El parcial de todas las actas de esos parciales. Da igual el orden y cómo se agrupen."""
    enteros = [0] * len(_ENTEROS)
    votos: dict[str, int] = {}
    faltantes: dict[str, int] = {}
    inconsistencias: dict[str, int] = {}
    for parcial in parciales:
        enteros = [suma + getattr(parcial, nombre) for suma, nombre in zip(enteros, _ENTEROS, strict=True)]
        _acumular(votos, parcial.votos)
        _acumular(faltantes, parcial.faltantes)
        _acumular(inconsistencias, parcial.inconsistencias)
    return _parcial(dict(zip(_ENTEROS, enteros, strict=True)), votos, faltantes, inconsistencias)


def parcial_de(actas: Iterable[tuple[Acta, Situacion]], proceso: Proceso, eleccion: Eleccion) -> Parcial:
    """El parcial de unas actas de una elección, esperadas o fuera de catálogo, cada una con su situación."""
    cuenta: Counter[str] = Counter()
    votos: dict[str, int] = {}
    faltantes: Counter[str] = Counter()
    inconsistencias: Counter[str] = Counter()
    for acta, situacion in actas:
        clasificacion = clasificar(acta, proceso)
        codigos = clasificacion.inconsistencias if clasificacion is not None else ()
        inconsistencias.update(codigos)
        if isinstance(acta, ActaFueraDeCatalogo):
            cuenta["fuera_catalogo"] += 1
            continue
        casilla = acta.casilla
        cuenta["esperadas"] += 1
        cuenta["lista_nominal_esperada"] += casilla.lista_nominal
        for opcion in eleccion.opciones_de(casilla):
            votos.setdefault(opcion.clave, 0)
        if clasificacion is None:
            faltantes[situacion.value] += 1
            continue
        cuenta["inconsistentes"] += cuenta_como_inconsistente(clasificacion)
        if clasificacion.contabilizada != 1 or not isinstance(acta, ActaVerificada):
            cuenta["no_contabilizadas"] += 1
            faltantes[next(c for c in codigos if c in CAUSAS)] += 1
            continue
        cuenta["contabilizadas"] += 1
        cuenta["urbanas"] += casilla.ubicacion == 1
        cuenta["no_urbanas"] += casilla.ubicacion == 2
        total = 0
        for clave, campo in acta.asentado.votos.items():
            votos[clave] += (suyos := valor(campo))
            total += suyos
        cuenta["votos_c_cs"] += total
        if not casilla.especial:
            cuenta["votos_s_cs"] += total
            cuenta["lista_nominal"] += casilla.lista_nominal
    return _parcial(cuenta, votos, dict(faltantes), dict(inconsistencias))


_ENTEROS: Final = tuple(c.name for c in fields(Parcial))[:-3]
"""Los campos que son una sola cantidad; los tres últimos son cuentas por clave."""


def _parcial(
    cuenta: Mapping[str, int], votos: dict[str, int], faltantes: dict[str, int], inconsistencias: dict[str, int]
) -> Parcial:
    enteros = (cuenta.get(nombre, 0) for nombre in _ENTEROS)
    return Parcial(*enteros, votos, faltantes, inconsistencias)  # type: ignore[call-arg, arg-type]


def _acumular(suma: dict[str, int], otra: Mapping[str, int]) -> None:
    for clave, cuantos in otra.items():
        suma[clave] = suma.get(clave, 0) + cuantos
