"""Entrar con gafete y NIP, bloquear, terminar el turno, y lo que lee el lector."""

from __future__ import annotations

from fastapi import FastAPI

from appliance.pantalla.pagina import Pantalla


def agregar(app: FastAPI, p: Pantalla) -> None:
    """Agrega sus rutas."""
