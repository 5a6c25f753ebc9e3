"""A dónde regresar después de entrar o desbloquear: sólo una ruta de este kiosco, nunca otra dirección."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request

_RUTA: Final = re.compile(r"/(?:[A-Za-z0-9_\-]+(?:/[A-Za-z0-9_\-]+){0,6})?")
_DE_ENTRAR: Final = "/turno"


def ruta_propia(texto: str) -> str:
    """La ruta, si es una de aquí a la que tenga sentido regresar; si no, el inicio."""
    sirve = len(texto) <= 200 and _RUTA.fullmatch(texto) and not texto.startswith(_DE_ENTRAR)
    return texto if sirve else "/"


def camino_de_entrada(peticion: Request) -> tuple[str, bool]:
    """(a qué página hay que ir, si la petición cambia de página). La otra clase pide un trozo desde una página abierta.

    Se regresa a la página pedida, o a la que pidió el trozo o mandó el formulario. Un formulario que llegó ya bloqueada
    la pantalla no se atendió, y la página de entrada lo dice (`perdido`).
    """
    navega = "hx-request" not in peticion.headers and peticion.headers.get("sec-fetch-dest", "document") == "document"
    if navega and peticion.method == "GET":
        actual = peticion.url.path
    else:
        actual = urlsplit(peticion.headers.get("referer", "")).path
    datos = {}
    if (regreso := ruta_propia(actual)) != "/":
        datos["volver"] = regreso
    if navega and peticion.method == "POST" and not peticion.url.path.startswith(_DE_ENTRAR):
        datos["perdido"] = "1"
    return _DE_ENTRAR + (f"?{urlencode(datos, safe='/')}" if datos else ""), navega
