"""Lo que el enlace espera de cualquier transporte: la misma batería para el de memoria y para mosquitto."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from appliance.enlace.transporte import EN_VUELO, EnlaceCaido, Mensaje, Transporte
from appliance.enlace.transporte import Testamento as _Testamento
from appliance.enlace.transporte_memoria import BrokerEnMemoria, TransporteEnMemoria
from appliance.enlace.transporte_mqtt import TransporteMqtt
from nucleo.temas import Carril, Tema, filtro_del_centro
from tests.broker_de_prueba import Broker

AMBITO = "simulacro-prueba2022"
HECHOS = str(Tema(AMBITO, "catd-01", Carril.HECHOS))
LATIDO = str(Tema(AMBITO, "catd-01", Carril.LATIDO))
PLAZO_S = 10.0


class Banco(Protocol):
    """Donde se prueba: da transportes y sabe hacerles daño."""

    def transporte(self, nombre: str, testamento: _Testamento | None = None) -> Transporte: ...
    def romper(self, transporte: Transporte) -> None: ...
    def caer(self) -> None: ...
    def apagado(self) -> None: ...


class BancoEnMemoria:
    def __init__(self) -> None:
        self._broker = BrokerEnMemoria()

    def transporte(self, nombre: str, testamento: _Testamento | None = None) -> Transporte:
        return TransporteEnMemoria(self._broker, testamento)

    def romper(self, transporte: Transporte) -> None:
        assert isinstance(transporte, TransporteEnMemoria)
        transporte.romper()

    def caer(self) -> None:
        self._broker.caer()

    apagado = caer


class BancoMqtt:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def transporte(self, nombre: str, testamento: _Testamento | None = None) -> Transporte:
        return TransporteMqtt("localhost", self._broker.puerto, nombre, self._broker.contexto(nombre), testamento)

    def romper(self, transporte: Transporte) -> None:
        assert isinstance(transporte, TransporteMqtt)
        enchufe = transporte._cliente.socket()
        assert isinstance(enchufe, socket.socket)
        socket.socket.shutdown(enchufe, socket.SHUT_RDWR)

    def caer(self) -> None:
        self._broker.matar()

    apagado = caer


@pytest.fixture(params=["memoria", pytest.param("mqtt", marks=pytest.mark.broker)])
def banco(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Banco]:
    if request.param == "memoria":
        yield BancoEnMemoria()
        return
    broker = Broker(tmp_path / "broker", AMBITO)
    broker.levantar()
    yield BancoMqtt(broker)
    broker.matar()


def hasta(transporte: Transporte, listo: Callable[[list[Mensaje]], bool]) -> list[Mensaje]:
    """Bombea hasta que lo recibido cumpla, o falla a los diez segundos."""
    recibidos: list[Mensaje] = []
    limite = time.monotonic() + PLAZO_S
    while not listo(recibidos):
        assert time.monotonic() < limite, recibidos
        recibidos += transporte.bombear(0.05)
    return recibidos


def centro(banco: Banco) -> Transporte:
    transporte = banco.transporte("centro")
    transporte.conectar()
    for carril in (Carril.HECHOS, Carril.LATIDO):
        transporte.suscribir(filtro_del_centro(AMBITO, carril))
    return transporte


def test_lo_publicado_llega_igual_byte_por_byte_a_quien_se_suscribio(banco: Banco) -> None:
    oye, habla = centro(banco), banco.transporte("catd-01")
    habla.conectar()
    cargas = [b"", b"\x00\xff\xfe", "ñandú".encode(), b"x" * 30_000]
    for carga in cargas:
        assert habla.publicar(HECHOS, carga)
    habla.bombear(0.05)
    recibidos = hasta(oye, lambda r: len(r) == len(cargas))
    assert recibidos == [Mensaje(HECHOS, c) for c in cargas]
    habla.cerrar()
    oye.cerrar()


def test_con_la_ventana_llena_no_manda_y_lo_dice(banco: Banco) -> None:
    oye, habla = centro(banco), banco.transporte("catd-01")
    habla.conectar()
    aceptados = [habla.publicar(HECHOS, str(i).encode()) for i in range(EN_VUELO + 3)]
    assert aceptados == [True] * EN_VUELO + [False] * 3
    assert habla.en_vuelo() == sum(len(str(i)) for i in range(EN_VUELO)), "en bytes"
    limite = time.monotonic() + PLAZO_S
    while not habla.publicar(HECHOS, b"otra"):
        assert time.monotonic() < limite
        habla.bombear(0.05)
    habla.bombear(0.05)
    assert len(hasta(oye, lambda r: len(r) == EN_VUELO + 1)) == EN_VUELO + 1
    habla.cerrar()
    oye.cerrar()


def test_sin_conectar_no_se_publica_en_silencio(banco: Banco) -> None:
    transporte = banco.transporte("catd-01")
    with pytest.raises(EnlaceCaido):
        transporte.publicar(HECHOS, b"x")
    transporte.cerrar()


def test_el_broker_no_esta(banco: Banco) -> None:
    banco.apagado()
    transporte = banco.transporte("catd-01")
    with pytest.raises(EnlaceCaido, match="nadie atiende"):
        transporte.conectar()
    transporte.cerrar()


def test_el_broker_muere_a_media_conexion(banco: Banco) -> None:
    transporte = centro(banco)
    banco.caer()
    with pytest.raises(EnlaceCaido):
        hasta(transporte, lambda _: False)
    transporte.cerrar()
    transporte.cerrar()


def test_si_la_conexion_muere_sin_despedirse_se_oye_su_testamento(banco: Banco) -> None:
    oye, muere = centro(banco), banco.transporte("catd-01", _Testamento(LATIDO, b"muerte"))
    muere.conectar()
    banco.romper(muere)
    assert hasta(oye, bool) == [Mensaje(LATIDO, b"muerte")]
    with pytest.raises(EnlaceCaido):
        hasta(muere, lambda _: False)
    muere.cerrar()
    oye.cerrar()


def test_si_se_despide_no_hay_testamento(banco: Banco) -> None:
    oye, sale = centro(banco), banco.transporte("catd-01", _Testamento(LATIDO, b"muerte"))
    sale.conectar()
    assert sale.publicar(HECHOS, b"ultimo")
    sale.bombear(0.05)
    sale.cerrar()
    testigo = banco.transporte("catd-02")
    testigo.conectar()
    tema = str(Tema(AMBITO, "catd-02", Carril.HECHOS))
    assert testigo.publicar(tema, b"fin")
    testigo.bombear(0.05)
    recibidos = hasta(oye, lambda r: any(m.tema == tema for m in r))
    assert [m.carga for m in recibidos] == [b"ultimo", b"fin"]
    testigo.cerrar()
    oye.cerrar()
