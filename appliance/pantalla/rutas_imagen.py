"""La imagen de un acta y el recorte de cada renglón."""

from __future__ import annotations

from fastapi import FastAPI

from appliance.pantalla.pagina import Pantalla


def agregar(app: FastAPI, p: Pantalla) -> None:
    """Agrega sus rutas."""
