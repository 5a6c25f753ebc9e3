"""Atender alarmas: verlas, reconocerlas y dejar notas."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from nucleo.problema import Rechazo
from servicio_central.monitor.grupos import NOMBRES
from servicio_central.monitor.paginas import aviso, pagina
from servicio_central.monitor.puerta import CAMINO, Mira, Opera, la_sala
from servicio_central.monitor.sesiones import Sesion

rutas = APIRouter(prefix=CAMINO)

_NO_HAY = Rechazo("NO_HAY", "esa alarma no existe", "el enlace es de otro centro", "regrese al tablero")


@rutas.get("/alarmas")
def historia(peticion: Request, sesion: Mira) -> HTMLResponse:
    """Las de la noche, también las que ya terminaron."""
    return pagina(peticion, "alarmas.html", sesion, episodios=la_sala(peticion).episodios.ultimos(300))


@rutas.get("/alarmas/{tipo}")
def de_un_tipo(peticion: Request, sesion: Mira, tipo: str) -> HTMLResponse:
    """Las de ahora de un mismo tipo, para atenderlas juntas."""
    return _de_un_tipo(peticion, sesion, tipo)


def _de_un_tipo(
    peticion: Request, sesion: Sesion, tipo: str, rechazo: Rechazo | None = None, nota: str = ""
) -> HTMLResponse:
    if tipo not in NOMBRES:
        return aviso(peticion, _NO_HAY, 404, sesion)
    presentes = [p for p in la_sala(peticion).observador.presentes if p.alarma.tipo == tipo]
    return pagina(
        peticion,
        "alarmas_de_un_tipo.html",
        sesion,
        400 if rechazo else 200,
        rechazo,
        tipo=tipo,
        nota=nota,
        presentes=presentes,
        faltan=sum(not p.reconocida for p in presentes),
        vistas=max((p.episodio.numero for p in presentes if p.episodio), default=0),
    )


@rutas.post("/alarmas/{tipo}")
def reconocer_varias(
    peticion: Request,
    sesion: Opera,
    tipo: str,
    nota: Annotated[str, Form(max_length=2000)] = "",
    vistas: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Reconoce de una vez las de ese tipo que nadie ha reconocido y que estaban en la página que se mandó."""
    sala = la_sala(peticion)
    hasta = int(vistas) if vistas.isascii() and vistas.isdigit() else 0
    for episodio in sala.episodios.abiertos_de(tipo):
        # Lo que empezó mientras alguien leía, nadie lo ha leído.
        if episodio.numero > hasta:
            continue
        mal = sala.episodios.anotar(episodio.numero, sesion.cuenta, nota, sala.ahora(), reconoce=True)
        if mal is not None:
            return _de_un_tipo(peticion, sesion, tipo, mal, nota)
    sala.observador.despertar()
    return RedirectResponse(CAMINO, 303)


@rutas.get("/alarma/{numero}")
def una(peticion: Request, sesion: Mira, numero: int) -> HTMLResponse:
    """Una alarma con sus notas."""
    return _una(peticion, sesion, numero)


def _una(
    peticion: Request, sesion: Sesion, numero: int, rechazo: Rechazo | None = None, nota: str = ""
) -> HTMLResponse:
    sala = la_sala(peticion)
    episodio = sala.episodios.uno(numero) if 0 < numero < 2**53 else None
    if episodio is None:
        return aviso(peticion, _NO_HAY, 404, sesion)
    ahora = next((p for p in sala.observador.presentes if p.episodio and p.episodio.numero == numero), None)
    return pagina(
        peticion,
        "alarma.html",
        sesion,
        400 if rechazo else 200,
        rechazo,
        e=episodio,
        nota=nota,
        que=ahora.alarma.que if ahora else episodio.que,
        notas=sala.episodios.notas(numero),
    )


@rutas.post("/alarma/{numero}")
def anotar(
    peticion: Request,
    sesion: Opera,
    numero: int,
    nota: Annotated[str, Form(max_length=2000)] = "",
    reconoce: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """Reconoce o agrega una nota."""
    sala = la_sala(peticion)
    if not 0 < numero < 2**53:
        return aviso(peticion, _NO_HAY, 404, sesion)
    mal = sala.episodios.anotar(numero, sesion.cuenta, nota, sala.ahora(), reconoce=bool(reconoce))
    if mal is not None:
        return _una(peticion, sesion, numero, mal, nota)
    sala.observador.despertar()
    return RedirectResponse(CAMINO if reconoce else f"{CAMINO}/alarma/{numero}", 303)
