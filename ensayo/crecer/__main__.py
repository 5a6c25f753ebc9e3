"""`./prep laboratorio crecer`: la noche en que se muere un nodo de cada cosa."""

from __future__ import annotations

import argparse
import sys

from ensayo.crecer import raiz
from ensayo.crecer.noche import NocheRota, correr


def main(args: list[str] | None = None) -> int:
    """0 si las dos noches dan la misma base, sin perder ni duplicar nada."""
    lector = argparse.ArgumentParser(prog="./prep laboratorio crecer", description=__doc__)
    lector.add_argument("--preparar", action="store_true", help="construye la raíz de Debian 13 y no corre nada")
    lector.add_argument("--kioscos", type=int, default=6, help="cuántos kioscos (de 4 en adelante)")
    lector.add_argument("--actas", type=int, default=100, help="actas de cada kiosco; cada una son dos hojas")
    opciones = lector.parse_args(args)
    try:
        if opciones.preparar:
            raiz.preparar()
            print(f"lista: {raiz.RAIZ}")
            return 0
        if causa := raiz.impedimento():
            raise raiz.SinRaiz(causa)
        return 0 if correr(max(4, opciones.kioscos), max(1, opciones.actas)) else 1
    except (NocheRota, raiz.SinRaiz) as error:
        print(f"crecer: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
