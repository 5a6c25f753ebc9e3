"""Los contornos que trae la definición (GeoJSON), simplificados una vez para que quepan en una página.

Todo se pasa a una cuadrícula de enteros antes de simplificar, y los linderos comunes se simplifican una sola vez: los
bytes son los mismos en cualquier máquina y dos vecinas nunca quedan separadas ni encimadas.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ANCHO: Final = 1000
"""Unidades del dibujo."""
MAXIMO_BYTES: Final = 20_000_000
_TOLERANCIA: Final = 4
"""Cuánto puede apartarse un lindero del original, en unidades del dibujo."""
_ISLA_MINIMA: Final = 60
"""Doble de la menor área que se dibuja, salvo que sea lo único de la división."""
_HOLGURA: Final = 30
"""Del centro a la orilla, para que quepa el rótulo."""
_CLAVES: Final = ("division", "DISTRITO", "distrito", "MUNICIPIO", "municipio", "CVE_MUN", "ID")
"""Propiedades en que se busca el número de la división, en orden."""

Punto = tuple[int, int]


class GeografiaInvalida(ValueError):
    """El GeoJSON no se puede usar; el texto dice por qué."""


@dataclass(frozen=True)
class Geografia:
    """Trazo SVG y lugar para el número de cada división."""

    ancho: int
    alto: int
    trazos: Mapping[int, str]
    centros: Mapping[int, Punto]
    """El lugar más holgado de cada una."""
    holgadas: frozenset[int]
    """Las que tienen lugar para su rótulo; a las demás el mapa no se lo pone."""


def leer(crudo: bytes) -> Geografia:
    """Lee y simplifica una colección de polígonos en grados (WGS 84).

    Raises:
        GeografiaInvalida: si no es GeoJSON, no trae polígonos o alguno no dice de qué división es.
    """
    if len(crudo) > MAXIMO_BYTES:
        raise GeografiaInvalida(f"mide más de {MAXIMO_BYTES // 1_000_000} MB")
    try:
        dato = json.loads(crudo)
        figuras = dict(_figuras(dato))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise GeografiaInvalida(f"no es un GeoJSON de polígonos: {error}") from error
    if not figuras:
        raise GeografiaInvalida("no trae ningún polígono")
    cuadricula, alto = _a_cuadricula(figuras)
    nudos = _nudos(cuadricula)
    trazos: dict[int, str] = {}
    centros: dict[int, Punto] = {}
    holgadas: set[int] = set()
    for clave in sorted(cuadricula):
        anillos = [_simplificar(anillo, nudos) for anillo in cuadricula[clave]]
        anillos = sorted((a for a in anillos if len(a) > 2), key=lambda a: (-abs(_doble_area(a)), a))
        grandes = [a for a in anillos if abs(_doble_area(a)) >= _ISLA_MINIMA] or anillos[:1]
        if not grandes:
            raise GeografiaInvalida(f"la división {clave} no tiene área")
        trazos[clave] = "".join(_trazo(a) for a in grandes)
        centros[clave], holgura2 = _centro(grandes[0])
        if holgura2 >= _HOLGURA**2:
            holgadas.add(clave)
    return Geografia(ANCHO, alto, trazos, centros, frozenset(holgadas))


def _figuras(dato: Mapping[str, Any]) -> Iterator[tuple[int, list[list[tuple[float, float]]]]]:
    juntas: dict[int, list[list[tuple[float, float]]]] = defaultdict(list)
    for figura in dato["features"]:
        forma = figura["geometry"]
        poligonos = {"Polygon": [forma["coordinates"]], "MultiPolygon": forma["coordinates"]}[forma["type"]]
        clave = _clave(figura["properties"])
        juntas[clave] += [
            [(_grados(p[0], 180), _grados(p[1], 90)) for p in anillo] for p_ in poligonos for anillo in p_
        ]
    yield from juntas.items()


def _grados(dato: object, tope: int) -> float:
    if isinstance(dato, bool) or not isinstance(dato, int | float) or not -tope <= dato <= tope:
        raise ValueError(f"{str(dato)[:20]!r} no es una coordenada en grados")
    return float(dato)


def _clave(propiedades: Mapping[str, Any]) -> int:
    for nombre in _CLAVES:
        if nombre in propiedades and propiedades[nombre] is not None:
            return int(str(propiedades[nombre]).partition(".")[0])
    raise ValueError(f"una figura no dice su división (propiedad {' o '.join(_CLAVES[:3])})")


def _a_cuadricula(
    figuras: Mapping[int, list[list[tuple[float, float]]]],
) -> tuple[dict[int, list[list[Punto]]], int]:
    puntos = [p for anillos in figuras.values() for anillo in anillos for p in anillo]
    oeste, este = min(p[0] for p in puntos), max(p[0] for p in puntos)
    sur, norte = min(p[1] for p in puntos), max(p[1] for p in puntos)
    # Un grado de longitud se acorta con la latitud. El coseno va por su serie, en enteros de milésimas, para no
    # depender de la biblioteca matemática de cada máquina.
    radianes = int((norte + sur) / 2 * 17.4533)
    coseno = 1000 - radianes**2 // 2000 + radianes**4 // 24_000_000_000
    if este <= oeste or norte <= sur or coseno <= 0:
        raise GeografiaInvalida("los polígonos no tienen área")
    escala = ANCHO / (este - oeste)
    escala_y = escala * 1000 / coseno

    def punto(p: tuple[float, float]) -> Punto:
        return int((p[0] - oeste) * escala + 0.5), int((norte - p[1]) * escala_y + 0.5)

    alto = int((norte - sur) * escala_y + 0.5)
    if alto > 20 * ANCHO:
        raise GeografiaInvalida("los polígonos son demasiado alargados para dibujarlos")
    return {c: [_sin_repetir([punto(p) for p in a]) for a in anillos] for c, anillos in figuras.items()}, alto


def _sin_repetir(anillo: Sequence[Punto]) -> list[Punto]:
    limpio: list[Punto] = []
    for p in anillo:
        if not limpio or limpio[-1] != p:
            limpio.append(p)
    while len(limpio) > 1 and limpio[0] == limpio[-1]:
        limpio.pop()
    return limpio


def _nudos(figuras: Mapping[int, Sequence[Sequence[Punto]]]) -> set[Punto]:
    """Donde se juntan tres linderos o más: ahí nada se mueve."""
    vecinos: dict[Punto, set[Punto]] = defaultdict(set)
    for anillos in figuras.values():
        for anillo in anillos:
            for uno, otro in zip(anillo, [*anillo[1:], *anillo[:1]], strict=True):
                vecinos[uno].add(otro)
                vecinos[otro].add(uno)
    return {p for p, quienes in vecinos.items() if len(quienes) > 2}


def _simplificar(anillo: list[Punto], nudos: set[Punto]) -> list[Punto]:
    if len(anillo) < 3:
        return anillo
    # Sin nudos (una isla) se empieza por el vértice menor y se parte en el más lejano, venga como venga el anillo.
    cortes = [i for i, p in enumerate(anillo) if p in nudos]
    if len(cortes) < 2:
        inicio = cortes[0] if cortes else anillo.index(min(anillo))
        anillo = anillo[inicio:] + anillo[:inicio]
        lejos = max(range(len(anillo)), key=lambda i: (_distancia2(anillo[0], anillo[i]), anillo[i]))
        cortes = [0, lejos]
    else:
        anillo = anillo[cortes[0] :] + anillo[: cortes[0]]
        cortes = [c - cortes[0] for c in cortes]
    simple: list[Punto] = []
    for desde, hasta in zip(cortes, [*cortes[1:], len(anillo)], strict=True):
        tramo = [*anillo[desde:hasta], anillo[hasta % len(anillo)]]
        derecho = tramo[0] <= tramo[-1]
        reducido = _peucker(tramo if derecho else tramo[::-1])
        simple += (reducido if derecho else reducido[::-1])[:-1]
    return _sin_repetir(simple)


def _peucker(tramo: list[Punto]) -> list[Punto]:
    """Douglas-Peucker en enteros y sin recursión."""
    quedan = {0, len(tramo) - 1}
    pendientes = [(0, len(tramo) - 1)]
    while pendientes:
        a, b = pendientes.pop()
        (ax, ay), (bx, by) = tramo[a], tramo[b]
        dx, dy = bx - ax, by - ay
        largo2 = dx * dx + dy * dy
        peor, lugar = 0, -1
        for i in range(a + 1, b):
            x, y = tramo[i]
            # Si el tramo es cerrado, la distancia es al punto; si no, a la recta, sin dividir.
            lejos = (dx * (ay - y) - dy * (ax - x)) ** 2 if largo2 else _distancia2(tramo[a], (x, y))
            if lejos > peor:
                peor, lugar = lejos, i
        if lugar > 0 and peor > _TOLERANCIA**2 * (largo2 or 1):
            quedan.add(lugar)
            pendientes += [(a, lugar), (lugar, b)]
    return [tramo[i] for i in sorted(quedan)]


def _distancia2(a: Punto, b: Punto) -> int:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _doble_area(anillo: Sequence[Punto]) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(anillo, [*anillo[1:], anillo[0]], strict=True))


def _trazo(anillo: Sequence[Punto]) -> str:
    (x, y), *resto = anillo
    trazo = [f"M{x} {y}l"]
    partes = []
    for a, b in resto:
        partes.append(f"{a - x} {b - y}")
        x, y = a, b
    return trazo[0] + " ".join(partes).replace(" -", "-") + "z"


def _centro(anillo: Sequence[Punto]) -> tuple[Punto, int]:
    """El punto de una malla, dentro del contorno, que queda más lejos de sus vértices, y esa distancia al cuadrado."""
    xs, ys = [p[0] for p in anillo], [p[1] for p in anillo]
    mejor, lejos = anillo[0], -1
    for j in range(1, 16):
        for i in range(1, 16):
            p = (min(xs) + (max(xs) - min(xs)) * i // 16, min(ys) + (max(ys) - min(ys)) * j // 16)
            if _dentro(p, anillo):
                orilla = min(_distancia2(p, q) for q in anillo)
                if orilla > lejos:
                    mejor, lejos = p, orilla
    return mejor, lejos


def _dentro(p: Punto, anillo: Sequence[Punto]) -> bool:
    dentro = False
    for (ax, ay), (bx, by) in zip(anillo, [*anillo[1:], anillo[0]], strict=True):
        if (ay > p[1]) != (by > p[1]):
            cruce = (p[1] - ay) * (bx - ax) - (p[0] - ax) * (by - ay)
            if (cruce > 0) == (by > ay):
                dentro = not dentro
    return dentro
