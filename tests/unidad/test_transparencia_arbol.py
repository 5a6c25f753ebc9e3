"""El árbol del registro contra otro escrito aparte, y ninguna prueba alterada convence."""

from __future__ import annotations

import hashlib
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.transparencia.arbol import (
    RAIZ_VACIA,
    Arbol,
    PruebaInvalida,
    comprobar_consistencia,
    comprobar_inclusion,
    huella_de_hoja,
)
from tests import arbol_ingenuo

HOJAS: Final = [b"hoja %d" % i for i in range(600)]
HASTA: Final = 40
"""Hasta aquí, todos los tamaños y todas las parejas."""

# Las ocho hojas con que prueban las bibliotecas de Certificate Transparency, y la raíz de las primeras n.
DE_CT: Final = [
    *(b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"),
    *(bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))),
]
RAICES_DE_CT: Final = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def arbol_de(hojas: list[bytes]) -> Arbol:
    arbol = Arbol()
    assert [arbol.agregar(h) for h in hojas] == list(range(len(hojas)))
    return arbol


GRANDE: Final = arbol_de(HOJAS)
tamanos = st.integers(1, len(HOJAS))


def test_las_raices_de_rfc_6962() -> None:
    arbol = arbol_de(DE_CT)
    assert {n: arbol.raiz(n).hex() for n in range(9)} == RAICES_DE_CT
    assert RAIZ_VACIA == Arbol().raiz() == hashlib.sha256().digest()


def test_todas_las_pruebas_de_los_arboles_chicos_son_las_de_la_definicion() -> None:
    for n in range(1, HASTA):
        hojas, raiz = HOJAS[:n], arbol_ingenuo.raiz(HOJAS[:n])
        assert GRANDE.raiz(n) == raiz
        for i in range(n):
            camino = GRANDE.inclusion(i, n)
            assert list(camino) == arbol_ingenuo.camino(i, hojas)
            comprobar_inclusion(huella_de_hoja(hojas[i]), i, n, raiz, camino)
        for m in range(1, n + 1):
            prueba = GRANDE.consistencia(m, n)
            assert list(prueba) == arbol_ingenuo.consistencia(m, hojas)
            comprobar_consistencia(m, n, GRANDE.raiz(m), raiz, prueba)


@given(st.data())
@settings(max_examples=60)
def test_y_las_de_los_grandes(data: st.DataObject) -> None:
    n = data.draw(tamanos)
    i, m = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n))
    raiz = arbol_ingenuo.raiz(HOJAS[:n])
    assert list(GRANDE.inclusion(i, n)) == arbol_ingenuo.camino(i, HOJAS[:n])
    comprobar_inclusion(huella_de_hoja(HOJAS[i]), i, n, raiz, GRANDE.inclusion(i, n))
    if m:
        assert list(GRANDE.consistencia(m, n)) == arbol_ingenuo.consistencia(m, HOJAS[:n])
    comprobar_consistencia(m, n, arbol_ingenuo.raiz(HOJAS[:m]), raiz, GRANDE.consistencia(m, n))


@given(st.lists(st.integers(0, 90), max_size=12))
def test_da_lo_mismo_en_cuantas_veces_se_agregue(tandas: list[int]) -> None:
    arbol, hechas = Arbol(), 0
    for cuantas in tandas:
        arbol.agregar_huellas(GRANDE.nodos(0, hechas, cuantas) if hechas + cuantas <= GRANDE.tamano else b"")
        hechas = arbol.tamano
    assert arbol.raiz() == GRANDE.raiz(hechas)


def con_un_bit_cambiado(data: st.DataObject, camino: tuple[bytes, ...]) -> tuple[bytes, ...]:
    lugar = data.draw(st.integers(0, len(camino) * 256 - 1))
    entero = bytearray(b"".join(camino))
    entero[lugar // 8] ^= 1 << lugar % 8
    return tuple(bytes(entero[i : i + 32]) for i in range(0, len(entero), 32))


@given(st.data())
def test_un_bit_cambiado_en_lo_que_sea_no_convence(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, len(HOJAS)))
    i, m = data.draw(st.integers(0, n - 1)), data.draw(st.integers(1, n - 1))
    camino, prueba = GRANDE.inclusion(i, n), GRANDE.consistencia(m, n)
    hoja, raiz, vieja = huella_de_hoja(HOJAS[i]), GRANDE.raiz(n), GRANDE.raiz(m)

    def otra(huella: bytes) -> bytes:
        return con_un_bit_cambiado(data, (huella,))[0]

    with pytest.raises(PruebaInvalida, match="no llega a la raíz"):
        comprobar_inclusion(hoja, i, n, raiz, con_un_bit_cambiado(data, camino))
    with pytest.raises(PruebaInvalida, match="no llega a la raíz"):
        comprobar_inclusion(otra(hoja), i, n, raiz, camino)
    with pytest.raises(PruebaInvalida, match="no llega a la raíz"):
        comprobar_inclusion(hoja, i, n, otra(raiz), camino)
    with pytest.raises(PruebaInvalida, match="la raíz de"):
        comprobar_consistencia(m, n, vieja, raiz, con_un_bit_cambiado(data, prueba))
    with pytest.raises(PruebaInvalida, match="la raíz de"):
        comprobar_consistencia(m, n, otra(vieja), raiz, prueba)
    with pytest.raises(PruebaInvalida, match="la raíz de"):
        comprobar_consistencia(m, n, vieja, otra(raiz), prueba)


