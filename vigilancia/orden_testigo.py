"""Orden del testigo: `./prep testigo --carpeta DIR --registro VKEY [--escuchar HOST:PUERTO | --sondear URL]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from auditoria.verificar.lector import NoSePuede
from auditoria.verificar.orden import MIENTE, NO_SE_PUDO, decir_mentira
from nucleo.publicacion.mentira import Mentira
from nucleo.transparencia.nota import LlaveDeRegistro, NotaInvalida
from vigilancia.lector_http import LectorHttp
from vigilancia.servidor import RUTA, ServidorDeTestigo
from vigilancia.sondeo import sondear
from vigilancia.testigo import Testigo, TestigoOcupado


def main(argumentos: Sequence[str] | None = None) -> int:
    """0 al terminar bien, 1 si el registro miente, 2 si no se pudo."""
    lector = argparse.ArgumentParser(prog="./prep testigo", description="Cofirma un registro si continúa lo ya visto.")
    lector.add_argument("--carpeta", type=Path, required=True, help="donde guarda su llave y lo que ha visto")
    lector.add_argument(
        "--registro", required=True, metavar="VKEY", help="la llave del registro, de su puesta en ceros"
    )
    lector.add_argument("--nombre", default="testigo", help="cómo se llama en sus cofirmas (%(default)s)")
    modo = lector.add_mutually_exclusive_group()
    modo.add_argument("--escuchar", metavar="HOST:PUERTO", help="atiende a quien publica")
    modo.add_argument("--sondear", metavar="URL", help="va por lo publicado")
    lector.add_argument("--cada", type=int, default=0, metavar="SEGUNDOS", help="con --sondear, repite")
    opciones = lector.parse_args(argumentos)
    try:
        registro = LlaveDeRegistro.de_vkey(opciones.registro)
        testigo = Testigo(opciones.carpeta, registro, opciones.nombre, lambda: int(time.time()))
    except (NotaInvalida, TestigoOcupado, OSError, ValueError) as error:
        print(f"testigo: {error}", file=sys.stderr)
        return NO_SE_PUDO
    print(f"testigo: mi llave es {testigo.llave.vkey}; he visto {testigo.visto.tamano} hojas", flush=True)
    try:
        if opciones.escuchar:
            return _escuchar(testigo, opciones.escuchar)
        if opciones.sondear:
            return _sondear(testigo, registro, opciones)
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        testigo.cerrar()


def _escuchar(testigo: Testigo, donde: str) -> int:
    host, _, puerto = donde.rpartition(":")
    try:
        if not host or not puerto.isdigit():
            raise OSError(f"«{donde}» no es HOST:PUERTO")
        servidor = ServidorDeTestigo((host, int(puerto)), testigo)
    except (OSError, OverflowError) as error:
        print(f"testigo: no se puede escuchar en {donde} ({error}); use otro puerto", file=sys.stderr)
        return NO_SE_PUDO
    with servidor:
        print(f"testigo: atiendo en http://{host}:{servidor.server_address[1]}{RUTA}", flush=True)
        servidor.serve_forever()
    return 0


def _sondear(testigo: Testigo, registro: LlaveDeRegistro, opciones: argparse.Namespace) -> int:
    while True:
        try:
            hecho = sondear(testigo, registro, LectorHttp(opciones.sondear), opciones.carpeta)
            if hecho is None:
                print(f"testigo: nada nuevo; siguen {testigo.visto.tamano} hojas", flush=True)
            else:
                print(f"testigo: cofirmé {hecho[0]} hojas\n{hecho[1].decode()}", end="", flush=True)
        except Mentira as mentira:
            decir_mentira(mentira, en_json=False)
            return MIENTE
        except (NoSePuede, OSError) as error:
            print(f"testigo: {error}", file=sys.stderr, flush=True)
            if not opciones.cada:
                return NO_SE_PUDO
        if not opciones.cada:
            return 0
        time.sleep(opciones.cada)


if __name__ == "__main__":
    sys.exit(main())
