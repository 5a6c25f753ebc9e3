"""El enlace del centro: un solo ciclo que recibe del bróker, asienta por lotes y publica los acuses.

El hilo de paho sólo mete lo recibido en una fila; todo lo demás ocurre en este ciclo, que se lee en una pantalla. paho
es un enchufe: un cliente nuevo por conexión, sin su reconexión ni su cola. Perder un acuse no pierde nada: el kiosco
vuelve a preguntar con su latido o al reenviar.
"""

from __future__ import annotations

import random
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from threading import Event
from typing import Final, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from nucleo.temas import USUARIO_CENTRO, Carril, filtro_del_centro
from servicio_central.broker import contexto_tls
from servicio_central.carril_de_imagenes import CarrilDeImagenes
from servicio_central.causa_de_desconexion import causa_de, en_espanol
from servicio_central.fila import Fila
from servicio_central.ingesta import LOTE, Mensaje, Resultado
from servicio_central.sucesos import Conectado, Desconectado, Firmado, Suceso, Tomado

__all__ = ("Conectado", "Conexion", "Desconectado", "Enlace", "Estado", "Firmado", "Suceso", "Tomado", "mqtt_de")

ESPERA_LOTE: Final = 0.005
"""Segundos que se junta un lote desde su primer mensaje: un fsync y un acuse por kiosco en vez de uno por hoja."""

EN_VUELO: Final = LOTE
"""Acuses sin PUBACK: los de un lote de equipos todos distintos. Con menos se atrasan lote tras lote, y los kioscos
repiten lo que ya está aquí (con 150 de regreso y veinte en vuelo mandaban 2.7 veces cada hoja)."""

TOPE_ACUSES: Final = 20_000
TOPE_RECIBOS: Final = 2_000
RETROCESO_MAXIMO: Final = 10.0
"""Segundos, como mucho, entre dos intentos de conexión; el primero es inmediato."""


class Conexion(Protocol):
    """Una conexión ya pedida. Lo que ocurre en ella llega como `Suceso` a la fila con que se hizo."""

    def publicar(self, tema: str, datos: bytes) -> bool:
        """Entrega el mensaje al bróker, QoS 1. Falso si la conexión no está."""
        ...

    def cerrar(self) -> None: ...


Conectar = Callable[[Fila], Conexion]
"""Abre una conexión nueva. Raises: OSError."""


class ConexionMqtt:
    """Un cliente de paho para una sola conexión.

    Raises:
        OSError: si el bróker no contesta o no acepta el certificado.
    """

    def __init__(self, host: str, puerto: int, ambito: str, tls: ssl.SSLContext, fila: Fila) -> None:
        cliente = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=USUARIO_CENTRO,
            clean_session=True,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        cliente.tls_set_context(tls)
        # El tope lo lleva el ciclo: si lo lleva paho, en cada PUBACK recorre todo lo que va en vuelo.
        cliente.max_inflight_messages_set(0)
        filtros = [(filtro_del_centro(ambito, carril), 1) for carril in Carril if carril.sube]

        # Dentro de una retrollamada nunca se toma un candado propio: `Fila.put` no espera a nadie.
        def al_conectar(
            cliente: mqtt.Client, _datos: object, _banderas: object, codigo: object, _propiedades: object
        ) -> None:
            if getattr(codigo, "is_failure", True):
                fila.put(Desconectado(f"el bróker no aceptó la sesión ({en_espanol(codigo)})"))
                return
            cliente.subscribe(filtros)
            fila.put(Conectado())

        def al_recibir(_cliente: mqtt.Client, _datos: object, mensaje: mqtt.MQTTMessage) -> None:
            fila.put(Mensaje(_tema_de(mensaje), bytes(mensaje.payload)))

        cliente.on_connect = al_conectar
        cliente.on_message = al_recibir
        cliente.on_publish = lambda *_: fila.put(Tomado())
        cliente.on_disconnect = lambda _c, _d, _b, codigo, _p: fila.put(Desconectado(en_espanol(codigo)))
        self._cliente = cliente
        try:
            cliente.connect(host, puerto, keepalive=30)
        except ValueError as error:
            raise OSError(str(error)) from error
        cliente.loop_start()

    def publicar(self, tema: str, datos: bytes) -> bool:
        return self._cliente.publish(tema, datos, qos=1).rc == mqtt.MQTT_ERR_SUCCESS

    def cerrar(self) -> None:
        self._cliente.disconnect()
        self._cliente.loop_stop()


