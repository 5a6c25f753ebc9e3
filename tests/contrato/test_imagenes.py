"""Las imágenes con todo de verdad: el proceso del enlace, mosquitto con TLS y el proceso del centro."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.arranque import abrir_kiosco
from appliance.imagenes import Imagenes
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import Acopio, IdActa, Imagen
from servicio_central.imagenes import Imagenes as ImagenesDelCentro
from tests.centro_de_verdad import RAIZ, Inscrito, ProcesoCentro, esperar

pytestmark = pytest.mark.broker


class Banco:
    """Un kiosco inscrito con su enlace, un bróker y un centro: tres procesos que se pueden matar."""

    def __init__(self, carpeta: Path) -> None:
        self.inscrito = Inscrito(carpeta)
        self.carpeta = self.inscrito.kiosco("catd-01")
        self.inscrito.levantar_broker()
        self.centro = ProcesoCentro(self.inscrito.centro, "--sin-web")
        self.centro.levantar()
        self.kiosco = abrir_kiosco(self.carpeta)
        self.almacen = self.kiosco.almacen
        self.imagenes = Imagenes(self.carpeta / "imagenes")
        self.enlaces: list[subprocess.Popen[bytes]] = []
        self._acta = IdActa(next(iter(self.kiosco.proceso.elecciones)), next(iter(self.kiosco.proceso.casillas)))

    def enlace(self) -> subprocess.Popen[bytes]:
        orden = [sys.executable, "-m", "appliance.enlace", "--carpeta", str(self.carpeta)]
        with (self.carpeta / "enlace.log").open("ab") as salida:
            proceso = subprocess.Popen(
                [*orden, "--latido-s", "1", "--tope-s", "1", "--rto-s", "0.5"],
                env={**os.environ, "PYTHONPATH": str(RAIZ)},
                stderr=salida,
            )
        self.enlaces.append(proceso)
        return proceso

    def digitalizar(self, contenido: bytes) -> str:
        huella = self.imagenes.guardar(contenido)
        ahora = self.kiosco.reloj.ahora()
        hecho = Imagen(self._acta, ahora, huella, len(contenido), Digitalizacion.ESCANER, "escaner-1")
        self.almacen.asentar([hecho], ahora, "libre")
        return huella

    def acopiar(self) -> None:
        ahora = self.kiosco.reloj.ahora()
        hecho = Acopio(self._acta, ahora, Origen.CATD, "ACTA PREP", "", "acopio-1")
        self.almacen.asentar([hecho], ahora, "libre")

    def faltan(self) -> int:
        return self.almacen.resumen_de_imagenes().bytes

    def apagar(self) -> None:
        for proceso in self.enlaces:
            proceso.kill()
            proceso.wait()
        if self.centro.proceso is not None and self.centro.proceso.poll() is None:
            self.centro.matar()
        self.inscrito.matar_broker()
        self.almacen.desconectar()


@pytest.fixture
def banco(tmp_path: Path) -> Iterator[Banco]:
    banco = Banco(tmp_path)
    yield banco
    banco.apagar()


def test_matan_a_cada_uno_a_media_imagen_y_todas_llegan_iguales(banco: Banco) -> None:
    contenidos = [random.Random(n).randbytes(3_000_000) for n in range(4)]
    huellas = [banco.digitalizar(c) for c in contenidos]
    total = banco.faltan()
    primero = banco.enlace()
    assert esperar(lambda: banco.faltan() < total - 1_000_000, 30)
    banco.inscrito.matar_broker()
    banco.inscrito.levantar_broker()
    assert esperar(lambda: banco.faltan() < total - 3_000_000, 30)
    banco.centro.matar()
    banco.centro.levantar()
    assert esperar(lambda: banco.faltan() < total - 5_000_000, 30)
    primero.kill()
    primero.wait()
    banco.enlace()
    assert esperar(lambda: banco.faltan() == 0, 60), (banco.carpeta / "enlace.log").read_text()[-2000:]
    del_centro = ImagenesDelCentro(banco.inscrito.centro)
    assert [del_centro.ruta(h).read_bytes() for h in huellas] == contenidos
    assert "DEFECTO" not in banco.centro.bitacora()


def test_con_imagenes_siempre_pendientes_una_cifra_nueva_se_acusa_antes(banco: Banco) -> None:
    for n in range(3):
        banco.digitalizar(random.Random(n).randbytes(30_000_000))
    banco.enlace()
    total = banco.faltan()
    assert esperar(lambda: banco.faltan() < total, 30)
    for _ in range(3):
        banco.acopiar()
        assert esperar(lambda: banco.almacen.resumen().pendientes == 0)
        assert banco.faltan() > 0, "la cifra no esperó a las imágenes"
