"""Ninguna lengua se publica a medias, ni con texto de máquina: sólo completa y con quien la revisó."""

from __future__ import annotations

import pytest

from servicio_central.sitio.lenguas import CATALOGOS, FRASES, leer_catalogo, paginas_de_lenguas, publicables
from servicio_central.sitio.paginas import Contexto
from servicio_central.sitio.plantilla import estatico
from tests.unidad.test_sitio_paginas import Enlaces, ficha_variada, sitio_chico


def catalogo(
    codigo: str = "zai", reviso: str = "Quien Revisa", sin: str = "", marcada: str = "", html: str = ""
) -> bytes:
    """Un catálogo de prueba: la «traducción» es la misma frase entre corchetes."""
    partes = [
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        f'"Language: {codigo}\\n"\n"Language-Team: Prueba\\n"\n"Last-Translator: {reviso}\\n"\n'
    ]
    for frase in FRASES:
        traducida = "" if frase == sin else f"[{html}{frase}]"
        partes.append(("#, fuzzy\n" if frase == marcada else "") + f'msgid "{frase}"\nmsgstr "{traducida}"\n')
    return "\n".join(partes).encode()


def test_hoy_no_hay_ninguna_traduccion_revisada_y_ninguna_se_publica() -> None:
    assert publicables() == ()
    assert not [ruta for ruta in sitio_chico() if ruta.startswith("resumen-")]
    for nombre in CATALOGOS:
        crudo = estatico(f"../catalogos/{nombre}.po")
        assert crudo.startswith(b"# POR REVISAR")
        assert crudo.count(b'msgstr ""') == len(FRASES) + 1, "no se inventa texto en lenguas originarias"
        assert all(f'msgid "{frase}"'.encode() in crudo for frase in FRASES)


@pytest.mark.parametrize(
    "crudo",
    [
        catalogo(sin="Votos"),
        catalogo(marcada="Votos"),
        catalogo(reviso=""),
        catalogo(codigo=""),
        catalogo(codigo="../"),
    ],
    ids=["falta-una-frase", "una-dudosa", "sin-revisor", "sin-variante", "codigo-hostil"],
)
def test_una_traduccion_a_medias_no_se_publica(crudo: bytes) -> None:
    assert leer_catalogo(crudo, "Prueba") is None


def test_una_revisada_se_publica_con_su_lengua_y_sin_volverse_html() -> None:
    lengua = leer_catalogo(catalogo(html="<b>"), "Prueba")
    assert lengua is not None
    ficha = ficha_variada()
    ((ruta, datos),) = paginas_de_lenguas(ficha, Contexto(ficha.proceso), [lengua])
    assert ruta == "resumen-zai.html"
    assert b'<div lang="zai">' in datos
    assert b"<b>Resultados" not in datos
    assert all(f"[&lt;b&gt;{frase}]".encode() in datos for frase in FRASES)
    assert not Enlaces(datos).malos