def _tema_de(mensaje: mqtt.MQTTMessage) -> str:
    try:
        return mensaje.topic
    except UnicodeDecodeError:
        return "(tema que no es UTF-8)"


@dataclass
class Estado:
    """Lo que la página de operación muestra del enlace. Lo escribe sólo el ciclo."""

    conectado: bool = False
    desde: float = field(default_factory=time.time)
    """Segundos de época desde que está así."""
    recibidos: int = 0
    causa: str = "arrancando"
    detenido: bool = False
    """El ciclo terminó: ya nadie recibe."""
    lotes: int = 0
    segundos_de_lote: float = 0.0
    """Lo que se ha tardado en juzgar y asentar, en total."""
    destinos: Counter[str] = field(default_factory=Counter)
    """Destino → mensajes, desde que arrancó."""
    tirados: Counter[str] = field(default_factory=Counter)
    """Equipo → mensajes que no cupieron en su lugar de la fila. Lo escribe el hilo que recibe."""

    def desbordes(self) -> list[tuple[str, int]]:
        """Los mismos, con el nombre con que los ve operación."""
        return [(f"fila del enlace de {equipo}", veces) for equipo, veces in sorted(dict(self.tirados).items())]


class Ingestor(Protocol):
    """Lo que el ciclo necesita de la ingesta."""

    def procesar(self, mensajes: Sequence[Mensaje]) -> Resultado: ...


