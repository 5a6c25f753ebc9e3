"""`./prep medir publicacion`: cuánto cuesta servir el sitio, y si aguanta a quien quiere tirarlo."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ensayo.medicion_enlace.medida import Medida
from ensayo.medicion_publicacion import cuentagotas, servicio, sintetico
from ensayo.medicion_publicacion.banco import Banco
from ensayo.medicion_publicacion.carga import SinMedir
from servicio_central.tropiezo import Tropiezo

_CHICO: Final = sintetico.Tamano(secciones=20)


def principal(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si se cumplen las metas (en chico no se juzgan), 1 si alguna no, 2 si algo no se pudo medir."""
    lector = argparse.ArgumentParser(prog="prep medir publicacion", description="Mide lo que cuesta servir el sitio.")
    lector.add_argument("--carpeta", type=Path, help="la de un centro con cortes; no se toca (por omisión, se inventa)")
    lector.add_argument("--temporal", type=Path, help="dónde escribir; decide qué disco se mide")
    lector.add_argument("--rondas", type=int, default=0, help="cuántas veces cada caso (10)")
    lector.add_argument("--chico", action="store_true", help="en segundos: comprueba que se puede medir, no mide")
    opciones = lector.parse_args(argumentos)
    for nombre in ("carpeta", "temporal"):
        dada = getattr(opciones, nombre)
        if dada is not None and not dada.is_dir():
            lector.error(f"--{nombre} {dada} no es una carpeta; dé una que exista")
    if opciones.rondas < 0:
        lector.error("--rondas es al menos 1")
    chico: bool = opciones.chico
    tamano = servicio.CHICO if chico else servicio.Tamano()
    if opciones.rondas:
        tamano = replace(tamano, rondas=opciones.rondas)
    inicio = time.monotonic()

    def decir(que: str) -> None:
        print(f"   {time.monotonic() - inicio:6.1f} s · {que}", file=sys.stderr, flush=True)

    # Quien la despide no debe encontrarse después dos nginx que nadie cuida.
    antes = signal.signal(signal.SIGTERM, lambda _senal, _marco: sys.exit(143))
    hechas: list[Medida] = []
    try:
        with TemporaryDirectory(prefix="prep-medir-", dir=opciones.temporal) as temporal:
            # Que la cuenta con que atiende nginx pueda pasar: así corre sin privilegios, como en la noche.
            Path(temporal).chmod(0o755)
            decir("preparo el sitio y los dos nginx")
            with Banco(Path(temporal), opciones.carpeta, _CHICO if chico else sintetico.Tamano()) as banco:
                lentas = cuentagotas.CHICO if chico else cuentagotas.Tamano()
                hechas.append(servicio.medir(banco, tamano, decir))
                print(f"{hechas[-1].texto(juzgar=not chico)}\n", flush=True)
                hechas.append(cuentagotas.medir(banco, lentas, decir))
                print(f"{hechas[-1].texto(juzgar=not chico)}\n", flush=True)
    except (SinMedir, Tropiezo) as error:
        print(f"NO SE PUDO MEDIR: {error}", flush=True)
        return 2
    finally:
        signal.signal(signal.SIGTERM, antes)
    if chico:
        print("En chico las cifras no valen y las metas no se juzgan: sólo que se pueda medir.")
        return 0
    return 0 if all(m.cumple for m in hechas) else 1
