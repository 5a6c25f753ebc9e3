"""`./prep catd fichas`: la documentación de los aparatos, escrita a partir de los perfiles."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from appliance.catd.suborden import BIEN, NO_COINCIDE, Suborden, con_perfiles
from appliance.consola import anunciar, decir
from appliance.dispositivos import durable, fichas
from appliance.dispositivos.perfiles import leer_perfiles


def correr(opciones: Namespace) -> int:
    """Las escribe en `--salida`, o en la salida normal."""
    texto = fichas.generar(leer_perfiles(opciones.perfiles))
    if opciones.salida is None:
        anunciar(texto.rstrip("\n"))
        return BIEN
    rechazo = durable.escribir(opciones.salida, texto.encode("utf-8"))
    if rechazo is not None:
        decir(f"catd fichas: {rechazo}")
        return NO_COINCIDE
    anunciar(f"Fichas escritas en {opciones.salida}")
    return BIEN


def _preparar(argumentos: ArgumentParser) -> None:
    con_perfiles(argumentos)
    argumentos.add_argument("--salida", type=Path, metavar="ARCHIVO", help="por ejemplo docs/dispositivos.md")


SUBORDEN = Suborden("fichas", "escribe la documentación de los aparatos a partir de los perfiles", _preparar, correr)