class Enlace:
    """El ciclo. `avisar` recibe lo que debe quedar en la bitácora; `vigilar` se llama cada segundo y puede traer
    acuses."""

    def __init__(
        self,
        ingesta: Ingestor,
        conectar: Conectar,
        avisar: Callable[[str], None],
        vigilar: Callable[[], Resultado | None] = lambda: None,
        imagenes: CarrilDeImagenes | None = None,
        bajan: Callable[[], tuple[str, bytes] | None] = lambda: None,
    ) -> None:
        self._ingesta = ingesta
        self._conectar = conectar
        self._avisar = avisar
        self._vigilar = vigilar
        self._imagenes = imagenes
        self._bajan = bajan
        self._acuses: deque[tuple[str, str]] = deque(maxlen=TOPE_ACUSES)
        self._recibos: deque[tuple[str, str]] = deque(maxlen=TOPE_RECIBOS)
        self._fila = Fila()
        self._desbordados: set[str] = set()
        self._vigilado = 0.0
        self._queja = ""
        self.estado = Estado()

    def correr(self, parar: Event) -> None:
        """Atiende hasta que `parar` se active. Ningún mensaje, corte de red ni falla del disco lo termina.

        Si aun así algo lo termina, el estado lo dice para que la página de operación se ponga roja.
        """
        if self._imagenes is not None:
            self._imagenes.empezar(parar)
        try:
            self._ciclo(parar)
        except Exception as error:
            self.estado.conectado, self.estado.causa = False, repr(error)
            self._avisar(f"DEFECTO: la ingesta se detuvo ({error!r})")
        finally:
            self.estado.detenido = True

    def _ciclo(self, parar: Event) -> None:
        fallos = 0
        while not parar.is_set():
            fila = Fila(self.estado.tirados)
            try:
                conexion = self._conectar(fila)
            except OSError as error:
                self._sin_enlace(f"no hay bróker ({causa_de(error)})")
            else:
                fallos = 0 if self._atender(conexion, fila, parar) else fallos
                conexion.cerrar()
            if parar.wait(random.uniform(0, min(RETROCESO_MAXIMO, 0.2 * 2**fallos))):
                break
            fallos = min(fallos + 1, 10)
            self._revisar()

    def _atender(self, conexion: Conexion, fila: Fila, parar: Event) -> bool:
        """Dura lo que la conexión; dice si llegó a estar en línea."""
        en_vuelo, conectada, self._fila = 0, False, fila
        # Lo firmado para la conexión anterior ya es viejo: cada kiosco volverá a preguntar.
        self._acuses.clear()
        self._recibos.clear()
        while not parar.is_set():
            lote, otros = _juntar(fila)
            for suceso in otros:
                match suceso:
                    case Conectado():
                        conectada = True
                        self._en_linea()
                    case Tomado():
                        en_vuelo = max(0, en_vuelo - 1)
                    case Firmado(tema, recibo):
                        self._recibos.append((tema, recibo))
                    case Desconectado(causa):
                        self._procesar(lote)
                        self._sin_enlace(causa)
                        return conectada
            self._procesar(lote)
            while (por_publicar := self._acuses or self._recibos) and en_vuelo < EN_VUELO:
                tema, firmado = por_publicar.popleft()
                en_vuelo += conexion.publicar(tema, firmado.encode("ascii"))
            # Órdenes y definición, al final: un kiosco espera su acuse para seguir mandando cifras.
            while en_vuelo < EN_VUELO and (baja := self._bajan()) is not None:
                en_vuelo += conexion.publicar(*baja)
            self._revisar()
        return conectada

    def _procesar(self, lote: Sequence[Mensaje]) -> None:
        if not lote:
            return
        self.estado.recibidos += len(lote)
        try:
            comienzo = time.monotonic()
            resultado = self._ingesta.procesar(lote)
            self.estado.lotes += 1
            self.estado.segundos_de_lote += time.monotonic() - comienzo
            self.estado.destinos.update(d.destino.value for d in resultado.dictamenes)
            self._anotar(resultado)
        except Exception as error:
            # Un defecto nuestro con un mensaje no debe detener a los demás: se prueba uno por uno y el culpable queda
            # sin acuse.
            if len(lote) == 1:
                self._avisar(f"DEFECTO: un mensaje de {lote[0].tema[:80]} no se pudo procesar ({error!r})")
                return
            for mensaje in lote:
                self._procesar([mensaje])

    def _revisar(self) -> None:
        if time.monotonic() - self._vigilado < 1.0:
            return
        self._vigilado = time.monotonic()
        for equipo in sorted(set(dict(self.estado.tirados)) - self._desbordados):
            self._desbordados.add(equipo)
            self._avisar(f"{equipo} manda sin parar: lo que no cabe en su lugar de la fila se tira; los demás pasan")
        try:
            resultado = self._vigilar()
        except Exception as error:
            # Sin padrón ni definición nuevos se sigue con los de antes; dejar de recibir sería peor.
            if repr(error) != self._queja:
                self._avisar(f"no se pudo revisar el padrón o la definición ({error!r}); se reintenta cada segundo")
            self._queja = repr(error)
            return
        self._queja = ""
        if resultado is not None:
            self._anotar(resultado)

    def _anotar(self, resultado: Resultado) -> None:
        self._acuses.extend(resultado.acuses)
        if self._imagenes is not None and resultado.trozos:
            fila = self._fila
            self._imagenes.entregar(resultado.trozos, lambda tema, recibo: fila.put(Firmado(tema, recibo)))
        for alarma in resultado.alarmas:
            self._avisar(alarma)

    def _en_linea(self) -> None:
        self.estado.conectado, self.estado.desde, self.estado.causa = True, time.time(), ""
        self._avisar("en línea con el bróker")

    def _sin_enlace(self, causa: str) -> None:
        nuevo = self.estado.conectado or self.estado.causa != causa
        if self.estado.conectado:
            self.estado.desde = time.time()
        # Primero el estado: pase lo que pase al avisar, la página no debe decir «en línea».
        self.estado.conectado, self.estado.causa = False, causa
        if nuevo:
            self._avisar(f"sin enlace: {causa}; se reintenta")


def _juntar(fila: Fila) -> tuple[list[Mensaje], list[Suceso]]:
    """Hasta `LOTE` mensajes o `ESPERA_LOTE` segundos desde el primero, y los demás sucesos que haya en medio."""
    lote: list[Mensaje] = []
    otros: list[Suceso] = []
    limite = time.monotonic() + 0.25
    while len(lote) < LOTE:
        try:
            suceso = fila.get(timeout=max(0.0, limite - time.monotonic()))
        except Empty:
            break
        if isinstance(suceso, Mensaje):
            if not lote:
                limite = min(limite, time.monotonic() + ESPERA_LOTE)
            lote.append(suceso)
            continue
        otros.append(suceso)
        if not lote:
            # Un PUBACK o una caída se atienden ya: hay acuses esperando lugar.
            limite = time.monotonic()
        if isinstance(suceso, Desconectado):
            break
    return lote, otros


def mqtt_de(carpeta: Path, host: str, puerto: int, ambito: str) -> Conectar:
    """Cómo conectarse al bróker con los certificados de la carpeta del centro.

    Raises:
        Tropiezo: si los certificados no se pueden leer.
    """
    tls = contexto_tls(carpeta)
    return lambda fila: ConexionMqtt(host, puerto, ambito, tls, fila)
