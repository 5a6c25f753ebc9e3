"""El localizador encuentra la línea aunque el TOML parezca decir otra cosa."""

from __future__ import annotations

import tomllib

import pytest

from nucleo.definicion.localizador import Localizador, Ruta

ENREDADO = '''\
titulo = "[no.es.encabezado]" # [[tampoco]]
texto = """
[esto.es.texto]
clave = 1
con ""comillas"" y \\""" escapadas"""""
literal = \'\'\'
[[tampoco]]
'no' \'\'\'
"con punto.y espacio" = 1
"acent\\u006F" = 2

lista = [
    1, # ]
    "]",
    [2, 3],
    { a = 1, b.c = "}" },
]
punteada.una.dos = 4

[[arreglo]]
x = 1
[arreglo.hija]
y = 1
  [[arreglo.nietas]]
  z = 1
  [[arreglo.nietas]]
  z = 2
[[arreglo]]
x = 2
[arreglo.hija]
y = 2

[suelta.dentro]
h = 2022-06-05 18:00:00
[suelta]
i = 1
'''

LINEAS: list[tuple[Ruta, int]] = [
    ((), 1),
    (("titulo",), 1),
    (("texto",), 2),
    (("literal",), 6),
    (("con punto.y espacio",), 9),
    (("acento",), 10),
    (("lista",), 12),
    (("lista", 0), 13),
    (("lista", 1), 14),
    (("lista", 2), 15),
    (("lista", 2, 1), 15),
    (("lista", 3), 16),
    (("lista", 3, "b", "c"), 16),
    (("punteada",), 18),
    (("punteada", "una", "dos"), 18),
    (("arreglo",), 20),
    (("arreglo", 0), 20),
    (("arreglo", 0, "x"), 21),
    (("arreglo", 0, "hija"), 22),
    (("arreglo", 0, "hija", "y"), 23),
    (("arreglo", 0, "nietas"), 24),
    (("arreglo", 0, "nietas", 0), 24),
    (("arreglo", 0, "nietas", 1, "z"), 27),
    (("arreglo", 1), 28),
    (("arreglo", 1, "hija", "y"), 31),
    (("suelta", "dentro", "h"), 34),
    (("suelta",), 35),
    (("suelta", "i"), 36),
]


@pytest.mark.parametrize(("ruta", "linea"), LINEAS, ids=str)
def test_un_texto_con_forma_de_encabezado_no_confunde(ruta: Ruta, linea: int) -> None:
    assert Localizador(ENREDADO).linea(ruta) == linea


def test_el_texto_enredado_dice_lo_que_la_prueba_supone() -> None:
    dato = tomllib.loads(ENREDADO)
    assert dato["texto"].endswith('escapadas""')
    assert dato["lista"][3]["b"]["c"] == "}"
    assert dato["arreglo"][0]["nietas"][1]["z"] == 2


def test_lo_que_no_esta_escrito_se_senala_en_lo_que_lo_contiene() -> None:
    localizador = Localizador(ENREDADO)
    assert localizador.linea(("arreglo", 1, "falta")) == 28
    assert localizador.linea(("arreglo", 1, "hija", "falta", "mas")) == 30
    assert localizador.linea(("no", "existe")) == 1


def test_los_finales_de_linea_de_windows_no_corren_la_cuenta() -> None:
    localizador = Localizador(ENREDADO.replace("\n", "\r\n"))
    assert [localizador.linea(ruta) for ruta, _ in LINEAS] == [linea for _, linea in LINEAS]


def test_un_archivo_vacio_tiene_linea_uno() -> None:
    assert Localizador("").linea(("clave",)) == 1
