"""Orden del espejo: `./prep espejo URL DIR [--llave VKEY]`. Se repite cuantas veces se quiera: sigue donde iba."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from auditoria.verificar.lector import NoSePuede
from auditoria.verificar.orden import CIERTO, con_barra, decir_mentira, decir_que_no_se_pudo
from nucleo.publicacion.mentira import Mentira
from vigilancia.espejo import espejar
from vigilancia.lector_http import LectorHttp


def main(argumentos: Sequence[str] | None = None) -> int:
    """0 si el espejo quedó al día, 1 si lo publicado miente, 2 si no se pudo."""
    lector = argparse.ArgumentParser(prog="./prep espejo", description="Copia una publicación, sólo lo comprobado.")
    lector.add_argument("url", metavar="URL")
    lector.add_argument("carpeta", metavar="DIR", type=Path)
    lector.add_argument("--llave", default="", help="la llave del registro (vkey); sólo hace falta la primera vez")
    opciones = lector.parse_args(argumentos)
    try:
        with con_barra() as avance:
            hecho = espejar(LectorHttp(opciones.url), opciones.carpeta, opciones.llave, avance)
    except Mentira as mentira:
        return decir_mentira(mentira, en_json=False)
    except (NoSePuede, OSError) as error:
        return decir_que_no_se_pudo(error, en_json=False)
    publica = hecho.publica or "ningún corte todavía"
    print(f"espejo: {opciones.carpeta} publica {publica}; {hecho.hojas} hojas, {hecho.nuevos} archivos nuevos")
    return CIERTO


if __name__ == "__main__":
    sys.exit(main())
