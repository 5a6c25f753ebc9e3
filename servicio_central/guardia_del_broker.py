"""Corre el bróker y lo vuelve a arrancar cuando cambia la lista de revocados.

mosquitto relee la lista con SIGHUP, pero no corta una sesión que ya estaba abierta: quien fue revocado seguiría dentro
hasta irse solo. Arrancarlo otra vez corta a todos un instante; nada se pierde, y el revocado ya no vuelve a entrar.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Final

from servicio_central import ajustes, broker

REVOCADOS: Final = "crl.pem"
_CADA_S: Final = 1.0
_PLAZO_S: Final = 5.0


def correr(centro: Path) -> int:
    """Corre el bróker en primer plano hasta SIGTERM, SIGINT o que termine solo; devuelve con qué salió.

    SIGHUP se le pasa a mosquitto. Si muere solo no se vuelve a arrancar aquí: que lo diga y lo haga el sistema.

    Raises:
        Tropiezo: si falta mosquitto o el bróker no se ha creado.
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
    proceso = subprocess.Popen(broker.orden(centro), stdin=subprocess.DEVNULL)
    try:
        vistos = _revocados(centro)
        while not detenido.wait(_CADA_S if proceso.poll() is None else 0):
            if proceso.poll() is not None:
                return proceso.returncode
            if releer.is_set():
                releer.clear()
                proceso.send_signal(signal.SIGHUP)
            if (ahora := _revocados(centro)) != vistos and ahora:
                vistos = ahora
                print("broker: cambió la lista de revocados; se arranca otra vez", file=sys.stderr, flush=True)
                _terminar(proceso)
                proceso = subprocess.Popen(broker.orden(centro), stdin=subprocess.DEVNULL)
        return 0
    finally:
        _terminar(proceso)


def _revocados(centro: Path) -> str:
    """Huella de la lista; vacío si no se puede leer (la están cambiando, o se llenó el disco)."""
    try:
        return sha256((centro / ajustes.BROKER / REVOCADOS).read_bytes()).hexdigest()
    except OSError:
        return ""


def _terminar(proceso: subprocess.Popen[bytes]) -> None:
    proceso.terminate()
    try:
        proceso.wait(_PLAZO_S)
    except subprocess.TimeoutExpired:
        proceso.kill()
        proceso.wait()
