"""Corre el bróker y lo vuelve a arrancar cuando cambia su lista de acceso o la de revocados. Nunca le manda SIGHUP.

Con SIGHUP mosquitto relee sus listas, pero no corta una sesión que ya estaba abierta: quien fue revocado seguiría
dentro. Y si no puede leer la de acceso lo dice en su bitácora y sigue **sin ella**: cualquiera lee y escribe todo
(medido con 2.0.11). Al arrancar, en cambio, sin lista no arranca. Arrancarlo otra vez corta a todos un instante y nada
se pierde.
"""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import IO, Final

from servicio_central import ajustes, broker
from servicio_central.tropiezo import Tropiezo

VIGILADOS: Final = (broker.LISTA_DE_ACCESO, broker.REVOCADOS)
_SIN_LISTA: Final = re.compile(rb"(\d+: )?Error opening acl file")
_CADA_S: Final = 1.0
_PLAZO_S: Final = 5.0
_PERDIDAS: Final = 3
"""Veces que se le vuelve a arrancar por perder su lista; a la siguiente se queda detenido."""


class _Mosquitto:
    """Un mosquitto que corre mientras rija su lista de acceso: al decir que la perdió se le mata en el acto."""

    def __init__(self, centro: Path) -> None:
        self.sin_lista = False
        # La huella va antes: lo que cambie mientras arranca se nota en la vuelta siguiente.
        mandato = broker.orden(centro)
        self.huella = _huella(centro)
        self.proceso = subprocess.Popen(mandato, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert self.proceso.stderr is not None
        self._lector = Thread(target=self._leer, args=(self.proceso.stderr,), daemon=True)
        self._lector.start()

    def _leer(self, bitacora: IO[bytes]) -> None:
        with bitacora:
            for renglon in bitacora:
                if _SIN_LISTA.match(renglon):
                    self.sin_lista = True
                    self.proceso.kill()
                # Aunque en la bitácora no quepa uno más se sigue leyendo: si no, mosquitto se detendría a esperar.
                with suppress(OSError):
                    sys.stderr.buffer.write(renglon)
                    sys.stderr.buffer.flush()

    def terminar(self) -> None:
        self.proceso.terminate()
        try:
            self.proceso.wait(_PLAZO_S)
        except subprocess.TimeoutExpired:
            self.proceso.kill()
            self.proceso.wait()
        self._lector.join(_PLAZO_S)


def correr(centro: Path) -> int:
    """Corre el bróker en primer plano hasta SIGTERM, SIGINT o que termine solo; devuelve con qué salió.

    Con SIGHUP se arranca otra vez, y así relee todo. Si lo nuevo no se puede leer no se le toca: sigue con lo que ya
    tiene, y se dice por qué. Si muere solo no se vuelve a arrancar aquí: que lo diga y lo haga el sistema.

    Raises:
        Tropiezo: si falta mosquitto, el bróker no se ha creado, o pierde su lista de acceso una y otra vez.
    """
    detenido = Event()
    releer = Event()

    def al_parar(_senal: int, _marco: FrameType | None) -> None:
        detenido.set()

    def al_releer(_senal: int, _marco: FrameType | None) -> None:
        releer.set()

    # Cada conexión ocupa un descriptor desde antes de enseñar su certificado: con los 1024 de siempre, mil enchufes
    # abiertos y callados dejarían fuera a todos.
    _, maximo = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximo, maximo))
    for senal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(senal, al_parar)
    signal.signal(signal.SIGHUP, al_releer)
    mosquitto = _Mosquitto(centro)
    perdidas, dicho = 0, ""
    try:
        while not detenido.wait(_CADA_S if mosquitto.proceso.poll() is None else 0):
            if mosquitto.proceso.poll() is not None:
                mosquitto.terminar()
                if not mosquitto.sin_lista:
                    return mosquitto.proceso.returncode
                perdidas += 1
                if perdidas > _PERDIDAS:
                    raise _no_rige(centro)
                _decir("mosquitto se quedó sin su lista de acceso y se le detuvo; se arranca otra vez")
                mosquitto = _Mosquitto(centro)
            elif releer.is_set() or _huella(centro) != mosquitto.huella:
                try:
                    broker.orden(centro)
                except (Tropiezo, OSError) as error:
                    # Se vuelve a ver en cada vuelta; decirlo una vez basta.
                    if str(error) != dicho:
                        dicho = str(error)
                        _decir(f"no se arranca otra vez y sigue con las listas que ya tenía. {dicho}")
                    continue
                releer.clear()
                dicho = ""
                _decir("cambió la lista de acceso o la de revocados, o se pidió releer; se arranca otra vez")
                mosquitto.terminar()
                mosquitto = _Mosquitto(centro)
        return 0
    finally:
        mosquitto.terminar()


def _huella(centro: Path) -> str:
    """De lo vigilado: contenido, dueño y modo. Lo que no está o no se deja leer también cuenta."""
    huella = sha256()
    for nombre in VIGILADOS:
        ruta = centro / ajustes.BROKER / nombre
        try:
            dato = ruta.stat()
            contenido = sha256(ruta.read_bytes()).hexdigest()
        except OSError as error:
            huella.update(f"{nombre} {error.errno}\n".encode())
        else:
            huella.update(f"{nombre} {dato.st_uid} {dato.st_gid} {dato.st_mode} {contenido}\n".encode())
    return huella.hexdigest()


def _decir(que: str) -> None:
    print(f"broker: {que}", file=sys.stderr, flush=True)


def _no_rige(centro: Path) -> Tropiezo:
    lista = (centro / ajustes.BROKER / broker.LISTA_DE_ACCESO).resolve()
    return Tropiezo(
        "BROKER",
        f"mosquitto no pudo leer su lista de acceso {lista} y se le detuvo: sin ella dejaría leer y escribir todo",
        "la lista está alterada, o el sistema no le deja abrirla aunque sus permisos digan que sí",
        f"aparte {lista.parent}, repita `./prep inscribir` con la misma autoridad y el mismo centro, y `./prep broker`",
    )
