"""Por qué no hay enlace con el bróker, en español: paho y el sistema lo dicen en inglés."""

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
