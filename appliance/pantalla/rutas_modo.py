"""Cambiar de modo desde la pantalla: qué modo es, a cuáles se puede pasar, qué se borra, y confirmarlo escribiéndolo.

Sólo existe si el kiosco se abrió con la carpeta de un aparato de varios modos. Las dos páginas de espera no piden
persona: al volver, el modo nuevo no conoce a nadie todavía.
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from appliance.modo import planear
from appliance.pantalla.barra import MODOS as NOMBRES
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, Pide, PideCoordinacion, de_rechazo, persona_de
from nucleo.modos import CAPACITACION, MODOS, OFICIAL, SIMULACRO
from nucleo.problema import Rechazo

_QUE_ES: Final = {
    CAPACITACION: "para aprender: actas de muestra; nada cuenta ni se envía",
    SIMULACRO: "el ensayo general, con todo el sistema",
    OFICIAL: "la jornada: todo lo que se haga cuenta",
}


def agregar(app: FastAPI, p: Pantalla) -> None:
    if p.aparato is None:
        return
    aparato = p.aparato

    @app.get("/modo")
    def ver(e: PideCoordinacion) -> Response:
        return p.pagina(
            "modo.html",
            e,
            titulo="Cambiar de modo",
            opciones=[(m, NOMBRES[m], _QUE_ES[m], plan) for m, plan in aparato.opciones() if m != p.proceso.modo],
            nombres=NOMBRES,
            que_es=_QUE_ES,
            tropiezo=de_rechazo(aparato.tropiezo) if aparato.tropiezo is not None else None,
            es_rechazo=lambda plan: isinstance(plan, Rechazo),
        )

    def confirmar(e: Entrada, a: str, error: Aviso | None = None) -> Response:
        plan = planear(aparato.carpeta, a)
        if isinstance(plan, Rechazo):
            return p.pagina("error.html", e, titulo="Aviso", aviso=de_rechazo(plan), codigo=409)
        return p.pagina(
            "modo_confirmar.html",
            e,
            titulo=f"Pasar a {NOMBRES[a].lower()}",
            plan=plan,
            nombres=NOMBRES,
            tecleado=e.texto("confirmacion"),
            error=error,
            codigo=422 if error else 200,
        )

    @app.get("/modo/espera")
    def espera(e: Pide) -> Response:
        return p.pagina(
            "modo_espera.html",
            e,
            titulo="Cambiando de modo" if aparato.por_cambiar else "Modo del kiosco",
            cambiando=aparato.por_cambiar,
            arranque=aparato.arranque,
            nombres=NOMBRES,
            tropiezo=de_rechazo(aparato.tropiezo) if aparato.tropiezo is not None else None,
        )

    @app.get("/modo/arranque")
    def arranque() -> Response:
        aparato.alguien_espera()
        return JSONResponse({"arranque": aparato.arranque})

    @app.get("/modo/{a}")
    def uno(a: str, e: PideCoordinacion) -> Response:
        return confirmar(e, a if a in MODOS else "")

    @app.post("/modo/{a}")
    def cambiar(a: str, e: PideCoordinacion) -> Response:
        def accion() -> tuple[str, Aviso | None] | Response:
            plan = aparato.pedir(a, e.texto("confirmacion"), persona_de(e).clave)
            if isinstance(plan, Rechazo):
                return confirmar(e, a if a in MODOS else "", de_rechazo(plan))
            return "/modo/espera", None

        return p.una_vez(e, accion)
