"""Tres nodos de NATS con JetStream y MQTT: el tercer testigo de que el protocolo no depende de un bróker.

No es una opción de producción (`docs/crecer.md`): aquí sólo se comprueba que los mismos binarios llegan a lo mismo.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from ensayo.crecer import raiz
from ensayo.puertos import puertos_libres

CUANTOS: Final = 3
_CUENTA: Final = "nobody"


class CumuloNats:
    """Los tres nodos, con TLS mutua y el CN del certificado como usuario."""

    def __init__(self, certificados: Path) -> None:
        raiz.montar()
        self.carpeta = raiz.carpeta_nueva("nats")
        puertos = puertos_libres(3 * CUANTOS)
        self.mqtt, cliente, rutas = puertos[:3], puertos[3:6], puertos[6:]
        self._procesos: dict[int, subprocess.Popen[bytes]] = {}
        for nombre in ("ca.pem", "servidor.pem", "servidor.key"):
            shutil.copy(certificados / nombre, self.carpeta / nombre)
        aqui = raiz.dentro(self.carpeta)
        todas = ", ".join(f'"nats://127.0.0.1:{p}"' for p in rutas)
        for n in range(CUANTOS):
            (self.carpeta / f"n{n}.conf").write_text(
                f"server_name: n{n}\n"
                f'listen: "127.0.0.1:{cliente[n]}"\n'
                f'jetstream {{ store_dir: "{aqui}/n{n}", max_file_store: 1GB, sync_interval: always }}\n'
                f'cluster {{ name: prep, listen: "127.0.0.1:{rutas[n]}", routes: [{todas}] }}\n'
                f'mqtt {{ listen: "127.0.0.1:{self.mqtt[n]}", ack_wait: "10s", max_ack_pending: 1000,\n'
                f'  tls {{ cert_file: "{aqui}/servidor.pem", key_file: "{aqui}/servidor.key", ca_file: "{aqui}/ca.pem",'
                f" verify: true }} }}\n"
            )
        raiz.ceder(self.carpeta, _CUENTA)

    def levantar(self) -> None:
        for n in range(CUANTOS):
            self.levantar_nodo(n)
        for n in range(CUANTOS):
            self.esperar_nodo(n)
        time.sleep(3)  # la elección del grupo de control no se anuncia en ningún puerto

    def levantar_nodo(self, n: int) -> None:
        orden = ["nats-server", "-c", raiz.dentro(self.carpeta / f"n{n}.conf")]
        self._procesos[n] = raiz.lanzar(_CUENTA, orden, self.carpeta / f"n{n}.log")

    def esperar_nodo(self, n: int, plazo: float = 30.0) -> None:
        limite = time.monotonic() + plazo
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.mqtt[n]), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > limite or self._procesos[n].poll() is not None:
                    dicho = (self.carpeta / f"n{n}.log").read_text(errors="replace")[-600:]
                    raise raiz.SinRaiz(f"el nodo {n} de NATS no quedó listo: {dicho}") from None
                time.sleep(0.1)

    def matar_nodo(self, n: int) -> None:
        proceso = self._procesos.pop(n, None)
        if proceso is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proceso.pid, signal.SIGKILL)
            proceso.wait()

    def cerrar(self) -> None:
        for n in list(self._procesos):
            self.matar_nodo(n)
        shutil.rmtree(self.carpeta, ignore_errors=True)
