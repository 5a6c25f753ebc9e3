"""Lo que se mide: el sitio servido como en la noche y un nginx pelón con un archivo caliente, los dos en un núcleo."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ensayo.medicion_publicacion import sintetico
from ensayo.medicion_publicacion.carga import SinMedir, nucleos, pedir
from ensayo.puertos import puertos_libres
from servicio_central import nginx, nginx_en_marcha, publicado
from servicio_central.nginx import Ajustes

SIN_LIMITE: Final = 1_000_000
"""El límite por dirección sigue puesto y cuenta cada petición; sólo que todas vienen de una misma máquina."""

_PELON: Final = """\
daemon off;
pid "{carpeta}/nginx.pid";
worker_processes 1;
worker_rlimit_nofile {descriptores};
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path "{carpeta}/t"; proxy_temp_path "{carpeta}/t"; fastcgi_temp_path "{carpeta}/t";
    uwsgi_temp_path "{carpeta}/t"; scgi_temp_path "{carpeta}/t";
    default_type text/html;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    server {{ listen 127.0.0.1:{puerto} backlog=4096; root "{carpeta}/raiz"; }}
}}
"""


@dataclass(frozen=True)
class Servidor:
    """Un nginx corriendo."""

    proceso: subprocess.Popen[bytes]
    puerto: int


class Banco:
    """Se usa con `with`: al salir no queda ningún nginx.

    Args:
        carpeta: donde escribir.
        de: la carpeta de un centro con cortes, que no se toca; `None`, un corte inventado.
        tamano: el del inventado.
    """

    def __init__(self, carpeta: Path, de: Path | None, tamano: sintetico.Tamano) -> None:
        self.carpeta, self.centro = carpeta, carpeta / "centro"
        self.base = self.centro / publicado.CORTES / "20240602_2000"
        self._de, self._tamano = de, tamano
        self._procesos: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._preparar()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, clase: type[BaseException] | None, error: BaseException | None, rastro: TracebackType | None
    ) -> None:
        for proceso in self._procesos:
            nginx_en_marcha.terminar(proceso)

    def _preparar(self) -> None:
        self.base.parent.mkdir(parents=True)
        if self._de is None:
            sintetico.generar(self.base, self._tamano, 5)
        else:
            vigente = (self._de / publicado.PUBLICO).resolve()
            if not vigente.is_dir():
                raise SinMedir(f"en {self._de} no hay nada publicado; dé la carpeta de un centro con cortes")
            self.base.symlink_to(vigente)
        publicado.apuntar(self.centro, f"{publicado.CORTES}/{self.base.name}")
        self.actas = self._caminos()
        uno, otro = puertos_libres(2)
        delante = ["taskset", "-c", str(nucleos()[0])]
        ajustes = nginx_en_marcha.con_cuenta(
            Ajustes(
                self.centro,
                self.carpeta / "nginx",
                uno,
                trabajadores=1,
                descriptores=nginx.descriptores(),
                peticiones_por_direccion=SIN_LIMITE,
                conexiones_por_direccion=60_000,
            )
        )
        self.conexiones = ajustes.conexiones
        self.sitio = Servidor(nginx_en_marcha.arrancar(ajustes, delante), uno)
        self._procesos.append(self.sitio.proceso)
        self.pelon = Servidor(self._arrancar_pelon(otro, delante), otro)

    def _caminos(self) -> list[str]:
        de_actas = sorted(self.base.glob("*/s/*/*.html.gz"))
        hallados = de_actas or sorted([*self.base.rglob("*.html.gz"), *self.base.rglob("*.html")])
        if not hallados:
            raise SinMedir(f"en {self.base.resolve()} no hay ninguna página; dé la carpeta de un centro con cortes")
        return ["/" + str(p.relative_to(self.base)).removesuffix(".gz") for p in hallados]

    def _arrancar_pelon(self, puerto: int, delante: list[str]) -> subprocess.Popen[bytes]:
        """El mismo contenido que la portada, tal como viaja, y nada de lo demás."""
        carpeta = self.carpeta / "pelon"
        (carpeta / "raiz").mkdir(parents=True)
        shutil.copyfile(next(self.base.glob("index.html*")), carpeta / "raiz" / "caliente")
        for ruta in (self.carpeta, carpeta, carpeta / "raiz", carpeta / "raiz" / "caliente"):
            ruta.chmod(0o755)
        configuracion = carpeta / "nginx.conf"
        datos = {"carpeta": carpeta, "puerto": puerto, "descriptores": nginx.descriptores()}
        configuracion.write_text(_PELON.format(**datos), "utf-8")
        orden = [*delante, nginx_en_marcha.programa(), "-e", str(carpeta / "nginx.log"), "-c", str(configuracion)]
        with (carpeta / "arranque.log").open("wb") as salida:
            proceso = subprocess.Popen(orden, stdin=subprocess.DEVNULL, stdout=salida, stderr=salida)
        self._procesos.append(proceso)
        limite = time.monotonic() + 10
        while time.monotonic() < limite and proceso.poll() is None:
            with suppress(OSError):
                if pedir(puerto, "/caliente")[0] == 200:
                    return proceso
            time.sleep(0.05)
        raise SinMedir(f"el nginx pelón no contestó: {(carpeta / 'arranque.log').read_text()[-300:]}")
