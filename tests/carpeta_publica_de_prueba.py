"""Un sitio público chico con la disposición de `docs/publicacion.md`, y las dos maneras de servirlo."""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from ensayo.puertos import puerto_libre
from servicio_central import nginx, nginx_en_marcha
from servicio_central.archivos_comprimidos import ArchivosComprimidos
from servicio_central.nginx import Ajustes
from servicio_central.publicado import apuntar

SECRETO: Final = b"esto no se publica"
VIEJO: Final = "20240602_2000"
NUEVO: Final = "20240602_2020"
HORA: Final = {VIEJO: 1_717_380_000, NUEVO: 1_717_381_200}
ZIP: Final = b"PK\x03\x04" + bytes(range(256))


@dataclass(frozen=True)
class Respuesta:
    codigo: int
    cabeceras: Mapping[str, str]
    """Con el nombre en minúsculas."""
    cuerpo: bytes


def escribir(ruta: Path, contenido: bytes, hora: int) -> None:
    ruta.parent.mkdir(parents=True, exist_ok=True)
    ruta.write_bytes(contenido)
    os.utime(ruta, (hora, hora))


def comprimir(ruta: Path, texto: str, hora: int) -> None:
    escribir(ruta.with_name(f"{ruta.name}.gz"), gzip.compress(texto.encode(), 9, mtime=0), hora)


def armar(centro: Path) -> Path:
    """Dos cortes, el segundo con una sección que no cambió, y todo lo que cuelga del centro."""
    for nombre in (VIEJO, NUEVO):
        corte, hora = centro / "cortes" / nombre, HORA[nombre]
        for ruta, texto in {
            "index.html": f"<h1>Avance {nombre}</h1>" + "<p>acta contabilizada</p>" * 40,
            "resumen.json": f'{{"corte": "{nombre}"}}',
            "estilo.css": "body{margin:0}",
            "avance.atom": "<feed/>",
            "sitemap.xml": "<urlset/>",
            "GUB/index.html": "<h1>Gubernatura</h1>",
            "GUB/mapa.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "casilla/index.html": "<h1>Conozca los resultados de su casilla</h1>",
            "casilla/0123.html": "<h1>Sección 123</h1>",
        }.items():
            comprimir(corte / ruta, texto, hora)
        escribir(corte / "GUB.zip", ZIP, hora)
        escribir(corte / "sin_comprimir.html", b"<h1>como los cortes de antes</h1>", hora)
    seccion = centro / "cortes" / VIEJO / "GUB" / "s" / "0123"
    comprimir(seccion / "index.html", "<h1>Sección 0123</h1>", HORA[VIEJO])
    comprimir(seccion / "B0100.html", "<h1>Básica</h1>", HORA[VIEJO])
    escribir(seccion / "B0100.tlog-proof", b"c2sp.org/tlog-proof@v1\nindex 7\n", HORA[VIEJO])
    (centro / "cortes" / NUEVO / "GUB" / "s").mkdir()
    (centro / "cortes" / NUEVO / "GUB" / "s" / "0123").symlink_to(f"../../../{VIEJO}/GUB/s/0123")
    escribir(centro / "registro" / "checkpoint", b"ejemplo.mx/prep\n8\nAAAA\n", HORA[NUEVO])
    escribir(centro / "registro" / ".checkpoint.77", SECRETO, HORA[NUEVO])
    escribir(centro / "registro" / "llave", b"ejemplo.mx/prep+01234567+AAAA\n", HORA[NUEVO])
    del_acta = centro / "registro" / "actas" / NUEVO / "GUB"
    escribir(del_acta / "200123B0100.tlog-proof", b"c2sp.org/tlog-proof@v1\nindex 7\n", HORA[NUEVO])
    comprimir(del_acta / "200123B0100.hojas.json", '{"hoja": "acta"}' * 40, HORA[NUEVO])
    escribir(centro / "registro" / "tile" / "0" / "000", bytes(32), HORA[NUEVO])
    escribir(centro / "registro" / "tile" / "0" / "000.p" / "12", bytes(64), HORA[NUEVO])
    escribir(centro / "imagenes_publicas" / "ab" / "abcd.webp", b"RIFF....WEBP", HORA[NUEVO])
    escribir(centro / "documentos_publicos" / "ab12", gzip.compress(b"tar", mtime=0), HORA[NUEVO])
    for secreto in ("centro.pem", "almacen.sqlite", "cortes/.corte-a-medias/index.html", "cortes/.oculto.html"):
        escribir(centro / secreto, SECRETO, HORA[NUEVO])
    apuntar(centro, f"cortes/{NUEVO}")
    # En una prueba la carpeta cuelga de una privada; aquí importa que el sitio se lea, no quién manda.
    centro.chmod(0o755)
    return centro


def pedir(
    puerto: int, camino: str, metodo: str = "GET", cabeceras: Mapping[str, str] | None = None, cuerpo: bytes = b""
) -> Respuesta:
    """Una petición en su propia conexión; el camino va tal cual, sin corregirle nada."""
    with closing(http.client.HTTPConnection("127.0.0.1", puerto, timeout=20)) as conexion:
        conexion.putrequest(metodo, camino, skip_host="Host" in (cabeceras or {}), skip_accept_encoding=True)
        for nombre, valor in {**(cabeceras or {}), **({"Content-Length": str(len(cuerpo))} if cuerpo else {})}.items():
            conexion.putheader(nombre, valor)
        conexion.endheaders(cuerpo or None)
        respuesta = conexion.getresponse()
        return Respuesta(respuesta.status, {n.lower(): v for n, v in respuesta.getheaders()}, respuesta.read())


def crudo(puerto: int, bytes_: bytes) -> bytes:
    """Lo que contesta a esos bytes, hasta que cierra o se calla un segundo."""
    partes = []
    with socket.create_connection(("127.0.0.1", puerto), timeout=1) as enchufe:
        try:
            enchufe.sendall(bytes_)
            while parte := enchufe.recv(65536):
                partes.append(parte)
        except OSError:
            pass
    return b"".join(partes)


@contextmanager
def con_nginx(centro: Path, **otros: object) -> Iterator[int]:
    """Un nginx de verdad; da su puerto."""
    base = {"peticiones_por_direccion": 100_000, "conexiones_por_direccion": 10_000, "trabajadores": 2}
    ajustes = Ajustes(centro, centro / nginx.CARPETA, puerto_libre(), descriptores=4096, **{**base, **otros})  # type: ignore[arg-type]
    proceso = nginx_en_marcha.arrancar(nginx_en_marcha.con_cuenta(ajustes))
    try:
        yield ajustes.puerto
    finally:
        nginx_en_marcha.terminar(proceso)


@contextmanager
def con_demo(centro: Path) -> Iterator[int]:
    """Lo mismo en Python; da su puerto."""
    puerto = puerto_libre()
    opciones = uvicorn.Config(
        ArchivosComprimidos(centro), host="127.0.0.1", port=puerto, log_level="error", server_header=False
    )
    servidor = uvicorn.Server(opciones)
    hilo = threading.Thread(target=servidor.run, daemon=True)
    hilo.start()
    while not servidor.started and hilo.is_alive():
        time.sleep(0.01)
    try:
        yield puerto
    finally:
        servidor.should_exit = True
        hilo.join(10)
