"""De los votos por renglón de cada división a los de cada candidatura y partido, y a quién va adelante."""

from __future__ import annotations

from collections.abc import Mapping

from nucleo.coalicion import por_candidatura, repartir_divisiones
from nucleo.eleccion import Eleccion, TipoOpcion


def candidaturas_de(votos_por_division: Mapping[int | None, Mapping[str, int]], eleccion: Eleccion) -> dict[str, int]:
    """Votos por candidatura de esas divisiones, en el orden del acta.

    Donde una coalición no existe, sus partidos van por separado: por eso se suma división por división.
    """
    suma: dict[str, int] = {}
    for ambito, votos in votos_por_division.items():
        for candidatura, cuantos in por_candidatura(votos, eleccion, ambito).items():
            suma[candidatura] = suma.get(candidatura, 0) + cuantos
    lugar = _lugares(eleccion)
    return dict(sorted(suma.items(), key=lambda par: lugar.get(par[0], (len(lugar), 0))))


def partidos_de(votos_por_division: Mapping[int | None, Mapping[str, int]], eleccion: Eleccion) -> dict[str, int]:
    """Votos por partido, con lo que a cada uno le toca de sus coaliciones en cada división, en el orden del acta."""
    suma = repartir_divisiones(votos_por_division, eleccion)
    lugar = {clave: numero for numero, clave in enumerate(eleccion.por_clave)}
    # Un partido que sólo aparece dentro de una candidatura común no tiene renglón: va al final, por su nombre.
    return dict(sorted(suma.items(), key=lambda par: (lugar.get(par[0], len(lugar)), par[0])))


def adelante_de(votos: Mapping[str, int], eleccion: Eleccion) -> tuple[str, ...]:
    """Las candidaturas con más votos: una, varias si empatan, ninguna si nadie tiene. No registradas y nulos no
    compiten.
    """
    no_compiten = {o.clave for o in eleccion.opciones if o.tipo in (TipoOpcion.NO_REGISTRADAS, TipoOpcion.NULOS)}
    compiten = {clave: cuantos for clave, cuantos in votos.items() if clave not in no_compiten}
    mas = max(compiten.values(), default=0)
    return tuple(clave for clave, cuantos in compiten.items() if cuantos == mas and mas > 0)


def _lugares(eleccion: Eleccion) -> dict[str, tuple[int, int]]:
    """Una coalición va donde el primero de sus renglones, justo después de él si ahí compite solo."""
    renglon = {clave: numero for numero, clave in enumerate(eleccion.por_clave)}
    lugares = {clave: (numero, 0) for clave, numero in renglon.items()}
    for numero, coalicion in enumerate(eleccion.coaliciones, 1):
        suyos = [renglon[c] for c in (*coalicion.partidos, *coalicion.combinaciones) if c in renglon]
        lugares[coalicion.nombre] = (min(suyos, default=len(renglon)), numero)
    return lugares
