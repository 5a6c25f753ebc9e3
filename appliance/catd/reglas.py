"""`./prep catd reglas`: las reglas udev del kiosco, escritas a partir de los perfiles."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from appliance.catd.suborden import BIEN, NO_COINCIDE, Suborden, con_perfiles
from appliance.consola import anunciar, decir
from appliance.dispositivos import durable, reglas
from appliance.dispositivos.perfiles import leer_perfiles


def correr(opciones: Namespace) -> int:
    """Las escribe en `--salida`, o en la salida normal. Si udev las objeta no se escriben."""
    texto = reglas.generar(leer_perfiles(opciones.perfiles), opciones.grupo)
    rechazo = reglas.verificar(texto)
    if rechazo is None and opciones.salida is not None:
        rechazo = durable.escribir(opciones.salida, texto.encode("utf-8"))
    if rechazo is not None:
        decir(f"catd reglas: {rechazo}")
        return NO_COINCIDE
    anunciar(texto.rstrip("\n") if opciones.salida is None else f"Reglas escritas en {opciones.salida}")
    return BIEN


def _preparar(argumentos: ArgumentParser) -> None:
    con_perfiles(argumentos)
    argumentos.add_argument(
        "--salida", type=Path, metavar="ARCHIVO", help=f"por ejemplo /etc/udev/rules.d/{reglas.NOMBRE}"
    )
    argumentos.add_argument("--grupo", default=reglas.GRUPO, help="el grupo que puede abrir los aparatos (%(default)s)")


SUBORDEN = Suborden("reglas", "escribe las reglas udev a partir de los perfiles", _preparar, correr)
