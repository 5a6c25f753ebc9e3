"""Las medidas del enlace, en chico: que cuenten bien. Los tiempos se ven con `./prep medir enlace`, no aquí."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensayo import medir as medir_a_secas
from ensayo.medicion_enlace import acuse, angosto, borrado, durable, orden, tropel
from ensayo.medicion_enlace.banco import BancoRoto
from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from ensayo.medicion_enlace.red import SinRed
from ensayo.medicion_enlace.referencia import limite

RENGLON = Renglon("demora", "≤ 1 s", "2 s", "0.5 s a secas", "4.0 veces", cumple=False)


def callar(_: str) -> None:
    """Nadie quiere leer cómo va."""


def dice(medida: Medida, que: str) -> Renglon:
    (renglon,) = (r for r in medida.renglones if r.que.startswith(que))
    return renglon


# ------------------------------------------------------------------------------------------------------- con la cabeza


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.1, 100))
def test_el_percentil_es_el_menor_que_alcanza(valores: list[float], cuanto: float) -> None:
    medido = percentil(valores, cuanto)
    hasta = sum(v <= medido for v in valores)
    assert hasta >= math.ceil(len(valores) * cuanto / 100)
    assert sum(v < medido for v in valores) < max(1, len(valores) * cuanto / 100)


def test_sin_nada_medido_no_hay_percentil_ni_se_cumple() -> None:
    with pytest.raises(ValueError, match="nada medido"):
        percentil([], 50)
    assert not Medida("x", "nada", ()).cumple


def test_una_meta_sin_cumplir_no_se_maquilla() -> None:
    medida = Medida("x", "prueba", (replace(RENGLON, cumple=True), RENGLON))
    assert not medida.cumple
    texto = medida.texto()
    assert "NO SE CUMPLE" in texto
    for dato in ("≤ 1 s", "2 s", "0.5 s a secas", "4.0 veces"):
        assert dato in texto


def _opcion(medir: Callable[[Path, Decir], Medida]) -> dict[str, orden.Opcion]:
    return {"z": orden.Opcion("z", "prueba", medir, medir)}


def _no_hay_red(_carpeta: Path, _decir: Decir) -> Medida:
    raise SinRed("hace falta root")


@pytest.mark.parametrize(
    ("medir", "sale", "imprime"),
    [
        (lambda _c, _d: Medida("z", "prueba", (replace(RENGLON, cumple=True),)), 0, "1 de 1 medidas cumplen"),
        (lambda _c, _d: Medida("z", "prueba", (RENGLON,)), 1, "no cumplen: z"),
        (_no_hay_red, 2, "NO SE PUDO MEDIR: hace falta root"),
    ],
)
def test_con_que_sale_y_que_imprime(
    medir: Callable[[Path, Decir], Medida],
    sale: int,
    imprime: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(orden, "OPCIONES", _opcion(medir))
    assert medir_a_secas.principal(["enlace", "--solo", "z"]) == sale
    assert imprime in capsys.readouterr().out


@pytest.mark.parametrize(("medir", "sale"), [(lambda _c, _d: Medida("z", "prueba", (RENGLON,)), 0), (_no_hay_red, 2)])
def test_en_chico_no_se_juzga_ninguna_meta(
    medir: Callable[[Path, Decir], Medida],
    sale: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(orden, "OPCIONES", _opcion(medir))
    assert medir_a_secas.principal(["enlace", "--solo", "z", "--chico"]) == sale
    dicho = capsys.readouterr().out
    assert "no se juzgan" in dicho
    assert "cumple" not in dicho.lower()
    assert ("sin medir: z" in dicho) == (sale == 2)


@pytest.mark.parametrize("mal", ["", "x", "a,x"])
def test_una_medida_que_no_existe(mal: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        medir_a_secas.principal(["enlace", "--solo", mal])
    assert "a, b, c, d, e, f" in capsys.readouterr().err


@pytest.mark.parametrize(("aceptados", "apartados"), [(9, 0), (10, 1), (11, 0)])
def test_una_corrida_a_la_que_le_falta_o_le_sobra_no_esta_completa(aceptados: int, apartados: int) -> None:
    sana = tropel.Corrida(10, 10, 0, (0.1,), 1.0, 1.0, 1.0, 10, 0.1)
    assert sana.completa
    assert not replace(sana, aceptados=aceptados, apartados=apartados).completa


# ------------------------------------------------------------------------------------------------- sin bróker, en disco


def test_el_limite_verifica_y_confirma_de_verdad(tmp_path: Path) -> None:
    medido = limite(tmp_path / "limite", 30)
    assert 0 < medido.cpu <= medido.pared * 2
    with closing(sqlite3.connect(tmp_path / "limite" / "referencia.sqlite")) as bd:
        assert bd.execute("SELECT count(*) FROM hojas").fetchone() == (30,)


def test_los_dos_almacenes_reciben_los_mismos_lotes(tmp_path: Path) -> None:
    pares = durable.pasar(tmp_path / "pasada", durable.Tamano(sobres=90, lote=40), 0)
    assert len(pares) == 3
    assert all(p.durable > 0 and p.sin_sincronizar > 0 for p in pares)
    guardados = []
    for nombre in ("durable.sqlite", "sin-sincronizar.sqlite"):
        with closing(sqlite3.connect(tmp_path / "pasada" / nombre)) as bd:
            guardados.append(bd.execute("SELECT huella FROM hechos ORDER BY posicion").fetchall())
    assert guardados[0] == guardados[1]
    assert len(guardados[0]) == 90


# ------------------------------------------------------------------------------------------------- procesos de verdad


@pytest.mark.broker
def test_creacion_a_acuse_cuenta_todos_los_sobres(tmp_path: Path) -> None:
    medida = acuse.medir(tmp_path, acuse.Tamano(kioscos=2, por_segundo=20.0, segundos=1.0), callar)
    assert dice(medida, "sobres acusados").cumple
    assert dice(medida, "sobres acusados").razon == "1.000"
    assert len(medida.renglones) == 3


@pytest.mark.broker
def test_vuelven_todos_y_cada_sobre_se_cuenta_una_vez(tmp_path: Path) -> None:
    corrida = tropel.correr(tmp_path, tropel.Tamano(kioscos=5, pendientes=60), callar)
    assert corrida.completa
    assert corrida.sobres == corrida.aceptados == 300
    assert len(corrida.vacias) == 5
    assert corrida.mandados >= 300, "se contó lo que salió de los kioscos"
    assert corrida.cpu_kioscos > 0


@pytest.mark.broker
def test_se_borra_el_broker_y_no_falta_ni_sobra_nada(tmp_path: Path) -> None:
    t = borrado.Tamano(kioscos=2, por_segundo=20.0, segundos=2.0, muere=0.5, caido=0.5)
    medida = borrado.medir(tmp_path, t, callar)
    assert medida.cumple, medida.texto()
    assert dice(medida, "hojas perdidas").medido == "0 perdidas, 0 dobles, 0 apartadas"


@pytest.mark.broker
def test_por_un_enlace_angosto_suben_cifras_e_imagenes(tmp_path: Path) -> None:
    t = angosto.Tamano(imagenes=4, bytes_de_imagen=150_000, por_segundo=4.0, segundos=3.0, solas_s=1.0)
    try:
        corrida = angosto.correr(tmp_path, t, callar)
    except SinRed as error:
        pytest.skip(str(error))
    assert len(corrida.demoras) == corrida.asentadas
    assert 0 < corrida.utiles <= 4 * 150_000
    # Lo que el centro dijo tener tuvo que pasar por el cable, y por él no cabe más que su ancho y lo que ya iba.
    assert corrida.utiles <= corrida.subidos + 128 * 1024
    assert corrida.subidos <= corrida.cabe * 1.1 + 64 * 1024


@pytest.mark.broker
def test_si_el_centro_no_arranca_se_dice_y_no_se_mide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ensayo.medicion_enlace.banco.PLAZO", 2.0)
    monkeypatch.setattr("ensayo.medicion_enlace.banco._python", lambda *_: ["false"])
    with pytest.raises(BancoRoto, match="no se conecta"):
        acuse.medir(tmp_path, acuse.CHICO, callar)
