"""Un PostgreSQL de la raíz de Debian 13, solo y desechable: para probar el contrato del almacén."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from typing import Final

import psycopg

from ensayo.crecer import raiz
from servicio_central.esquema_postgres import CUENTA, esquema

_CUENTA_DE_DEBIAN: Final = "postgres"


class PostgresSolo:
    """Un servidor sin réplica, que sólo atiende por un enchufe de Unix."""

    def __init__(self) -> None:
        raiz.montar()
        self._carpeta = raiz.carpeta_nueva("postgres")
        raiz.ceder(self._carpeta, _CUENTA_DE_DEBIAN)
        self._datos = self._carpeta / "datos"
        self._proceso: subprocess.Popen[bytes] | None = None
        orden = [
            "initdb",
            "-D",
            raiz.dentro(self._datos),
            "-A",
            "trust",
            "-U",
            "dueno",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        raiz.correr(_CUENTA_DE_DEBIAN, orden)
        self.levantar()

    def dsn(self, base: str, cuenta: str = CUENTA) -> str:
        return f"host={self._carpeta} dbname={base} user={cuenta}"

    def levantar(self) -> None:
        enchufe = raiz.dentro(self._carpeta)
        orden = ["postgres", "-D", raiz.dentro(self._datos), "-c", "listen_addresses=", "-k", enchufe]
        self._proceso = raiz.lanzar(_CUENTA_DE_DEBIAN, orden, self._carpeta / "postgres.log")
        limite = time.monotonic() + 30
        while time.monotonic() < limite:
            try:
                psycopg.connect(self.dsn("postgres", "dueno")).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise raiz.SinRaiz((self._carpeta / "postgres.log").read_text()[-500:])

    def matar(self) -> None:
        """`kill -9` a todo el servidor."""
        if self._proceso is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._proceso.pid, signal.SIGKILL)
            self._proceso.wait()
            self._proceso = None
            # Los hijos de postgres abren su propia sesión; mueren al ver que el padre no está.
            time.sleep(0.3)

    def esquema_nuevo(self, nombre: str) -> str:
        """Crea un esquema con las tablas del almacén y devuelve el DSN con que entra el centro.

        Un esquema y no una base: crear una son cientos de archivos.
        """
        with psycopg.connect(self.dsn("postgres", "dueno"), autocommit=True) as bd:
            bd.execute(f'CREATE SCHEMA "{nombre}"')
            bd.execute(f'SET search_path = "{nombre}"')
            bd.execute(esquema())
            bd.execute(f'GRANT USAGE ON SCHEMA "{nombre}" TO {CUENTA}')
        return f"{self.dsn('postgres')} options='-c search_path={nombre}'"

    def cerrar(self) -> None:
        self.matar()
        shutil.rmtree(self._carpeta, ignore_errors=True)
