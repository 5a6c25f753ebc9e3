"""El bróker se cae o no deja entrar, y la sala lo lee en español, sea mosquitto o RabbitMQ."""

from __future__ import annotations

import inspect
import socket
import ssl
from queue import SimpleQueue
from typing import Any, cast

import pytest
from paho.mqtt.client import convert_connack_rc_to_reason_code, convert_disconnect_error_code_to_reason_code
from paho.mqtt.enums import ConnackCode, MQTTErrorCode
from pika import exceptions

from ensayo.puertos import puerto_libre
from servicio_central.causa_de_desconexion import causa_de, causa_de_amqp, en_espanol
from servicio_central.enlace_amqp import ConexionAmqp
from servicio_central.sucesos import Desconectado, Suceso


def test_todo_lo_que_paho_puede_decir_tiene_palabras() -> None:
    codigos = [convert_connack_rc_to_reason_code(c) for c in ConnackCode]
    codigos += [convert_disconnect_error_code_to_reason_code(c) for c in MQTTErrorCode]
    for codigo in codigos:
        assert str(codigo) not in en_espanol(codigo), codigo
    assert en_espanol("Otra cosa") == "el bróker dijo «Otra cosa»"


@pytest.mark.parametrize(
    ("error", "dice"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "nadie contesta en su puerto"),
        (ConnectionResetError(104, "Connection reset by peer"), "se cortó al conectar"),
        (TimeoutError("timed out"), "no contesta a tiempo"),
        (socket.gaierror(-2, "Name or service not known"), "su nombre no se encuentra en la red"),
        (ssl.SSLError(1, "handshake failure"), "no se aceptaron los certificados: "),
        (OSError("disco"), "disco"),
    ],
)
def test_no_se_pudo_conectar_y_se_dice_por_que(error: OSError, dice: str) -> None:
    assert causa_de(error).startswith(dice)


# ------------------------------------------------------------------------------------------------------------ RabbitMQ


def test_todo_corte_que_pika_puede_decir_tiene_palabras() -> None:
    cortes = [
        clase
        for _, clase in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(clase, exceptions.AMQPConnectionError | exceptions.AMQPChannelError)
        and not issubclass(clase, exceptions.ConnectionClosed | exceptions.ChannelClosed)
        and clase.__init__ is Exception.__init__
    ]
    assert len(cortes) > 10
    for clase in cortes:
        assert clase.__name__ not in causa_de_amqp(cast(Exception, clase())), clase


@pytest.mark.parametrize(
    ("error", "dice"),
    [
        (exceptions.ConnectionClosedByBroker(320, "CONNECTION_FORCED"), "se está apagando"),
        (exceptions.ChannelClosedByBroker(404, "NOT_FOUND - no queue"), "falta una cola"),
        (exceptions.ChannelClosedByBroker(406, "PRECONDITION_FAILED - timeout"), "el almacén lleva mucho"),
        (exceptions.ConnectionClosedByBroker(999, "RARO"), "RabbitMQ dijo «ConnectionClosedByBroker (999, 'RARO')»"),
        (exceptions.StreamLostError("Stream connection lost: ConnectionResetError(104)"), "se cayó la red o el nodo"),
        (exceptions.AMQPConnectionError(ConnectionRefusedError(111, "refused")), "nadie contesta en su puerto"),
        (exceptions.AMQPHeartbeatTimeout("No activity or too many missed heartbeats"), "dejó de contestar"),
        (ConnectionResetError(104, "Connection reset by peer"), "se cortó al conectar"),
    ],
)
def test_rabbitmq_se_cae_y_se_dice_por_que(error: Exception, dice: str) -> None:
    assert dice in causa_de_amqp(error)


def test_se_pierde_la_conexion_amqp_y_la_sala_no_lee_ingles() -> None:
    class Cortada:
        def process_data_events(self, time_limit: float) -> None:
            raise exceptions.StreamLostError("Stream connection lost: ConnectionResetError(104, 'reset by peer')")

    conexion = object.__new__(ConexionAmqp)
    fila: SimpleQueue[Suceso] = SimpleQueue()
    conexion.__dict__ |= {"_fila": fila, "_cerrada": False, "viva": True, "_conexion": cast(Any, Cortada())}
    conexion._atender()
    assert fila.get_nowait() == Desconectado("se cortó la conexión: se cayó la red o el nodo")
    assert not conexion.viva


def test_nadie_contesta_en_el_puerto_de_amqp() -> None:
    with pytest.raises(OSError, match=r"^nadie contesta en su puerto$"):
        ConexionAmqp(f"127.0.0.1:{puerto_libre()}", ssl.create_default_context(), 1, SimpleQueue())
