"""La mochila como tercer camino: kiosco y centro de producción, memoria montada de verdad, con red y sin ella."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.arranque import Kiosco, abrir_kiosco
from appliance.llave import LlaveDeArchivo
from appliance.memorias import Memoria
from appliance.mochila import Mochila, sello_de
from appliance.reloj import RelojFijado
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import IdActa
from servicio_central import ajustes, disco, inscripcion, orden_importar
from tests.centro_de_verdad import RAIZ, Inscrito, ProcesoCentro, esperar
from tests.kiosco_de_prueba import bien, hora
from tests.unidad.test_mochila import montada

pytestmark = pytest.mark.broker


class Noche:
    """Un kiosco que captura, una memoria, y un centro que se prende y se apaga."""

    def __init__(self, base: Path, memoria: Memoria) -> None:
        self.inscrito = Inscrito(base)
        self.carpeta = self.inscrito.kiosco("catd-01")
        reloj = RelojFijado(hora(proceso=self.inscrito.proceso))
        self.kiosco: Kiosco = abrir_kiosco(self.carpeta, reloj)
        self.memoria = memoria
        self.centro = ProcesoCentro(self.inscrito.centro, "--sin-web")
        self.enlaces: list[subprocess.Popen[bytes]] = []
        self._casillas = iter(sorted(self.kiosco.proceso.casillas))

    def capturar(self, cuantas: int) -> None:
        """Acopia y digitaliza esas actas: dos hechos y una imagen de cada una."""
        for _ in range(cuantas):
            acta = IdActa(next(iter(self.kiosco.proceso.elecciones)), next(self._casillas))
            foto = b"\x89PNG" + str(acta).encode() * 900
            bien(self.kiosco.mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))
            bien(
                self.kiosco.mesa.digitalizar(acta, persona="e-1", digitalizacion=Digitalizacion.ESCANER, contenido=foto)
            )

    def exportar(self) -> Path:
        k = self.kiosco
        llave = LlaveDeArchivo(self.carpeta / "llave.pem", k.identidad.equipo)
        sello = sello_de(self.carpeta)
        hecha = Mochila(
            k.almacen, k.mesa.imagenes, llave, llave.publica(), k.proceso.clave, k.identidad.modo, sello
        ).exportar(self.memoria, k.reloj.ahora())
        return self.memoria.ruta / bien(hecha).carpeta

    def importar(self, *rutas: Path, espera_s: float = 60) -> int:
        opciones = ["--carpeta", str(self.inscrito.centro), "--espera-s", str(espera_s)]
        return orden_importar.main([*opciones, *map(str, rutas)])

    def vuelve_la_red(self) -> None:
        orden = [sys.executable, "-m", "appliance.enlace", "--carpeta", str(self.carpeta), "--latido-s", "1"]
        self.enlaces.append(
            subprocess.Popen(orden, env={**os.environ, "PYTHONPATH": str(RAIZ)}, stderr=subprocess.DEVNULL)
        )

    def pendientes(self) -> int:
        return self.kiosco.almacen.resumen().pendientes

    def todo_cerrado(self) -> bool:
        return self.pendientes() == 0 and self.kiosco.almacen.resumen_de_imagenes().pendientes == 0

    def en_el_centro(self) -> list[str]:
        """Huellas aceptadas, con repeticiones si las hubiera."""
        bd = sqlite3.connect(self.inscrito.centro / "almacen.sqlite")
        try:
            return [h for (h,) in bd.execute("SELECT huella FROM hechos ORDER BY secuencia")]
        finally:
            bd.close()

    def en_el_kiosco(self) -> list[str]:
        return [p.huella for p in self.kiosco.almacen.sobres(1, self.kiosco.almacen.ultimo().secuencia)]

    def faltan_imagenes(self) -> set[str]:
        alla = {r.name for r in (self.inscrito.centro / "imagenes").glob("??/*")}
        return self.kiosco.mesa.imagenes.huellas() - alla

    def terminar(self) -> None:
        for enlace in self.enlaces:
            enlace.kill()
            enlace.wait()
        if self.centro.proceso is not None:
            self.centro.matar()
        self.inscrito.matar_broker()
        self.kiosco.almacen.desconectar()


@pytest.fixture
def noche(tmp_path: Path) -> Iterator[Noche]:
    with montada(tmp_path / "media", kilobytes=32_768) as memoria:
        noche = Noche(tmp_path / "sistema", memoria)
        yield noche
        noche.terminar()


def test_sin_red_dos_mochilas_entregadas_en_desorden_y_al_volver_el_acuse_cierra_todo(
    noche: Noche, capsys: pytest.CaptureFixture[str]
) -> None:
    noche.inscrito.levantar_broker()
    noche.centro.levantar()
    noche.capturar(3)
    primera = noche.exportar()
    noche.capturar(2)
    segunda = noche.exportar()
    assert primera != segunda
    assert noche.importar(segunda) == 0
    assert noche.importar(primera, segunda) == 0
    dicho = capsys.readouterr().out
    assert "10 de 10 (de la 1 a la 10): 10 aceptado" in dicho
    assert "6 repetido" in dicho
    assert "4 aceptado" not in dicho
    assert noche.en_el_centro() == noche.en_el_kiosco()
    assert noche.faltan_imagenes() == set()
    assert noche.pendientes() == 10, "importar no cierra nada en el kiosco: sólo el acuse"
    noche.capturar(1)
    noche.vuelve_la_red()
    assert esperar(noche.todo_cerrado, 60)
    assert noche.en_el_centro() == noche.en_el_kiosco(), "0 perdidos y 0 dobles"
    assert len(noche.en_el_centro()) == 12
    informes = list((noche.inscrito.centro / "mochilas" / "informes").glob("*.json"))
    assert len(informes) == 3
    assert "importada completa" in noche.centro.bitacora()


def test_el_centro_no_corre_y_la_orden_importa_sola(noche: Noche, capsys: pytest.CaptureFixture[str]) -> None:
    noche.capturar(2)
    noche.exportar()
    assert noche.importar(noche.memoria.ruta) == 0, "se puede dar la memoria entera"
    assert "4 aceptado" in capsys.readouterr().out
    assert noche.en_el_centro() == noche.en_el_kiosco()
    noche.inscrito.levantar_broker()
    noche.centro.levantar()
    noche.vuelve_la_red()
    assert esperar(noche.todo_cerrado, 60)
    assert noche.en_el_centro() == noche.en_el_kiosco()


def test_el_centro_corre_pero_sin_broker_y_de_todos_modos_importa(noche: Noche) -> None:
    noche.inscrito.levantar_broker()
    noche.centro.levantar()
    noche.inscrito.matar_broker()
    noche.capturar(2)
    assert noche.importar(noche.exportar()) == 0
    assert noche.en_el_centro() == noche.en_el_kiosco()


def test_matan_al_centro_con_una_mochila_en_el_buzon_y_otra_orden_la_termina(noche: Noche) -> None:
    noche.capturar(2)
    ruta = noche.exportar()
    tomado = disco.tomar(noche.inscrito.centro / ".centro")
    assert noche.importar(ruta, espera_s=1) == 3, "hay un centro que no atiende: se queda en el buzón"
    assert not (noche.inscrito.centro / "almacen.sqlite").exists()
    os.close(tomado)
    shutil.rmtree(ruta)
    assert noche.importar() == 0, "sin carpetas, la orden atiende lo que haya en el buzón"
    assert noche.en_el_centro() == noche.en_el_kiosco()


def test_dos_ordenes_a_la_vez_sin_centro(noche: Noche) -> None:
    noche.capturar(3)
    ruta = noche.exportar()
    orden = [sys.executable, "-m", "servicio_central.orden_importar", "--carpeta", str(noche.inscrito.centro)]
    ambiente = {**os.environ, "PYTHONPATH": str(RAIZ)}
    procesos = [subprocess.Popen([*orden, str(ruta)], stdout=subprocess.PIPE, cwd=RAIZ, env=ambiente) for _ in range(2)]
    salidas = [p.communicate(timeout=120)[0].decode() for p in procesos]
    assert [p.returncode for p in procesos] == [0, 0], salidas
    assert noche.en_el_centro() == noche.en_el_kiosco()


def test_una_memoria_sin_mochilas_y_una_rota_se_explican(noche: Noche, capsys: pytest.CaptureFixture[str]) -> None:
    assert noche.importar(noche.memoria.ruta) == 1
    assert f"en {noche.memoria.ruta} no hay ninguna mochila" in capsys.readouterr().err
    noche.capturar(1)
    ruta = noche.exportar().rename(noche.memoria.ruta / os.fsdecode(b"mochila-\xd1\x1b[31m\n"))
    (ruta / "manifiesto.jws").write_text("no")
    assert noche.importar(ruta) == 1
    dicho = capsys.readouterr().out
    assert "NO SE IMPORTÓ" in dicho
    assert "\x1b" not in dicho
    assert len(list((noche.inscrito.centro / "mochilas" / "informes").iterdir())) == 1


def test_una_ruta_mal_tecleada_dice_cual_y_la_sala_no_tiene_nada_que_atender(
    noche: Noche, capsys: pytest.CaptureFixture[str]
) -> None:
    noche.capturar(1)
    noche.exportar()
    padre, mal = noche.memoria.ruta.parent, noche.memoria.ruta / "no" / "hay"
    assert noche.importar(mal) == 1
    assert noche.importar(padre) == 1
    dicho = capsys.readouterr().err
    assert f"{mal} no es una carpeta" in dicho
    assert f"repita la orden con {noche.memoria.ruta}" in dicho
    assert list((noche.inscrito.centro / "mochilas" / "informes").glob("*")) == []


def test_un_centro_y_un_kiosco_inscritos_antes_del_sello_lo_reciben_al_repetir_la_orden(noche: Noche) -> None:
    centro = noche.inscrito.centro
    for ruta in (centro / ajustes.SELLO, centro / ajustes.SELLO_PUBLICO, noche.carpeta / ajustes.SELLO_PUBLICO):
        ruta.unlink()
    noche.capturar(1)
    assert sello_de(noche.carpeta) is None
    assert noche.importar(noche.memoria.ruta) == 1, "y el centro dice que no tiene con qué abrir"
    assert inscripcion.completar_sello(centro, noche.carpeta)
    assert not inscripcion.completar_sello(centro, noche.carpeta), "repetir no cambia la llave"
    assert (centro / ajustes.SELLO).stat().st_mode & 0o777 == 0o600
    assert noche.importar(noche.exportar()) == 0
