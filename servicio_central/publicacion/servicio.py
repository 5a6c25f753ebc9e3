"""El publicador como proceso: recibe por su entrada qué corte hacer y contesta cómo salió, un renglón cada vez.

Vive toda la noche, y por eso cada corte sólo lee lo nuevo. Va aparte del centro: ni le quita turno a la ingesta ni, si
se cae, la tumba; el calendario lo vuelve a levantar. Después de contestar pide sus cofirmas a los testigos.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from nucleo.definicion import DefinicionInvalida
from servicio_central import vigente
from servicio_central.corte import hacer_cortes
from servicio_central.publicacion.publicador import Publicador
from servicio_central.puerto_almacen import ERRORES
from servicio_central.tropiezo import Tropiezo


def atender(carpeta: Path, entrada: TextIO, salida: TextIO, avisar: TextIO) -> None:
    """Hace los cortes que se le pidan hasta que se cierre su entrada.

    Cada petición es `{"hora": ISO 8601 con huso, "ultimo": bool}` y cada respuesta `{"queja": texto}`, vacía si salió.
    """
    publicador = Publicador(carpeta)
    for renglon in entrada:
        queja = _hacer(carpeta, json.loads(renglon), publicador, avisar)
        print(json.dumps({"queja": queja}, ensure_ascii=False), file=salida, flush=True)
        if not queja:
            _cofirmar(publicador, avisar)
            gc.freeze()  # lo que queda vivo dura toda la noche: recorrerlo en cada corte sería trabajo perdido


def _hacer(carpeta: Path, pedido: dict[str, Any], publicador: Publicador, avisar: TextIO) -> str:
    try:
        hora, proceso = datetime.fromisoformat(pedido["hora"]), vigente.leer(carpeta)
        cortes = hacer_cortes(carpeta, proceso, hora, ultimo=pedido["ultimo"], publicador=publicador)
    except (Tropiezo, DefinicionInvalida, *ERRORES, OSError) as error:
        return str(error)
    except Exception as error:
        return f"DEFECTO: {error!r}; el corte anterior sigue publicado; avise a quien mantiene el programa"
    for aviso in sorted({c.aviso for c in cortes.values()} - {""}):
        print(f"corte: {aviso}", file=avisar, flush=True)
    return ""


def _cofirmar(publicador: Publicador, avisar: TextIO) -> None:
    try:
        quejas = publicador.cofirmar().quejas
    except (Tropiezo, OSError) as error:
        quejas = (str(error),)
    for queja in quejas:
        print(f"testigos: {queja}", file=avisar, flush=True)


def main() -> None:
    lector = argparse.ArgumentParser(prog="python -m servicio_central.publicacion.servicio")
    lector.add_argument("--carpeta", type=Path, required=True)
    opciones = lector.parse_args()
    atender(opciones.carpeta, sys.stdin, sys.stdout, sys.stderr)


if __name__ == "__main__":
    main()
