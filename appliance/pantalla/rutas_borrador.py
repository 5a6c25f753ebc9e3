"""Guardar cada renglón mientras se teclea, y saber que alguien sigue en la hoja.

Contestan JSON, no páginas: los pide la hoja sin salir de ella. Sin JavaScript no hacen falta; «Pausar» y «Guardar»
mandan la hoja completa.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from appliance.pantalla.hoja_en_pantalla import vista_en
from appliance.pantalla.pagina import Pantalla, PideLectura, persona_de
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.post("/acta/{eleccion}/{casilla}/renglon")
    def renglon(eleccion: str, casilla: str, e: PideLectura) -> Response:
        """Formulario: `renglon`, `texto` (lo tecleado, `ILEGIBLE`, `SIN DATO` o vacío) e `imagen`, la de la hoja."""
        acta, vista = IdActa(eleccion, casilla), vista_en(e)
        if isinstance(vista, Rechazo):
            return _contestar(vista)
        guardado = p.mesa.guardar_renglones(acta, persona_de(e).clave, {e.texto("renglon"): e.texto("texto")}, vista)
        cambio = None if isinstance(guardado, Rechazo) else p.mesa.cambio_de_imagen(acta, vista)
        return _contestar(guardado, replace(cambio, siguiente=_OTRA_IMAGEN) if cambio else None)

    @app.post("/acta/{eleccion}/{casilla}/latido")
    def latido(eleccion: str, casilla: str, e: PideLectura) -> Response:
        return _contestar(p.mesa.renovar(IdActa(eleccion, casilla), persona_de(e).clave))


def _contestar(hora: datetime | Rechazo, aunque: Rechazo | None = None) -> JSONResponse:
    """`aunque`: lo que hay que decir de un renglón que sí se guardó."""
    if isinstance(hora, Rechazo):
        codigo = 422 if hora.codigo in ("RENGLON", "FORMA") else 409
        return JSONResponse({"guardado": False, **_palabras(hora)}, codigo)
    guardado = {"guardado": True, "hora": f"{hora:%H:%M}"}
    return JSONResponse(guardado | (_palabras(aunque) if aunque else {}), 409 if aunque else 200)


def _palabras(rechazo: Rechazo) -> dict[str, str]:
    return {"que": rechazo.que, "causa": rechazo.causa, "siguiente": rechazo.siguiente}


_OTRA_IMAGEN: Final = "toque «Pausar acta» y «Siguiente acta»: sale la nueva, con lo tecleado señalado para compararlo"
"""La página sigue mostrando la imagen vieja; lo guardado recuerda que se leyó en ella."""
