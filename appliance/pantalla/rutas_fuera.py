"""Los documentos fuera de catálogo que ya se declararon aquí, y cómo se declara uno."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.pantalla.pagina import Pantalla, PideAcopio, persona_de
from appliance.pantalla.rutas_acopio import DOCUMENTOS
from appliance.personas import Papel


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.get("/fuera")
    def fuera(e: PideAcopio) -> Response:
        with p.kiosco.almacen.lectura() as mirada:
            declarados = mirada.fuera_de_catalogo()
        huso = p.ahora().tzinfo
        return p.pagina(
            "fuera.html",
            e,
            titulo="Fuera de catálogo",
            declarados=[(h, h.hora.astimezone(huso)) for h in reversed(declarados)],
            documentos=DOCUMENTOS,
            digitaliza=persona_de(e).puede(Papel.DIGITALIZACION, Papel.COORDINACION),
        )
