"""Lo que toda respuesta web del centro cumple: sólo a esta máquina, sólo lo que se puede hacer, y con sus cabeceras."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicio_central.monitor.app import CABECERAS as DE_LA_SALA
from servicio_central.monitor.app import es_de_la_sala

LOCALES: Final = ("127.0.0.1", "localhost", "[::1]")
MAXIMO_FORMULARIO: Final = 16 * 1024

_CABECERAS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SIN_GUARDAR: Final = {"Cache-Control": "no-store"}


class Resguardo:
    """Envuelve a la aplicación. No junta las respuestas: un SSE sale según se escribe."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        camino = scope["path"]
        sala = es_de_la_sala(camino)

        async def enviar(mensaje: Message) -> None:
            if mensaje["type"] == "http.response.start":
                cabeceras = MutableHeaders(scope=mensaje)
                if sala:
                    for nombre, valor in (_CABECERAS | DE_LA_SALA | _SIN_GUARDAR).items():
                        cabeceras[nombre] = valor
                else:
                    # Lo público ya trae las suyas, que son las de nginx.
                    for nombre, valor in (_CABECERAS | _SIN_GUARDAR).items():
                        cabeceras.setdefault(nombre, valor)
            await send(mensaje)

        negativa = _negativa(scope, sala)
        await (negativa or self._app)(scope, receive, enviar)


def _negativa(scope: Scope, sala: bool) -> PlainTextResponse | None:
    cabeceras = Headers(scope=scope)
    # Una página ajena puede apuntar su propio nombre a 127.0.0.1 y leer desde el navegador: se exige el nombre local.
    if not es_local(cabeceras.get("host", "")):
        return PlainTextResponse("Este servicio sólo atiende en su propia máquina.", 421)
    if scope["method"] in ("GET", "HEAD"):
        return None
    if not (sala and scope["method"] == "POST"):
        permitido = "GET, HEAD, POST" if sala else "GET, HEAD"
        return PlainTextResponse("Aquí sólo se lee.", 405, {"Allow": permitido})
    largo = cabeceras.get("content-length", "")
    if not largo.isdigit() or int(largo) > MAXIMO_FORMULARIO:
        return PlainTextResponse("El formulario no cabe.", 413)
    # Los nuestros son de éstos; en los de varias partes quien manda escoge el juego de caracteres, y hay con qué meter
    # medio sustituto de UTF-16, que ni se guarda ni se pinta.
    tipo = cabeceras.get("content-type", "").partition(";")[0].strip().lower()
    if tipo not in ("", "application/x-www-form-urlencoded"):
        return PlainTextResponse("Eso no es un formulario de aquí.", 415)
    return None


def es_local(host: str) -> bool:
    """Si la cabecera Host nombra a esta misma máquina, con o sin puerto."""
    nombre, _, puerto = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    return (nombre in LOCALES and puerto.isdigit()) or host in LOCALES
