"""`./prep kiosco --carpeta DIR --puerto N`: corre las pantallas de un kiosco, sólo para esta máquina."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import uvicorn

from appliance.arranque import abrir_kiosco
from appliance.consola import anunciar, decir
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.pantalla.app import crear_app
from appliance.reloj import RelojDeEnsayo

_DIRECCION: Final = "127.0.0.1"
"""Única dirección en que se atiende: no hay opción para otra."""


def main(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 al terminar y 1 si el kiosco no está en condiciones."""
    opciones = argparse.ArgumentParser(prog="prep kiosco", description="Corre las pantallas de un kiosco.")
    opciones.add_argument("--carpeta", type=Path, required=True, help="carpeta del kiosco inscrito")
    opciones.add_argument("--puerto", type=int, default=8080, help="puerto en 127.0.0.1 (%(default)s)")
    opciones.add_argument(
        "--reloj-de-ensayo",
        type=_hora,
        metavar="AAAA-MM-DDTHH:MM±HH:MM",
        help="en simulacro, empezar a esa hora; cada sobre dirá que el reloj es virtual",
    )
    leidas = opciones.parse_args(argumentos)
    try:
        reloj = None
        if leidas.reloj_de_ensayo is not None:
            if leer_identidad(leidas.carpeta).modo != "simulacro":
                raise Falla(
                    "MODO",
                    "El reloj de ensayo sólo se admite en simulacro",
                    "el kiosco se inscribió en modo oficial",
                    "arranque sin --reloj-de-ensayo",
                )
            reloj = RelojDeEnsayo(leidas.reloj_de_ensayo)
        kiosco = abrir_kiosco(leidas.carpeta, reloj)
        app = crear_app(kiosco, leidas.puerto)
    except Falla as falla:
        decir(f"kiosco: {falla}")
        return 1
    anunciar(f"Pantallas de {kiosco.identidad.equipo} en http://{_DIRECCION}:{leidas.puerto}")
    servidor = uvicorn.Server(
        uvicorn.Config(app, host=_DIRECCION, port=leidas.puerto, log_level="warning", server_header=False)
    )
    try:
        servidor.run()
    except SystemExit:
        decir(
            f"kiosco: no se pudo abrir el puerto {leidas.puerto}. Causa probable: ya lo usa otra pantalla. "
            "Siguiente paso: cierre la otra o elija otro con --puerto."
        )
        return 1
    finally:
        kiosco.almacen.desconectar()
    return 0


def _hora(texto: str) -> datetime:
    try:
        hora = datetime.fromisoformat(texto)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no es una fecha ISO 8601") from error
    if hora.utcoffset() is None:
        raise argparse.ArgumentTypeError("le falta el huso, como -05:00")
    return hora


if __name__ == "__main__":
    sys.exit(main())
