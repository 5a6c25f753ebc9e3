"""`./prep kiosco --carpeta DIR --puerto N`: corre las pantallas de un kiosco, sólo para esta máquina."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import uvicorn

from appliance.ajustes_del_puesto import MODOS_DE_MESA, leer_ajustes
from appliance.aparato import Aparato, Pedido
from appliance.arranque import Kiosco, abrir_kiosco
from appliance.arranque_del_puesto import abrir_puesto
from appliance.consola import anunciar, decir
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.modo import resolver
from appliance.pantalla.app import crear_app
from appliance.puesto import SIN_APARATOS
from appliance.reloj import RelojDeEnsayo
from appliance.vigilante import Vigilante
from nucleo.modos import SIMULACRO

_DIRECCION: Final = "127.0.0.1"
"""Única dirección en que se atiende: no hay opción para otra."""


def main(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 al terminar y 1 si el kiosco no está en condiciones."""
    opciones = argparse.ArgumentParser(prog="prep kiosco", description="Corre las pantallas de un kiosco.")
    opciones.add_argument(
        "--carpeta", type=Path, required=True, help="carpeta del kiosco inscrito, o del aparato con una por modo"
    )
    opciones.add_argument("--puerto", type=int, default=8080, help="puerto en 127.0.0.1 (%(default)s)")
    opciones.add_argument(
        "--reloj-de-ensayo",
        type=_hora,
        metavar="AAAA-MM-DDTHH:MM±HH:MM",
        help="en simulacro, empezar a esa hora; cada sobre dirá que el reloj es virtual",
    )
    opciones.add_argument(
        "--mesa-de-pruebas",
        type=Path,
        metavar="mesa.json",
        help="en simulacro o capacitación, usar los aparatos simulados que dice ese archivo",
    )
    leidas = opciones.parse_args(argumentos)
    try:
        aparato = Aparato(leidas.carpeta) if resolver(leidas.carpeta) != leidas.carpeta else None
    except Falla as falla:
        decir(f"kiosco: {falla}")
        return 1
    cambio: Pedido | None = None
    while True:
        salida = _pantallas(leidas, aparato, cambio)
        if salida or aparato is None or not aparato.por_cambiar:
            return salida
        cambio = aparato.cumplir()
        # Lo que sólo sirve para ensayar no se lleva a otro modo: ahí impediría arrancar.
        if cambio is not None:
            leidas.reloj_de_ensayo = None
            if cambio.a not in MODOS_DE_MESA:
                leidas.mesa_de_pruebas = None


def _pantallas(leidas: argparse.Namespace, aparato: Aparato | None, cambio: Pedido | None) -> int:
    """Abre el kiosco, atiende hasta que se le pida parar y lo cierra. Devuelve 0, o 1 si no pudo."""
    puesto = SIN_APARATOS
    kiosco: Kiosco | None = None
    try:
        carpeta = resolver(leidas.carpeta)
        modo = leer_identidad(carpeta).modo
        reloj = None
        if leidas.reloj_de_ensayo is not None:
            if modo != SIMULACRO:
                raise Falla(
                    "MODO",
                    "El reloj de ensayo sólo se admite en simulacro",
                    f"el kiosco está en modo {modo}",
                    "arranque sin --reloj-de-ensayo",
                )
            reloj = RelojDeEnsayo(leidas.reloj_de_ensayo)
        ajustes = leer_ajustes(carpeta, modo, leidas.mesa_de_pruebas)
        kiosco = abrir_kiosco(carpeta, reloj)
        if cambio is not None:
            with kiosco.almacen.transaccion() as t:
                detalle = f"de {cambio.de or 'ninguno'} a {cambio.a}"
                t.anotar(kiosco.reloj.ahora(), "modo_cambiado", persona=cambio.persona, detalle=detalle)
        puesto = abrir_puesto(kiosco, ajustes)
        app = crear_app(kiosco, leidas.puerto, puesto, aparato)
    except Falla as falla:
        puesto.cerrar()
        if kiosco is not None:
            kiosco.almacen.desconectar()
        decir(f"kiosco: {falla}")
        return 1
    anunciar(f"Pantallas de {kiosco.identidad.equipo} en http://{_DIRECCION}:{leidas.puerto}")
    servidor = uvicorn.Server(
        uvicorn.Config(app, host=_DIRECCION, port=leidas.puerto, log_level="warning", server_header=False)
    )
    if aparato is not None:
        aparato.abierto(lambda: setattr(servidor, "should_exit", True))
    vigilante = Vigilante(kiosco.almacen, kiosco.reloj)
    vigilante.empezar()
    _que_sigterm_deje_cerrar()
    try:
        servidor.run()
    except SystemExit:
        decir(
            f"kiosco: no se pudo abrir el puerto {leidas.puerto}. Causa probable: ya lo usa otra pantalla. "
            "Siguiente paso: cierre la otra o elija otro con --puerto."
        )
        return 1
    finally:
        vigilante.terminar()
        puesto.cerrar()
        kiosco.almacen.desconectar()
    return 0


def _que_sigterm_deje_cerrar() -> None:
    """Que al terminar por SIGTERM se cierre el puesto y se mande lo último de la bitácora.

    uvicorn atiende la señal, se detiene y la vuelve a levantar: sin un manejador propio, ahí moriría el proceso.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda _senal, _marco: None)


def _hora(texto: str) -> datetime:
    try:
        hora = datetime.fromisoformat(texto)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no es una fecha ISO 8601") from error
    if hora.utcoffset() is None:
        raise argparse.ArgumentTypeError("le falta el huso, como -05:00")
    return hora


if __name__ == "__main__":
    sys.exit(main())
