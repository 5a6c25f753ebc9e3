"""Con qué nombre, letra y color aparece cada candidatura, siempre la misma en todas las páginas de su elección.

No hay colores oficiales: la letra y el color salen del orden del acta, y el color nunca va solo. El color da la vuelta
después del octavo; la letra no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase
from typing import Final

from nucleo.eleccion import Ambito, Eleccion, TipoOpcion
from servicio_central.sitio import cifras

COLORES: Final = ("#1f5fa8", "#b45309", "#2e7d4f", "#7a4aa3", "#b0306e", "#0f7c86", "#75691b", "#51606f")
"""Sobre blanco, todos con 4.5 a 1 o más; `estilo.css` tiene los mismos y los del modo oscuro."""
GRIS: Final = "#6b7280"

_NO_COMPITEN: Final = (TipoOpcion.NO_REGISTRADAS, TipoOpcion.NULOS)


@dataclass(frozen=True, slots=True)
class Competidora:
    """Una candidatura en una página."""

    clave: str
    letra: str
    """Vacía si no compite (no registradas y nulos)."""
    clase: str
    """De la hoja de estilo: `k1` a `k8`, o `k0`."""
    nombre: str
    detalle: str

    @property
    def color(self) -> str:
        return COLORES[int(self.clase[1:]) - 1] if self.letra else GRIS


@dataclass(frozen=True, slots=True)
class Barra:
    """Un renglón de una gráfica de votos. `largo` va de 0 a 1000: milésimas de la barra más larga."""

    quien: Competidora
    votos: int
    porcentaje: str
    largo: int


def competidora(clave: str, eleccion: Eleccion, donde: int | None = None) -> Competidora:
    """Nombre, letra y color de una clave de candidatura.

    Args:
        donde: distrito o municipio, para decir quién la encabeza ahí; `None` es toda la entidad.
    """
    return _competidora(clave, _Eleccion(eleccion), donde)


class _Eleccion:
    """La elección como llave de la memoria: por identidad, porque sus listas no se pueden resumir."""

    def __init__(self, eleccion: Eleccion) -> None:
        self.eleccion = eleccion

    def __hash__(self) -> int:
        return id(self.eleccion)

    def __eq__(self, otra: object) -> bool:
        return isinstance(otra, _Eleccion) and otra.eleccion is self.eleccion


@lru_cache(maxsize=16_384)
def _competidora(clave: str, memoria: _Eleccion, donde: int | None) -> Competidora:
    eleccion = memoria.eleccion
    opcion = eleccion.por_clave.get(clave)
    if opcion is not None and opcion.tipo in _NO_COMPITEN:
        return Competidora(clave, "", "k0", opcion.nombre, "")
    lugar = _orden(memoria).get(clave, 0)
    siglas, detalle = _siglas(clave, eleccion)
    personas = _personas(clave, eleccion, donde)
    nombre = cifras.enumerar(personas) or siglas
    detalles = [siglas] if personas else []
    if detalle and detalle not in (nombre, siglas, siglas.replace(" · ", "-")):
        detalles.append(detalle)
    return Competidora(clave, _letra(lugar), f"k{lugar % len(COLORES) + 1}", nombre, ", ".join(detalles))


def barras(votos: Mapping[str, int], eleccion: Eleccion, donde: int | None = None) -> tuple[Barra, ...]:
    """De más a menos votos; empatadas, en el orden del acta. No registradas y nulos van al final."""
    orden = {clave: lugar for lugar, clave in enumerate(votos)}
    filas = [(competidora(clave, eleccion, donde), cuantos) for clave, cuantos in votos.items()]
    filas.sort(key=lambda f: (not f[0].letra, -f[1] if f[0].letra else 0, orden[f[0].clave]))
    return _medir(filas, sum(votos.values()))


def barras_por_renglon(votos: Mapping[str, int], eleccion: Eleccion) -> tuple[Barra, ...]:
    """En el orden del acta, con el color de la candidatura a que pertenece cada renglón si sólo es una."""
    filas = []
    for clave, cuantos in votos.items():
        opcion = eleccion.por_clave.get(clave)
        nombre, detalle = _siglas(clave, eleccion)
        if opcion is not None and opcion.tipo in _NO_COMPITEN:
            filas.append((Competidora(clave, "", "k0", opcion.nombre, ""), cuantos))
            continue
        detalle = "marcaron juntos a estos partidos" if opcion and opcion.tipo is TipoOpcion.COMBINACION else detalle
        filas.append((Competidora(clave, "", "k9", nombre, detalle), cuantos))
    return _medir(filas, sum(votos.values()))


def _medir(filas: Sequence[tuple[Competidora, int]], total: int) -> tuple[Barra, ...]:
    mayor = max((n for _, n in filas), default=0)
    return tuple(Barra(q, n, cifras.por_ciento(n, total), cifras.milesimas(n, mayor)) for q, n in filas)


def todas(eleccion: Eleccion) -> tuple[str, ...]:
    """Claves de candidatura que puede haber en la elección, en el orden del acta."""
    return tuple(_orden(_Eleccion(eleccion)))


@lru_cache(maxsize=64)
def _orden(memoria: _Eleccion) -> Mapping[str, int]:
    eleccion = memoria.eleccion
    claves: dict[str, None] = {}
    for opcion in eleccion.opciones:
        if opcion.tipo in (*_NO_COMPITEN, TipoOpcion.COMBINACION):
            continue
        alianzas = [(c.nombre, c.ambitos) for c in eleccion.coaliciones if opcion.clave in c.partidos]
        alianzas += [(c.clave, c.ambitos) for c in eleccion.comunes if opcion.clave in (c.clave, *c.partidos)]
        claves.update(dict.fromkeys(nombre for nombre, _ in alianzas))
        if all(ambitos is not None for _, ambitos in alianzas):
            claves.setdefault(opcion.clave)
    return {clave: lugar for lugar, clave in enumerate(claves)}


def _letra(lugar: int) -> str:
    vuelta, resto = divmod(lugar, len(ascii_uppercase))
    return (ascii_uppercase[vuelta - 1] if vuelta else "") + ascii_uppercase[resto]


def _siglas(clave: str, eleccion: Eleccion) -> tuple[str, str]:
    partidos = _partidos(clave, eleccion)
    opcion = eleccion.por_clave.get(clave)
    if opcion is not None and opcion.tipo is TipoOpcion.INDEPENDIENTE:
        return opcion.nombre, ""
    if len(partidos) > 1:
        nombre = opcion.nombre if opcion is not None and opcion.tipo is TipoOpcion.COMUN else clave
        return " · ".join(partidos), "" if opcion is not None and opcion.tipo is TipoOpcion.COMBINACION else nombre
    return clave, "" if opcion is None or opcion.nombre == clave else opcion.nombre


def _partidos(clave: str, eleccion: Eleccion) -> tuple[str, ...]:
    grupos: Iterable[tuple[str, tuple[str, ...]]] = (
        *((c.nombre, c.partidos) for c in eleccion.coaliciones),
        *((c.clave, c.partidos) for c in eleccion.comunes),
    )
    for nombre, partidos in grupos:
        if nombre == clave:
            return partidos
    opcion = eleccion.por_clave.get(clave)
    return opcion.partidos if opcion is not None and opcion.partidos else (clave,)


def _personas(clave: str, eleccion: Eleccion, donde: int | None) -> list[str]:
    if eleccion.ambito is not Ambito.ENTIDAD and donde is None:
        return []
    partidos = set(_partidos(clave, eleccion))
    return [
        c.propietaria
        for c in eleccion.candidaturas
        if set(c.partidos) in (partidos, {clave}) and c.ambito in (None, donde)
    ]
