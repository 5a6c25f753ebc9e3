"""La medida de servir el sitio, en chico: que cuente bien. Las cifras, con `./prep medir publicacion`."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from ensayo import medir as medir_a_secas
from ensayo.medicion_publicacion import carga, cuentagotas, servicio, sintetico
from ensayo.medicion_publicacion.carga import Carga, SinMedir
from ensayo.medicion_publicacion.republicar import republicar, secciones
from ensayo.puertos import puerto_libre

FALTAN: Final = [p for p in ("nginx", "wrk", "slowhttptest") if shutil.which(p, path="/usr/sbin:/usr/bin") is None]
con_todo = pytest.mark.skipif(
    bool(FALTAN) or len(os.sched_getaffinity(0)) < 2, reason=f"faltan {FALTAN} o un segundo núcleo"
)


def ronda(**por_cpu: float) -> servicio.Ronda:
    """Una con esas peticiones por segundo de procesador, y mil de lo que no se diga."""
    return {caso: Carga(round(por_cpu.get(caso, 1000)), 0, 1, 1.0, 1.0) for caso in servicio.CASOS}


def test_la_razon_es_de_la_misma_ronda_y_se_toma_la_mediana() -> None:
    """Una ronda en que toda la máquina va a la mitad no cambia la razón."""
    rondas = [ronda(pelón=1000, portada=900), ronda(pelón=500, portada=450), ronda(pelón=1000, portada=100)]
    (portada,) = (r for r in servicio.juzgar(rondas, 5).renglones if r.que.startswith("portada"))
    assert portada.cumple
    assert portada.medido == "0.90"
    assert portada.razon == "0.900 (de 0.100 a 0.900 en 3 rondas)"


@pytest.mark.parametrize(
    ("caso", "por_cpu"), [("portada", 799), ("acta", 449), ("publicando", 949 * 0.449), ("304", 700)]
)
def test_una_meta_que_no_se_alcanza_no_se_maquilla(caso: str, por_cpu: float) -> None:
    sana = {"portada": 800.0, "acta": 450.0, "publicando": 450.0, "304": 900.0}
    assert servicio.juzgar([ronda(**sana)], 5).cumple
    assert not servicio.juzgar([ronda(**{**sana, caso: por_cpu})], 5).cumple


def test_un_solo_error_mientras_se_publica_no_se_perdona() -> None:
    mala = ronda(acta=450, publicando=450)
    mala["publicando"] = replace(mala["publicando"], errores=1)
    dicho = {r.que: r.cumple for r in servicio.juzgar([mala], 5).renglones}
    assert not dicho["acta al azar mientras se publica"]
    assert not dicho["peticiones sin contestar o con error"]


def test_un_ataque_que_no_llego_a_serlo_no_cuenta_como_aguantado() -> None:
    tamano = cuentagotas.Tamano()
    calma = cuentagotas.Preguntas((0.001,), 0, 0)
    assert cuentagotas.juzgar(calma, cuentagotas.Preguntas((0.001,), 0, 5000), tamano).cumple
    assert not cuentagotas.juzgar(calma, cuentagotas.Preguntas((0.001,), 1, 5000), tamano).cumple
    with pytest.raises(SinMedir, match="sólo llegó a haber 10"):
        cuentagotas.juzgar(calma, cuentagotas.Preguntas((0.001,), 0, 10), tamano)


def test_se_cuentan_las_conexiones_de_ese_puerto_y_de_ningun_otro() -> None:
    with closing(socket.create_server(("127.0.0.1", puerto_libre()))) as quien:
        puerto = quien.getsockname()[1]
        assert cuentagotas.abiertas(puerto) == 0
        clientes = [socket.create_connection(("127.0.0.1", puerto)) for _ in range(3)]
        assert cuentagotas.abiertas(puerto) == 3
        for cliente in clientes:
            cliente.close()


def test_el_corte_inventado_siempre_es_el_mismo_y_tiene_su_forma(tmp_path: Path) -> None:
    tamano = sintetico.Tamano(secciones=2)
    for nombre in ("uno", "otro"):
        sintetico.generar(tmp_path / nombre, tamano, 5)
    uno, otro = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.gz")} for n in ("uno", "otro")
    )
    assert uno == otro
    assert sum("s" in p.parts for p in uno) == tamano.paginas == 24
    assert gzip.decompress(uno[Path("GUB/s/0001/B0100.html.gz")]).startswith(b"<!doctype html>")
    assert sintetico.Tamano().paginas == 33_000


def test_publicar_otro_corte_no_toca_el_de_antes_y_enlaza_lo_que_no_cambio(tmp_path: Path) -> None:
    base = tmp_path / "centro" / "cortes" / "20240602_2000"
    sintetico.generar(base, sintetico.Tamano(secciones=10), 5)
    antes = {p: p.read_bytes() for p in base.rglob("*.gz")}
    nuevo = republicar(tmp_path / "centro", base, secciones(base), 61, 4)
    assert {p: p.read_bytes() for p in base.rglob("*.gz")} == antes
    assert (tmp_path / "centro" / "publico").resolve() == nuevo
    assert (nuevo / "index.html.gz").read_bytes() != antes[base / "index.html.gz"]
    enlaces = [s for s in nuevo.glob("*/s/*") if s.is_symlink()]
    assert len(enlaces) == 30 - 4
    assert not any((s.parent / s.readlink()).is_symlink() for s in enlaces)
    assert {p.relative_to(nuevo) for p in nuevo.glob("*/s/*/*")} == {p.relative_to(base) for p in base.glob("*/s/*/*")}


def test_un_programa_que_falta_se_dice() -> None:
    with pytest.raises(SinMedir, match="apt-get install"):
        carga.exigir("programa-que-no-existe")


@con_todo
def test_se_puede_medir_aqui(capsys: pytest.CaptureFixture[str]) -> None:
    assert medir_a_secas.principal(["publicacion", "--chico"]) == 0
    dicho = capsys.readouterr().out
    assert "no se juzgan" in dicho
    for que in ("portada, con todas sus cabeceras", "acta al azar", "304 de la portada", "peticiones normales"):
        assert que in dicho
    assert "sin contestar o con error: 0" in dicho


def test_un_centro_sin_cortes_no_se_mide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert medir_a_secas.principal(["publicacion", "--chico", "--carpeta", str(tmp_path)]) == 2
    assert "no hay nada publicado" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
