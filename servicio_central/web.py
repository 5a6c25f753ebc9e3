"""Las páginas del centro: las públicas, que son archivos ya escritos, y `/operacion`, que retrata al centro.

Sólo escucha en la propia máquina y sólo lee: no hay rutas que cambien nada. En producción lo público lo sirve nginx
desde la misma carpeta `publico` (asunto 5) y esto queda para operación.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

from nucleo.base_oficial import fechas
from servicio_central import corte, pagina, tablero
from servicio_central.arranque import Centro
from servicio_central.puerto_almacen import ERRORES

LOCALES: Final = ("127.0.0.1", "localhost", "[::1]")

_CABECERAS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def aplicacion(centro: Centro) -> FastAPI:
    """La aplicación web del centro."""
    app = FastAPI(title="Centro PREP", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def resguardar(peticion: Request, seguir: Callable[[Request], Awaitable[Response]]) -> Response:
        # Una página ajena puede apuntar su propio nombre a 127.0.0.1 y leer desde el navegador: se exige el nombre
        # local.
        if not es_local(peticion.headers.get("host", "")):
            respuesta: Response = PlainTextResponse("Este servicio sólo atiende en su propia máquina.", 421)
        elif peticion.method not in ("GET", "HEAD"):
            respuesta = PlainTextResponse("Aquí sólo se lee.", 405, {"Allow": "GET, HEAD"})
        else:
            respuesta = await seguir(peticion)
        respuesta.headers.update(_CABECERAS)
        fijo = peticion.url.path.startswith("/cortes/") and respuesta.status_code == 200
        respuesta.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fijo else "no-store"
        return respuesta

    @app.get("/operacion", response_class=HTMLResponse)
    def operacion() -> Response:
        vigia = centro.vigia
        try:
            retrato = tablero.retratar(
                centro.carpeta, vigia.proceso, vigia.padron, centro.enlace.estado, datetime.now(UTC)
            )
        except ERRORES as error:
            mensaje = f"El almacén no se puede leer ({error}). Revise el disco del centro."
            return PlainTextResponse(mensaje, 503, {"Refresh": "5"})
        return HTMLResponse(
            pagina.entorno()
            .get_template("operacion.html")
            .render(
                t=retrato,
                proceso=vigia.proceso,
                hora=fechas.hora(retrato.hora, vigia.proceso.huso),
                edad=edad,
                disco=disco,
                desde=edad(_hace(centro.enlace.estado.desde)),
            )
        )

    @app.get("/operacion.css")
    def hoja_de_estilo() -> Response:
        return Response(pagina.estilo(), media_type="text/css")

    preparar_publico(centro)
    app.mount("/cortes", StaticFiles(directory=centro.carpeta / corte.CORTES, html=True), name="cortes")
    app.mount("/", StaticFiles(directory=centro.carpeta / corte.PUBLICO, html=True), name="publico")
    return app


def preparar_publico(centro: Centro) -> None:
    """Antes del primer corte publica una página que dice cuándo empieza."""
    destino = centro.carpeta / "espera"
    destino.mkdir(exist_ok=True)
    (destino / "index.html").write_bytes(pagina.espera(centro.vigia.proceso))
    (destino / "estilo.css").write_bytes(pagina.estilo())
    (centro.carpeta / corte.CORTES).mkdir(exist_ok=True)
    if corte.ultimo_publicado(centro.carpeta) is None:
        corte.apuntar(centro.carpeta, "espera")


def es_local(host: str) -> bool:
    """Si la cabecera Host nombra a esta misma máquina, con o sin puerto."""
    nombre, _, puerto = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    return (nombre in LOCALES and puerto.isdigit()) or host in LOCALES


def edad(hace: timedelta | None) -> str:
    """«hace 8 s», «hace 3 min», «hace 2 h»; «nunca» si no hay."""
    if hace is None:
        return "nunca"
    segundos = int(hace.total_seconds())
    if segundos < 60:
        return f"hace {segundos} s"
    return f"hace {segundos // 60} min" if segundos < 7200 else f"hace {segundos // 3600} h"


def disco(libres: int) -> str:
    """Bytes libres en MB o GB, truncados."""
    return f"{libres // 10**9} GB" if libres >= 10**10 else f"{libres // 10**6:,} MB"


def _hace(epoca: float) -> timedelta:
    return datetime.now(UTC) - datetime.fromtimestamp(epoca, UTC)
