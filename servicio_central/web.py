"""Las páginas del centro: las públicas, que son archivos ya escritos, y la sala de operación.

Sólo escucha en la propia máquina. En producción lo público lo sirve nginx desde la misma carpeta `publico` (asunto 5) y
esto queda para operación.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from servicio_central import publicado
from servicio_central.archivos_comprimidos import ArchivosComprimidos
from servicio_central.arranque import Centro, decir
from servicio_central.monitor import app as monitor
from servicio_central.monitor.app import es_de_la_sala
from servicio_central.monitor.sala import Sala
from servicio_central.publicacion import contenido, escritura
from servicio_central.resguardo import Resguardo
from servicio_central.sitio.paginas import paginas_de_espera
from servicio_central.tropiezo import Tropiezo


def aplicacion(
    centro: Centro, debe_terminar: Callable[[], bool] = lambda: False, avisar: Callable[[str], None] = decir
) -> FastAPI:
    """La aplicación web del centro.

    Args:
        debe_terminar: si el servidor quiere cerrar: los navegadores que oyen la sala se despiden.
    """
    sala = _abrir_sala(centro, avisar)

    @asynccontextmanager
    async def vida(_: FastAPI) -> AsyncIterator[None]:
        if not isinstance(sala, str):
            sala.observador.debe_terminar = debe_terminar
            sala.empezar()
        yield
        if not isinstance(sala, str):
            sala.terminar()

    app = FastAPI(title="Centro PREP", docs_url=None, redoc_url=None, openapi_url=None, lifespan=vida)
    if isinstance(sala, str):
        _sin_sala(app, sala)
    else:
        monitor.agregar(app, sala)
    app.add_middleware(Resguardo)
    preparar_publico(centro)
    app.mount("/", _Publico(centro.carpeta), name="publico")
    return app


class _Publico(ArchivosComprimidos):
    """Lo público; de una dirección de la sala que no existe contesta la sala."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if es_de_la_sala(scope["path"]):
            raise HTTPException(404 if scope["method"] in ("GET", "HEAD") else 405)
        await super().__call__(scope, receive, send)


def _abrir_sala(centro: Centro, avisar: Callable[[str], None]) -> Sala | str:
    """La sala, o por qué no se pudo: que la libreta esté dañada no es motivo para dejar de recibir ni de publicar."""
    try:
        return Sala(centro, avisar)
    except (Tropiezo, sqlite3.Error, OSError) as error:
        avisar(f"la sala de operación no se pudo abrir: {error}")
        return f"La sala de operación no se pudo abrir ({error}). El centro sigue recibiendo y publicando."


def _sin_sala(app: FastAPI, motivo: str) -> None:
    @app.get("/operacion")
    @app.get("/proyector")
    def decirlo() -> Response:
        return PlainTextResponse(motivo, 503, {"Refresh": "5"})


def preparar_publico(centro: Centro) -> None:
    """Antes del primer corte publica una página que dice cuándo empieza."""
    destino = centro.carpeta / "espera"
    escritura.escribir_sueltos(destino, paginas_de_espera(contenido.contexto_de(centro.carpeta, centro.vigia.proceso)))
    (centro.carpeta / publicado.CORTES).mkdir(exist_ok=True)
    if publicado.ultimo_publicado(centro.carpeta) is None:
        publicado.apuntar(centro.carpeta, "espera")
