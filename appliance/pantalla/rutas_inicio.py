"""El inicio de cada quien, según su papel, y la barra que se refresca."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.mesa import Espera
from appliance.pantalla.menu import puertas_de
from appliance.pantalla.pagina import Pantalla, Pide, PidePersona, de_rechazo, persona_de
from appliance.pantalla.que_sigue import Pendiente, que_sigue
from appliance.personas import NOMBRES, Papel
from appliance.practica.siembra import practico
from nucleo.modos import CAPACITACION
from nucleo.problema import Rechazo

TOPE: Final = 100
"""Más allá no se cuenta: se dice «más de 99»."""

_LEEN: Final = (Papel.CAPTURA, Papel.VERIFICACION)


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.get("/barra")
    def barra(e: Pide) -> Response:
        respuesta = p.trozo("barra.html", **p.barra(e))
        # La barra se pide sola: por ella se entera una página abierta de que ya se bloqueó.
        if e.persona is None:
            respuesta.headers["HX-Redirect"] = "/turno"
        return respuesta

    @app.get("/")
    def inicio(e: PidePersona) -> Response:
        persona = persona_de(e)
        lee = persona.puede(*_LEEN)
        avance = p.mesa.avance()
        proximas = p.mesa.proximas(persona.clave, persona.papeles, TOPE) if lee else []
        revision = p.mesa.por_revisar() if persona.puede(Papel.VERIFICACION, Papel.COORDINACION) else []
        espera = p.mesa.espera() if persona.puede(Papel.DIGITALIZACION) else Espera(0, 0)
        for resultado in (avance, proximas, revision, espera):
            if isinstance(resultado, Rechazo):
                return p.pagina("error.html", e, titulo="Aviso", aviso=de_rechazo(resultado), codigo=503)
        assert not isinstance(avance, Rechazo)
        assert not isinstance(proximas, Rechazo)
        assert not isinstance(revision, Rechazo)
        assert not isinstance(espera, Rechazo)
        sin_practica = p.proceso.modo == CAPACITACION and not practico(p.kiosco.almacen, persona.clave)
        pendiente = Pendiente(
            len(proximas), revision, espera.sin_imagen + espera.por_redigitalizar, avance.get("Verificada", 0)
        )
        return p.pagina(
            "inicio.html",
            e,
            titulo="Inicio",
            avance=avance,
            lee=lee,
            esperan=len(proximas),
            tope=TOPE,
            revision=revision,
            puertas=puertas_de(persona, p.proceso.modo, de_aparato=p.aparato is not None),
            papeles=" · ".join(NOMBRES[papel] for papel in Papel if papel in persona.papeles),
            ofrecer_practica=sin_practica,
            le_toca=que_sigue(persona, pendiente, sin_practica=sin_practica),
        )
