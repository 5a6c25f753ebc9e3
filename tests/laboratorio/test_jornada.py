"""La orden principal, entera: `./prep jornada` con sus veinticinco kioscos, hasta el primer corte publicado."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from auditoria.auditar import auditar_archivo
from auditoria.informe import Veredicto
from ensayo.escenario import RAIZ


def test_la_noche_hasta_las_2120_sale_como_se_publico(tmp_path: Path) -> None:
    carpeta = tmp_path / "jornada"
    orden = [sys.executable, "-m", "ensayo.jornada", "--velocidad", "0", "--hasta", "21:20", "--sin-navegar"]
    orden += ["--imagenes", "muestra", "--carpeta", str(carpeta)]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=600, check=False)
    assert hecha.returncode == 0, hecha.stdout + hecha.stderr
    veredicto = json.loads((carpeta / "veredicto.json").read_text(encoding="utf-8"))
    (corte,) = veredicto["cortes"]
    assert corte["sin_explicar"] == 0
    assert corte["derivadas_iguales"] > 45_000
    assert veredicto["sobres"]["asentados"] == veredicto["sobres"]["aceptados"] > 11_000
    # El mismo auditor que se aplica a los demás, sobre lo nuestro.
    base = carpeta / "centro" / "cortes" / "20220605_2120" / "20220605_2120_PREP_GUB_OAX.zip"
    (informe,) = auditar_archivo(base)
    assert informe.veredicto is Veredicto.CONSISTENTE
    # Las imágenes existen y llevan por nombre su huella, que es la publicada.
    imagenes = {r.stem for r in (carpeta / "kioscos").glob("*/imagenes/*.png")}
    assert len(imagenes) > 2_000


def test_una_hora_fuera_de_la_noche_recibe_una_frase(tmp_path: Path) -> None:
    orden = [sys.executable, "-m", "ensayo.jornada", "--hasta", "12:00", "--carpeta", str(tmp_path / "j")]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=60, check=False)
    assert hecha.returncode == 2
    assert "fuera de la noche publicada" in hecha.stdout
    assert "Traceback" not in hecha.stderr


def test_no_borra_una_carpeta_que_no_es_de_un_ensayo(tmp_path: Path) -> None:
    ajena = tmp_path / "ajena"
    ajena.mkdir()
    (ajena / "tesis.txt").write_text("años de trabajo", encoding="utf-8")
    orden = [sys.executable, "-m", "ensayo.jornada", "--sin-navegar", "--carpeta", str(ajena)]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=60, check=False)
    assert hecha.returncode == 2
    assert (ajena / "tesis.txt").exists()
