"""Guardar cada renglón mientras se teclea, y saber que alguien sigue en la hoja.

Contestan JSON, no páginas: los pide la hoja sin salir de ella. Sin JavaScript no hacen falta; «Pausar» y «Guardar»
mandan la hoja completa.
"""

from __future__ import annotations

from datetime import datetime

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from appliance.pantalla.pagina import Pantalla, PideLectura, persona_de
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.post("/acta/{eleccion}/{casilla}/renglon")
    def renglon(eleccion: str, casilla: str, e: PideLectura) -> Response:
        """Formulario: `renglon` y `texto` (lo tecleado, `ILEGIBLE`, `SIN DATO` o vacío)."""
        textos = {e.texto("renglon"): e.texto("texto")}
        return _contestar(p.mesa.guardar_renglones(IdActa(eleccion, casilla), persona_de(e).clave, textos))

    @app.post("/acta/{eleccion}/{casilla}/latido")
    def latido(eleccion: str, casilla: str, e: PideLectura) -> Response:
        return _contestar(p.mesa.renovar(IdActa(eleccion, casilla), persona_de(e).clave))


def _contestar(hora: datetime | Rechazo) -> JSONResponse:
    if isinstance(hora, Rechazo):
        palabras = {"que": hora.que, "causa": hora.causa, "siguiente": hora.siguiente}
        return JSONResponse({"guardado": False, **palabras}, 422 if hora.codigo == "RENGLON" else 409)
    return JSONResponse({"guardado": True, "hora": f"{hora:%H:%M}"})
