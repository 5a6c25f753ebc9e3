"""Entrar, salir y la bitácora de accesos."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from nucleo.problema import Rechazo
from servicio_central.monitor.paginas import pagina
from servicio_central.monitor.puerta import CAMINO, GALLETA, Sale, Supervisa, exigir_origen, ip_de, la_sala

rutas = APIRouter(prefix=CAMINO)


@rutas.get("/entrar")
def formulario(peticion: Request) -> HTMLResponse:
    """El formulario; si todavía no hay cuentas, dice cómo se hacen."""
    sala = la_sala(peticion)
    return pagina(peticion, "entrar.html", hay_cuentas=bool(sala.cuentas.todas()), cuenta="")


@rutas.post("/entrar")
def entrar(
    peticion: Request,
    cuenta: Annotated[str, Form(max_length=60)] = "",
    clave: Annotated[str, Form(max_length=400)] = "",
    codigo: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Comprueba los dos factores y abre la sesión."""
    exigir_origen(peticion)
    hecho = la_sala(peticion).sesiones.entrar(cuenta.strip().lower(), clave, codigo, ip_de(peticion))
    if isinstance(hecho, Rechazo):
        codigo_http = 429 if hecho.codigo == "FRENO" else 403
        return pagina(peticion, "entrar.html", codigo=codigo_http, rechazo=hecho, hay_cuentas=True, cuenta=cuenta[:60])
    galleta, _ = hecho
    respuesta = RedirectResponse(CAMINO, 303)
    respuesta.set_cookie(
        GALLETA,
        galleta,
        path=CAMINO,
        httponly=True,
        samesite="strict",
        # En loopback no hay TLS; detrás de nginx sí, y él lo dice.
        secure=peticion.headers.get("x-forwarded-proto") == "https",
    )
    return respuesta


@rutas.post("/salir")
def salir(peticion: Request, sesion: Sale) -> Response:
    """Cierra la sesión."""
    la_sala(peticion).sesiones.salir(peticion.cookies.get(GALLETA, ""), ip_de(peticion))
    respuesta = RedirectResponse(f"{CAMINO}/entrar", 303)
    respuesta.delete_cookie(GALLETA, path=CAMINO, httponly=True, samesite="strict")
    return respuesta


@rutas.get("/accesos")
def accesos(peticion: Request, sesion: Supervisa) -> HTMLResponse:
    """Quién entró y quién no pudo."""
    sala = la_sala(peticion)
    return pagina(peticion, "accesos.html", sesion, accesos=sala.accesos.ultimos(), cuentas=sala.cuentas.todas())
