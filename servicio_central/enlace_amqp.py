"""La misma ingesta, leyendo de las colas de RabbitMQ en vez de suscribirse a los temas.

Un mensaje sólo se devuelve como atendido (`basic_ack`) cuando la transacción que lo guarda ya es durable: si este
ingestor muere, la cola se lo da a otro. Si el almacén no contesta, el lote espera aquí y se repite entero.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import pika
from pika.exceptions import AMQPError

from nucleo.claves import clave_de, tema_de
from servicio_central.broker import contexto_tls
from servicio_central.causa_de_desconexion import causa_de, causa_de_amqp
from servicio_central.enlace import Conectado, Conectar, Desconectado, Ingestor, Suceso, Tomado
from servicio_central.ingesta import Mensaje, Resultado
from servicio_central.rabbitmq import INTERCAMBIO, cola

ADELANTO: Final = 200
"""Mensajes que RabbitMQ da sin que se le hayan devuelto."""

_LATIDO: Final = 10
_REINTENTO_MAXIMO: Final = 2.0
"""Segundos, como mucho, entre dos intentos de asentar un lote que el almacén no pudo escribir."""


@dataclass(frozen=True, slots=True)
class Entrega(Mensaje):
    """Un mensaje que hay que devolver como atendido. `numero` crece con cada uno de la misma conexión."""

    numero: int
    conexion: ConexionAmqp


class Devolviendo:
    """Una ingesta que devuelve a RabbitMQ lo que ya es durable, y no suelta un lote mientras el almacén no conteste."""

    def __init__(
        self, ingesta: Ingestor, avisar: Callable[[str], None], dormir: Callable[[float], None] = time.sleep
    ) -> None:
        self._ingesta = ingesta
        self._avisar = avisar
        self._dormir = dormir

    def procesar(self, mensajes: Sequence[Mensaje]) -> Resultado:
        try:
            resultado = self._insistir(mensajes)
        except Exception:
            if len(mensajes) == 1:
                # El culpable no se vuelve a pedir: el kiosco lo conserva, y el defecto queda en la bitácora.
                _devolver(mensajes)
            raise
        if not _no_se_pudo(resultado):
            _devolver(mensajes)
        return resultado

    def _insistir(self, mensajes: Sequence[Mensaje]) -> Resultado:
        intentos = 0
        resultado = self._ingesta.procesar(mensajes)
        # Sin conexión ya no hay a quién devolvérselo: RabbitMQ se lo dará a quien siga.
        while _no_se_pudo(resultado) and _viva(mensajes):
            if intentos == 0:
                self._avisar(f"{resultado.dictamenes[0].causa}; el lote espera y se repite entero")
            self._dormir(random.uniform(0.05, min(_REINTENTO_MAXIMO, 0.1 * 2**intentos)))
            resultado, intentos = self._ingesta.procesar(mensajes), min(intentos + 1, 10)
        if intentos and not _no_se_pudo(resultado):
            self._avisar("el almacén volvió a contestar")
        return resultado


def _no_se_pudo(resultado: Resultado) -> bool:
    return any(d.codigo == "ALMACEN" for d in resultado.dictamenes)


def _viva(mensajes: Sequence[Mensaje]) -> bool:
    return all(m.conexion.viva for m in mensajes if isinstance(m, Entrega))


def _devolver(mensajes: Sequence[Mensaje]) -> None:
    ultimas = {id(m.conexion): m for m in mensajes if isinstance(m, Entrega)}
    for entrega in ultimas.values():
        entrega.conexion.devolver(entrega.numero)


class ConexionAmqp:
    """Una conexión a un nodo (`servicio_central.enlace.Conexion`), en su propio hilo: pika no admite dos.

    Raises:
        OSError: si ese nodo no contesta o no acepta el certificado.
    """

    def __init__(self, servidor: str, tls: ssl.SSLContext, colas: int, fila: SimpleQueue[Suceso]) -> None:
        host, _, puerto = servidor.rpartition(":")
        parametros = pika.ConnectionParameters(
            host,
            int(puerto),
            credentials=pika.credentials.ExternalCredentials(),
            ssl_options=pika.SSLOptions(tls, host),
            heartbeat=_LATIDO,
            blocked_connection_timeout=30,
            socket_timeout=5,
            stack_timeout=10,
        )
        self._fila = fila
        self._cerrada = False
        self.viva = True
        try:
            self._conexion = pika.BlockingConnection(parametros)
            self._canal = self._conexion.channel()
            self._canal.basic_qos(prefetch_count=ADELANTO)
            for numero in range(colas):
                self._canal.basic_consume(cola(numero), self._al_recibir)
        except AMQPError as error:
            raise OSError(causa_de_amqp(error)) from error
        fila.put(Conectado())
        self._hilo = Thread(target=self._atender, name="amqp", daemon=True)
        self._hilo.start()

    def publicar(self, tema: str, datos: bytes) -> bool:
        clave = clave_de(tema)

        def en_su_hilo() -> None:
            self._canal.basic_publish(INTERCAMBIO, clave, datos, pika.BasicProperties(delivery_mode=1))
            self._fila.put(Tomado())

        return self._pedir(en_su_hilo)

    def devolver(self, numero: int) -> None:
        """Da por atendido todo hasta ese número."""
        self._pedir(lambda: self._canal.basic_ack(numero, multiple=True))

    def cerrar(self) -> None:
        self._cerrada = True
        self._pedir(lambda: None)
        self._hilo.join(timeout=5)

    def _pedir(self, que: Callable[[], None]) -> bool:
        try:
            self._conexion.add_callback_threadsafe(que)
        except AMQPError:
            return False
        return self.viva

    def _al_recibir(self, _canal: Any, entrega: Any, _propiedades: Any, datos: bytes) -> None:
        self._fila.put(Entrega(tema_de(entrega.routing_key), bytes(datos), entrega.delivery_tag, self))

    def _atender(self) -> None:
        causa = "se cerró"
        try:
            while not self._cerrada:
                self._conexion.process_data_events(time_limit=1)
            self._conexion.close()
        except (AMQPError, OSError) as error:
            causa = causa_de_amqp(error)
        finally:
            self.viva = False
            self._fila.put(Desconectado(causa))


def amqp_de(carpeta: Path, servidores: Sequence[str], colas: int) -> Conectar:
    """Cómo conectarse a alguno de los nodos, con los certificados de la carpeta del centro.

    Raises:
        Tropiezo: si los certificados no se pueden leer.
    """
    tls = contexto_tls(carpeta)

    def conectar(fila: SimpleQueue[Suceso]) -> ConexionAmqp:
        causas = []
        for servidor in random.sample(list(servidores), len(servidores)):
            try:
                return ConexionAmqp(servidor, tls, colas, fila)
            except OSError as error:
                causas.append(f"{servidor}: {causa_de(error)}")
        raise OSError("; ".join(causas))

    return conectar
