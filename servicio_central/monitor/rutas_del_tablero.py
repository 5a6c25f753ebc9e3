"""El tablero vivo, el proyector y los detalles de un equipo, un distrito y un acta."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse

from nucleo.problema import Rechazo
from servicio_central.monitor import imagenes_de_actas, linea_de_tiempo, vida_de_acta, vista
from servicio_central.monitor.difusion import Difusion, Envio, Lleno, suceso
from servicio_central.monitor.observador import Observador, Pantalla
from servicio_central.monitor.paginas import aviso, pagina
from servicio_central.monitor.puerta import CAMINO, GALLETA, Mira, la_sala

rutas = APIRouter()

_REVISAR: Final = 10.0
"""Segundos entre preguntas de si quien oye el tablero todavía puede."""

_HISTORIA: Final = timedelta(hours=12)


@rutas.get(CAMINO)
def tablero(peticion: Request, sesion: Mira) -> HTMLResponse:
    """El tablero: sus pedazos ya vienen pintados."""
    observador = la_sala(peticion).observador
    version, pedazos = observador.pagina()
    return pagina(
        peticion,
        "tablero.html",
        sesion,
        version=version,
        pedazos=pedazos,
        pulso=observador.pulso(),
        colores=vista.nombres_de_calor(la_sala(peticion).umbrales),
    )


@rutas.get(f"{CAMINO}/vivo")
async def vivo(peticion: Request, sesion: Mira, desde: str = "") -> Response:
    """Los cambios del tablero, mientras dure la sesión. Oír no cuenta como uso."""
    return await oir(peticion, la_sala(peticion).observador, desde, mientras_dure(peticion), Pantalla.SALA)


@rutas.get("/proyector")
def proyector(peticion: Request) -> HTMLResponse:
    """Para todos los de la sala, sin cuenta: sin personas y sin nada que tocar."""
    observador = la_sala(peticion).observador
    version, pedazos = observador.pagina(Pantalla.PROYECTOR)
    return pagina(
        peticion,
        "proyector.html",
        version=version,
        pedazos=pedazos,
        pulso=observador.pulso(),
        colores=vista.nombres_de_calor(la_sala(peticion).umbrales),
    )


@rutas.get("/proyector/vivo")
async def proyector_vivo(peticion: Request, desde: str = "") -> Response:
    """Los cambios del proyector."""
    return await oir(peticion, la_sala(peticion).observador, desde, lambda: True, Pantalla.PROYECTOR)


def mientras_dure(peticion: Request) -> Callable[[], bool]:
    """Si la sesión de ese navegador sigue; preguntarlo no cuenta como uso."""
    sala, galleta = la_sala(peticion), peticion.cookies.get(GALLETA, "")
    return lambda: sala.sesiones.reconocer(galleta, uso=False) is not None


async def oir(
    peticion: Request, observador: Observador, desde: str, sigue: Callable[[], bool], pantalla: Pantalla
) -> Response:
    """Los cambios de esa pantalla desde la versión que el navegador dice tener, mientras `sigue`."""
    canal = observador.canal(pantalla)
    try:
        fila = canal.abrir()
    except Lleno:
        return PlainTextResponse("Hay demasiadas pantallas abiertas. Cierre alguna y recargue.", 503)
    version = peticion.headers.get("last-event-id") or desde
    try:
        # Después de abrir la fila: lo que cambie mientras tanto llega por ella.
        primero = await run_in_threadpool(lambda: observador.al_volver(version, pantalla))
    except BaseException:
        canal.soltar(fila)
        raise
    return StreamingResponse(
        _mensajes(canal, fila, primero, sigue),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _mensajes(
    canal: Difusion, fila: asyncio.Queue[Envio | None], primero: Envio, sigue: Callable[[], bool]
) -> AsyncIterator[bytes]:
    try:
        ya, mensaje = primero
        yield mensaje
        revisar = time.monotonic() + _REVISAR
        while True:
            try:
                envio = await asyncio.wait_for(fila.get(), max(0.1, revisar - time.monotonic()))
            except TimeoutError:
                envio = (0, b": sigue\n\n")
            if envio is None:
                return
            numero, mensaje = envio
            if time.monotonic() >= revisar:
                if not await run_in_threadpool(sigue):
                    yield suceso("fin", "su sesión terminó")
                    return
                revisar = time.monotonic() + _REVISAR
            # Lo que ya iba en el primero no se repite: mover dos veces un renglón lo dejaría donde no va.
            if not 0 < numero <= ya:
                yield mensaje
    finally:
        canal.soltar(fila)


@rutas.get(f"{CAMINO}/equipo/{{equipo}}")
def equipo(peticion: Request, sesion: Mira, equipo: str) -> HTMLResponse:
    """Todo lo de un equipo: estado, historia del enlace y alarmas de la noche."""
    sala = la_sala(peticion)
    retrato = sala.observador.retrato
    kiosco = retrato.por_equipo.get(equipo) if retrato else None
    if retrato is None or kiosco is None:
        return aviso(peticion, _no_hay(f"no hay un equipo {equipo[:40]!r} en el padrón"), 404, sesion)
    ahora, cambios = sala.ahora(), sala.historia.de(equipo)
    desde = max(ahora - _HISTORIA, cambios[0].hora) if cambios else ahora - _HISTORIA
    suyas = [p for p in sala.observador.presentes if p.alarma.equipo == equipo]
    return pagina(
        peticion,
        "equipo.html",
        sesion,
        k=kiosco,
        v=vista.ver(kiosco, suyas, retrato, sala.umbrales),
        presentes=suyas,
        episodios=[e for e in sala.episodios.ultimos(60, equipo) if e.termino is not None],
        cambios=cambios[::-1][:60],
        linea=linea_de_tiempo.dibujar(
            cambios, min(desde, ahora - timedelta(minutes=30)), ahora, sala.centro.vigia.proceso.huso
        ),
        lugares=[lugar for lugar in retrato.lugares if equipo in lugar.equipos],
        bytes_en_palabras=vista.bytes_en_palabras,
        esperada=retrato.definicion,
        ordenes=sala.observador.mesa.de(equipo),
        pedidos=sala.pedidos.de(equipo),
        mochilas=sala.observador.mesa.mochilas,
        faltan=(faltan := imagenes_de_actas.de_equipo(sala.centro.carpeta, equipo))[: imagenes_de_actas.A_LA_VISTA],
        cuantas_faltan=len(faltan),
    )


@rutas.get(f"{CAMINO}/distrito/{{distrito}}")
def distrito(peticion: Request, sesion: Mira, distrito: int) -> HTMLResponse:
    """Un distrito: sus municipios y los kioscos que le mandan actas."""
    sala = la_sala(peticion)
    retrato = sala.observador.retrato
    lugar = next((x for x in retrato.lugares if x.distrito == distrito), None) if retrato else None
    if retrato is None or lugar is None:
        return aviso(peticion, _no_hay(f"no hay un distrito {distrito}"), 404, sesion)
    proceso = sala.centro.vigia.proceso
    municipios: dict[str, int] = {}
    for casilla in proceso.casillas.values():
        if (casilla.distrito or 0) == distrito:
            municipios[casilla.municipio_nombre] = municipios.get(casilla.municipio_nombre, 0) + 1
    por_equipo = retrato.por_equipo
    kioscos = [
        vista.ver(por_equipo[e], [p for p in sala.observador.presentes if p.alarma.equipo == e], retrato, sala.umbrales)
        for e in lugar.equipos
        if e in por_equipo
    ]
    return pagina(
        peticion, "distrito.html", sesion, lugar=lugar, municipios=sorted(municipios.items()), kioscos=kioscos
    )


@rutas.get(f"{CAMINO}/acta")
def buscar(peticion: Request, sesion: Mira, buscar: Annotated[str, Query(max_length=40)] = "") -> HTMLResponse:
    """Buscar un acta por la clave de su casilla o su sección."""
    proceso = la_sala(peticion).centro.vigia.proceso
    return pagina(peticion, "buscar.html", sesion, texto=buscar, casillas=vida_de_acta.buscar(proceso, buscar))


@rutas.get(f"{CAMINO}/acta/{{eleccion}}/{{casilla}}")
def acta(peticion: Request, sesion: Mira, eleccion: str, casilla: str) -> HTMLResponse:
    """La vida de un acta."""
    centro = la_sala(peticion).centro
    vida = vida_de_acta.contar(centro.carpeta, centro.vigia.proceso, centro.vigia.padron, eleccion, casilla)
    if vida is None:
        return aviso(peticion, _no_hay("ese acta no es de este proceso"), 404, sesion)
    faltan = sum(s.falta_imagen for s in vida.sucesos)
    return pagina(peticion, "acta.html", sesion, vida=vida, faltan=faltan)


def _no_hay(que: str) -> Rechazo:
    return Rechazo("NO_HAY", que, "el enlace es de otro centro, o cambió el padrón", "regrese al tablero y búsquelo")
