"""Las hojas del registro: una sola escritura para cada cosa que se dice, y nada de fuera tumba a quien lee."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.hechos import IdActa
from nucleo.publicacion.reserva import HechoReservado
from nucleo.transparencia.hojas import (
    MAXIMO_HOJA,
    ActaPublicada,
    Ceros,
    CortePublicado,
    Documento,
    Hoja,
    HojaInvalida,
    SucesoDeOperacion,
    escribir,
    hoja_de_hecho,
    leer,
)
from tests.sobres_de_prueba import AHORA

H = "ab" * 32
LLAVE = "prep.ejemplo/oax+0a1b2c3d+AVnyNrRmGyoZQdlAhCrGDP1iYPuzaLoUZQxwZPLOrxfB"
CEROS = Ceros("oax", "simulacro", AHORA, "prep.ejemplo/oax", LLAVE, H, H, H, (LLAVE,), 1)
EJEMPLOS: list[Hoja] = [
    CEROS,
    HechoReservado("catd-001", "00000000000000e1", 7, H, H, "captura", IdActa("GUB", "200001B0100"), 1),
    HechoReservado("catd-001", "00000000000000e1", 8, H, H, "bitacora", None, None),
    Documento("padron", H, 1024, "3"),
    ActaPublicada("GUB", "200001B0100", "20220605_2120", H, "", (H, "cd" * 32)),
    CortePublicado("20220605_2120", AHORA, False, H),
    SucesoDeOperacion(AHORA, "pausa", "se cambió un disco; de las 22:10 a las 22:14"),
]


@pytest.mark.parametrize("hoja", EJEMPLOS, ids=lambda h: type(h).__name__)
def test_cada_hoja_va_y_vuelve(hoja: Hoja) -> None:
    assert leer(escribir(hoja)) == hoja


def test_el_sobre_va_tal_cual() -> None:
    assert leer(hoja_de_hecho("a.b.c")) == "a.b.c"
    with pytest.raises(HojaInvalida, match="mide"):
        hoja_de_hecho("a" * MAXIMO_HOJA)


@pytest.mark.parametrize("hoja", EJEMPLOS, ids=lambda h: type(h).__name__)
def test_la_misma_hoja_escrita_de_otra_forma_no_es_una_hoja(hoja: Hoja) -> None:
    clase, _, cuerpo = escribir(hoja).partition(b"\n")
    dato = json.loads(cuerpo)
    for otra in (json.dumps(dato), json.dumps(dict(reversed(dato.items())), separators=(",", ":"))):
        with pytest.raises(HojaInvalida):
            leer(clase + b"\n" + otra.encode())
    with pytest.raises(HojaInvalida):
        leer(clase + b"\n" + cuerpo + b"\n")
    with pytest.raises(HojaInvalida):
        leer(clase + b"\n" + json.dumps({**dato, "x": 1}, separators=(",", ":"), sort_keys=True).encode())


def test_no_se_firma_lo_que_nadie_podria_leer() -> None:
    with pytest.raises(HojaInvalida):
        escribir(replace(CEROS, quorum=2))
    with pytest.raises(HojaInvalida):
        escribir(SucesoDeOperacion(AHORA, "siesta", "x"))
    with pytest.raises(HojaInvalida):
        escribir(SucesoDeOperacion(AHORA, "pausa", "dos\nrenglones"))


@given(st.binary(max_size=300))
def test_ningun_byte_tumba_al_lector(datos: bytes) -> None:
    with pytest.raises(HojaInvalida):
        leer(datos)


@given(st.sampled_from(EJEMPLOS), st.data())
def test_un_byte_cambiado_o_es_otra_hoja_bien_escrita_o_no_es_ninguna(hoja: Hoja, datos: st.DataObject) -> None:
    bytes_ = bytearray(escribir(hoja))
    lugar = datos.draw(st.integers(0, len(bytes_) - 1))
    bytes_[lugar] = datos.draw(st.integers(0, 255))
    try:
        leida = leer(bytes(bytes_))
    except HojaInvalida:
        return
    assert isinstance(leida, str) or escribir(leida) == bytes(bytes_)
