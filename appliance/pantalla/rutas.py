"""Todas las rutas de las pantallas, en el orden en que se agregan."""

from __future__ import annotations

from fastapi import FastAPI

from appliance.pantalla import (
    rutas_acopio,
    rutas_alistamiento,
    rutas_borrador,
    rutas_captura,
    rutas_coordinacion,
    rutas_cotejo,
    rutas_digitalizacion,
    rutas_empaquetado,
    rutas_entrega,
    rutas_esperadas,
    rutas_estado,
    rutas_etiqueta,
    rutas_fuera,
    rutas_hoja_dudosa,
    rutas_imagen,
    rutas_inicio,
    rutas_modo,
    rutas_practica,
    rutas_sin_acta,
    rutas_turno,
)
from appliance.pantalla.pagina import Pantalla

_MODULOS = (
    rutas_inicio,
    rutas_turno,
    rutas_acopio,
    rutas_sin_acta,
    rutas_esperadas,
    rutas_etiqueta,
    rutas_fuera,
    rutas_digitalizacion,
    rutas_hoja_dudosa,
    rutas_imagen,
    rutas_captura,
    rutas_borrador,
    rutas_cotejo,
    rutas_empaquetado,
    rutas_coordinacion,
    rutas_estado,
    rutas_alistamiento,
    rutas_entrega,
    rutas_practica,
    rutas_modo,
)


def agregar_todas(app: FastAPI, p: Pantalla) -> None:
    for modulo in _MODULOS:
        modulo.agregar(app, p)
