"""El banco de imágenes, en chico: un acta con todos sus daños, por la misma cadena que corre en el kiosco.

Las metas de verdad se miden con `./prep medir-vision`; aquí sólo se cuida que nada se rompa ni se invente.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from ensayo.degradar import CLASES, EXTREMAS, MALAS, muestra
from ensayo.medida_vision import Banco, Medida, es_mala, medir_una, preparar_banco
from ensayo.medir_vision import PROCESO, principal
from ensayo.tabla_vision import DUDOSAS, en_markdown, metas

SEMILLA: Final = 11
FACILES: Final = ("limpia", "giro90", "giro180", "giro270", "giro10", "adf", "jpeg", "traspaso")

pytestmark = pytest.mark.lento


@pytest.fixture(scope="module")
def banco() -> Iterator[Banco]:
    hecho = preparar_banco(PROCESO)
    yield hecho
    hecho.segunda.cerrar()


@pytest.fixture(scope="module")
def medidas(banco: Banco) -> list[Medida]:
    return [medir_una(banco, SEMILLA, clase, 0) for clase in (*CLASES, *MALAS)]


def de(medidas: list[Medida], *clases: str) -> list[Medida]:
    return [m for m in medidas if m.clase in clases]


def test_son_veintitres_clases_y_nueve_malas() -> None:
    assert (len(CLASES), len(MALAS)) == (23, 9)


def test_ningun_codigo_falso(medidas: list[Medida]) -> None:
    assert [m for m in medidas if m.cascada.falsas or m.primer_paso.falsas] == []


def test_lo_que_no_es_extremo_se_identifica(medidas: list[Medida]) -> None:
    sin_leer = [(m.clase, m.indice, m.gravedad) for m in medidas if not es_mala(m.clase) and not m.cascada.leyo]
    assert [caso for caso in sin_leer if caso[0] not in EXTREMAS] == []
    assert len(sin_leer) <= 3


def test_las_buenas_no_se_rechazan_y_cada_casilla_queda_en_su_lugar(medidas: list[Medida]) -> None:
    faciles = de(medidas, *FACILES)
    assert len(faciles) == len(FACILES)
    assert [(m.clase, m.motivos) for m in faciles if not m.aceptable] == []
    errores = [m.error_mm for m in faciles if m.error_mm is not None]
    assert len(errores) == len(faciles)
    assert max(errores) < 0.5
    buenas = [m for m in medidas if not es_mala(m.clase) and m.clase not in DUDOSAS]
    assert sum(not m.aceptable for m in buenas) <= 1


def test_las_malas_se_rechazan(medidas: list[Medida]) -> None:
    malas = de(medidas, *MALAS)
    assert len(malas) == len(MALAS)
    assert [(m.clase, m.motivos) for m in malas if m.aceptable] == []
    assert sum(m.nombrada for m in malas) >= len(malas) - 1


def test_ninguna_imagen_guardada_pesa_de_mas(medidas: list[Medida]) -> None:
    assert max(m.kb for m in medidas) <= 200
    assert min(m.kb for m in medidas) > 0


def test_el_qr_de_un_reverso_no_cuenta_como_anverso(medidas: list[Medida]) -> None:
    (reverso,) = de(medidas, "mala_reverso")
    assert not reverso.aceptable
    assert reverso.en_espejo == int(reverso.cascada.qr)


def test_la_tabla_dice_lo_que_no_se_cumple(medidas: list[Medida]) -> None:
    tabla = en_markdown(medidas, SEMILLA)
    assert all(f"| {clase} |" in tabla for clase in (*CLASES, *MALAS))
    assert tabla.count("**NO**") == sum(meta.cumple is False for meta in metas(medidas))
    vacias = metas([])
    assert all(meta.cumple is None for meta in vacias)


def test_la_misma_semilla_da_la_misma_imagen_y_otra_no(banco: Banco) -> None:
    una, otra = (muestra(banco.proceso, SEMILLA, "mezcla2", 0) for _ in range(2))
    assert np.array_equal(una.imagen, otra.imagen)
    assert una.hoja.qr == otra.hoja.qr
    distinta = muestra(banco.proceso, SEMILLA + 1, "mezcla2", 0)
    assert distinta.hoja.qr != una.hoja.qr


@pytest.mark.parametrize("clase", ["giro270", "telefono_fuerte", "arrugada", "mala_recorte"])
def test_la_verdad_dice_donde_quedo_la_etiqueta(banco: Banco, clase: str) -> None:
    """Sin esto, un error del generador pasaría por error del registro: la marca negra está donde se dice."""
    m = muestra(banco.proceso, SEMILLA, clase, 0)
    lugares = m.donde(np.array([(6.5, 5.5), (209.5, 5.5), (6.5, 272.5), (104.0, 225.0)]))
    assert lugares is not None
    alto, ancho = m.imagen.shape[:2]
    tonos = []
    for x, y in lugares[:3].round().astype(int):
        if 3 <= x < ancho - 3 and 3 <= y < alto - 3:
            tonos.append(float(m.imagen[y - 2 : y + 3, x - 2 : x + 3].mean()))
    x, y = lugares[3].round().astype(int)
    papel = float(np.percentile(m.imagen[max(0, y - 30) : y + 30, max(0, x - 30) : x + 30], 80))
    assert len(tonos) >= (1 if clase == "mala_recorte" else 2)
    assert max(tonos) < 0.6 * papel


@pytest.mark.parametrize("mal", [["--clases", "quemadas"], ["--imagenes", "0"], ["--definicion", "/no/existe"]])
def test_una_orden_mal_escrita_se_explica(mal: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as salida:
        principal(mal)
    assert salida.value.code == 2
    assert "prep medir-vision" in capsys.readouterr().err


def test_la_orden_guarda_su_tabla(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    donde = tmp_path / "tabla.md"
    principal(["--imagenes", "1", "--clases", "ppp100", "--procesos", "1", "--salida", str(donde)])
    assert "| ppp100 | 1 |" in donde.read_text("utf-8")
    assert "Metas" in capsys.readouterr().out
