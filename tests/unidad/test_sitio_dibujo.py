"""El mapa: los hexágonos nunca se enciman, y un GeoJSON cualquiera se dibuja o se rechaza diciendo por qué."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Ambito
from servicio_central.sitio import geografia
from servicio_central.sitio.cartograma import MEDIO, RADIO, panal
from servicio_central.sitio.competidoras import COLORES, competidora, todas
from servicio_central.sitio.geografia import GeografiaInvalida
from servicio_central.sitio.mapa import cartograma_de, mapa_de
from servicio_central.sitio.paginas import Contexto
from tests.sitio_de_prueba import DATOS, corte_a_las, ficha_de
from tests.unidad.test_sitio_paginas import actas_variadas


def cuadro(clave: int, x: int, y: int, lado: int = 1) -> dict[str, Any]:
    anillo = [[x, y], [x + lado, y], [x + lado, y + lado], [x, y + lado], [x, y]]
    return {"properties": {"DISTRITO": clave}, "geometry": {"type": "Polygon", "coordinates": [anillo]}}


def coleccion(*figuras: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": figuras}).encode()


@given(st.integers(0, 700))
def test_los_hexagonos_caben_y_no_se_enciman(cuantos: int) -> None:
    dibujo = panal(cuantos)
    assert len(dibujo.centros) == cuantos
    assert all(MEDIO <= x <= dibujo.ancho - MEDIO and RADIO <= y <= dibujo.alto - RADIO for x, y in dibujo.centros)
    por_renglon: dict[int, list[int]] = {}
    for x, y in dibujo.centros:
        por_renglon.setdefault(y, []).append(x)
    renglones = list(por_renglon.items())
    for (y, xs), (debajo, otras) in pairwise(renglones):
        assert debajo - y >= 3 * RADIO // 2
        # En el panal, los de abajo van a medio paso de los de arriba.
        assert all(abs(x - otra) >= MEDIO for x in xs for otra in otras)
    assert all(b - a >= 2 * MEDIO for xs in por_renglon.values() for a, b in pairwise(xs))


def test_las_vecinas_comparten_lindero_despues_de_simplificar() -> None:
    """Un lindero de mil quiebres se simplifica una sola vez: lo que pierde una lo gana la otra."""
    zigzag = [[1 + (i % 2) * 0.001, i / 1000] for i in range(1001)]
    izquierda = [[0, 0], *zigzag, [0, 1], [0, 0]]
    derecha = [[2, 0], [2, 1], *reversed(zigzag), [2, 0]]
    figuras = [
        {"properties": {"DISTRITO": n}, "geometry": {"type": "Polygon", "coordinates": [anillo]}}
        for n, anillo in ((1, izquierda), (2, derecha))
    ]
    g = geografia.leer(coleccion(*figuras))
    assert max(len(t) for t in g.trazos.values()) < 60
    assert sum(_area(t) for t in g.trazos.values()) == g.ancho * g.alto
    assert geografia.leer(coleccion(*figuras[::-1])).trazos == g.trazos


def _area(trazo: str) -> int:
    total = 0
    for x, y, resto in re.findall(r"M(\d+) (\d+)l([^z]*)z", trazo):
        puntos = [(int(x), int(y))]
        pasos = [int(n) for n in re.findall(r"-?\d+", resto)]
        for dx, dy in zip(pasos[::2], pasos[1::2], strict=True):
            puntos.append((puntos[-1][0] + dx, puntos[-1][1] + dy))
        total += abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(puntos, [*puntos[1:], puntos[0]], strict=True))) // 2
    return total


@pytest.mark.parametrize(
    "crudo",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"features": []}',
        b'{"features": [{"properties": {}, "geometry": null}]}',
        coleccion({"properties": {"DISTRITO": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}),
        coleccion({"properties": {"nombre": "sin clave"}, "geometry": cuadro(1, 0, 0)["geometry"]}),
        coleccion(cuadro(1, 200, 0)),
        coleccion(cuadro(1, 0, 0, 0)),
        coleccion(cuadro(1, 0, 0)).replace(b"1]", b"NaN]"),
        coleccion(cuadro(1, 0, 0)).replace(b"1]", b"true]"),
        coleccion(cuadro(1, 0, 0)).replace(b"1]", b"1e999]"),
        b"[" * 100_000,
    ],
)
def test_un_geojson_que_no_sirve_se_rechaza_diciendo_por_que(crudo: bytes) -> None:
    with pytest.raises(GeografiaInvalida, match=r"."):
        geografia.leer(crudo)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda h: st.lists(h) | st.dictionaries(st.sampled_from(["features", "geometry", "properties", "type"]), h),
    )
)
def test_cualquier_json_se_dibuja_o_se_rechaza(dato: Any) -> None:
    with pytest.raises(GeografiaInvalida):
        geografia.leer(json.dumps(dato).encode())


def test_si_falta_el_contorno_de_una_division_se_prefiere_el_cartograma() -> None:
    proceso = cargar_proceso(DATOS / "ejemplo_tres_elecciones")
    eleccion = proceso.elecciones["GUB"]
    corte = corte_a_las(proceso.inicio_publicacion)
    ficha = ficha_de(proceso, {"GUB": actas_variadas(proceso, eleccion)}, corte).elecciones[0]
    completa = geografia.leer(coleccion(*(cuadro(n, n, 0) for n in (1, 2, 3))))
    incompleta = geografia.leer(coleccion(*(cuadro(n, n, 0) for n in (1, 2))))
    con_todas = mapa_de(ficha, Contexto(proceso, "", {Ambito.DISTRITO: completa}))
    assert con_todas is not None
    assert all(t.trazo and t.titulo.startswith(f"Distrito {t.numero}") for t in con_todas.teselas)
    assert mapa_de(ficha, Contexto(proceso, "", {Ambito.DISTRITO: incompleta})) is None
    assert [t.numero for t in cartograma_de(ficha).teselas] == ["1", "2", "3"]


def test_los_colores_se_leen_sobre_blanco_y_la_letra_no_se_repite() -> None:
    for color in COLORES:
        canales = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        lineales = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in canales]
        luz = 0.2126 * lineales[0] + 0.7152 * lineales[1] + 0.0722 * lineales[2]
        assert 1.05 / (luz + 0.05) >= 4.5, color
    for eleccion in cargar_proceso(DATOS / "ejemplo_tres_elecciones").elecciones.values():
        letras = [competidora(clave, eleccion).letra for clave in todas(eleccion)]
        assert len(set(letras)) == len(letras)
        assert all(letras)
