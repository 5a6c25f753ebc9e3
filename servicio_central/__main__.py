"""`./prep centro`: la ingesta, los cortes y las páginas en un solo proceso."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Final

from servicio_central import arranque, calendario
from servicio_central.publicacion.encargado import Encargado
from servicio_central.puerto_almacen import ERRORES
from servicio_central.tropiezo import Tropiezo

_ROJO: Final = 6.0
"""Segundos que las páginas sobreviven a la ingesta: lo que tarda la sala, para que quien mira lo vea en rojo."""


def main() -> None:
    """Corre hasta SIGTERM o Ctrl+C. Sale con 1 si algo impidió arrancar o si la ingesta terminó sin que se pidiera."""
    lector = argparse.ArgumentParser(prog="./prep centro", description="Servicio central del PREP.")
    lector.add_argument("--carpeta", type=Path, required=True, help="carpeta del centro (la hace `./prep inscribir`)")
    lector.add_argument("--puerto", type=int, default=8080, help="puerto local de las páginas")
    lector.add_argument("--calendario", action="store_true", help="hace los cortes a su hora legal")
    lector.add_argument("--sin-web", action="store_true", help="sólo ingesta (y cortes)")
    opciones = lector.parse_args()
    try:
        centro = arranque.abrir_centro(opciones.carpeta)
    except (Tropiezo, *ERRORES, OSError) as error:
        print(f"centro: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    parar = Event()
    _parar_con_senales(parar)
    ingesta = centro.empezar(parar)
    if opciones.calendario:
        hacer = Encargado(opciones.carpeta, arranque.decir)
        calendario.empezar(opciones.carpeta, lambda: centro.vigia.proceso, hacer, arranque.decir, parar)
    if not opciones.sin_web:
        _servir(centro, opciones.puerto, ingesta)
    while opciones.sin_web and ingesta.is_alive() and not parar.wait(0.5):
        pass
    pedido = parar.is_set()
    parar.set()
    # Lo que alcance a asentarse se asienta; lo que no, no se acusó y el kiosco lo reenvía.
    ingesta.join(timeout=5)
    if not pedido:
        arranque.decir("la ingesta terminó sin que nadie lo pidiera; se sale con error para que se vuelva a arrancar")
        raise SystemExit(1)
    arranque.decir("terminado")


def _servir(centro: arranque.Centro, puerto: int, ingesta: Thread) -> None:
    # uvicorn y las plantillas tardan en cargar: quien corre --sin-web no los espera.
    import uvicorn

    from servicio_central.web import aplicacion

    with suppress(OSError):
        print(f"Resultados: http://127.0.0.1:{puerto}/", flush=True)
        print(f"Operación:  http://127.0.0.1:{puerto}/operacion  (sin cuenta: /proyector)", flush=True)
    servidores: list[uvicorn.Server] = []
    app = aplicacion(centro, lambda: any(s.should_exit for s in servidores))
    servidor = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=puerto, log_level="warning", access_log=False, server_header=False,
            proxy_headers=False, timeout_graceful_shutdown=3,
        )
    )  # fmt: skip
    servidores.append(servidor)

    def acompanar() -> None:
        # Unas páginas sin ingesta detrás engañan: si ella termina, ellas también.
        ingesta.join()
        time.sleep(_ROJO)
        servidor.should_exit = True

    Thread(target=acompanar, name="acompanar", daemon=True).start()
    servidor.run()


def _parar_con_senales(parar: Event) -> None:
    """También con páginas: uvicorn atiende la señal, cierra y la vuelve a lanzar; sin esto mataría al proceso ahí."""

    def terminar(_senal: int, _marco: FrameType | None) -> None:
        parar.set()

    signal.signal(signal.SIGTERM, terminar)
    signal.signal(signal.SIGINT, terminar)


if __name__ == "__main__":
    main()
