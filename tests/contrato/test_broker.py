"""El bróker de verdad: se intenta romper con todo lo que puede hacer un kiosco tomado o un desconocido en la red."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from ensayo.puertos import puerto_libre
from nucleo.temas import Carril
from servicio_central import ajustes, broker, cambios_de_padron
from servicio_central.tropiezo import Tropiezo
from tests.centro_de_verdad import Cliente, Inscrito, esperar

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def sistema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inscrito]:
    inscrito = Inscrito(tmp_path_factory.mktemp("broker"))
    for equipo in ("catd-01", "catd-02", "catd-03"):
        inscrito.kiosco(equipo)
    inscrito.levantar_broker()
    yield inscrito
    inscrito.matar_broker()


@pytest.fixture
def clientes(sistema: Inscrito) -> Iterator[list[Cliente]]:
    abiertos: list[Cliente] = []
    yield abiertos
    for cliente in abiertos:
        cliente.cerrar()


def _cliente(
    sistema: Inscrito,
    clientes: list[Cliente],
    quien: str,
    temas: str = "",
    version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
) -> Cliente:
    carpeta = sistema.centro if quien == "centro" else sistema.kiosco(quien)
    cliente = Cliente(sistema.puerto, broker.contexto_tls(carpeta), quien, version=version, temas=temas)
    clientes.append(cliente)
    return cliente


def test_lo_suyo_sube_y_lo_suyo_baja(sistema: Inscrito, clientes: list[Cliente]) -> None:
    acuse, hechos = sistema.tema("catd-01", Carril.ACUSE), sistema.tema("catd-01", Carril.HECHOS)
    centro = _cliente(sistema, clientes, "centro", f"prep/{sistema.ambito}/+/sube/hechos")
    kiosco = _cliente(sistema, clientes, "catd-01", acuse)
    assert kiosco.listo
    kiosco.publicar(hechos, b"hoja")
    assert esperar(lambda: centro.recibidos == [(hechos, b"hoja")])
    centro.publicar(acuse, b"acuse")
    assert esperar(lambda: kiosco.recibidos == [(acuse, b"acuse")])


def test_un_kiosco_no_escribe_por_otro_ni_inventa_acuses(sistema: Inscrito, clientes: list[Cliente]) -> None:
    centro = _cliente(sistema, clientes, "centro", f"prep/{sistema.ambito}/+/sube/hechos")
    victima = _cliente(sistema, clientes, "catd-02", sistema.tema("catd-02", Carril.ACUSE))
    intruso = _cliente(sistema, clientes, "catd-01", version=MQTTProtocolVersion.MQTTv5)
    prohibidos = [
        sistema.tema("catd-02", Carril.HECHOS),
        sistema.tema("catd-02", Carril.LATIDO),
        sistema.tema("catd-02", Carril.ACUSE),
        sistema.tema("catd-01", Carril.ACUSE),
        sistema.tema("catd-01", Carril.HECHOS).replace("simulacro", "oficial"),
        "$SYS/broker/uptime",
        "otra/cosa",
    ]
    for tema in prohibidos:
        intruso.publicar(tema, b"intrusion")
    assert esperar(lambda: intruso.tomados == len(prohibidos))
    assert intruso.codigos[1:] == ["Not authorized"] * len(prohibidos)
    # Lo permitido llega después de todo lo prohibido: si algo se hubiera colado, ya estaría.
    intruso.publicar(sistema.tema("catd-01", Carril.HECHOS), b"permitido")
    assert esperar(lambda: bool(centro.recibidos))
    assert [d for _, d in centro.recibidos] == [b"permitido"]
    assert victima.recibidos == []


def test_un_kiosco_no_lee_lo_de_otros(sistema: Inscrito, clientes: list[Cliente]) -> None:
    espia = _cliente(sistema, clientes, "catd-01", "#")
    dueno = _cliente(sistema, clientes, "catd-02", sistema.tema("catd-02", Carril.ACUSE))
    centro = _cliente(sistema, clientes, "centro")
    dueno.publicar(sistema.tema("catd-02", Carril.HECHOS), b"hoja ajena")
    centro.publicar(sistema.tema("catd-02", Carril.ACUSE), b"acuse ajeno")
    centro.publicar(sistema.tema("catd-01", Carril.ACUSE), b"acuse propio")
    assert esperar(lambda: bool(espia.recibidos) and bool(dueno.recibidos))
    assert [d for _, d in espia.recibidos] == [b"acuse propio"]


def test_nadie_desplaza_la_sesion_de_otro_con_su_nombre(sistema: Inscrito, clientes: list[Cliente]) -> None:
    victima = _cliente(sistema, clientes, "catd-02", sistema.tema("catd-02", Carril.ACUSE))
    intruso = Cliente(sistema.puerto, broker.contexto_tls(sistema.kiosco("catd-01")), "catd-02")
    clientes.append(intruso)
    centro = _cliente(sistema, clientes, "centro")
    centro.publicar(sistema.tema("catd-02", Carril.ACUSE), b"sigue")
    assert esperar(lambda: victima.recibidos == [(sistema.tema("catd-02", Carril.ACUSE), b"sigue")])
    assert victima.caido is None
    assert intruso.recibidos == []


def _conecta(sistema: Inscrito, tls: ssl.SSLContext) -> bool:
    try:
        cliente = Cliente(sistema.puerto, tls, "catd-01")
    except OSError:
        return False
    try:
        return cliente.listo
    finally:
        cliente.cerrar()


def test_sin_certificado_o_con_el_de_otra_autoridad_no_se_entra(sistema: Inscrito, tmp_path: Path) -> None:
    sin = ssl.create_default_context(cafile=str(sistema.autoridad / "ca.pem"))
    assert not _conecta(sistema, sin)
    otra = Inscrito(tmp_path)
    ajeno = ssl.create_default_context(cafile=str(sistema.autoridad / "ca.pem"))
    ajeno.load_cert_chain(otra.kiosco("catd-01") / "tls.pem", otra.kiosco("catd-01") / "tls.key")
    assert not _conecta(sistema, ajeno)
    # Y un kiosco tampoco le habla a un bróker ajeno.
    assert not _conecta(sistema, broker.contexto_tls(otra.kiosco("catd-01")))
    assert _conecta(sistema, broker.contexto_tls(sistema.kiosco("catd-01")))


def test_el_certificado_de_un_servidor_no_sirve_para_entrar_como_kiosco(sistema: Inscrito) -> None:
    tls = ssl.create_default_context(cafile=str(sistema.autoridad / "ca.pem"))
    carpeta = sistema.centro / ajustes.BROKER
    tls.load_cert_chain(carpeta / "servidor.pem", carpeta / "servidor.key")
    assert not _conecta(sistema, tls)


def test_sin_tls_no_hay_nadie(sistema: Inscrito) -> None:
    with socket.create_connection(("127.0.0.1", sistema.puerto), timeout=3) as enchufe:
        enchufe.sendall(b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab")
        enchufe.settimeout(3)
        try:
            contestado = enchufe.recv(64)
        except OSError:
            contestado = b""
    # Nada, o la alerta de TLS (tipo 21); nunca un CONNACK (0x20).
    assert contestado[:1] in (b"", b"\x15")


def test_con_tls_viejo_no_se_entra(sistema: Inscrito) -> None:
    tls = broker.contexto_tls(sistema.kiosco("catd-01"))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not _conecta(sistema, tls)


def test_un_paquete_enorme_corta_a_quien_lo_manda_y_a_nadie_mas(sistema: Inscrito, clientes: list[Cliente]) -> None:
    centro = _cliente(sistema, clientes, "centro", f"prep/{sistema.ambito}/+/sube/hechos")
    malo = _cliente(sistema, clientes, "catd-01")
    bueno = _cliente(sistema, clientes, "catd-02")
    malo.publicar(sistema.tema("catd-01", Carril.HECHOS), b"x" * (broker.MAXIMO_PAQUETE + 1))
    assert esperar(lambda: malo.caido is not None)
    bueno.publicar(sistema.tema("catd-02", Carril.HECHOS), b"hoja")
    assert esperar(lambda: [d for _, d in centro.recibidos] == [b"hoja"])


def test_bytes_sin_sentido_despues_del_tls_no_tumban_al_broker(sistema: Inscrito) -> None:
    tls = broker.contexto_tls(sistema.kiosco("catd-01"))
    for basura in (
        b"\x00" * 64,
        b"\xff" * 64,
        b"\x10\xff\xff\xff\x7f",
        struct.pack(">BB", 0x30, 0x7F),
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        with (
            socket.create_connection(("localhost", sistema.puerto), timeout=15) as enchufe,
            tls.wrap_socket(enchufe, server_hostname="localhost") as seguro,
        ):
            seguro.sendall(basura)
    assert _conecta(sistema, tls)


def test_un_revocado_ya_no_entra_y_los_demas_si(sistema: Inscrito) -> None:
    assert _conecta(sistema, broker.contexto_tls(sistema.kiosco("catd-03")))
    cambios_de_padron.baja(sistema.autoridad, sistema.centro, "catd-03")
    assert sistema._broker is not None
    sistema._broker.send_signal(signal.SIGHUP)
    revocado = broker.contexto_tls(sistema.kiosco("catd-03"))
    assert esperar(lambda: not _conecta(sistema, revocado))
    assert _conecta(sistema, broker.contexto_tls(sistema.kiosco("catd-01")))


def test_el_broker_no_corre_como_root_si_no_hace_falta(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        pytest.skip("sólo tiene sentido como root")
    # pytest hace sus carpetas 0700: se abre el paso, como en /var/lib.
    carpeta = tmp_path_factory.mktemp("publica")
    for padre in (carpeta, *list(carpeta.parents)[:-2]):
        padre.chmod(0o711)
    inscrito = Inscrito(carpeta / "prep")
    try:
        proceso = inscrito.levantar_broker()
        duena = Path(f"/proc/{proceso.pid}").stat().st_uid
        assert duena != 0
        tls = broker.contexto_tls(inscrito.kiosco("catd-01"))
        assert _conecta(inscrito, tls)
        # Al releer (SIGHUP) también puede: la lista de acceso y los revocados siguen siendo suyos.
        proceso.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert _conecta(inscrito, tls)
    finally:
        inscrito.matar_broker()


def test_corre_igual_con_una_cuenta_cualquiera(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        pytest.skip("las demás pruebas ya corren así")
    carpeta = tmp_path_factory.mktemp("comun")
    for padre in (carpeta, *list(carpeta.parents)[:-2]):
        padre.chmod(0o711)
    inscrito = Inscrito(carpeta / "prep")
    for ruta in (inscrito.carpeta, *inscrito.carpeta.rglob("*")):
        os.chown(ruta, 65534, 65534)
    configuracion = inscrito.centro / ajustes.BROKER / "mosquitto.conf"
    programa = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert programa is not None
    proceso = subprocess.Popen(
        [programa, "-c", str(configuracion)],
        user=65534,
        group=65534,
        extra_groups=[],
        stderr=subprocess.DEVNULL,
    )
    try:
        broker.esperar(inscrito.centro, 30, proceso)
        assert _conecta(inscrito, broker.contexto_tls(inscrito.kiosco("catd-01")))
    finally:
        proceso.kill()
        proceso.wait()


def test_si_el_puerto_esta_ocupado_lo_explica(tmp_path: Path) -> None:
    inscrito = Inscrito(tmp_path)
    with socket.socket() as ocupado:
        ocupado.bind(("127.0.0.1", inscrito.puerto))
        ocupado.listen()
        with pytest.raises(Tropiezo) as tropiezo:
            broker.arrancar(inscrito.centro, plazo=3)
    dicho = str(tropiezo.value)
    assert "Address already in use" in dicho or "terminó solo" in dicho
    assert "Siguiente paso" in dicho


def test_si_no_hay_broker_lo_dice(tmp_path: Path) -> None:
    with pytest.raises(Tropiezo, match="no se ha inscrito"):
        broker.orden(tmp_path)
    assert puerto_libre()
