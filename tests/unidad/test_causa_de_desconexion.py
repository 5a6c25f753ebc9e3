"""El bróker se cae o no deja entrar, y la sala lo lee en español."""

from __future__ import annotations

import socket
import ssl

import pytest
from paho.mqtt.client import convert_connack_rc_to_reason_code, convert_disconnect_error_code_to_reason_code
from paho.mqtt.enums import ConnackCode, MQTTErrorCode

from servicio_central.causa_de_desconexion import causa_de, en_espanol


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
