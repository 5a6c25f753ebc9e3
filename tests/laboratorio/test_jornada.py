"""La orden principal, entera: `./prep jornada` con sus veinticinco kioscos, hasta el primer corte publicado."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from rich.console import Console

from auditoria.auditar import auditar_archivo
from auditoria.informe import Veredicto
from ensayo.escenario import RAIZ, carpeta_nueva
from ensayo.veredicto import Conservacion, mostrar


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


def test_sin_cortes_que_comparar_no_se_ensena_una_tabla_vacia() -> None:
    dicho = io.StringIO()
    mostrar(Console(file=dicho, width=140), [], Conservacion(7, 7, 0, 0, 0, 0, 0))
    assert "Veredicto" not in dicho.getvalue()
    assert "7 asentados" in dicho.getvalue()


def test_no_borra_una_carpeta_que_no_es_de_un_ensayo(tmp_path: Path) -> None:
    ajena = tmp_path / "ajena"
    ajena.mkdir()
    (ajena / "tesis.txt").write_text("años de trabajo", encoding="utf-8")
    orden = [sys.executable, "-m", "ensayo.jornada", "--sin-navegar", "--carpeta", str(ajena)]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=60, check=False)
    assert hecha.returncode == 2
    assert (ajena / "tesis.txt").exists()


def test_dos_jornadas_no_se_pisan_la_carpeta(tmp_path: Path) -> None:
    carpeta = carpeta_nueva(tmp_path / "j")
    (carpeta / "autoridad").mkdir()
    (carpeta / "kioscos").mkdir()
    orden = [sys.executable, "-m", "ensayo.jornada", "--sin-navegar", "--carpeta", str(carpeta)]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=60, check=False)
    assert hecha.returncode == 2
    assert "otra jornada" in hecha.stdout
    assert (carpeta / "autoridad").is_dir()


def test_una_carpeta_imposible_recibe_una_frase_y_no_parece_una_discrepancia(tmp_path: Path) -> None:
    (tmp_path / "archivo").write_text("no soy carpeta", encoding="utf-8")
    orden = [sys.executable, "-m", "ensayo.jornada", "--sin-navegar", "--carpeta", str(tmp_path / "archivo" / "j")]
    hecha = subprocess.run(orden, cwd=RAIZ, capture_output=True, text=True, timeout=60, check=False)
    assert hecha.returncode == 2
    assert "Traceback" not in hecha.stderr


def test_matar_la_jornada_no_deja_kioscos_huerfanos(tmp_path: Path) -> None:
    carpeta = tmp_path / "j"
    orden = [sys.executable, "-m", "ensayo.jornada", "--velocidad", "1", "--sin-navegar", "--carpeta", str(carpeta)]
    with subprocess.Popen(orden, cwd=RAIZ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as jornada:
        assert _hasta(lambda: len(_procesos_de(carpeta)) > 20, 180), "la jornada no levantó sus kioscos"
        jornada.send_signal(signal.SIGKILL)
        jornada.wait()
    try:
        assert _hasta(lambda: not _procesos_de(carpeta), 120), [_como_esta(p) for p in _procesos_de(carpeta)]
    finally:
        for huerfano in _procesos_de(carpeta, "mosquitto", "python"):
            huerfano.kill()


def _procesos_de(carpeta: Path, *programas: str) -> list[psutil.Process]:
    """Los de esa carpeta. mosquitto sólo si se pide: al cambiar de cuenta el núcleo le quita el aviso de orfandad."""
    nombres = programas or ("python",)
    vivos = []
    for proceso in psutil.process_iter(["name", "cmdline"]):
        dicho = proceso.info["cmdline"] or []
        if any(n in proceso.info["name"] for n in nombres) and any(str(carpeta) in p for p in dicho):
            vivos.append(proceso)
    return vivos


def _como_esta(proceso: psutil.Process) -> str:
    """Su orden y qué señales le esperan o desoye (proc(5)): un huérfano se explica por ahí."""
    estado = Path(f"/proc/{proceso.pid}/status").read_text(encoding="ascii", errors="replace")
    return " ".join((*proceso.cmdline(), *(r for r in estado.splitlines() if r.startswith(("State", "PPid", "S")))))


def _hasta(que: Callable[[], bool], segundos: float) -> bool:
    limite = time.monotonic() + segundos
    while time.monotonic() < limite:
        if que():
            return True
        time.sleep(0.2)
    return False
