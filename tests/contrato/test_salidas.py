"""Salir por la interfaz que se pidió: lo que se usa de Linux y de paho para eso, con enchufes de verdad."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Final

import pytest
from paho.mqtt.client import Client

from appliance.enlace import interfaz, sonda
from appliance.enlace.salidas import Salida
from appliance.enlace.transporte import EnlaceCaido
from appliance.enlace.transporte_mqtt import TransporteMqtt
from tests.broker_de_prueba import Broker

LAZO = Salida("cable", "lo")


@pytest.fixture
def oyente() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as oyente:
        yield oyente.getsockname()[:2]


def atado_a(enchufe: socket.socket) -> str:
    return enchufe.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0").decode()


def test_el_enchufe_queda_atado_a_su_interfaz(oyente: tuple[str, int]) -> None:
    with interfaz.abrir(oyente, "lo", 3) as enchufe:
        assert atado_a(enchufe) == "lo"


def test_atarse_no_pide_privilegio(oyente: tuple[str, int]) -> None:
    if os.geteuid() != 0:
        pytest.skip("las demás pruebas ya corren así")
    programa = (
        "e = interfaz.abrir((sys.argv[1], int(sys.argv[2])), 'lo', 3)\n"
        "print(e.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(bytes(1)).decode())"
    )
    raiz = Path(__file__).resolve().parents[2]
    dicho = subprocess.run(
        [sys.executable, "-c", _SIN_PRIVILEGIO + programa, oyente[0], str(oyente[1])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=raiz,
    )
    assert dicho.stdout.strip() == "lo", dicho.stderr


# Se importa antes de soltar la cuenta: las carpetas del proyecto y de Python pueden ser privadas.
_SIN_PRIVILEGIO: Final = """\
import encodings.idna, os, socket, sys
sys.path.insert(0, "")
from appliance.enlace import interfaz
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
"""


def test_donde_no_se_puede_atar_sale_con_la_direccion_de_la_interfaz(
    oyente: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def kernel_viejo(_enchufe: socket.socket, _nivel: int, _opcion: int, *_valor: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket.socket, "setsockopt", kernel_viejo)
    with interfaz.abrir(oyente, "lo", 3) as enchufe:
        assert enchufe.getsockname()[0] == "127.0.0.1"
        assert atado_a(enchufe) == ""


def test_por_una_interfaz_que_no_hay_o_que_no_llega_no_se_sale(oyente: tuple[str, int]) -> None:
    with pytest.raises(OSError, match="no tiene señal"):
        interfaz.abrir(oyente, "nohay0", 1)
    assert interfaz.contador("nohay0") is None
    with pytest.raises(OSError, match=r"Network is unreachable|timed out|No route|Invalid"):
        interfaz.abrir(("192.0.2.1", 9), "lo", 0.5)


def test_los_bytes_se_cuentan_donde_los_cuenta_el_sistema(oyente: tuple[str, int]) -> None:
    antes = interfaz.contador("lo")
    assert antes is not None
    with interfaz.abrir(oyente, "lo", 3) as enchufe:
        enchufe.sendall(b"x" * 30_000)
    despues = interfaz.contador("lo")
    assert despues is not None
    assert despues[0] == antes[0]
    assert despues[1] - antes[1] >= 30_000


@pytest.mark.broker
def test_paho_sigue_abriendo_por_donde_le_decimos(tmp_path: Path) -> None:
    """Si una versión nueva de paho deja de llamar a nuestro método, esto lo dice; y el transporte no sale callado."""
    broker = Broker(tmp_path, "simulacro-prueba2022")
    broker.levantar()
    pedidos: list[tuple[str, int]] = []

    def abrir(destino: tuple[str, int], plazo: float) -> socket.socket:
        pedidos.append(destino)
        return interfaz.abrir(destino, "lo", plazo)

    try:
        transporte = TransporteMqtt("localhost", broker.puerto, "catd-01", broker.contexto("catd-01"), None, abrir)
        transporte.conectar()
        enchufe = transporte._cliente.socket()
        assert isinstance(enchufe, socket.socket)
        assert atado_a(enchufe) == "lo"
        assert pedidos == [("localhost", broker.puerto)]
        transporte.cerrar()
        assert sonda.llega(("localhost", broker.puerto), LAZO, broker.contexto("catd-01"))
        assert not sonda.llega(("localhost", broker.puerto), Salida("x", "nohay0"), None)
    finally:
        broker.matar()
    assert not sonda.llega(("localhost", broker.puerto), LAZO, None)


@pytest.mark.broker
def test_si_paho_abre_por_su_cuenta_no_se_usa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(tmp_path, "simulacro-prueba2022")
    broker.levantar()
    try:
        abrir: Callable[[tuple[str, int], float], socket.socket] = lambda d, p: interfaz.abrir(d, "lo", p)  # noqa: E731
        transporte = TransporteMqtt("localhost", broker.puerto, "catd-01", broker.contexto("catd-01"), None, abrir)
        de_paho = Client._create_socket_connection
        monkeypatch.setattr(type(transporte._cliente), "_create_socket_connection", de_paho)
        with pytest.raises(EnlaceCaido, match="por su cuenta"):
            transporte.conectar()
        transporte.cerrar()
    finally:
        broker.matar()


def test_la_sonda_no_detiene_a_quien_la_pide(oyente: tuple[str, int]) -> None:
    puede = Event()
    una = sonda.Sonda(lambda _: puede.wait(10))
    assert una.resultado() is None
    una.empezar(LAZO)
    una.empezar(LAZO)
    assert una.resultado() is None
    puede.set()
    while (dicho := una.resultado()) is None:
        pass
    assert dicho is True
    assert una.resultado() is None
