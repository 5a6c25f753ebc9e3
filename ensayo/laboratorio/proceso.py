"""Un proceso electoral inventado, del tamaño que pida la noche, y las llaves de sus equipos."""

from __future__ import annotations

from functools import cache
from typing import Final

from joserfc.jwk import ECKey

from ensayo.proceso_inventado import PUBLICACION, proceso_inventado
from ensayo.tuberia import LlaveEnMemoria
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso

EPOCA: Final = "00000000000000e1"
INICIO: Final = PUBLICACION
"""Empieza la noche: la publicación también."""

RENGLONES: Final = ("PAN", "PRI", "PAN_PRI", "MC", "NO_REGISTRADAS", "NULOS")


@cache
def proceso_de(casillas: int) -> Proceso:
    """Un proceso de una elección con ese número de casillas, repartidas en dos distritos."""
    lista = [
        Casilla(20, n + 1, "B", 1, 0, 1 + n % 2, ("Acatlán", "Tuxtepec")[n % 2], 2, "Acatlán", 1 + n % 2, 700, 8)
        for n in range(casillas)
    ]
    return proceso_inventado("lab2022", "Proceso de laboratorio", "Va por el laboratorio", lista)


@cache
def llave_de(nombre: str) -> LlaveEnMemoria:
    """La llave de ese nombre; la misma durante todo el proceso, porque las huellas no dependen de ella."""
    return LlaveEnMemoria(nombre, ECKey.generate_key("P-256"))


@cache
def publica_de(nombre: str) -> ECKey:
    """Su mitad pública."""
    return ECKey.import_key(llave_de(nombre).llave.as_dict(private=False))
