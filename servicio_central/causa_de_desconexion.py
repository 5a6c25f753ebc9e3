"""Por qué no hay enlace con el bróker, en español: paho, pika y el sistema lo dicen en inglés."""

from __future__ import annotations

import socket
import ssl
from typing import Final

_CODIGOS: Final = {
    "Success": "la sesión se cerró",
    "Normal disconnection": "la sesión se cerró",
    "Unspecified error": "se cortó la conexión",
    "Keep alive timeout": "el bróker dejó de contestar",
    "Protocol error": "lo que contesta no es MQTT",
    "Unsupported protocol version": "el bróker no habla MQTT 3.1.1",
    "Client identifier not valid": "el bróker no acepta el nombre del centro",
    "Server unavailable": "el bróker está ocupado o apagándose",
    "Bad user name or password": "el bróker no reconoce el certificado del centro",
    "Not authorized": "la lista de acceso no deja entrar al centro",
}
"""Los únicos que paho da con MQTT 3.1.1, al conectar y al perder la conexión."""

_POR_CLASE: Final = {
    "AMQPHeartbeatTimeout": "el nodo dejó de contestar: la red no pasa o su máquina está ahogada",
    "ConnectionBlockedTimeout": "el nodo tuvo detenida la conexión: le falta memoria o disco",
    "ProbableAuthenticationError": "el nodo no reconoce el certificado del centro",
    "AuthenticationError": "el nodo no reconoce el certificado del centro",
    "ProbableAccessDeniedError": "el nodo no deja entrar al centro: no tiene permisos ahí",
    "ConnectionOpenAborted": "el nodo colgó antes de terminar de conectar: se está apagando o arrancando",
    "IncompatibleProtocolError": "lo que contesta no es RabbitMQ: el puerto no es el de AMQP",
    "ProtocolSyntaxError": "lo que contesta no es RabbitMQ: el puerto no es el de AMQP",
    "AMQPConnectorStackTimeout": "no contesta a tiempo",
    "ConsumerCancelled": "el nodo dejó de dar una cola: la borraron o cambió de nodo",
    "ConnectionWrongStateError": "la conexión ya estaba cerrada",
    "AMQPChannelError": "el canal ya estaba cerrado",
    "AMQPConnectionError": "se cortó la conexión: se cayó la red o el nodo",
}
"""De lo más preciso a lo más general: se busca la clase del error de pika y después sus madres."""

_POR_CODIGO: Final = {
    320: "el nodo cerró la conexión: se está apagando, o alguien la cerró en RabbitMQ",
    402: "el nodo no deja entrar al centro: no tiene permisos ahí",
    403: "el nodo no deja al centro usar una cola o un intercambio: no tiene permisos ahí",
    404: "falta una cola o un intercambio: RabbitMQ no se terminó de preparar, o alguien los borró",
    405: "otro programa tiene tomada una cola",
    406: "el nodo esperó demasiado un mensaje por devolver: el almacén lleva mucho sin contestar",
    530: "el nodo no deja entrar al centro: no tiene permisos ahí",
    541: "el nodo tuvo una falla interna: le falta disco o memoria, o el grupo perdió la mayoría",
}
"""Con qué número cierra RabbitMQ (AMQP 0-9-1, §1.1) lo que cierra él."""


def en_espanol(codigo: object) -> str:
    """Un código de paho; el que no se conoce va tal cual, para quien dé soporte."""
    dicho = str(codigo)
    return _CODIGOS.get(dicho, f"el bróker dijo «{dicho}»")


def causa_de(error: OSError) -> str:
    """Por qué no se pudo abrir la conexión."""
    match error:
        case ConnectionRefusedError():
            return "nadie contesta en su puerto"
        case ssl.SSLCertVerificationError(verify_message=mensaje):
            return f"su certificado no se pudo comprobar: {mensaje}"
        case ssl.SSLError():
            return f"no se aceptaron los certificados: {getattr(error, 'reason', None) or error}"
        case socket.gaierror():
            return "su nombre no se encuentra en la red"
        case TimeoutError():
            return "no contesta a tiempo"
        case ConnectionError():
            return "se cortó al conectar"
    return str(error)


def causa_de_amqp(error: BaseException) -> str:
    """Por qué no se abrió o se perdió una conexión con RabbitMQ; lo que no se conoce va tal cual, para soporte.

    Args:
        error: el que dio pika, que a veces trae adentro el del sistema.
    """
    de_adentro = getattr(error, "exception", None) or next(iter(error.args), None)
    if isinstance(de_adentro, BaseException):
        return causa_de_amqp(de_adentro)
    if isinstance(error, OSError):
        return causa_de(error)
    if (dicho := _POR_CODIGO.get(getattr(error, "reply_code", 0))) is not None:
        return dicho
    clases = (c.__name__ for c in type(error).__mro__)
    conocida = next((_POR_CLASE[c] for c in clases if c in _POR_CLASE and not hasattr(error, "reply_code")), None)
    return conocida or f"RabbitMQ dijo «{type(error).__name__} {error}»"
