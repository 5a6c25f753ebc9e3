"""Tres PostgreSQL con réplica síncrona, bajo Patroni y etcd, de la raíz de Debian 13.

La plantilla es la del papel `roles/postgresql_patroni`: lo que aquí se mata es lo que allá se instala.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ensayo.crecer import raiz
from ensayo.puertos import puertos_libres
from nucleo.temas import USUARIO_CENTRO
from servicio_central.esquema_postgres import CUENTA, esquema

CUANTOS: Final = 3
PLANTILLAS: Final = Path(__file__).resolve().parents[2] / "roles" / "postgresql_patroni" / "templates"
BASE: Final = "prep"
_DE_DEBIAN: Final = "postgres"


class CumuloPostgres:
    """Tres nodos de Patroni, cada uno con su PostgreSQL, y tres de etcd.

    Args:
        certificados: carpeta con `ca.pem`, `servidor.pem` y `servidor.key`.
        centro: carpeta con `ca.pem`, `tls.pem` y `tls.key` del centro, con los que entra.
    """

    def __init__(self, certificados: Path, centro: Path) -> None:
        raiz.montar()
        self.carpeta = raiz.carpeta_nueva("patroni")
        self._centro = centro
        puertos = puertos_libres(4 * CUANTOS)
        self.postgres, self._rest = puertos[:3], puertos[3:6]
        self._clientes, self._pares = puertos[6:9], puertos[9:]
        self._procesos: dict[str, subprocess.Popen[bytes]] = {}
        for nombre in ("ca.pem", "servidor.pem", "servidor.key"):
            shutil.copy(certificados / nombre, self.carpeta / nombre)
        (self.carpeta / "servidor.key").chmod(0o600)
        plantilla = Environment(
            loader=FileSystemLoader(PLANTILLAS), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
        ).get_template("patroni.yml.j2")
        aqui = raiz.dentro(self.carpeta)
        for n in range(CUANTOS):
            variables: dict[str, Any] = {
                "patroni_nombre": f"pg{n}",
                "patroni_direccion": "127.0.0.1",
                "patroni_puerto": self.postgres[n],
                "patroni_puerto_rest": self._rest[n],
                "patroni_etcd": [f"127.0.0.1:{p}" for p in self._clientes],
                "patroni_datos": f"{aqui}/pg{n}",
                "patroni_binarios": "/usr/lib/postgresql/17/bin",
                "patroni_enchufe": aqui,
                "patroni_certificados": aqui,
                "patroni_red": "127.0.0.1/32",
                "patroni_red_centro": "127.0.0.1/32",
                "patroni_cuenta": CUENTA,
                "patroni_cn_centro": USUARIO_CENTRO,
                "patroni_base": BASE,
                "patroni_replica_por_certificado": False,
            }
            (self.carpeta / f"pg{n}.yml").write_text(plantilla.render(variables))
        raiz.ceder(self.carpeta, _DE_DEBIAN)

    def dsn(self) -> str:
        """Con qué entra el centro: los tres nodos y su certificado."""
        puertos = ",".join(str(p) for p in self.postgres)
        c = self._centro
        return (
            f"host=localhost,localhost,localhost port={puertos} dbname={BASE} user={CUENTA} sslmode=verify-full"
            f" sslrootcert={c}/ca.pem sslcert={c}/tls.pem sslkey={c}/tls.key"
        )

    def levantar(self) -> None:
        """Levanta todo, espera a que haya primario con réplica síncrona y crea el almacén."""
        for n in range(CUANTOS):
            self.levantar_etcd(n)
        for n in range(CUANTOS):
            self.levantar_nodo(n)
        limite = time.monotonic() + 180
        while self.estado().count("sync_standby") < 1 or len(self.estado()) < CUANTOS:
            if time.monotonic() > limite:
                bitacora = (self.carpeta / "pg0.log").read_text(errors="replace")[-800:]
                raise raiz.SinRaiz(f"Patroni no llegó a tener réplica síncrona ({self.estado()}): {bitacora}")
            time.sleep(0.5)
        primario = self.postgres[self.primario()]
        with psycopg.connect(self._dueno(primario, "postgres"), autocommit=True) as bd:
            bd.execute(f"CREATE DATABASE {BASE}")
        with psycopg.connect(self._dueno(primario, BASE), autocommit=True) as bd:
            bd.execute(esquema())

    def _dueno(self, puerto: int, base: str) -> str:
        return f"host={self.carpeta} port={puerto} dbname={base} user=postgres"

    def levantar_etcd(self, n: int) -> None:
        aqui = raiz.dentro(self.carpeta)
        pares = ",".join(f"e{m}=http://127.0.0.1:{p}" for m, p in enumerate(self._pares))
        cliente, par = (f"http://127.0.0.1:{p[n]}" for p in (self._clientes, self._pares))
        orden = ["etcd", "--name", f"e{n}", "--data-dir", f"{aqui}/e{n}", "--initial-cluster", pares]
        orden += ["--listen-client-urls", cliente, "--advertise-client-urls", cliente]
        orden += ["--listen-peer-urls", par, "--initial-advertise-peer-urls", par, "--logger", "zap"]
        self._procesos[f"e{n}"] = raiz.lanzar(_DE_DEBIAN, orden, self.carpeta / f"e{n}.log")

    def levantar_nodo(self, n: int) -> None:
        orden = ["patroni", raiz.dentro(self.carpeta / f"pg{n}.yml")]
        self._procesos[f"pg{n}"] = raiz.lanzar(_DE_DEBIAN, orden, self.carpeta / f"pg{n}.log")

    def estado(self) -> list[str]:
        """El papel de cada miembro que contesta."""
        for puerto in self._rest:
            with (
                contextlib.suppress(OSError, ValueError, KeyError),
                urllib.request.urlopen(f"http://127.0.0.1:{puerto}/cluster", timeout=2) as dicho,
            ):
                miembros = json.load(dicho)["members"]
                return [m["role"] for m in miembros if m["state"] in ("running", "streaming")]
        return []

    def primario(self) -> int:
        """Qué nodo manda. Raises: SinRaiz si ninguno."""
        for n, puerto in enumerate(self._rest):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{puerto}/primary", timeout=2) as dicho,
            ):
                if dicho.status == 200:
                    return n
        raise raiz.SinRaiz("ningún PostgreSQL es primario")

    def matar_etcd(self, n: int) -> None:
        self._matar(f"e{n}")

    def matar_nodo(self, n: int) -> None:
        """`kill -9` a Patroni y a su PostgreSQL, como si se apagara la máquina."""
        # El PostgreSQL que arrancó Patroni tiene su propia sesión: se le busca por su carpeta.
        ultimo = self.carpeta / f"pg{n}" / "postmaster.pid"
        servidor = int(ultimo.read_text().split()[0]) if ultimo.exists() else 0
        self._matar(f"pg{n}")
        if servidor:
            with contextlib.suppress(ProcessLookupError):
                os.kill(servidor, signal.SIGKILL)

    def _matar(self, nombre: str) -> None:
        proceso = self._procesos.pop(nombre, None)
        if proceso is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proceso.pid, signal.SIGKILL)
            proceso.wait()

    def cerrar(self) -> None:
        for n in range(CUANTOS):
            self.matar_nodo(n)
        for nombre in list(self._procesos):
            self._matar(nombre)
        time.sleep(0.5)
        shutil.rmtree(self.carpeta, ignore_errors=True)
