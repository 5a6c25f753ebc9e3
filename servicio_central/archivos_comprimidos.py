"""El sitio público sin nginx, para la demostración: los mismos archivos, rutas y cabeceras.

Sirve el `.gz` si existe y si no el archivo tal cual, así que también sirve los cortes que aún se escriben sin
comprimir. No atiende peticiones parciales ni pone límites: para el público está nginx (`servicio_central.nginx`).
"""

from __future__ import annotations

import errno
import gzip
import os
import re
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from servicio_central import cabeceras_publicas as publicas
from servicio_central.errores_publicos import pagina_de_error

_OCULTO: Final = re.compile(r"/\.|(?<!\.tar)\.gz$")
_CASILLA: Final = re.compile(r"(?:\+|%20)*0*([1-9][0-9]{0,3})(?:\+|%20)*")
_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q\s*=\s*(?P<peso>[0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)
_NO_ESTA: Final = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EACCES, errno.ELOOP}
_FIJAS: Final = dict(publicas.FIJAS)


@dataclass(frozen=True, slots=True)
class _Archivo:
    contenido: bytes
    comprimido: bool
    etiqueta: str
    modificado: int


class ArchivosComprimidos:
    """Aplicación ASGI con las rutas públicas de la carpeta de un centro."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"el sitio sólo atiende HTTP, no {scope['type']}")
        consulta = scope.get("query_string", b"").decode("latin-1")
        respuesta = await run_in_threadpool(
            self.responder, scope["method"], scope["path"], consulta, Headers(scope=scope)
        )
        await respuesta(scope, receive, send)

    def responder(self, metodo: str, camino: str, consulta: str, pedidas: Mapping[str, str]) -> Response:
        """La respuesta a una petición.

        Args:
            camino: ya sin porcentajes, como lo da ASGI.
            consulta: lo que va después de `?`, tal cual.
        """
        if metodo not in ("GET", "HEAD"):
            return _error(405)
        limpio = _normalizar(camino)
        if limpio is None:
            return _error(400)
        if limpio == "/casilla":
            return _redirigir(303, a_la_casilla(consulta))
        if limpio.endswith("/"):
            limpio += "index.html"
        if _OCULTO.search(limpio):
            return _error(404)
        ruta = next(r for r in publicas.RUTAS if limpio.startswith(r.prefijo))
        en_disco = str(self._carpeta / ruta.carpeta) + "/" + limpio.removeprefix(ruta.prefijo)
        try:
            archivo = (_leer(f"{en_disco}.gz", comprimido=True) if ruta.comprimido else None) or _leer(en_disco)
        except IsADirectoryError:
            return _redirigir(301, quote(limpio) + "/" + (f"?{consulta}" if consulta else ""), ruta.frescura)
        except OSError:
            return _error(500)
        if archivo is None:
            return _error(404)
        return _entregar(archivo, ruta, limpio, pedidas)


def a_la_casilla(consulta: str) -> str:
    """A dónde lleva `/casilla?seccion=123`; sin una sección que se entienda, a donde se busca."""
    for parte in consulta.split("&"):
        nombre, igual, valor = parte.partition("=")
        if igual and nombre.lower() == "seccion":
            hallada = _CASILLA.fullmatch(valor)
            return f"/casilla/{hallada[1]:0>4}.html" if hallada else "/casilla/"
    return "/casilla/"


def _normalizar(camino: str) -> str | None:
    """Sin `//`, `.` ni `..`, como lo hace nginx; `None` si se sale de la raíz o no es un camino."""
    if not camino.startswith("/") or "\0" in camino:
        return None
    partes: list[str] = []
    *carpetas, ultimo = camino.split("/")[1:]
    for parte in (*carpetas, ultimo):
        if parte == "..":
            if not partes:
                return None
            partes.pop()
        elif parte not in ("", "."):
            partes.append(parte)
    barra = "/" if partes and ultimo in ("", ".", "..") else ""
    return "/" + "/".join(partes) + barra


def _leer(en_disco: str, *, comprimido: bool = False) -> _Archivo | None:
    """Lo abre una sola vez: etiqueta y contenido son del mismo archivo aunque `publico` cambie mientras tanto.

    Raises:
        IsADirectoryError: si es una carpeta (un `.gz` que lo sea es como si no estuviera).
        OSError: si el disco falla.
    """
    try:
        # Sin O_NONBLOCK, abrir una tubería con nombre esperaría para siempre.
        descriptor = os.open(en_disco, os.O_RDONLY | os.O_NONBLOCK)
    except ValueError:
        return None  # Letras que no caben en un nombre de archivo.
    except OSError as error:
        if error.errno in _NO_ESTA:
            return None
        raise
    try:
        dato = os.fstat(descriptor)
        if stat.S_ISDIR(dato.st_mode) and not comprimido:
            raise IsADirectoryError(en_disco)
        if not stat.S_ISREG(dato.st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as abierto:
            contenido = abierto.read()
    finally:
        os.close(descriptor)
    return _Archivo(contenido, comprimido, f"{int(dato.st_mtime):x}-{dato.st_size:x}", int(dato.st_mtime))


def _entregar(archivo: _Archivo, ruta: publicas.Ruta, camino: str, pedidas: Mapping[str, str]) -> Response:
    acepta = archivo.comprimido and acepta_gzip(pedidas.get("accept-encoding", ""))
    # Descomprimido ya no son los mismos bytes: la etiqueta es débil.
    etiqueta = f'"{archivo.etiqueta}"' if acepta or not archivo.comprimido else f'W/"{archivo.etiqueta}"'
    cabeceras = {
        "Cache-Control": ruta.frescura,
        "ETag": etiqueta,
        "Last-Modified": formatdate(archivo.modificado, usegmt=True),
        **_FIJAS,
        **publicas.de_la_clase(publicas.clase_de(camino, ruta)),
    }
    if archivo.comprimido:
        cabeceras["Vary"] = "Accept-Encoding"
    if _ya_lo_tiene(archivo, cabeceras["Last-Modified"], pedidas):
        return Response(status_code=304, headers=cabeceras)
    if acepta:
        cabeceras["Content-Encoding"] = "gzip"
    cabeceras["Content-Type"] = ruta.tipo or publicas.tipo_de(camino)
    try:
        contenido = archivo.contenido if acepta or not archivo.comprimido else gzip.decompress(archivo.contenido)
    except (OSError, EOFError, zlib.error):
        return _error(500)  # Dañado en disco.
    return Response(contenido, headers=cabeceras)


def acepta_gzip(cabecera: str) -> bool:
    """Si `Accept-Encoding` admite gzip; con peso 0 lo rechaza."""
    hallado = _GZIP.search(cabecera)
    return hallado is not None and (hallado["peso"] is None or hallado["peso"].strip("0.") != "")


def _ya_lo_tiene(archivo: _Archivo, modificado: str, pedidas: Mapping[str, str]) -> bool:
    # Como nginx: si trae las dos condiciones, se han de cumplir las dos, y la fecha ha de ser exactamente ésa.
    fecha, etiquetas = pedidas.get("if-modified-since"), pedidas.get("if-none-match")
    if fecha is None and etiquetas is None:
        return False
    if fecha is not None and fecha != modificado:
        return False
    dadas = [e.strip().removeprefix("W/") for e in (etiquetas or "").split(",")]
    return etiquetas is None or "*" in dadas or f'"{archivo.etiqueta}"' in dadas


def _redirigir(codigo: int, destino: str, frescura: str = publicas.VIVO) -> Response:
    cabeceras = {"Location": destino, "Cache-Control": frescura, **_FIJAS, **publicas.de_la_clase(publicas.PAGINA)}
    return Response(status_code=codigo, headers=cabeceras)


def _error(codigo: int) -> Response:
    cabeceras = {
        "Content-Type": publicas.HTML,
        "Cache-Control": publicas.FALTA if codigo == 404 else publicas.SIN_GUARDAR,
        **({"Allow": "GET, HEAD"} if codigo == 405 else {"Retry-After": "60"} if codigo == 500 else {}),
        **_FIJAS,
        **publicas.de_la_clase(publicas.PAGINA),
    }
    return Response(pagina_de_error(codigo), codigo, cabeceras)
