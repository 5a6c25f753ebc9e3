"""La imagen de un acta y el recorte de cada renglón, sólo para quien la tiene abierta o la coteja."""

from __future__ import annotations

import re
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.imagenes import EXTENSIONES, extension_de
from appliance.pantalla.formatos import formatos_de
from appliance.pantalla.pagina import Entrada, Pantalla, PidePersona, persona_de
from appliance.vista_del_acta import VistaDelActa

_HUELLA: Final = re.compile(r"[0-9a-f]{64}")


def agregar(app: FastAPI, p: Pantalla) -> None:
    vista = vista_de(app, p)

    @app.get("/imagen/{sha256}")
    def completa(sha256: str, e: PidePersona) -> Response:
        if not _HUELLA.fullmatch(sha256) or vista.acta_visible(sha256, persona_de(e)) is None:
            return _no_hay()
        return _imagen(vista.completa(sha256))

    @app.get("/imagen/{sha256}/renglon/{clave}")
    @app.get("/imagen/{sha256}/region/{clave}")
    def recorte(sha256: str, clave: str, e: PidePersona) -> Response:
        return _recorte(vista, e, sha256, clave)


def vista_de(app: FastAPI, p: Pantalla) -> VistaDelActa:
    """La vista que comparten todas las pantallas de esta aplicación."""
    vista = getattr(app.state, "vista_del_acta", None)
    if not isinstance(vista, VistaDelActa):
        vista = app.state.vista_del_acta = VistaDelActa(p.mesa, formatos_de(p))
    return vista


def _recorte(vista: VistaDelActa, e: Entrada, sha256: str, clave: str) -> Response:
    acta = vista.acta_visible(sha256, persona_de(e)) if _HUELLA.fullmatch(sha256) else None
    return _imagen(vista.recorte(acta, sha256, clave)) if acta is not None else _no_hay()


def _imagen(contenido: bytes | None) -> Response:
    if contenido is None:
        return _no_hay()
    return Response(contenido, media_type=EXTENSIONES[extension_de(contenido)])


def _no_hay() -> Response:
    texto = "Esa imagen no está o no es de un acta que usted tenga abierta. Regrese al inicio y abra el acta otra vez."
    return Response(texto, 404, media_type="text/plain; charset=utf-8")
