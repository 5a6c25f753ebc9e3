"""Publicar por partes: el que sigue vivo entre cortes y el que empieza de nuevo en cada uno dan los mismos bytes."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from ensayo import medir
from ensayo.medicion_estado import otro_motor
from ensayo.medicion_estado.cortes import csv_publicado
from ensayo.medicion_estado.material import CentroDeEnsayo, horas
from nucleo.base_oficial.escritura import Renglones, escribir_zip
from nucleo.eleccion import Proceso
from servicio_central import imagenes, publicado
from servicio_central.publicacion.publicador import Publicador
from servicio_central.publicado import CORTES, PUBLICO


@pytest.fixture
def centro(tmp_path: Path) -> CentroDeEnsayo:
    return CentroDeEnsayo(tmp_path, casillas=30, kioscos=2, semilla=3)


def _ponerse_al_dia(otro: Path, centro: CentroDeEnsayo) -> None:
    """En la otra carpeta, los mismos hechos y las mismas imágenes que hasta ahora."""
    with closing(sqlite3.connect(centro.carpeta / "almacen.sqlite")) as de:
        (otro / "almacen.sqlite").unlink(missing_ok=True)
        with closing(sqlite3.connect(otro / "almacen.sqlite")) as a:
            de.backup(a)
    shutil.copytree(centro.carpeta / imagenes.CARPETA, otro / imagenes.CARPETA, dirs_exist_ok=True)


def _horas(corte: Path) -> dict[str, float]:
    archivos = (Path(raiz, n) for raiz, _, nombres in os.walk(corte, followlinks=True) for n in nombres)
    return {str(r.relative_to(corte)): r.stat().st_mtime for r in archivos}


def test_el_publicador_se_cae_en_cada_corte_y_nadie_lo_nota(tmp_path: Path, centro: CentroDeEnsayo) -> None:
    """Incremental contra desde cero, en otra carpeta: bytes y horas de todos los archivos de todos los cortes."""
    otro = tmp_path / "otro"
    shutil.copytree(centro.carpeta, otro, symlinks=True)
    vivo = Publicador(centro.carpeta)
    for hora, actas in zip(horas(centro.proceso, 4), (0, 60, 3, 7), strict=True):
        centro.llegar(actas)
        _ponerse_al_dia(otro, centro)
        vivo.cortar(centro.proceso, hora, ultimo=False, ahora=hora)
        Publicador(otro).cortar(centro.proceso, hora, ultimo=False, ahora=hora)
        nombre = publicado.nombre_de(centro.proceso, hora)
        suyo, mio = otro / CORTES / nombre, centro.carpeta / CORTES / nombre
        assert publicado.contenido(mio) == publicado.contenido(suyo)
        assert _horas(mio) == _horas(suyo)
    centro.cerrar()


def test_lo_que_no_cambio_ni_se_escribe_ni_ocupa_otro_inodo(centro: CentroDeEnsayo) -> None:
    vivo = Publicador(centro.carpeta)
    cortes = []
    for hora, actas in zip(horas(centro.proceso, 3), (40, 0, 0), strict=True):
        centro.llegar(actas)
        vivo.cortar(centro.proceso, hora, ultimo=False, ahora=hora)
        cortes.append((centro.carpeta / PUBLICO).resolve())
    primero, segundo, tercero = cortes
    secciones = sorted(r.relative_to(segundo) for r in segundo.glob("*/s/*"))
    assert secciones
    for seccion in secciones:
        assert not (primero / seccion).is_symlink()
        assert (segundo / seccion).lstat().st_ino == (tercero / seccion).lstat().st_ino
        assert (tercero / seccion).resolve() == (primero / seccion).resolve(), "nunca enlace a enlace"
    for ruta in ("esquema.json.gz", "diccionario.json.gz", "ayuda.html.gz", "casilla/index.html.gz"):
        assert (primero / ruta).stat().st_ino == (tercero / ruta).stat().st_ino
    assert (primero / "index.html.gz").stat().st_ino != (tercero / "index.html.gz").stat().st_ino
    centro.cerrar()


def test_un_acta_que_cambia_arrastra_a_su_seccion_pero_no_rehace_a_sus_vecinas(centro: CentroDeEnsayo) -> None:
    """Todo sale como si se hubiera hecho entero, y la página de la vecina sigue diciendo el corte en que cambió."""
    vivo = Publicador(centro.carpeta)
    hechas: list[dict[str, bytes]] = []
    for hora, actas in zip(horas(centro.proceso, 3), (centro.faltan - 6, 3, 3), strict=True):
        centro.llegar(actas)
        vivo.cortar(centro.proceso, hora, ultimo=False, ahora=hora)
        hechas.append(publicado.contenido(centro.carpeta / PUBLICO))
    for antes, despues in pairwise(hechas):
        de_actas = [r for r in despues if "/s/" in r and "index" not in r and "manifiesto" not in r]
        distintas = [r for r in de_actas if antes[r] != despues[r]]
        assert 1 <= len(distintas) <= 6, "dos archivos por cada una de las tres que llegaron"
    centro.cerrar()


def test_dos_motores_independientes_dan_el_mismo_csv(tmp_path: Path) -> None:
    """El que publica, y SQL sobre los sobres: byte por byte, con actas de todas las rarezas."""
    centro = CentroDeEnsayo(tmp_path, casillas=140, kioscos=2, semilla=3)
    centro.llegar(centro.faltan - 5)
    hora = horas(centro.proceso, 1)[0]
    Publicador(centro.carpeta).cortar(centro.proceso, hora, ultimo=False, ahora=hora)
    definicion = otro_motor.Definicion.leer(centro.definicion)
    juntos = b""
    for eleccion in centro.proceso.elecciones:
        datos = csv_publicado(centro.carpeta / PUBLICO, eleccion)
        assert otro_motor.csv_oficial(centro.carpeta, definicion, eleccion, datos) == datos
        juntos += datos
    for raro in (b"SIN ACTA", b"SIN DATO", b"ILEGIBLE", b"EXCEDE", b",S,"):
        assert raro in juntos
    centro.cerrar()


def test_el_otro_motor_nota_un_voto_de_mas(centro: CentroDeEnsayo) -> None:
    centro.llegar(20)
    hora = horas(centro.proceso, 1)[0]
    Publicador(centro.carpeta).cortar(centro.proceso, hora, ultimo=False, ahora=hora)
    datos = csv_publicado(centro.carpeta / PUBLICO, "GUB")
    definicion = otro_motor.Definicion.leer(centro.definicion)
    lineas = datos.split(b"\n")
    con_votos = next(n for n, linea in enumerate(lineas[6:], 6) if b",CATD,ESCANER," in linea)
    celdas = lineas[con_votos].split(b",")
    celdas[16] = b"1" + celdas[16]
    lineas[con_votos] = b",".join(celdas)
    assert otro_motor.csv_oficial(centro.carpeta, definicion, "GUB", b"\n".join(lineas)) == datos
    centro.cerrar()


def test_los_renglones_recordados_no_se_quedan_con_lo_de_antes(centro: CentroDeEnsayo) -> None:
    """La base del corte, con lo que recuerda quien sigue vivo, es la que se escribe sin recordar nada."""
    proceso: Proceso = centro.proceso
    vivo = Publicador(centro.carpeta)
    for hora, actas in zip(horas(proceso, 2), (30, 12), strict=True):
        centro.llegar(actas)
        vivo.cortar(proceso, hora, ultimo=False, ahora=hora)
    armador = vivo._armador
    assert armador is not None
    for eleccion in proceso.elecciones:
        nombre, datos = escribir_zip(proceso, eleccion, armador.actas(eleccion), hora, False)
        assert (centro.carpeta / PUBLICO / nombre).read_bytes() == datos
        de_cero = Renglones(proceso, eleccion)
        assert escribir_zip(proceso, eleccion, armador.actas(eleccion), hora, False, None, de_cero)[1] == datos
    centro.cerrar()


def test_la_medida_en_chico_corre(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert medir.principal(["estado", "--chico", "--temporal", str(tmp_path)]) == 0
    dicho = capsys.readouterr().out
    assert "corte incremental" in dicho
    assert "el CSV oficial por dos motores: los mismos" in dicho
    assert list(tmp_path.iterdir()) == [], "no deja nada"
