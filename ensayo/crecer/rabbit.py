"""Tres nodos de RabbitMQ de la raíz de Debian 13, con la configuración que genera el centro."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ensayo.crecer import raiz
from ensayo.puertos import puertos_libres
from nucleo.padron import Padron
from servicio_central import rabbitmq
from servicio_central.rabbitmq import Nodo

_CUENTA: Final = "rabbitmq"
CUANTOS: Final = 3


class CumuloRabbit:
    """Los tres nodos. `mqtt` y `amqp` son sus puertos en loopback.

    Args:
        certificados: carpeta con `ca.pem`, `servidor.pem` y `servidor.key`.
    """

    def __init__(self, certificados: Path, padron: Padron, colas: int = 4) -> None:
        raiz.montar()
        self.carpeta = raiz.carpeta_nueva("rabbit")
        puertos = puertos_libres(3 * CUANTOS + 1)
        self.mqtt, self.amqp = puertos[:CUANTOS], puertos[CUANTOS : 2 * CUANTOS]
        self._distribucion, self._epmd = puertos[2 * CUANTOS : -1], puertos[-1]
        self._galleta = secrets.token_hex(16)
        self.colas = colas
        self._procesos: dict[int, subprocess.Popen[bytes]] = {}
        self._directorio: subprocess.Popen[bytes] | None = None
        propios = self.carpeta / "certificados"
        propios.mkdir()
        for nombre in ("ca.pem", "servidor.pem", "servidor.key"):
            shutil.copy(certificados / nombre, propios / nombre)
        self.nodos = [
            Nodo(f"n{n}@localhost", f"127.0.0.1:{self.mqtt[n]}", f"127.0.0.1:{self.amqp[n]}") for n in range(CUANTOS)
        ]
        self.escribir(padron)

    def escribir(self, padron: Padron) -> None:
        rabbitmq.escribir(self.carpeta, self.nodos, padron, self.colas, raiz.dentro(self.carpeta / "certificados"))
        for n in range(CUANTOS):
            galleta = self.carpeta / f"n{n}" / ".erlang.cookie"
            galleta.unlink(missing_ok=True)
            galleta.write_text(self._galleta)
            galleta.chmod(0o400)
        raiz.ceder(self.carpeta, _CUENTA)

    def _ambiente(self, n: int) -> dict[str, str]:
        propia = raiz.dentro(self.carpeta / f"n{n}")
        return {
            "HOME": propia,
            "RABBITMQ_NODENAME": self.nodos[n].nombre,
            "RABBITMQ_DIST_PORT": str(self._distribucion[n]),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": f"{propia}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{propia}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{propia}/datos",
            "RABBITMQ_LOG_BASE": f"{propia}/bitacora",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
        }

    def levantar_nodo(self, n: int) -> None:
        self._procesos[n] = raiz.lanzar(
            _CUENTA, ["rabbitmq-server"], self.carpeta / f"n{n}" / "salida.log", self._ambiente(n)
        )

    def levantar(self) -> None:
        """Los tres a la vez (uno solo se queda esperando a los otros), y luego quién puede qué."""
        # epmd, el directorio de nodos de Erlang: si lo arranca un nodo, le sobrevive para siempre.
        puerto = {"ERL_EPMD_PORT": str(self._epmd), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self._directorio = raiz.lanzar(_CUENTA, ["epmd"], self.carpeta / "epmd.log", puerto)
        for n in range(CUANTOS):
            self.levantar_nodo(n)
        for n in range(CUANTOS):
            self.esperar_nodo(n)
        limite = time.monotonic() + 60
        while (cuantos := self._juntos()) < CUANTOS:
            if time.monotonic() > limite:
                raise raiz.SinRaiz(f"sólo se juntaron {cuantos} nodos de RabbitMQ; bitácoras en {self.carpeta}")
            time.sleep(0.5)
        self.importar()

    def importar(self) -> None:
        """Aplica `definitions.json`."""
        self.ctl("import_definitions", raiz.dentro(self.carpeta / "definitions.json"))

    def _juntos(self) -> int:
        return len(json.loads(self.ctl("cluster_status", "--formatter", "json"))["running_nodes"])

    def ctl(self, *orden: str, nodo: int = 0, programa: str = "rabbitmqctl") -> str:
        return raiz.correr(_CUENTA, [programa, "-q", *orden], self._ambiente(nodo))

    def esperar_nodo(self, n: int, plazo: float = 120.0) -> None:
        """Vuelve cuando ese nodo atiende MQTT y AMQP."""
        limite = time.monotonic() + plazo
        for puerto in (self.mqtt[n], self.amqp[n]):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", puerto), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > limite or self._procesos[n].poll() is not None:
                        salida = (self.carpeta / f"n{n}" / "salida.log").read_text(errors="replace")
                        raise raiz.SinRaiz(f"el nodo {n} de RabbitMQ no quedó listo: {salida[-800:]}") from None
                    time.sleep(0.1)

    def matar_nodo(self, n: int) -> None:
        """`kill -9` al nodo y sus hijos."""
        proceso = self._procesos.pop(n, None)
        if proceso is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proceso.pid, signal.SIGKILL)
            proceso.wait()

    def lideres(self) -> Sequence[str]:
        """Nodo que manda en cada cola."""
        filas = json.loads(self.ctl("list_queues", "name", "leader", "--formatter", "json", nodo=self._vivo()))
        return [str(f["leader"]) for f in filas if str(f["name"]).startswith("prep-")]

    def encolados(self) -> int:
        filas = json.loads(self.ctl("list_queues", "name", "messages", "--formatter", "json", nodo=self._vivo()))
        return sum(int(f["messages"]) for f in filas)

    def _vivo(self) -> int:
        return next(iter(self._procesos))

    def cerrar(self) -> None:
        for n in list(self._procesos):
            self.matar_nodo(n)
        if self._directorio is not None:
            self._directorio.kill()
            self._directorio.wait()
        shutil.rmtree(self.carpeta, ignore_errors=True)
