"""Las rutas de la sala dentro de la aplicación del centro, y lo que se contesta cuando algo no procede."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from nucleo.problema import Rechazo
from servicio_central.monitor import (
    metricas,
    rutas_de_acceso,
    rutas_de_alarmas,
    rutas_de_ordenes,
    rutas_de_revision,
    rutas_del_tablero,
)
from servicio_central.monitor.paginas import aviso
from servicio_central.monitor.puerta import CAMINO, Ajeno, NoAlcanza, SinSesion
from servicio_central.monitor.sala import Sala
from servicio_central.puerto_almacen import ERRORES

ESTATICO: Final = "/sala"

CABECERAS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # Con `no-referrer` el navegador manda `Origin: null` en los formularios, y no se sabría si son nuestros.
    "Referrer-Policy": "same-origin",
}
"""Lo que cambia respecto de las páginas públicas: la sala sí usa JavaScript, y sólo el suyo."""


def es_de_la_sala(camino: str) -> bool:
    """Si ese camino lo atiende la sala."""
    return camino == CAMINO or camino.startswith((f"{CAMINO}/", "/proyector", f"{ESTATICO}/")) or camino == "/metrics"


def agregar(app: FastAPI, sala: Sala) -> None:
    """Pone las rutas de la sala en la aplicación."""
    app.state.sala = sala
    for rutas in (
        rutas_de_acceso.rutas,
        rutas_del_tablero.rutas,
        rutas_de_alarmas.rutas,
        rutas_de_revision.rutas,
        rutas_de_ordenes.rutas,
        metricas.rutas,
    ):
        app.include_router(rutas)
    app.mount(f"{ESTATICO}/htmx", StaticFiles(directory=str(files("django_htmx") / "static/django_htmx")))
    app.mount(ESTATICO, StaticFiles(directory=str(files("servicio_central.monitor") / "estaticos")))
    app.exception_handler(SinSesion)(_sin_sesion)
    app.exception_handler(NoAlcanza)(_no_alcanza)
    app.exception_handler(Ajeno)(_ajeno)
    app.exception_handler(RequestValidationError)(_mal_formado)
    app.exception_handler(HTTPException)(_no_existe)
    for error in ERRORES:
        app.exception_handler(error)(_sin_almacen)


async def _sin_sesion(peticion: Request, _: Exception) -> Response:
    if peticion.url.path in (f"{CAMINO}/vivo", f"{CAMINO}/ordenes/vivo"):
        # El navegador vuelve a intentar solo lo que no contesta 204.
        return Response(status_code=204)
    return RedirectResponse(f"{CAMINO}/entrar", 303)


async def _no_alcanza(peticion: Request, error: Exception) -> Response:
    assert isinstance(error, NoAlcanza)
    rechazo = Rechazo(
        "PAPEL",
        f"con el papel {error.sesion.papel.value} no se puede hacer eso",
        f"hace falta ser {error.minimo.value}",
        "pídalo a quien pueda, o que le cambien el papel con `./prep operador papel`",
    )
    return aviso(peticion, rechazo, 403, error.sesion)


async def _ajeno(peticion: Request, _: Exception) -> Response:
    rechazo = Rechazo(
        "FORMA",
        "no se hizo nada: el formulario no salió de esta sesión",
        "la página se quedó abierta desde antes de volver a entrar, u otra página quiso usar su sesión",
        "recargue la página y repita",
    )
    return aviso(peticion, rechazo, 403)


async def _mal_formado(peticion: Request, _: Exception) -> Response:
    rechazo = Rechazo(
        "FORMA",
        "no se hizo nada: algo de lo escrito no se entiende o es demasiado largo",
        "se pegó un texto más largo de lo que cabe, o la dirección se tecleó mal",
        "regrese, acórtelo y repita",
    )
    return aviso(peticion, rechazo, 422)


async def _no_existe(peticion: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code not in (404, 405) or not peticion.url.path.startswith(f"{CAMINO}/"):
        return await http_exception_handler(peticion, error)
    rechazo = Rechazo(
        "NO_HAY", "aquí no hay nada", "la dirección se tecleó mal o es de una página de antes", "regrese al tablero"
    )
    return aviso(peticion, rechazo, error.status_code)


async def _sin_almacen(peticion: Request, error: Exception) -> Response:
    if peticion.method == "POST":
        # Recargar sola tiraría lo que alguien escribió.
        mensaje = (
            f"No se pudo asentar ({error}): el disco del centro está lleno o dañado. Revíselo; regrese con el botón"
            " Atrás del navegador, vea en qué quedó y, si hace falta, repita."
        )
        return PlainTextResponse(mensaje, 503)
    mensaje = f"El almacén o la libreta no se pueden leer o escribir ({error}). Revise el disco del centro y recargue."
    return PlainTextResponse(mensaje, 503, {"Refresh": "5"})
