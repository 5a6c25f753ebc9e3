"""Dos programas en la misma carpeta: el segundo se entera, y si el primero muere la carpeta queda libre."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from appliance.arranque import abrir_enlace
from appliance.candado import Candado
from appliance.digitalizacion.entrada import Entrada
from appliance.falla import Falla

_TOMAR: Final = """
import sys
from pathlib import Path
from appliance.candado import Candado
from appliance.falla import Falla
candado = Candado(Path(sys.argv[1]), Falla("X", "x", "x", "x"))
print("tomada", flush=True)
sys.stdin.read()
"""
_IDENTIDAD: Final = """
equipo = "catd-01"
catd = "catd-01"
epoca = "0123456789abcdef"
modo = "simulacro"
proceso = "../definicion"
broker_host = "localhost"
broker_puerto = 8883
"""


def repetido() -> Falla:
    return Falla("REPETIDO", "Otro ya la tiene", "se arrancó dos veces", "cierre uno")


def test_el_segundo_programa_se_entera_y_el_primero_sigue(tmp_path: Path) -> None:
    primero = Candado(tmp_path, repetido())
    for _ in range(2):
        with pytest.raises(Falla, match="Otro ya la tiene"):
            Candado(tmp_path, repetido())
    primero.soltar()
    primero.soltar()
    Candado(tmp_path, repetido()).soltar()
    assert list(tmp_path.iterdir()) == [], "no deja archivos"


def test_matan_al_primero_y_la_carpeta_queda_libre(tmp_path: Path) -> None:
    orden = [sys.executable, "-c", _TOMAR, str(tmp_path)]
    with subprocess.Popen(orden, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as otro:
        assert otro.stdout is not None
        assert otro.stdout.readline() == b"tomada\n"
        with pytest.raises(Falla, match="Otro ya la tiene"):
            Candado(tmp_path, repetido())
        otro.kill()
        otro.wait()
        Candado(tmp_path, repetido()).soltar()


def test_la_carpeta_no_esta_y_se_dice(tmp_path: Path) -> None:
    with pytest.raises(Falla) as falla:
        Candado(tmp_path / "no", repetido())
    assert falla.value.rechazo.codigo == "DISCO"


def test_dos_enlaces_en_la_misma_carpeta_no_se_quitan_la_conexion(tmp_path: Path) -> None:
    (tmp_path / "identidad.toml").write_text(_IDENTIDAD)
    primero = Candado(tmp_path, repetido())
    with pytest.raises(Falla, match="Otro enlace") as falla:
        abrir_enlace(tmp_path)
    assert falla.value.rechazo.codigo == "ENLACE_REPETIDO"
    primero.soltar()


def test_dos_kioscos_no_digitalizan_en_la_misma_carpeta(tmp_path: Path) -> None:
    primera, segunda = Entrada(tmp_path), Entrada(tmp_path)
    primera.tomar()
    primera.tomar()
    with pytest.raises(Falla, match="Otro kiosco") as falla:
        segunda.tomar()
    assert falla.value.rechazo.codigo == "KIOSCO_REPETIDO"
    segunda.soltar()
    with pytest.raises(Falla):
        segunda.tomar()
    primera.soltar()
    segunda.tomar()
    segunda.soltar()
