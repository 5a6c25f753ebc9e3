"""`./prep operador`: las cuentas de la sala de operación, desde la máquina del centro."""

from __future__ import annotations

import argparse
import getpass
import io
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from nucleo.problema import Rechazo
from servicio_central import ajustes, disco
from servicio_central.monitor import segundo_factor
from servicio_central.monitor.cuentas import Cuentas
from servicio_central.monitor.libreta import ARCHIVO, Libreta
from servicio_central.monitor.papeles import Papel
from servicio_central.tropiezo import Tropiezo


def main(argumentos: Sequence[str] | None = None) -> None:
    """Hace lo pedido y lo dice; sale con 1 si no se pudo."""
    opciones = _leer(argumentos)
    try:
        ajustes.leer(opciones.carpeta)
        libreta = Libreta.abrir(opciones.carpeta / ARCHIVO)
        try:
            hecho = _hacer(opciones, Cuentas(libreta))
        finally:
            libreta.cerrar()
    except (Tropiezo, sqlite3.Error, OSError) as error:
        print(f"operador: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    if isinstance(hecho, Rechazo):
        print(f"operador: {hecho}", file=sys.stderr)
        raise SystemExit(1)


def _leer(argumentos: Sequence[str] | None) -> argparse.Namespace:
    lector = argparse.ArgumentParser(prog="./prep operador", description="Cuentas de la sala de operación.")
    subs = lector.add_subparsers(dest="que", required=True, metavar="QUÉ")
    papeles = [p.value for p in Papel]
    for nombre, ayuda in (
        ("alta", "crea una cuenta y muestra el QR de su segundo factor"),
        ("baja", "la cuenta ya no entra y sus sesiones se cierran"),
        ("papel", "cambia lo que puede hacer"),
        ("clave", "contraseña y segundo factor nuevos"),
        ("lista", "qué cuentas hay"),
    ):
        sub = subs.add_parser(nombre, help=ayuda)
        sub.add_argument("--carpeta", type=Path, required=True, help="carpeta del centro")
        if nombre != "lista":
            sub.add_argument("cuenta", help="nombre de la cuenta, como ana-lopez")
        if nombre in ("alta", "papel"):
            sub.add_argument("--papel", choices=papeles, required=True)
        if nombre in ("alta", "clave"):
            sub.add_argument("--qr", type=Path, help="además deja el QR en este PNG (bórrelo después)")
    return lector.parse_args(argumentos)


def _hacer(opciones: argparse.Namespace, cuentas: Cuentas) -> Rechazo | None:
    quien, ahora = _quien(), datetime.now(UTC)
    qr = getattr(opciones, "qr", None)
    if qr is not None and (qr.exists() or not qr.parent.is_dir()):
        # Antes de tocar la cuenta: el secreto sólo se muestra una vez.
        return Rechazo(
            "QR",
            f"el QR no se puede dejar en {qr}; la cuenta no se tocó",
            "ya hay un archivo con ese nombre, o no existe la carpeta",
            "escoja otro nombre, o bórrelo si es de antes",
        )
    match opciones.que:
        case "alta" | "clave":
            clave = _pedir_clave()
            if isinstance(clave, Rechazo):
                return clave
            if opciones.que == "alta":
                hecho = cuentas.alta(opciones.cuenta, Papel(opciones.papel), clave, quien, ahora)
            else:
                hecho = cuentas.nueva_clave(opciones.cuenta, clave, quien, ahora)
            if isinstance(hecho, Rechazo):
                return hecho
            _mostrar(opciones, hecho)
        case "baja":
            if (mal := cuentas.baja(opciones.cuenta, quien, ahora)) is not None:
                return mal
            print(f"{opciones.cuenta} ya no entra; lo que dejó asentado se queda con su nombre.")
        case "papel":
            if (mal := cuentas.cambiar_papel(opciones.cuenta, Papel(opciones.papel), quien, ahora)) is not None:
                return mal
            print(f"{opciones.cuenta} es {opciones.papel} desde su siguiente clic.")
        case _:
            for cuenta in cuentas.todas():
                print(f"{cuenta.nombre:<40} {cuenta.papel.value:<11} {'activa' if cuenta.activa else 'de baja'}")
    return None


def _pedir_clave() -> str | Rechazo:
    """Dos veces en la terminal; sin terminal, el primer renglón de la entrada."""
    if not sys.stdin.isatty():
        if clave := sys.stdin.readline().rstrip("\n"):
            return clave
        return Rechazo(
            "CLAVE",
            "no hay dónde teclear la contraseña",
            "la orden corre sin terminal: por `ssh` sin `-t`, o desde otro programa",
            "córrala en una terminal (con `ssh -t`), o dele la contraseña por la entrada, en un renglón",
        )
    clave = getpass.getpass("Contraseña (12 caracteres o más): ")
    if clave != getpass.getpass("Otra vez: "):
        return Rechazo("CLAVE", "las dos no son iguales", "un dedazo", "repita la orden")
    return clave


def _mostrar(opciones: argparse.Namespace, secreto: str) -> None:
    direccion = segundo_factor.direccion(opciones.cuenta, secreto, opciones.carpeta.resolve().name)
    qr = segundo_factor.qr_de(direccion)
    qr.terminal(compact=True)
    print(f"{opciones.cuenta}: lea el QR con la aplicación de códigos de su teléfono, o teclee {secreto}")
    print("Este secreto no se vuelve a mostrar. Limpie la pantalla cuando termine.")
    if opciones.qr is not None:
        dibujo = io.BytesIO()
        qr.save(dibujo, kind="png", scale=6)
        disco.crear(opciones.qr, dibujo.getvalue(), 0o600)


def _quien() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "alguien de esta máquina"


if __name__ == "__main__":
    main()
