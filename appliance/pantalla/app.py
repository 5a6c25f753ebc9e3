"""La aplicación de pantallas: arma las rutas y convierte cualquier tropiezo en una página en español."""

from __future__ import annotations

import logging
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from appliance.arranque import Kiosco
from appliance.falla import Falla
from appliance.pantalla import rutas
from appliance.pantalla.guardias import Guardias
from appliance.pantalla.pagina import (
    Aviso,
    Entrada,
    PaginaVencida,
    Pantalla,
    PapelAjeno,
    SinPersona,
    de_rechazo,
)
from appliance.pantalla.personas import leer_personas
from appliance.pantalla.sesion import GALLETA, leer_secreto
from appliance.puesto import SIN_APARATOS, Puesto

_REGISTRO: Final = logging.getLogger("kiosco")

_VENCIDA: Final = Aviso(
    False,
    "No se guardó nada: esta página venció",
    "se cambió de persona en otra ventana o la pantalla estuvo cerrada",
    "regrese al inicio y repita la acción",
)
_NO_EXISTE: Final = Aviso(
    False, "Esa página no existe", "la dirección se tecleó a mano o es de antes", "regrese al inicio"
)
_INESPERADO: Final = Aviso(
    False,
    "Algo inesperado impidió terminar la acción",
    "una falla del programa; quedó anotada",
    "regrese al inicio y repita; lo que ya decía «guardada» sigue guardado. Si vuelve a pasar, llame al área técnica",
)


def crear_app(kiosco: Kiosco, puerto: int, puesto: Puesto = SIN_APARATOS) -> FastAPI:
    """La aplicación para ese kiosco; sólo contesta en los nombres de esta máquina y ese puerto.

    Raises:
        Falla: si la lista de personas no sirve (o falta, en oficial) o no se puede escribir en la carpeta del kiosco.
    """
    try:
        secreto = leer_secreto(kiosco.carpeta / "pantalla.secreto")
    except OSError as error:
        raise Falla(
            "DISCO",
            f"No se pudo escribir en {kiosco.carpeta} ({error.strerror})",
            "la carpeta es de otra cuenta o el disco está lleno",
            "revise la carpeta del kiosco",
        ) from error
    pantalla = Pantalla(kiosco, leer_personas(kiosco.carpeta, kiosco.identidad.modo), secreto, puesto)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, middleware=[Middleware(Guardias, puerto=puerto)])
    app.state.pantalla = pantalla
    app.mount("/estatico/htmx", StaticFiles(directory=str(files("django_htmx") / "static/django_htmx")))
    app.mount("/estatico", StaticFiles(directory=str(files("appliance.pantalla") / "estatico")))
    rutas.agregar_todas(app, pantalla)
    _atender_tropiezos(app, pantalla)
    return app


def _atender_tropiezos(app: FastAPI, pantalla: Pantalla) -> None:
    def pagina(peticion: Request, aviso: Aviso, codigo: int) -> Response:
        sesion = pantalla.sesiones.leer(peticion.cookies.get(GALLETA)) or pantalla.sesiones.nueva()
        entrada = Entrada(sesion, pantalla.personas.get(sesion.persona), {})
        try:
            return pantalla.pagina("error.html", entrada, codigo=codigo, titulo="Aviso", aviso=aviso)
        except Falla:
            # Ni la barra se pudo leer: se dice sin ella.
            return Response(
                f"{aviso.titulo}. {aviso.causa}. {aviso.siguiente}.", 500, media_type="text/plain; charset=utf-8"
            )

    @app.exception_handler(SinPersona)
    async def _sin_persona(_: Request, __: Exception) -> Response:
        return RedirectResponse("/personas", status_code=303)

    @app.exception_handler(PapelAjeno)
    async def _papel_ajeno(peticion: Request, error: Exception) -> Response:
        assert isinstance(error, PapelAjeno)
        aviso = Aviso(False, "Esa pantalla no es de su papel", f"es de {error}", "regrese al inicio y use las suyas")
        with pantalla.kiosco.almacen.transaccion() as t:
            ahora = pantalla.kiosco.reloj.ahora()
            t.anotar(ahora, "papel_ajeno", persona=error.persona.clave, detalle=peticion.url.path)
        return pagina(peticion, aviso, 403)

    @app.exception_handler(PaginaVencida)
    async def _vencida(peticion: Request, _: Exception) -> Response:
        return pagina(peticion, _VENCIDA, 403)

    @app.exception_handler(Falla)
    async def _falla(peticion: Request, error: Exception) -> Response:
        return pagina(peticion, de_rechazo(error.rechazo) if isinstance(error, Falla) else _INESPERADO, 503)

    @app.exception_handler(HTTPException)
    @app.exception_handler(RequestValidationError)
    async def _de_http(peticion: Request, error: Exception) -> Response:
        codigo = error.status_code if isinstance(error, HTTPException) else 422
        return pagina(peticion, _NO_EXISTE if codigo in (404, 405, 422) else _INESPERADO, codigo)

    @app.exception_handler(Exception)
    async def _inesperado(peticion: Request, error: Exception) -> Response:
        _REGISTRO.error("tropiezo en %s", peticion.url.path, exc_info=error)
        return pagina(peticion, _INESPERADO, 500)
