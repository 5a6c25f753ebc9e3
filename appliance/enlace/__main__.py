"""`./prep enlace --carpeta DIR`: corre el enlace de un kiosco hasta que se le pida parar (SIGTERM o Ctrl-C)."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Final

from appliance import definicion_recibida
from appliance.arranque import abrir_enlace
from appliance.consola import decir
from appliance.enlace.ciclo import Ajustes, Enlace
from appliance.enlace.presupuesto import Tope
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.modo import resolver
from nucleo.modos import CON_CENTRO

_CADA_S: Final = 0.5
"""Cada cuánto se mira si hay que parar o si cambió el modo."""


def main(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si se le pidió parar y 1 si el kiosco no está en condiciones."""
    opciones = argparse.ArgumentParser(prog="prep enlace", description="Lleva los sobres del kiosco al centro.")
    opciones.add_argument("--carpeta", type=Path, required=True, help="carpeta del kiosco inscrito")
    for campo in fields(Ajustes):
        if campo.name.endswith("_s"):
            nombre = "--" + campo.name.replace("_", "-")
            opciones.add_argument(nombre, type=_segundos, default=campo.default, help="segundos (%(default)s)")
    opciones.add_argument("--tope-mb", type=_megas, help="lo más que se gasta en la noche de la salida que se paga")
    opciones.add_argument("--salida-medida", default="", help="cuál salida se paga por byte, si hay varias")
    leidas = opciones.parse_args(argumentos)
    tope = Tope(leidas.salida_medida, leidas.tope_mb * 10**6) if leidas.tope_mb else None
    tiempos = {c.name: getattr(leidas, c.name) for c in fields(Ajustes) if c.name.endswith("_s")}
    ajustes = Ajustes(**tiempos, tope=tope)
    detenido = Event()

    def parar(_senal: int, _marco: FrameType | None) -> None:
        detenido.set()

    signal.signal(signal.SIGTERM, parar)
    signal.signal(signal.SIGINT, parar)
    while not detenido.is_set():
        try:
            carpeta = resolver(leidas.carpeta)
            _exigir_centro(carpeta)
            enlace = abrir_enlace(carpeta, ajustes)
        except Falla as falla:
            decir(f"enlace: {falla}")
            return 1
        vigia = Thread(target=_vigilar, args=(enlace, leidas.carpeta, carpeta, detenido), name="modo", daemon=True)
        vigia.start()
        enlace.correr()
        enlace.cerrar()
        vigia.join()
    return 0


def _vigilar(enlace: Enlace, abierta_con: Path, carpeta: Path, detenido: Event) -> None:
    """Pide parar al enlace si se le pidió al proceso, si el aparato cambió de modo (esa carpeta ya no es la suya) o si
    cambió de llave o de definición: se vuelve a abrir con la nueva."""
    antes = _sello(carpeta)
    while not detenido.wait(_CADA_S):
        try:
            if resolver(abierta_con) != carpeta or _sello(carpeta) != antes:
                break
        except Falla:
            break
    enlace.parar = True


def _sello(carpeta: Path) -> tuple[object, ...]:
    """Cambia si cambia la llave o la definición que se usa."""
    enlace = carpeta / definicion_recibida.ENLACE
    try:
        llave = (carpeta / "llave.pem").stat()
        return llave.st_ino, llave.st_mtime_ns, enlace.readlink() if enlace.is_symlink() else None
    except OSError:
        return ()


def _exigir_centro(carpeta: Path) -> None:
    """Raises: Falla."""
    if leer_identidad(carpeta).modo not in CON_CENTRO:
        raise Falla(
            "MODO",
            "En capacitación no hay enlace: nada se manda a ningún centro",
            "el aparato se puso en modo capacitación",
            "practique sin enlace; al volver a simulacro u oficial, arránquelo otra vez",
        )


def _segundos(texto: str) -> float:
    valor = float(texto)
    if not 0 < valor <= 3600:
        raise argparse.ArgumentTypeError("debe ser mayor que 0 y a lo más 3600")
    return valor


def _megas(texto: str) -> int:
    valor = int(texto)
    if not 5 <= valor <= 10**6:
        raise argparse.ArgumentTypeError("debe ser de 5 a 1000000: con menos no caben ni las cifras de una noche")
    return valor


if __name__ == "__main__":
    sys.exit(main())
