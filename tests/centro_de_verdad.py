"""Un centro inscrito con mosquitto de verdad, y clientes MQTT que pueden hacer trampa."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ensayo.puertos import puerto_libre
from nucleo.acuse import Acuse, abrir_acuse
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.sobre import SobreInvalido
from nucleo.temas import Carril, Tema, ambito_de
from servicio_central import broker, inscripcion
from servicio_central.firmante import leer_publica

RAIZ: Final = Path(__file__).resolve().parents[1]
OAXACA: Final = RAIZ / "datos" / "oaxaca_2022"


def esperar(que: Callable[[], bool], segundos: float = 15.0) -> bool:
    """Si la condición llega a cumplirse antes del plazo."""
    limite = time.monotonic() + segundos
    while time.monotonic() < limite:
        if que():
            return True
        time.sleep(0.02)
    return que()


class Inscrito:
    """Autoridad, centro y bróker en una carpeta."""

    def __init__(self, carpeta: Path, definicion: Path = OAXACA) -> None:
        self.autoridad, self.centro = carpeta / "autoridad", carpeta / "centro"
        self.carpeta, self.puerto = carpeta, puerto_libre()
        self.proceso: Proceso = cargar_proceso(definicion)
        self.ambito = ambito_de("simulacro", self.proceso.clave)
        self._broker: subprocess.Popen[bytes] | None = None
        inscripcion.crear_autoridad(self.autoridad)
        inscripcion.inscribir_centro(
            self.autoridad,
            self.centro,
            proceso=definicion,
            modo="simulacro",
            broker_host="localhost",
            broker_puerto=self.puerto,
        )
        inscripcion.crear_broker(self.autoridad, self.centro)

    def kiosco(self, equipo: str) -> Path:
        """Carpeta de ese kiosco; lo inscribe la primera vez."""
        carpeta = self.carpeta / equipo
        if not carpeta.exists():
            inscripcion.inscribir_kiosco(self.autoridad, self.centro, carpeta, equipo=equipo, catd=equipo)
        return carpeta

    def levantar_broker(self) -> subprocess.Popen[bytes]:
        self._broker = broker.arrancar(self.centro, plazo=30)
        return self._broker

    def matar_broker(self) -> None:
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()
            self._broker = None

    def tema(self, equipo: str, carril: Carril) -> str:
        return str(Tema(self.ambito, equipo, carril))


class Cliente:
    """Cliente MQTT con los certificados de una carpeta. `recibidos` es (tema, bytes) de todo lo que le llega."""

    def __init__(
        self,
        puerto: int,
        tls: ssl.SSLContext,
        nombre: str,
        *,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
        temas: str = "",
    ) -> None:
        self.recibidos: list[tuple[str, bytes]] = []
        self.tomados = 0
        self.codigos: list[str] = []
        self.listo = False
        self.caido: str | None = None
        self._cliente = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=nombre,
            protocol=version,
            reconnect_on_failure=False,
        )
        self._cliente.tls_set_context(tls)
        self._temas = temas

        def al_conectar(cliente: mqtt.Client, _d: object, _b: object, codigo: object, _p: object) -> None:
            self.codigos.append(str(codigo))
            if temas:
                cliente.subscribe(temas, 1)
            else:
                self.listo = str(codigo) == "Success"

        def al_suscribir(*_: object) -> None:
            self.listo = True

        def al_tomar(_c: object, _d: object, _m: object, codigo: object, _p: object) -> None:
            self.tomados += 1
            self.codigos.append(str(codigo))

        def al_caer(_c: object, _d: object, _b: object, codigo: object, _p: object) -> None:
            self.caido, self.listo = str(codigo), False

        self._cliente.on_connect = al_conectar
        self._cliente.on_subscribe = al_suscribir
        self._cliente.on_publish = al_tomar
        self._cliente.on_disconnect = al_caer
        self._cliente.on_message = lambda _c, _d, m: self.recibidos.append((m.topic, bytes(m.payload)))
        self._cliente.connect("localhost", puerto)
        self._cliente.loop_start()
        esperar(lambda: self.listo or self.caido is not None)

    def publicar(self, tema: str, datos: bytes | str) -> None:
        self._cliente.publish(tema, datos, 1)

    def cerrar(self) -> None:
        self._cliente.disconnect()
        self._cliente.loop_stop()

    def acuses(self, carpeta: Path) -> list[Acuse]:
        """Los acuses recibidos que de verdad firmó el centro."""
        publica = leer_publica(carpeta / "centro.pub.pem")
        validos = []
        for _, datos in list(self.recibidos):
            try:
                validos.append(abrir_acuse(datos.decode("ascii", "replace"), publica))
            except SobreInvalido:
                continue
        return validos


def epoca_de(carpeta: Path) -> str:
    return str(tomllib.loads((carpeta / "identidad.toml").read_text())["epoca"])


class ProcesoCentro:
    """El centro como proceso aparte: se puede matar y volver a levantar."""

    def __init__(self, centro: Path, *mas: str) -> None:
        self._orden = [sys.executable, "-m", "servicio_central", "--carpeta", str(centro), *mas]
        self._bitacora = centro.parent / "centro.log"
        self.proceso: subprocess.Popen[bytes] | None = None

    def levantar(self) -> None:
        antes = self.bitacora().count("en línea")
        with self._bitacora.open("ab") as salida:
            self.proceso = subprocess.Popen(
                self._orden, stdout=salida, stderr=salida, cwd=RAIZ, env={**os.environ, "PYTHONPATH": str(RAIZ)}
            )
        nacido = self.proceso
        esperar(lambda: self.bitacora().count("en línea") > antes or nacido.poll() is not None, 20)
        assert self.bitacora().count("en línea") > antes, self.bitacora()

    def matar(self) -> None:
        assert self.proceso is not None
        self.proceso.kill()
        self.proceso.wait()

    def terminar(self) -> int:
        """SIGTERM; devuelve con qué salió."""
        assert self.proceso is not None
        self.proceso.send_signal(signal.SIGTERM)
        return self.proceso.wait(timeout=15)

    def bitacora(self) -> str:
        return self._bitacora.read_text() if self._bitacora.exists() else ""
