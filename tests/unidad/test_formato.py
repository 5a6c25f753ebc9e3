"""El formato en blanco: se lee lo bien escrito, se explica lo mal escrito, y el dibujo cabe en su hoja."""

from __future__ import annotations

import io
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from ensayo.formato_dibujado import MAXIMO_KB, a_png, a_toml, dibujar_formato, formatos_de, principal
from ensayo.formato_trazado import NoCabe, trazar
from ensayo.numeros_en_letra import en_letra
from nucleo.acta import COMPLEMENTARIOS
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.formato import CARPETA, Formato, formato_para, leer_formato, leer_formatos
from nucleo.problema_archivo import Problema
from tests.unidad.actas_en_imagen import EJEMPLO

OAXACA = EJEMPLO.parent / "oaxaca_2022"
BUENO = (EJEMPLO / CARPETA / "GUB.toml").read_text("utf-8")


def _problemas(toml: str) -> list[Problema]:
    leido = leer_formato(toml.encode(), "GUB.toml")
    assert isinstance(leido, list)
    return leido


@pytest.mark.parametrize("carpeta", [OAXACA, EJEMPLO], ids=lambda c: c.name)
def test_ninguna_casilla_del_catalogo_se_queda_sin_formato(carpeta: Path) -> None:
    proceso = cargar_proceso(carpeta)
    formatos = leer_formatos(carpeta)
    for eleccion in proceso.elecciones.values():
        for casilla in proceso.esperadas(eleccion.clave):
            formato = formato_para(formatos, eleccion, casilla)
            assert formato is not None, f"{eleccion.clave} {casilla.clave}"
            assert formato.opciones == tuple(o.clave for o in eleccion.opciones_de(casilla))


@pytest.mark.parametrize("carpeta", [OAXACA, EJEMPLO], ids=lambda c: c.name)
def test_lo_escrito_en_formatos_es_lo_que_hoy_se_dibuja(carpeta: Path) -> None:
    proceso = cargar_proceso(carpeta)
    for eleccion in proceso.elecciones.values():
        for formato, divisiones in formatos_de(proceso, eleccion):
            guardado = (carpeta / CARPETA / f"{formato.clave}.toml").read_text("utf-8")
            assert guardado == a_toml(formato, divisiones), f"vuelva a correr ensayo.formato_dibujado {carpeta.name}"
            assert leer_formato(guardado.encode(), formato.clave) == formato
    opciones = [eleccion.por_clave[o] for o in formato.opciones]
    hoy = Image.open(io.BytesIO(a_png(dibujar_formato(formato, eleccion.nombre, opciones)))).convert("L")
    papel = Image.open(carpeta / CARPETA / formato.imagen).convert("L")
    distintos = ImageChops.difference(hoy, papel).histogram()[255]
    assert distintos < 0.001 * papel.width * papel.height


def test_la_imagen_del_formato_no_pesa_de_mas() -> None:
    pesos = [r.stat().st_size for c in (OAXACA, EJEMPLO) for r in (c / CARPETA).glob("*.png")]
    assert len(pesos) == 9
    assert max(pesos) <= MAXIMO_KB * 1024


def test_dos_elecciones_con_los_mismos_renglones_tienen_cada_una_su_formato() -> None:
    proceso = cargar_proceso(EJEMPLO)
    formatos = leer_formatos(EJEMPLO)
    casilla = next(c for c in proceso.casillas.values() if c.distrito == 2)
    claves = {e.clave: formato_para(formatos, e, casilla) for e in proceso.elecciones.values()}
    assert {k: f.eleccion for k, f in claves.items() if f} == {k: k for k in claves}
    assert formato_para(formatos[:0], proceso.elecciones["GUB"], casilla) is None


def test_una_coalicion_enorme_que_no_cabe_se_dice_y_no_se_encima() -> None:
    claves = [f"C_{i}" for i in range(55)]
    renglones = trazar("GUB", claves, "GUB").renglones
    assert min(r.alto for r in renglones.values()) >= 5.2
    with pytest.raises(NoCabe, match="hoja mayor"):
        trazar("GUB", [f"C_{i}" for i in range(56)], "GUB")


@given(st.integers(1, 55))
def test_con_cualquier_numero_de_renglones_ninguno_se_encima_ni_se_sale(cuantos: int) -> None:
    formato = trazar("GUB", [f"C_{i}" for i in range(cuantos)], "GUB")
    leido = leer_formato(a_toml(formato, (0,)).encode(), "GUB.toml")
    assert leido == formato
    cajas = sorted(formato.renglones.values(), key=lambda c: (c.x, c.y))
    for una, otra in pairwise(cajas):
        assert otra.x >= una.x + una.ancho or otra.y >= una.y + una.alto - 0.011
    assert list(formato.casillas) == [*COMPLEMENTARIOS[:4], *formato.opciones, "TOTAL_ASENTADO"]


