"""El lanzador de las subórdenes: lee los argumentos, corre una y dice con palabras lo que haya fallado."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from appliance.catd.registro import SUBORDENES
from appliance.catd.suborden import NO_COINCIDE
from appliance.consola import decir
from appliance.falla import Falla


def main(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si todo está bien y 1 si algo no coincide; argparse sale con 2 si se usó mal."""
    opciones = argparse.ArgumentParser(prog="prep catd", description="Revisa y prepara lo de un CATD.")
    ofrecidas = opciones.add_subparsers(dest="suborden", required=True, metavar="SUBORDEN")
    for suborden in SUBORDENES:
        suborden.preparar(
            ofrecidas.add_parser(suborden.nombre, help=suborden.descripcion, description=suborden.descripcion)
        )
    leidas = opciones.parse_args(argumentos)
    elegida = next(s for s in SUBORDENES if s.nombre == leidas.suborden)
    try:
        return elegida.correr(leidas)
    except Falla as falla:
        decir(f"catd {elegida.nombre}: {falla}")
    except KeyboardInterrupt:
        decir(f"catd {elegida.nombre}: interrumpida; nada quedó a medias")
    return NO_COINCIDE
