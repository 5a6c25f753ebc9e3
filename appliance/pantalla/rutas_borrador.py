"""Guardar cada renglón mientras se teclea."""

from __future__ import annotations

from fastapi import FastAPI

from appliance.pantalla.pagina import Pantalla


def agregar(app: FastAPI, p: Pantalla) -> None:
    """Agrega sus rutas."""
