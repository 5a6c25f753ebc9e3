"""Todos los enlaces del estado: un proceso por kiosco, nacido de uno que ya cargó el programa.

Arrancar cien intérpretes de Python tomaría minutos y memoria que en la vida real ponen cien máquinas. Cada hijo llama a
la misma función que `./prep enlace`, con su carpeta, su SQLite y su conexión TLS; sólo comparten el código ya leído.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from appliance.enlace.__main__ import main as enlace
from ensayo.escenario import morir_con


def principal() -> int:
    """`python -m ensayo.laboratorio.jalisco.bandada --carpeta DIR`: un enlace por carpeta de `DIR/kioscos`.

    A SIGTERM los termina a todos. Sale con 1 si alguno terminó solo.
    """
    lector = argparse.ArgumentParser(description="Los enlaces de un estado (los dirige `prep laboratorio jalisco`)")
    lector.add_argument("--carpeta", type=Path, required=True)
    carpeta = lector.parse_args().carpeta
    hijos: set[int] = set()
    parar = False

    def terminar(_senal: int, _marco: FrameType | None) -> None:
        nonlocal parar
        parar = True
        for hijo in hijos:
            os.kill(hijo, signal.SIGTERM)

    # Lo ya cargado no se vuelve a recorrer: los hijos lo siguen compartiendo.
    gc.freeze()
    for kiosco in sorted((carpeta / "kioscos").iterdir()):
        hijos.add(_nacer(kiosco, carpeta / "bitacoras" / f"enlace-{kiosco.name}.log"))
    signal.signal(signal.SIGTERM, terminar)
    solos = 0
    while hijos:
        hijo, _ = os.wait()
        hijos.discard(hijo)
        if not parar:
            solos += 1
            print(f"el enlace {hijo} terminó solo", file=sys.stderr, flush=True)
    return 1 if solos else 0


def _nacer(kiosco: Path, bitacora: Path) -> int:
    padre = os.getpid()
    hijo = os.fork()
    if hijo:
        return hijo
    morir_con(padre)
    # Cada uno tendría su máquina, y el centro la suya: aquí ciento veintiséis no deben quitarle el procesador.
    os.nice(10)
    descriptor = os.open(bitacora, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    salida = 1
    try:
        salida = enlace(["--carpeta", str(kiosco)])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Sin volver: lo que sigue es la vida del padre.
        os._exit(salida)


if __name__ == "__main__":
    sys.exit(principal())
