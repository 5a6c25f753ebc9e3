"""Elegir persona, el inicio y la barra que se refresca."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from appliance.pantalla.pagina import Aviso, Pantalla, Pide, persona_de
from nucleo.problema import Rechazo


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.get("/personas")
    def personas(e: Pide) -> Response:
        return p.pagina("personas.html", e, titulo="¿Quién va a trabajar?", personas=p.personas.values())

    @app.post("/personas")
    def elegir(e: Pide) -> Response:
        clave = e.texto("persona")
        respuesta = RedirectResponse("/" if clave in p.personas else "/personas", status_code=303)
        p.recordar(respuesta, p.sesiones.nueva(clave if clave in p.personas else ""))
        return respuesta

    @app.get("/barra")
    def barra(e: Pide) -> Response:
        return p.trozo("barra.html", persona=e.persona, **p.barra())

    @app.get("/")
    def inicio(e: Pide) -> Response:
        persona = persona_de(e)
        avance = p.mesa.avance()
        espera = p.mesa.siguiente(persona.clave)
        revision = p.mesa.por_revisar()
        for resultado in (avance, espera, revision):
            if isinstance(resultado, Rechazo):
                aviso = Aviso(False, resultado.que, resultado.causa, resultado.siguiente)
                return p.pagina("error.html", e, titulo="Aviso", aviso=aviso, codigo=503)
        return p.pagina(
            "inicio.html", e, titulo="Mesa de captura", avance=avance, hay=espera is not None, revision=revision
        )
