"""La revisión entre dos personas: los casos, sus piezas, proponer y responder."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from nucleo.problema import Rechazo
from servicio_central.monitor import casos, responder_de_dos
from servicio_central.monitor.dictamenes import NADIE, OPCIONES, falta, situacion
from servicio_central.monitor.paginas import aviso, pagina
from servicio_central.monitor.puerta import CAMINO, Confirma, Mira, Opera, la_sala
from servicio_central.monitor.responder_de_dos import Contesta
from servicio_central.monitor.sesiones import Sesion

rutas = APIRouter(prefix=f"{CAMINO}/revision")

_NO_HAY = Rechazo("NO_HAY", "ese caso no existe", "el enlace es de otro centro", "regrese a Revisión")


@rutas.get("")
def lista(peticion: Request, sesion: Mira) -> HTMLResponse:
    """Los casos, primero los que esperan a alguien."""
    sala = la_sala(peticion)
    ultimas = sala.dictamenes.por_caso()
    hay = [
        (c, situacion(c, ultimas.get(c.clave), sala.ahora()), falta(c, ultimas.get(c.clave)))
        for c in casos.abiertos(sala.centro.carpeta)
    ]
    return pagina(peticion, "revision.html", sesion, casos=sorted(hay, key=lambda c: not c[2]))


@rutas.get("/{clave}")
def uno(peticion: Request, sesion: Mira, clave: str) -> HTMLResponse:
    """Un caso con sus piezas y lo que se ha dictaminado."""
    return _uno(peticion, sesion, clave)


def _uno(
    peticion: Request,
    sesion: Sesion,
    clave: str,
    rechazo: Rechazo | None = None,
    nota: str = "",
    dictamen: str = "",
) -> HTMLResponse:
    sala = la_sala(peticion)
    caso = casos.uno(sala.centro.carpeta, clave)
    if caso is None:
        return aviso(peticion, _NO_HAY, 404, sesion)
    propuestas = sala.dictamenes.de(clave)
    ultima = propuestas[0] if propuestas else None
    return pagina(
        peticion,
        "caso.html",
        sesion,
        400 if rechazo else 200,
        rechazo,
        caso=caso,
        equipo="" if caso.equipo == NADIE else caso.equipo,
        situacion=situacion(caso, ultima, sala.ahora()),
        falta=falta(caso, ultima),
        opciones=OPCIONES[caso.clase],
        palabras=sala.dictamenes.palabras,
        propuestas=propuestas,
        por_responder=ultima if ultima is not None and ultima.espera(sala.ahora()) else None,
        nota=nota,
        dictamen=dictamen,
        piezas=casos.piezas(sala.centro.carpeta, caso),
    )


@rutas.post("/{clave}")
def proponer(
    peticion: Request,
    sesion: Opera,
    clave: str,
    dictamen: Annotated[str, Form(max_length=40)] = "",
    nota: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """La primera persona propone."""
    sala = la_sala(peticion)
    caso = casos.uno(sala.centro.carpeta, clave)
    if caso is None:
        return aviso(peticion, _NO_HAY, 404, sesion)
    hecho = sala.dictamenes.proponer(caso, dictamen, nota, sesion.cuenta, sala.ahora())
    if isinstance(hecho, Rechazo):
        return _uno(peticion, sesion, clave, hecho, nota, dictamen)
    return RedirectResponse(f"{CAMINO}/revision/{clave}", 303)


@rutas.post("/{clave}/{numero}")
def responder(peticion: Request, sesion: Confirma, clave: str, numero: int, dicho: Contesta) -> Response:
    """La segunda persona confirma, con un código nuevo, o rechaza."""
    dictamenes = la_sala(peticion).dictamenes
    with dictamenes.turno:
        propuesta = dictamenes.uno(numero)
        if propuesta is None or propuesta.caso != clave or not dicho.se_entiende(dictamenes):
            return aviso(peticion, _NO_HAY, 404, sesion)
        para = f"propuesta {numero}: {propuesta.dictamen}, {clave}"
        mal = responder_de_dos.responder(peticion, sesion, dictamenes, propuesta, dicho, para)
    if mal is not None:
        return _uno(peticion, sesion, clave, mal, dicho.nota)
    return RedirectResponse(f"{CAMINO}/revision/{clave}", 303)
