"""El proceso del enlace de verdad (`python -m appliance.enlace`) contra un mosquitto de verdad y un centro mínimo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from appliance.almacen import Almacen
from appliance.arranque import abrir_kiosco
from appliance.enlace.transporte_mqtt import TransporteMqtt
from appliance.llave import LlaveDeArchivo
from nucleo.temas import ambito_de
from tests.broker_de_prueba import Broker
from tests.centro_de_prueba import Centro
from tests.kiosco_de_prueba import carpeta_inscrita, hora, un_hecho

RAIZ = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.broker


class Banco:
    """Un kiosco inscrito, su bróker y su centro, cada uno en lo suyo."""

    def __init__(self, carpeta: Path, definicion: Path) -> None:
        self.broker = Broker(carpeta / "broker", AMBITO)
        self.broker.levantar()
        self.carpeta = carpeta_inscrita(carpeta / "kiosco", definicion, puerto=self.broker.puerto)
        self.broker.autoridad.emitir(self.carpeta, "catd-01")
        self.centro = Centro(AMBITO, LlaveDeArchivo(self.carpeta / "llave.pem", "catd-01").publica())
        (self.carpeta / "centro.pub.pem").write_bytes(self.centro.publica.as_pem(private=False))
        self.almacen: Almacen = abrir_kiosco(self.carpeta).almacen
        self.procesos: list[subprocess.Popen[str]] = []
        self._tls = self.broker.contexto("centro")

    def abrir_centro(self) -> None:
        self.centro.correr(lambda: TransporteMqtt("localhost", self.broker.puerto, "centro", self._tls, None))

    def enlace(self, *opciones: str, salida: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        proceso = subprocess.Popen(
            [sys.executable, "-m", "appliance.enlace", "--carpeta", str(self.carpeta), "--latido-s", "1", *opciones],
            env={**os.environ, "PYTHONPATH": str(RAIZ)},
            stderr=salida,
            text=True,
        )
        self.procesos.append(proceso)
        return proceso

    def asentar(self, cuantos: int) -> None:
        base = self.almacen.ultimo().secuencia
        for i in range(cuantos):
            self.almacen.asentar([un_hecho(base + i)], hora(), "virtual")

    def pendientes(self) -> int:
        return self.almacen.resumen().pendientes


AMBITO = ambito_de("simulacro", "oax2022")


@pytest.fixture
def banco(tmp_path: Path, datos: Path) -> Iterator[Banco]:
    banco = Banco(tmp_path, datos / "oaxaca_2022")
    banco.abrir_centro()
    yield banco
    for proceso in banco.procesos:
        proceso.kill()
        proceso.communicate()
    banco.centro.detener()
    banco.broker.matar()
    banco.almacen.desconectar()


def esperar(listo: Callable[[], bool], plazo_s: float = 30) -> float:
    inicio = time.monotonic()
    while not listo():
        assert time.monotonic() - inicio < plazo_s, "no llegó a tiempo"
        time.sleep(0.01)
    return time.monotonic() - inicio


def test_un_hecho_nuevo_sale_y_se_acusa_enseguida(banco: Banco) -> None:
    banco.enlace()
    banco.asentar(1)
    esperar(lambda: banco.pendientes() == 0)
    banco.asentar(1)
    # Sondeo de 50 ms, firma, red y transacción; el plazo es amplio porque la máquina es compartida.
    assert esperar(lambda: banco.pendientes() == 0) < 2


def test_se_cae_el_broker_con_kill_9_y_no_se_pierde_nada(banco: Banco) -> None:
    banco.enlace("--tope-s", "1")
    banco.asentar(30)
    banco.broker.matar()
    banco.asentar(30)
    banco.broker.levantar()
    esperar(lambda: banco.pendientes() == 0)
    assert sorted(banco.centro.hechos) == list(range(1, 61))


def test_se_mata_el_enlace_a_media_cola_y_otro_sigue_donde_iba(banco: Banco) -> None:
    banco.asentar(200)
    primero = banco.enlace()
    esperar(lambda: len(banco.centro.hechos) > 20)
    primero.kill()
    banco.enlace()
    esperar(lambda: banco.pendientes() == 0)
    assert sorted(banco.centro.hechos) == list(range(1, 201))


def test_el_segundo_enlace_se_niega_y_tras_kill_9_del_primero_otro_entra(banco: Banco) -> None:
    primero = banco.enlace()
    esperar(lambda: bool(banco.centro.latidos))
    segundo = banco.enlace()
    _, dicho = segundo.communicate(timeout=20)
    assert segundo.returncode == 1
    assert "Otro enlace ya atiende la carpeta" in dicho
    assert "Siguiente paso" in dicho
    assert primero.poll() is None
    primero.kill()
    primero.wait()
    banco.enlace()
    banco.asentar(1)
    esperar(lambda: banco.pendientes() == 0)


def test_con_la_salida_de_errores_llena_el_enlace_sigue_entregando(banco: Banco) -> None:
    with Path("/dev/full").open("w") as llena:
        proceso = banco.enlace("--tope-s", "1", salida=llena)
    banco.asentar(5)
    esperar(lambda: banco.pendientes() == 0)
    banco.broker.matar()
    banco.broker.levantar()
    banco.asentar(5)
    esperar(lambda: banco.pendientes() == 0)
    assert proceso.poll() is None


def test_el_centro_no_esta_y_al_volver_recibe_todo(banco: Banco) -> None:
    banco.centro.detener()
    banco.enlace()
    banco.asentar(20)
    time.sleep(1.5)
    assert banco.pendientes() == 20
    banco.abrir_centro()
    esperar(lambda: banco.pendientes() == 0)


def test_se_despide_bien_cuando_se_le_pide_parar(banco: Banco) -> None:
    proceso = banco.enlace()
    esperar(lambda: bool(banco.centro.latidos))
    proceso.send_signal(signal.SIGTERM)
    _, dicho = proceso.communicate(timeout=30)
    assert proceso.returncode == 0, dicho
    assert "Traceback" not in dicho
    esperar(lambda: banco.centro.latidos[-1].motivo == "muerte")


def test_muerto_con_kill_9_el_broker_dice_su_testamento(banco: Banco) -> None:
    proceso = banco.enlace()
    esperar(lambda: bool(banco.centro.latidos))
    proceso.kill()
    esperar(lambda: banco.centro.latidos[-1].motivo == "muerte")
    assert banco.centro.latidos[-1].sesion == banco.centro.latidos[0].sesion


def test_un_certificado_de_otra_autoridad_no_conecta_y_se_dice_por_que(banco: Banco, tmp_path: Path) -> None:
    ajeno = Broker(tmp_path / "ajeno", AMBITO)
    ajeno.autoridad.emitir(banco.carpeta, "catd-01")
    proceso = banco.enlace()
    assert proceso.stderr is not None
    primera = proceso.stderr.readline()
    assert "sin enlace" in primera
    assert "autoridad" in primera
