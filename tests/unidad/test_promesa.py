"""La promesa que se lleva una representación: se comprueba sin tener la hoja, y no se puede inventar."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa, Imagen
from nucleo.promesa import Promesa, PromesaInvalida, leer_promesa, promesa_de
from tests.sobres_de_prueba import AHORA, EquipoDePrueba

EQUIPO = EquipoDePrueba("catd-001")
IMAGEN = Imagen(IdActa("GUB", "200001B0100"), AHORA, "a" * 64, 100_000, Digitalizacion.ESCANER, "e-1")


def una_promesa() -> Promesa:
    sobre = EQUIPO.firmar(IMAGEN)
    lugar = (EQUIPO.nombre, EQUIPO.epoca, 1)
    return promesa_de("prueba2022", "simulacro", IMAGEN.acta, IMAGEN.sha256, AHORA, lugar, sobre)


PROMESA = una_promesa()


def test_con_la_huella_y_la_firma_basta_para_probar_que_falta_una_hoja() -> None:
    leida = leer_promesa(PROMESA.qr)
    leida.comprobar(EQUIPO.quien.llave)
    assert leida.qr == PROMESA.qr


def test_un_recibo_inventado_no_prueba_nada() -> None:
    otra = dataclasses.replace(PROMESA, huella="b" * 64)
    with pytest.raises(PromesaInvalida, match="no es de catd-001"):
        otra.comprobar(EQUIPO.quien.llave)
    with pytest.raises(PromesaInvalida):
        PROMESA.comprobar(EquipoDePrueba("catd-002").quien.llave)


@given(st.integers(0, len(PROMESA.qr) - 1), st.characters(codec="latin-1"))
def test_un_qr_mal_leido_no_pasa_por_bueno(donde: int, otro: str) -> None:
    texto = PROMESA.qr[:donde] + otro + PROMESA.qr[donde + 1 :]
    try:
        leida = leer_promesa(texto)
    except PromesaInvalida:
        return
    assert leida.qr == texto.strip()


@given(st.text(max_size=800))
def test_ningun_texto_tumba_al_lector(texto: str) -> None:
    with pytest.raises(PromesaInvalida):
        leer_promesa(texto)


@given(st.lists(st.text(max_size=90), min_size=10, max_size=10))
def test_ni_uno_con_la_marca(partes: list[str]) -> None:
    with pytest.raises(PromesaInvalida):
        leer_promesa("|".join(("PREPC2", *partes)))
