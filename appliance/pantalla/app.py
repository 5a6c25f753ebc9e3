"""La aplicación de pantallas: arma las rutas y convierte cualquier tropiezo en una página en español."""

from __future__ import annotations

import contextlib
import logging
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from appliance.aparato import Aparato
from appliance.arranque import Kiosco
from appliance.falla import Falla
from appliance.pantalla import rutas
from appliance.pantalla.guardias import Guardias
from appliance.pantalla.pagina import (
    Aviso,
    PaginaVencida,
    Pantalla,
    PapelAjeno,
    SinPersona,
    de_rechazo,
)
from appliance.pantalla.sesion import leer_secreto
from appliance.pantalla.vuelta import camino_de_entrada
from appliance.personas import leer_personas
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
_A_MEDIAS: Final = Aviso(
    False,
    "No se guardó nada: el formulario no se entiende",
    "llegó incompleto o no salió de esta pantalla",
    "regrese al inicio y repita la acción",
)
_SIN_TURNO: Final = {
    "guardado": False,
    "que": "No se guardó: la pantalla está bloqueada",
    "causa": "pasó un rato sin uso, o terminó el turno",
    "siguiente": "vuelva a entrar con su NIP y repita",
}
_INESPERADO: Final = Aviso(
    False,
    "Algo inesperado impidió terminar la acción",
    "una falla del programa; quedó anotada",
    "regrese al inicio y repita; lo que ya decía «guardada» sigue guardado. Si vuelve a pasar, llame al área técnica",
)


def crear_app(kiosco: Kiosco, puerto: int, puesto: Puesto = SIN_APARATOS, aparato: Aparato | None = None) -> FastAPI:
    """La aplicación para ese kiosco; sólo contesta en los nombres de esta máquina y ese puerto.

    Args:
        aparato: si se abrió uno de varios modos, para poder cambiarlo desde la pantalla.

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
    lista = leer_personas(kiosco.carpeta, kiosco.identidad.modo, kiosco.identidad.catd)
    pantalla = Pantalla(kiosco, lista, secreto, puesto, aparato)
    # Quien estaba enfrente antes de reiniciar pudo irse: sigue su turno, pero debe volver a teclear su NIP.
    pantalla.turnos.bloquear_todos("se reinició el kiosco")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, middleware=[Middleware(Guardias, puerto=puerto)])
    app.state.pantalla = pantalla
    app.mount("/estatico/htmx", StaticFiles(directory=str(files("django_htmx") / "static/django_htmx")))
    app.mount("/estatico", StaticFiles(directory=str(files("appliance.pantalla") / "estatico")))
    rutas.agregar_todas(app, pantalla)
    _atender_tropiezos(app, pantalla)
    return app


def _atender_tropiezos(app: FastAPI, pantalla: Pantalla) -> None:
    def pagina(peticion: Request, aviso: Aviso, codigo: int) -> Response:
        try:
            entrada = pantalla.de_aviso(peticion)
            return pantalla.pagina("error.html", entrada, codigo=codigo, titulo="Aviso", aviso=aviso)
        except Falla:
            # Ni la barra se pudo leer: se dice sin ella.
            return Response(
                f"{aviso.titulo}. {aviso.causa}. {aviso.siguiente}.", 500, media_type="text/plain; charset=utf-8"
            )

    @app.exception_handler(SinPersona)
    async def _sin_persona(peticion: Request, _: Exception) -> Response:
        destino, navega = camino_de_entrada(peticion)
        if navega:
            return RedirectResponse(destino, status_code=303)
        # A lo que pide un trozo no se le contesta una página: se le dice que cambie de página.
        return JSONResponse(_SIN_TURNO, 401, headers={"HX-Redirect": destino})

    @app.exception_handler(PapelAjeno)
    async def _papel_ajeno(peticion: Request, error: Exception) -> Response:
        assert isinstance(error, PapelAjeno)
        aviso = Aviso(False, "Esa pantalla no es de su papel", f"es de {error}", "regrese al inicio y use las suyas")
        # Negar el paso no depende de que el disco admita el renglón.
        with contextlib.suppress(Falla), pantalla.kiosco.almacen.transaccion() as t:
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
        aviso = _A_MEDIAS if codigo == 400 else _NO_EXISTE if codigo in (404, 405, 422) else _INESPERADO
        return pagina(peticion, aviso, codigo)

    @app.exception_handler(Exception)
    async def _inesperado(peticion: Request, error: Exception) -> Response:
        _REGISTRO.error("tropiezo en %s", peticion.url.path, exc_info=error)
        return pagina(peticion, _INESPERADO, 500)
