"""El transporte real: MQTT 3.1.1 sobre TLS con autenticación mutua.

paho-mqtt se usa como un enchufe: cliente nuevo por conexión, sesión limpia, QoS 1, en el mismo hilo (`loop`), sin su
cola, sin su reconexión y sin hilos propios; así ninguna llamada suya se cruza con un candado nuestro.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.enlace.transporte import EN_VUELO, EnlaceCaido, Mensaje, NoAutorizado, Testamento
from appliance.falla import Falla

_PLAZO_S: Final = 10.0
"""Cuánto se espera cada respuesta del bróker al conectar y suscribir."""

_PRONTO_S: Final = 3.0
"""Que el bróker cierre antes de esto, sin que haya llegado nada, casi siempre es que no nos quiere."""

_KEEPALIVE_S: Final = 20
_COLA_DE_SALIDA: Final = 32 * 1024
"""`SO_SNDBUF`. A 1 Mbit/s, la cola por omisión retrasa medio segundo una cifra (`recetas/mqtt.md` §5.4)."""

_CAUSAS: Final = {
    MQTTErrorCode.MQTT_ERR_CONN_LOST: "se perdió la conexión con el bróker",
    MQTTErrorCode.MQTT_ERR_NO_CONN: "no hay conexión con el bróker",
    MQTTErrorCode.MQTT_ERR_KEEPALIVE: "el bróker dejó de responder",
    MQTTErrorCode.MQTT_ERR_CONN_REFUSED: "el bróker rechazó la conexión",
    MQTTErrorCode.MQTT_ERR_PROTOCOL: "el bróker contestó algo que no es MQTT",
}


def contexto_tls(ca: Path, certificado: Path, llave: Path) -> ssl.SSLContext:
    """TLS 1.2 o posterior, con certificado propio y sólo nuestra autoridad.

    Raises:
        Falla: TLS, con el archivo que falta o no sirve.
    """
    try:
        contexto = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        contexto.minimum_version = ssl.TLSVersion.TLSv1_2
        contexto.load_verify_locations(ca)
        contexto.load_cert_chain(certificado, llave)
    except (OSError, ssl.SSLError) as error:
        raise Falla(
            "TLS",
            f"No se pudieron usar los certificados del kiosco ({ca}, {certificado}, {llave}): {error}",
            "falta un archivo, es de otra cuenta o el certificado y su llave no son pareja",
            "vuelva a inscribir el kiosco con `./prep inscribir`",
        ) from error
    return contexto


Abrir = Callable[[tuple[str, int], float], socket.socket]
"""Abre un enchufe TCP hasta ese destino en ese plazo, por donde deba. Raises: OSError."""


class _Cliente(Client):
    """El de paho, con un enchufe que abrimos nosotros.

    Paho sólo lo deja escoger en un método suyo que no documenta; por eso quien lo usa comprueba que de veras lo llamó
    (`tests/contrato/test_salidas.py`).
    """

    abrir: Abrir | None = None
    abierto: socket.socket | None = None

    def _create_socket_connection(self) -> socket.socket:
        if self.abrir is None:
            return super()._create_socket_connection()
        self.abierto = self.abrir((self._host, self._port), self._connect_timeout)
        return self.abierto


class TransporteMqtt:
    """Una conexión MQTT (`appliance.enlace.transporte.Transporte`).

    Args:
        abrir: por dónde se sale; sin él, por donde diga el sistema.
    """

    def __init__(
        self,
        servidor: str,
        puerto: int,
        equipo: str,
        tls: ssl.SSLContext | None,
        testamento: Testamento | None,
        abrir: Abrir | None = None,
    ) -> None:
        self._destino = (servidor, puerto)
        self._llego_algo = False
        self._entro: float | None = None
        self._recibidos: deque[Mensaje] = deque()
        self._sin_puback: dict[int, int] = {}
        """Mensaje → bytes."""
        self._suscritos: dict[int, bool] = {}
        self._conexion: str | None = None
        self._cliente = _Cliente(
            CallbackAPIVersion.VERSION2,
            client_id=equipo,
            clean_session=True,
            protocol=MQTTv311,
            reconnect_on_failure=False,
        )
        self._cliente.abrir = abrir
        self._cliente.max_inflight_messages_set(EN_VUELO)
        self._cliente.connect_timeout = _PLAZO_S
        if tls is not None:
            self._cliente.tls_set_context(tls)
        if testamento is not None:
            self._cliente.will_set(testamento.tema, testamento.carga, qos=1, retain=False)
        self._cliente.on_connect = self._al_conectar
        self._cliente.on_disconnect = self._al_perder
        self._cliente.on_subscribe = self._al_suscribir
        self._cliente.on_publish = self._al_publicar
        self._cliente.on_message = self._al_recibir

    def conectar(self) -> None:
        try:
            resultado = self._cliente.connect(*self._destino, keepalive=_KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise EnlaceCaido(f"{self._destino[0]}:{self._destino[1]}: {_causa(error)}") from error
        self._entro = time.monotonic()
        self._exigir(resultado)
        if self._cliente.abrir is not None and self._cliente.abierto is None:
            raise EnlaceCaido("paho abrió la conexión por su cuenta: no se sabe por cuál salida va")
        conexion = self._cliente.socket()
        if isinstance(conexion, socket.socket):
            # Los sobres son pequeños y esperan respuesta: juntar paquetes sólo los retrasa.
            conexion.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Lo que ya está en la cola del sistema sale antes que una cifra nueva: que quepa poco.
            conexion.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _COLA_DE_SALIDA)
        self._esperar(lambda: self._conexion is not None, "el bróker no contestó la conexión")
        if self._conexion:
            raise NoAutorizado(f"el bróker rechazó la conexión: {self._conexion}")

    def suscribir(self, *temas: str) -> None:
        resultado, mid = self._cliente.subscribe([(tema, 1) for tema in temas])
        self._exigir(resultado)
        if mid is None:
            raise EnlaceCaido("no se pudo pedir la suscripción")
        self._esperar(lambda: mid in self._suscritos, "el bróker no confirmó la suscripción")
        if not self._suscritos[mid]:
            raise NoAutorizado(f"el bróker negó la suscripción a {', '.join(temas)}")

    def publicar(self, tema: str, carga: bytes) -> bool:
        if len(self._sin_puback) >= EN_VUELO:
            return False
        aviso = self._cliente.publish(tema, carga, qos=1, retain=False)
        self._exigir(aviso.rc)
        self._sin_puback[aviso.mid] = len(carga)
        return True

    def en_vuelo(self) -> int:
        return sum(self._sin_puback.values())

    def bombear(self, segundos: float) -> list[Mensaje]:
        if not self._recibidos:
            self._exigir(self._cliente.loop(timeout=segundos))
        recibidos = list(self._recibidos)
        self._recibidos.clear()
        return recibidos

    def cerrar(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._cliente.disconnect()
        conexion = self._cliente.socket()
        if conexion is not None:
            with contextlib.suppress(OSError):
                conexion.close()

    def _esperar(self, listo: Any, causa: str) -> None:
        limite = time.monotonic() + _PLAZO_S
        while not listo():
            if time.monotonic() > limite:
                raise EnlaceCaido(causa)
            self._exigir(self._cliente.loop(timeout=0.1))

    def _exigir(self, resultado: MQTTErrorCode) -> None:
        if resultado == MQTTErrorCode.MQTT_ERR_CONN_LOST and self._recien_entrado():
            # TLS 1.3 dice que no le gusta el certificado después del saludo; otros cierran al primer mensaje prohibido.
            raise NoAutorizado("el bróker cerró en cuanto se entró: no admite el certificado, o le falta permiso")
        if resultado != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise EnlaceCaido(_CAUSAS.get(resultado, f"falló la conexión ({resultado.name})"))

    def _recien_entrado(self) -> bool:
        return self._entro is not None and not self._llego_algo and time.monotonic() - self._entro < _PRONTO_S

    # paho llama a las que siguen desde `loop`, en nuestro propio hilo: sólo anotan.

    def _al_conectar(self, _c: Client, _u: Any, _f: ConnectFlags, codigo: ReasonCode, _p: Properties | None) -> None:
        self._conexion = str(codigo) if codigo.is_failure else ""

    def _al_perder(self, _c: Client, _u: Any, _f: DisconnectFlags, _r: ReasonCode, _p: Properties | None) -> None:
        self._sin_puback.clear()

    def _al_suscribir(self, _c: Client, _u: Any, mid: int, codigos: list[ReasonCode], _p: Properties | None) -> None:
        self._suscritos[mid] = bool(codigos) and not any(c.is_failure for c in codigos)

    def _al_publicar(self, _c: Client, _u: Any, mid: int, _r: ReasonCode, _p: Properties | None) -> None:
        self._sin_puback.pop(mid, None)

    def _al_recibir(self, _c: Client, _u: Any, mensaje: MQTTMessage) -> None:
        self._llego_algo = True
        with contextlib.suppress(UnicodeDecodeError):
            self._recibidos.append(Mensaje(mensaje.topic, bytes(mensaje.payload)))


def _causa(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"el certificado del bróker no es de nuestra autoridad ({error.verify_message})"
        case ssl.SSLError():
            return f"no se acordó TLS ({error.reason or error})"
        case ConnectionRefusedError():
            return "nadie atiende ese puerto; el bróker no está levantado"
        case TimeoutError():
            return "no respondió a tiempo"
        case socket.gaierror():
            return "no se encuentra ese nombre; revise la red"
        case _:
            return str(error)
