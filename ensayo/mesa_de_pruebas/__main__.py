"""`./prep mesa --carpeta DIR`: la mesa con su tablero, hasta que se le pida terminar."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from ensayo.mesa_de_pruebas.mesa import BotonDesconocido, MesaDePruebas
from ensayo.mesa_de_pruebas.tablero import Tablero


def main(argumentos: list[str] | None = None) -> int:
    """Corre la mesa; devuelve el código de salida."""
    ordenes = argparse.ArgumentParser(
        prog="prep mesa",
        description="Enchufa un escáner y un lector simulados, con su tablero, hasta que se le pida terminar.",
    )
    ordenes.add_argument("--carpeta", type=Path, required=True, help="dónde deja mesa.json y la configuración de SANE")
    ordenes.add_argument("--segundos-por-hoja", type=float, default=1.0, help="lo que tarda el rodillo (1.0)")
    ordenes.add_argument("hojas", nargs="*", type=Path, help="imágenes JPEG, PNG o WebP que ya están en la charola")
    pedido = ordenes.parse_args(argumentos)
    try:
        mesa = MesaDePruebas(pedido.carpeta, max(0.0, pedido.segundos_por_hoja))
    except OSError as error:
        print(
            f"No se pudo poner la mesa de pruebas ({error}). Causa probable: la carpeta {pedido.carpeta} es de otra "
            "cuenta o el disco está lleno. Siguiente paso: elija otra con --carpeta.",
            file=sys.stderr,
        )
        return 1
    terminar = Event()
    for senal in (signal.SIGINT, signal.SIGTERM):
        signal.signal(senal, lambda *_: terminar.set())
    tablero: Tablero | None = None
    try:
        for hoja in pedido.hojas:
            mesa.meter_hoja(hoja.read_bytes())
        tablero = Tablero(mesa)
        archivo = mesa.anunciar(tablero.url)
        print(f"Mesa de pruebas: {tablero.url}\nPara el kiosco: {archivo}", flush=True)
        terminar.wait()
    except (OSError, BotonDesconocido) as error:
        print(
            f"No se pudo meter una hoja ({error}). Causa probable: no es una imagen JPEG, PNG o WebP. "
            "Siguiente paso: quítela de la orden y repita.",
            file=sys.stderr,
        )
        return 1
    finally:
        if tablero is not None:
            tablero.cerrar()
        mesa.cerrar()
    return 0


if __name__ == "__main__":
    sys.exit(main())
