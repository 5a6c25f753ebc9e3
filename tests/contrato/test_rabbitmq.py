"""Tres nodos de RabbitMQ con la configuración que generamos: se intentan romper igual que mosquitto."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest
from pika.exceptions import AMQPError

from ensayo.crecer import raiz
from ensayo.crecer.rabbit import CumuloRabbit
from nucleo.claves import clave_de, permisos, tema_de
from nucleo.temas import Carril, TemaInvalido
from servicio_central import broker, inscripcion
from servicio_central.ajustes import BROKER
from servicio_central.rabbitmq import INTERCAMBIO, cola, definiciones
from tests.centro_de_verdad import Cliente, Inscrito, esperar

con_raiz = pytest.mark.skipif(bool(raiz.impedimento()), reason=raiz.impedimento() or "sí se puede")


class Sistema:
    """Un centro inscrito y sus tres nodos."""

    def __init__(self, inscrito: Inscrito, cumulo: CumuloRabbit) -> None:
        self.inscrito, self.cumulo = inscrito, cumulo

    def cliente(self, quien: str, temas: str = "", *, nombre: str = "", nodo: int = 0) -> Cliente:
        carpeta = self.inscrito.centro if quien == "centro" else self.inscrito.kiosco(quien)
        return Cliente(self.cumulo.mqtt[nodo], broker.contexto_tls(carpeta), nombre or quien, temas=temas)

    def amqp(self, quien: str) -> pika.BlockingConnection:
        carpeta = self.inscrito.centro if quien == "centro" else self.inscrito.kiosco(quien)
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                "localhost",
                self.cumulo.amqp[1],
                credentials=pika.credentials.ExternalCredentials(),
                ssl_options=pika.SSLOptions(broker.contexto_tls(carpeta), "localhost"),
                blocked_connection_timeout=5,
            )
        )

    def encolados(self) -> list[tuple[str, bytes]]:
        """Lo que llegó a las colas del centro; las deja vacías."""
        conexion = self.amqp("centro")
        canal = conexion.channel()
        todos: list[tuple[str, bytes]] = []
        for numero in range(self.cumulo.colas):
            canal.basic_consume(cola(numero), lambda _c, e, _p, d: todos.append((tema_de(e.routing_key), d)), True)
        conexion.process_data_events(time_limit=1)
        conexion.close()
        return todos


@pytest.fixture(scope="module")
def sistema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sistema]:
    inscrito = Inscrito(tmp_path_factory.mktemp("rabbitmq"))
    for equipo in ("catd-01", "catd-02", "catd-03"):
        inscrito.kiosco(equipo)
    cumulo = CumuloRabbit(inscrito.centro / BROKER, inscripcion.leer_padron(inscrito.centro))
    try:
        cumulo.levantar()
        yield Sistema(inscrito, cumulo)
    finally:
        cumulo.cerrar()


@con_raiz
def test_lo_suyo_sube_a_las_colas_y_lo_suyo_baja(sistema: Sistema) -> None:
    i = sistema.inscrito
    hechos, acuse = i.tema("catd-01", Carril.HECHOS), i.tema("catd-01", Carril.ACUSE)
    kiosco = sistema.cliente("catd-01", acuse)
    assert kiosco.listo
    kiosco.publicar(hechos, b"hoja")
    assert esperar(lambda: kiosco.tomados == 1)
    assert sistema.encolados() == [(hechos, b"hoja")]
    conexion = sistema.amqp("centro")
    conexion.channel().basic_publish(INTERCAMBIO, clave_de(acuse), b"acuse")
    conexion.close()
    assert esperar(lambda: kiosco.recibidos == [(acuse, b"acuse")])
    kiosco.cerrar()


@con_raiz
def test_un_kiosco_no_escribe_por_otro_ni_inventa_acuses(sistema: Sistema) -> None:
    i = sistema.inscrito
    for tema in (
        i.tema("catd-02", Carril.HECHOS),
        i.tema("catd-02", Carril.ACUSE),
        i.tema("catd-01", Carril.ACUSE),
        i.tema("catd-01", Carril.HECHOS).replace("simulacro", "oficial"),
        "otra/cosa",
    ):
        intruso = sistema.cliente("catd-01")
        intruso.publicar(tema, b"intrusion")
        # RabbitMQ corta a quien escribe donde no puede.
        assert esperar(lambda c=intruso: c.caido is not None), tema  # type: ignore[misc]
        intruso.cerrar()
    assert sistema.encolados() == []


@con_raiz
def test_un_kiosco_no_lee_lo_de_otros(sistema: Sistema) -> None:
    i = sistema.inscrito
    ajenos = (f"prep/{i.ambito}/+/baja/acuse", i.tema("catd-02", Carril.ACUSE), i.tema("catd-01", Carril.HECHOS))
    for tema in ("#", *ajenos):
        espia = sistema.cliente("catd-01", tema)
        conexion = sistema.amqp("centro")
        conexion.channel().basic_publish(INTERCAMBIO, clave_de(i.tema("catd-02", Carril.ACUSE)), b"ajeno")
        conexion.close()
        time.sleep(0.3)
        assert espia.recibidos == [], tema
        espia.cerrar()


@con_raiz
def test_nadie_desplaza_la_sesion_de_otro_con_su_nombre(sistema: Sistema) -> None:
    acuse = sistema.inscrito.tema("catd-02", Carril.ACUSE)
    victima = sistema.cliente("catd-02", acuse)
    intruso = sistema.cliente("catd-01", nombre="catd-02")
    assert not intruso.listo
    conexion = sistema.amqp("centro")
    conexion.channel().basic_publish(INTERCAMBIO, clave_de(acuse), b"sigue")
    conexion.close()
    assert esperar(lambda: victima.recibidos == [(acuse, b"sigue")])
    assert victima.caido is None
    for cliente in (victima, intruso):
        cliente.cerrar()


@con_raiz
def test_un_kiosco_no_entra_a_las_colas_por_amqp(sistema: Sistema) -> None:
    """Su certificado también abre AMQP: ahí no puede leer, vaciar, crear ni ligar nada."""
    intentos: list[Callable[[Any], object]] = [
        lambda c: c.basic_consume(cola(0), print),
        lambda c: c.queue_purge(cola(0)),
        lambda c: c.queue_delete(cola(0)),
        lambda c: c.queue_declare("propia"),
        lambda c: c.exchange_declare("propio"),
        lambda c: c.exchange_delete(INTERCAMBIO),
        lambda c: c.queue_bind(cola(0), INTERCAMBIO, "#"),
    ]
    for intento in intentos:
        conexion = sistema.amqp("catd-01")
        with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
            intento(conexion.channel())
    conexion = sistema.amqp("catd-01")
    canal = conexion.channel()
    canal.confirm_delivery()
    with pytest.raises(AMQPError):
        canal.basic_publish(INTERCAMBIO, clave_de(sistema.inscrito.tema("catd-02", Carril.HECHOS)), b"x")
    assert sistema.encolados() == []


def _conecta(sistema: Sistema, tls: ssl.SSLContext) -> bool:
    try:
        cliente = Cliente(sistema.cumulo.mqtt[2], tls, "catd-01")
    except OSError:
        return False
    try:
        return cliente.listo
    finally:
        cliente.cerrar()


@con_raiz
def test_sin_certificado_con_el_de_otra_autoridad_o_con_tls_viejo_no_se_entra(
    sistema: Sistema, tmp_path_factory: pytest.TempPathFactory
) -> None:
    i = sistema.inscrito
    assert not _conecta(sistema, ssl.create_default_context(cafile=str(i.autoridad / "ca.pem")))
    otra = Inscrito(tmp_path_factory.mktemp("otra"))
    ajeno = ssl.create_default_context(cafile=str(i.autoridad / "ca.pem"))
    ajeno.load_cert_chain(otra.kiosco("catd-01") / "tls.pem", otra.kiosco("catd-01") / "tls.key")
    assert not _conecta(sistema, ajeno)
    viejo = broker.contexto_tls(i.kiosco("catd-01"))
    viejo.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not _conecta(sistema, viejo)
    servidor = ssl.create_default_context(cafile=str(i.autoridad / "ca.pem"))
    servidor.load_cert_chain(i.centro / BROKER / "servidor.pem", i.centro / BROKER / "servidor.key")
    assert not _conecta(sistema, servidor)
    assert _conecta(sistema, broker.contexto_tls(i.kiosco("catd-01")))


@con_raiz
def test_sin_tls_no_hay_nadie(sistema: Sistema) -> None:
    for puerto in (*sistema.cumulo.mqtt, *sistema.cumulo.amqp):
        with socket.create_connection(("127.0.0.1", puerto), timeout=3) as enchufe:
            enchufe.sendall(b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab")
            try:
                contestado = enchufe.recv(64)
            except OSError:
                contestado = b""
        assert contestado[:1] in (b"", b"\x15")


@con_raiz
def test_un_paquete_enorme_corta_a_quien_lo_manda_y_a_nadie_mas(sistema: Sistema) -> None:
    i = sistema.inscrito
    malo, bueno = sistema.cliente("catd-01"), sistema.cliente("catd-02")
    malo.publicar(i.tema("catd-01", Carril.HECHOS), b"x" * (broker.MAXIMO_PAQUETE + 1))
    assert esperar(lambda: malo.caido is not None)
    bueno.publicar(i.tema("catd-02", Carril.HECHOS), b"hoja")
    assert esperar(lambda: bueno.tomados == 1)
    assert [d for _, d in sistema.encolados()] == [b"hoja"]
    for cliente in (malo, bueno):
        cliente.cerrar()


@con_raiz
def test_a_quien_se_le_quita_el_usuario_ya_no_entra_y_los_demas_si(sistema: Sistema) -> None:
    assert sistema.cliente("catd-03").listo
    sistema.cumulo.ctl("delete_user", "catd-03")
    sistema.cumulo.ctl("close_all_user_connections", "catd-03", "dado de baja")
    assert not sistema.cliente("catd-03").listo
    assert sistema.cliente("catd-01", nodo=1).listo


@con_raiz
def test_las_colas_tienen_tres_miembros(sistema: Sistema) -> None:
    for n in range(sistema.cumulo.colas):
        assert sistema.cumulo.ctl("list_queues", "name", "members").count(f"prep-{n}") == 1
    assert sistema.cumulo.ctl("list_queues", "members").count("n2@localhost") == sistema.cumulo.colas


def test_la_clave_es_el_tema_con_puntos_de_ida_y_vuelta() -> None:
    tema = "prep/simulacro-oax2022/catd-01/sube/hechos"
    assert clave_de(tema) == "prep.simulacro-oax2022.catd-01.sube.hechos"
    assert tema_de(clave_de(tema)) == tema
    assert clave_de("prep/x/+/sube/hechos") == "prep.x.*.sube.hechos"
    with pytest.raises(TemaInvalido):
        clave_de("prep/con.punto")
    with pytest.raises(TemaInvalido):
        permisos("prueba.*", "catd-01")


def test_nadie_tiene_contrasena_y_cada_quien_lo_suyo() -> None:
    dato = definiciones(["catd-02", "catd-01"], "simulacro-oax2022", 2)
    assert [u["name"] for u in dato["users"]] == ["catd-01", "catd-02", "centro"]
    assert {u["password_hash"] for u in dato["users"]} == {""}
    assert {p["write"] for p in dato["topic_permissions"] if p["user"] != "centro"} == {
        r"^prep\.simulacro-oax2022\.{username}\.sube\.(hechos|latido|imagen)$"
    }
    assert [q["name"] for q in dato["queues"]] == [cola(0), cola(1)]