@given(st.data())
def test_una_huella_de_mas_o_de_menos_no_convence(data: st.DataObject) -> None:
    n = data.draw(tamanos)
    i, m = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n))
    camino, prueba = GRANDE.inclusion(i, n), GRANDE.consistencia(m, n)
    for mala in [(*camino, RAIZ_VACIA), *([camino[:-1], camino[1:]] if camino else [])]:
        with pytest.raises(PruebaInvalida):
            comprobar_inclusion(huella_de_hoja(HOJAS[i]), i, n, GRANDE.raiz(n), mala)
    for mala in [(*prueba, RAIZ_VACIA), *([prueba[:-1], prueba[1:]] if prueba else [])]:
        with pytest.raises(PruebaInvalida):
            comprobar_consistencia(m, n, GRANDE.raiz(m), GRANDE.raiz(n), mala)


@given(st.data())
def test_la_prueba_de_una_hoja_no_sirve_para_otra(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, len(HOJAS)))
    i = data.draw(st.integers(0, n - 1))
    j = data.draw(st.integers(0, n - 1).filter(lambda j: j != i))
    with pytest.raises(PruebaInvalida):
        comprobar_inclusion(huella_de_hoja(HOJAS[i]), j, n, GRANDE.raiz(n), GRANDE.inclusion(i, n))


def test_un_nodo_no_se_hace_pasar_por_hoja() -> None:
    """Sin los prefijos, las dos huellas de abajo serían una «hoja» con su propia prueba."""
    with pytest.raises(PruebaInvalida, match="no llega a la raíz"):
        comprobar_inclusion(huella_de_hoja(GRANDE.nodos(0, 0, 2)), 0, 2, GRANDE.raiz(4), GRANDE.consistencia(2, 4))


def test_dos_raices_del_mismo_tamano_son_dos_historias() -> None:
    otro = arbol_de([*HOJAS[:9], b"otra"])
    with pytest.raises(PruebaInvalida, match="dos historias"):
        comprobar_consistencia(10, 10, GRANDE.raiz(10), otro.raiz(10), ())
    with pytest.raises(PruebaInvalida, match="no sale de la raíz"):
        comprobar_consistencia(10, 20, otro.raiz(10), GRANDE.raiz(20), GRANDE.consistencia(10, 20))


def test_no_se_prueba_lo_imposible() -> None:
    hoja, raiz = huella_de_hoja(HOJAS[0]), GRANDE.raiz(10)
    for indice, tamano in ((-1, 10), (10, 10), (0, 0), (0, 2**63), (0, -1)):
        with pytest.raises(PruebaInvalida, match="no puede estar"):
            comprobar_inclusion(hoja, indice, tamano, raiz, ())
    for viejo, nuevo in ((11, 10), (-1, 10), (1, 2**63)):
        with pytest.raises(PruebaInvalida, match="no puede ser el comienzo"):
            comprobar_consistencia(viejo, nuevo, raiz, raiz, ())
    with pytest.raises(PruebaInvalida, match="no mide 32"):
        comprobar_inclusion(hoja, 0, 2, raiz, (b"corta",))
    with pytest.raises(PruebaInvalida, match="árbol vacío"):
        comprobar_consistencia(0, 10, raiz, raiz, ())
    for pedido in (lambda: GRANDE.raiz(601), lambda: GRANDE.inclusion(5, 5), lambda: GRANDE.consistencia(6, 5)):
        with pytest.raises(PruebaInvalida):
            pedido()
    with pytest.raises(PruebaInvalida, match="no tiene completos"):
        GRANDE.nodo(9, 1)
    with pytest.raises(ValueError, match="no son huellas enteras"):
        Arbol().agregar_huellas(b"corta")


@given(st.integers(-2, 40), st.integers(-2, 40), st.lists(st.binary(min_size=30, max_size=33), max_size=8))
def test_basura_en_una_prueba_no_tumba_a_quien_comprueba(a: int, b: int, camino: list[bytes]) -> None:
    with pytest.raises(PruebaInvalida):
        comprobar_inclusion(huella_de_hoja(b"x"), a, b, RAIZ_VACIA, camino)
    if a != b and not (a == 0 and b > 0):
        with pytest.raises(PruebaInvalida):
            comprobar_consistencia(a, b, RAIZ_VACIA, GRANDE.raiz(9), camino)
