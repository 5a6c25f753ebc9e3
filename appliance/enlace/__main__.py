"""`./prep enlace --carpeta DIR`: corre el enlace de un kiosco hasta que se le pida parar (SIGTERM o Ctrl-C)."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from types import FrameType

from appliance.arranque import abrir_enlace
from appliance.consola import decir
from appliance.enlace.ciclo import Ajustes
from appliance.falla import Falla


def main(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si se le pidió parar y 1 si el kiosco no está en condiciones."""
    opciones = argparse.ArgumentParser(prog="prep enlace", description="Lleva los sobres del kiosco al centro.")
    opciones.add_argument("--carpeta", type=Path, required=True, help="carpeta del kiosco inscrito")
    for campo in fields(Ajustes):
        if campo.name.endswith("_s"):
            nombre = "--" + campo.name.replace("_", "-")
            opciones.add_argument(nombre, type=_segundos, default=campo.default, help="segundos (%(default)s)")
    leidas = opciones.parse_args(argumentos)
    ajustes = Ajustes(**{c.name: getattr(leidas, c.name) for c in fields(Ajustes) if c.name.endswith("_s")})
    try:
        enlace = abrir_enlace(leidas.carpeta, ajustes)
    except Falla as falla:
        decir(f"enlace: {falla}")
        return 1

    def parar(_senal: int, _marco: FrameType | None) -> None:
        enlace.parar = True

    signal.signal(signal.SIGTERM, parar)
    signal.signal(signal.SIGINT, parar)
    enlace.correr()
    enlace.cerrar()
    return 0


def _segundos(texto: str) -> float:
    valor = float(texto)
    if not 0 < valor <= 3600:
        raise argparse.ArgumentTypeError("debe ser mayor que 0 y a lo más 3600")
    return valor


if __name__ == "__main__":
    sys.exit(main())
