"""El catálogo de inconsistencias: completo, ordenado y único."""

from __future__ import annotations

from dataclasses import fields
from importlib import resources

import pytest

from nucleo.acta import MotivoSinActa
from nucleo.inconsistencias import (
    CATALOGO,
    CODIGOS,
    POR_MOTIVO,
    CatalogoInvalido,
    Inconsistencia,
    a_markdown,
    leer_catalogo,
)

TOML = resources.files("nucleo").joinpath("inconsistencias.toml").read_text("utf-8")


@pytest.mark.parametrize("codigo", CODIGOS)
def test_a_ninguna_inconsistencia_le_falta_explicacion(codigo: str) -> None:
    entrada = CATALOGO[codigo]
    textos = [getattr(entrada, c.name) for c in fields(Inconsistencia) if c.type == "str"]
    assert len(textos) == 6
    assert all(textos)
    assert entrada.para_coordinacion.endswith(".")
    assert entrada.publico.endswith(".")


def test_lo_que_se_dice_a_quien_captura_no_lo_invita_a_corregir_el_papel() -> None:
    prohibidas = ("corrija", "corregir", "excede", "error", "cambie")
    for entrada in CATALOGO.values():
        assert not any(palabra in entrada.para_captura.lower() for palabra in prohibidas), entrada.codigo


def test_cada_motivo_de_sin_acta_tiene_su_codigo_y_ninguno_suma() -> None:
    assert set(POR_MOTIVO) == set(MotivoSinActa)
    for codigo in POR_MOTIVO.values():
        assert CATALOGO[codigo].contabilizada == 0
        assert not CATALOGO[codigo].cuenta_en_porcentaje


def test_los_textos_publicados_no_se_confunden_entre_si() -> None:
    assert len({i.texto for i in CATALOGO.values()}) == len(CODIGOS)


def test_la_documentacion_sale_del_catalogo() -> None:
    tabla = a_markdown()
    for entrada in CATALOGO.values():
        assert f"| {entrada.codigo} | {entrada.contabilizada} |" in tabla
        assert entrada.publico in tabla


@pytest.mark.parametrize(
    ("antes", "despues", "dice"),
    [
        ('codigo = "FUERA_DE_CATALOGO"', 'codigo = "FUERA"', "los códigos deben ser"),
        ("contabilizada = 2", "contabilizada = 3", "contabilizada es 0, 1 ó 2"),
        ("contabilizada = 2", "contabilizada = true", "FUERA_DE_CATALOGO"),
        ("motivo_sin_acta = 1", "motivo_sin_acta = 9", "motivo_sin_acta es uno"),
        ("cuenta_en_porcentaje = false", 'cuenta_en_porcentaje = "no"', "verdadero o falso"),
        ('texto = "FUERA DE CATALOGO"', 'texto = ""', "falta el texto de texto"),
        ('texto = "FUERA DE CATALOGO"', 'color = "rojo"', "campo desconocido color"),
    ],
)
def test_alguien_edita_mal_el_catalogo(antes: str, despues: str, dice: str) -> None:
    with pytest.raises(CatalogoInvalido, match=dice):
        leer_catalogo(TOML.replace(antes, despues, 1))
