"""Quien teclea mal una orden, o pide su ayuda, lo lee en español."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.catd.orden import main as catd
from ensayo.mesa_de_pruebas.__main__ import main as mesa
from servicio_central.orden_importar import main as importar
from servicio_central.orden_inscribir import main as inscribir

RAIZ = Path(__file__).resolve().parents[2]
INGLES = re.compile(
    r"\b(usage|options|show|help message|exit|required|invalid|choose|expected|unrecognized|allowed|argument|"
    r"ambiguous|could match|python -m)\b"
)


def uso(orden: object, argumentos: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    with pytest.raises(SystemExit) as salida:
        orden(argumentos)  # type: ignore[operator]
    dicho = capsys.readouterr()
    return salida.value.code, dicho.out + dicho.err


@pytest.mark.parametrize("orden", [catd, mesa, importar, inscribir])
def test_la_ayuda_va_en_espanol(orden: object, capsys: pytest.CaptureFixture[str]) -> None:
    codigo, dicho = uso(orden, ["--help"], capsys)
    assert codigo == 0
    assert dicho.startswith("Uso: ")
    assert "muestra esta ayuda y termina" in dicho
    assert INGLES.findall(dicho) == []


@pytest.mark.parametrize(
    ("orden", "argumentos", "dice"),
    [
        (importar, [], "falta: --carpeta"),
        (importar, ["--carpeta"], "en --carpeta: lleva un valor"),
        (importar, ["--carpeta", "x", "--espera-s", "mucho"], "'mucho' no tiene la forma que se espera"),
        (mesa, ["--carpeta", "x", "--otra"], "no se entiende: --otra"),
        (catd, ["nada"], "no es ninguna de"),
        (catd, ["gafetes", "--catd", "c"], "hace falta uno de: --lista --revisar"),
        (catd, ["gafetes", "--catd", "c", "--lista", "l", "--revisar", "r"], "no va junto con"),
        (inscribir, ["--autoridad", "a", "--centro", "c", "--broker", "x"], "puede ser cualquiera de"),
    ],
)
def test_lo_mal_tecleado_se_dice_en_espanol(
    orden: object, argumentos: list[str], dice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    codigo, dicho = uso(orden, argumentos, capsys)
    assert codigo == 2
    assert dice in dicho
    assert INGLES.findall(dicho) == []


def test_tambien_la_que_casi_no_importa_nada() -> None:
    hecho = subprocess.run(
        [sys.executable, "-m", "auditoria.auditar", "--help"], cwd=RAIZ, capture_output=True, text=True, check=True
    )
    assert INGLES.findall(hecho.stdout) == []
