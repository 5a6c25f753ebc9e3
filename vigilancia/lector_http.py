"""Leer una publicación por HTTP como si fuera una carpeta: es lo que usan el espejo y `prep verificar URL`.

Lo que en disco va comprimido se pide comprimido y se guarda tal cual. Nunca se sigue una redirección a otro servidor:
lo verificado sería de alguien más.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlsplit

from auditoria.verificar.lector import DOCUMENTOS, IMAGENES, MAXIMO_BYTES, PUBLICO, NoSePuede
from nucleo.publicacion.rutas import COMPRIMIBLES

PLAZO: Final = 30.0
"""Segundos sin recibir nada antes de rendirse."""
_INTENTOS: Final = 3
_GZIP: Final = ".gz"
_MUDANZAS: Final = {IMAGENES: "imagenes", DOCUMENTOS: "documentos"}
"""Carpeta en disco → cómo empieza su dirección."""


class LectorHttp:
    """El de una dirección.

    Raises:
        NoSePuede: si no es una dirección http o https.
    """

    def __init__(self, url: str, plazo: float = PLAZO) -> None:
        partes = urlsplit(url)
        if partes.scheme not in ("http", "https") or not partes.hostname or partes.query or partes.fragment:
            raise NoSePuede(f"{url[:120]} no es una dirección http o https")
        self._raiz = url.rstrip("/")
        self._plazo = plazo

    @property
    def lugar(self) -> str:
        return self._raiz

    def leer(self, ruta: str) -> bytes:
        pedida, comprimido = direccion(ruta)
        url = f"{self._raiz}/{quote(pedida)}"
        for intento in range(_INTENTOS):
            try:
                return self._pedir(url, ruta, comprimido)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code in (404, 410):
                        raise FileNotFoundError(ruta) from error
                    if error.code < 500 or intento == _INTENTOS - 1:
                        raise NoSePuede(f"{url} contestó {error.code}") from error
            except (OSError, http.client.HTTPException) as error:
                if intento == _INTENTOS - 1:
                    raise NoSePuede(f"{url} no contesta ({error})") from error
        raise AssertionError("inalcanzable")

    def enlace(self, ruta: str) -> str | None:
        return None

    def listar(self, carpeta: str) -> Iterator[str] | None:
        return None

    def _pedir(self, url: str, ruta: str, comprimido: bool) -> bytes:
        pedido = urllib.request.Request(url, headers={"Accept-Encoding": "gzip" if comprimido else "identity"})
        with _ABRIDOR.open(pedido, timeout=self._plazo) as respuesta:
            datos: bytes = respuesta.read(MAXIMO_BYTES + 1)
            como = respuesta.headers.get("Content-Encoding", "identity")
            largo = respuesta.headers.get("Content-Length")
        if len(datos) > MAXIMO_BYTES:
            raise NoSePuede(f"{url} mide más de {MAXIMO_BYTES} bytes")
        if largo is not None and largo.isdigit() and int(largo) != len(datos):
            raise OSError("se cortó a la mitad")
        if (como == "gzip") != comprimido:
            raise NoSePuede(f"{url} se sirve como {como}: alguien en medio lo volvió a comprimir, o no es un espejo")
        return datos


def direccion(ruta: str) -> tuple[str, bool]:
    """La dirección de una ruta de la carpeta, y si se pide comprimida."""
    carpeta, _, resto = ruta.partition("/")
    pedida = resto if carpeta == PUBLICO else f"{_MUDANZAS.get(carpeta, carpeta)}/{resto}"
    sin = pedida.removesuffix(_GZIP)
    comprimido = sin != pedida and f".{sin.rpartition('.')[2]}" in COMPRIMIBLES
    return (sin if comprimido else pedida), comprimido


class _SinIrseAOtro(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_ABRIDOR: Final = urllib.request.build_opener(_SinIrseAOtro)