@pytest.mark.parametrize(
    ("antes", "despues", "dice"),
    [
        ("ancho_mm = 216.0", 'ancho_mm = "216"', "no es una medida"),
        ("ancho_mm = 216.0", "ancho_mm = -1", "no es una medida"),
        ("ancho_mm = 216.0", "ancho_mm = nan", "no es una medida"),
        ("ancho_mm = 216.0", f"ancho_mm = 1{'0' * 400}", "no es una medida"),
        ("ancho_mm = 216.0", "ancho_mm = 100", "se sale de la hoja"),
        ('imagen = "GUB.png"', 'imagen = "../../llave.png"', "«imagen» dice"),
        ('imagen = "GUB.png"', "", "falta «imagen»"),
        ('clave = "GUB"', 'clave = "GUB"\nclabe = 1', "no se conoce"),
        ("codigo = [110, 11, 98, 40]", "", "falta la región"),
        ("codigo = [110, 11, 98, 40]", "codigo = [110, 11, 98]", "no son cuatro medidas"),
        ("codigo = [110, 11, 98, 40]", "codigo = [110, 11, 98, inf]", "no son cuatro medidas"),
        ("[casillas]", "[casiyas]", "falta «casillas»"),
    ],
)
def test_una_medida_mal_escrita_se_senala_en_su_linea(antes: str, despues: str, dice: str) -> None:
    assert antes in BUENO
    problemas = _problemas(BUENO.replace(antes, despues, 1))
    assert any(dice in p.que for p in problemas), problemas
    assert all(p.causa and p.siguiente and p.linea >= 1 for p in problemas)


def test_un_renglon_sin_casilla_o_con_la_casilla_en_otro_lado_no_pasa() -> None:
    renglones, casillas = BUENO.split("[casillas]\n")
    sin_pan = "".join(x for x in casillas.splitlines(True) if not x.startswith("PAN ="))
    assert any("PAN está sólo en «renglones»" in p.que for p in _problemas(f"{renglones}[casillas]\n{sin_pan}"))
    movida = "".join("PAN = [8, 8, 5, 5]\n" if x.startswith("PAN =") else x for x in casillas.splitlines(True))
    assert any("se sale de su renglón" in p.que for p in _problemas(f"{renglones}[casillas]\n{movida}"))


def test_un_formato_renombrado_o_danado_detiene_la_lectura_con_su_archivo(tmp_path: Path) -> None:
    assert leer_formatos(tmp_path) == ()
    (tmp_path / CARPETA).mkdir()
    shutil.copy(EJEMPLO / CARPETA / "GUB.toml", tmp_path / CARPETA / "OTRO.toml")
    (tmp_path / CARPETA / "ROTO.toml").write_bytes(b"clave = \xff")
    with pytest.raises(DefinicionInvalida) as error:
        leer_formatos(tmp_path)
    assert [p.archivo for p in error.value.problemas] == ["OTRO.toml", "ROTO.toml"]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_bytes_al_azar_dan_problemas_y_nunca_una_traza(datos: bytes) -> None:
    leido = leer_formato(datos, "x.toml")
    assert isinstance(leido, list)
    assert leido


_valores = st.recursive(
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(st.characters(codec="ascii", exclude_characters='"\\'), max_size=9),
    lambda v: st.lists(v, max_size=5),
    max_leaves=8,
)


@given(st.sampled_from(["clave", "ancho_mm", "imagen", "regiones", "renglones", "casillas"]), _valores)
def test_un_valor_cualquiera_en_una_llave_se_explica(llave: str, valor: object) -> None:
    lineas = [x for x in BUENO.splitlines() if not x.startswith(f"{llave} =") and x != f"[{llave}]"]
    dicho = repr(valor).replace("'", '"').replace("True", "true").replace("False", "false")
    leido = leer_formato(f"{llave} = {dicho}\n{chr(10).join(lineas)}\n".encode(), "x.toml")
    assert isinstance(leido, Formato) or all(p.que and p.siguiente for p in leido)


def test_la_orden_dice_que_escribio_y_que_le_falto(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert principal([str(tmp_path)]) == 2
    assert "Siguiente paso" in capsys.readouterr().err
    for archivo in ("eleccion.toml", "casillas.csv"):
        shutil.copy(EJEMPLO / archivo, tmp_path)
    assert principal([str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(".png") == 8
    assert leer_formatos(tmp_path, "DIP_LOC") == leer_formatos(EJEMPLO, "DIP_LOC")


@pytest.mark.parametrize(
    ("n", "dicho"),
    [(0, "cero"), (21, "veintiuno"), (100, "cien"), (101, "ciento uno"), (999, "novecientos noventa y nueve"),
     (1000, "mil"), (1001, "mil uno"), (21_000, "veintiún mil"), (31_005, "treinta y un mil cinco")],
)  # fmt: skip
def test_la_letra_dice_lo_mismo_que_el_numero(n: int, dicho: str) -> None:
    assert en_letra(n) == dicho
