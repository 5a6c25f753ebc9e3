"""La línea de órdenes de `./prep inscribir`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nucleo.modos import CON_CENTRO, SIMULACRO
from servicio_central import ajustes, disco, inscripcion
from servicio_central.tropiezo import Tropiezo


def main(argumentos: Sequence[str] | None = None) -> None:
    """Inscribe lo que falte y dice qué hizo; sale con 1 si algo lo impidió."""
    opciones = _leer(argumentos)
    # El candado va en la carpeta de arriba: la de la autoridad aparece completa, por renombre.
    arriba: Path = opciones.autoridad.absolute().parent
    try:
        arriba.mkdir(parents=True, exist_ok=True)
        with disco.turno(arriba):
            _inscribir(opciones)
    except Tropiezo as tropiezo:
        print(f"inscribir: {tropiezo}", file=sys.stderr)
        raise SystemExit(1) from None


def _leer(argumentos: Sequence[str] | None) -> argparse.Namespace:
    lector = argparse.ArgumentParser(prog="./prep inscribir", description=inscripcion.__doc__)
    lector.add_argument("--autoridad", type=Path, required=True, help="carpeta de la autoridad (se crea si falta)")
    lector.add_argument("--centro", type=Path, required=True, help="carpeta del centro (se crea si falta)")
    lector.add_argument("--proceso", type=Path, help="carpeta de la definición; hace falta para crear el centro")
    lector.add_argument("--modo", choices=CON_CENTRO, default=SIMULACRO)
    lector.add_argument("--broker-host", default="localhost", help="con qué nombre se busca al bróker")
    lector.add_argument("--broker-puerto", type=int, default=8883)
    lector.add_argument("--equipo", action="append", default=[], help="kiosco por inscribir; se puede repetir")
    lector.add_argument("--catd", help="CATD del equipo, si no se llama igual que él")
    lector.add_argument("--salida", type=Path, help="dónde dejar la carpeta de cada kiosco")
    lector.add_argument("--solicitud", type=Path, help="lo que generó el kiosco, si hizo él sus llaves")
    lector.add_argument("--revocar", action="append", default=[], metavar="EQUIPO", help="da de baja un equipo")
    opciones = lector.parse_args(argumentos)
    if opciones.equipo and opciones.salida is None:
        lector.error("con --equipo hace falta --salida, la carpeta donde quedará cada kiosco")
    if len(opciones.equipo) != 1 and (opciones.solicitud or opciones.catd):
        lector.error("--solicitud y --catd van con un solo --equipo")
    return opciones


def _inscribir(opciones: argparse.Namespace) -> None:
    autoridad, centro = opciones.autoridad, opciones.centro
    if not (autoridad / "ca.key").exists():
        inscripcion.crear_autoridad(autoridad)
        print(f"Autoridad nueva en {autoridad}: guárdela fuera de línea; quien la tenga puede inscribir equipos.")
    if not (centro / ajustes.ARCHIVO).exists():
        if opciones.proceso is None:
            raise Tropiezo(
                "DATOS",
                "falta --proceso para crear el centro",
                "es la primera inscripción",
                "indique la carpeta de la definición, como datos/oaxaca_2022",
            )
        inscripcion.inscribir_centro(
            autoridad,
            centro,
            proceso=opciones.proceso,
            modo=opciones.modo,
            broker_host=opciones.broker_host,
            broker_puerto=opciones.broker_puerto,
        )
        print(f"Centro nuevo en {centro}.")
    if not (centro / ajustes.BROKER / "servidor.key").exists():
        inscripcion.crear_broker(autoridad, centro)
        print(f"Bróker configurado en {centro / ajustes.BROKER}.")
    solicitud = opciones.solicitud.read_bytes() if opciones.solicitud else None
    for equipo in opciones.equipo:
        carpeta = opciones.salida / equipo
        if equipo in inscripcion.leer_padron(centro).equipos and (carpeta / "identidad.toml").exists():
            print(f"{equipo} ya estaba inscrito en {carpeta}; no se tocó.")
            continue
        catd = opciones.catd or equipo
        inscripcion.inscribir_kiosco(autoridad, centro, carpeta, equipo=equipo, catd=catd, solicitud=solicitud)
        print(f"{equipo} inscrito; su carpeta es {carpeta}.")
    for equipo in opciones.revocar:
        inscripcion.revocar(autoridad, centro, equipo)
        print(f"{equipo} dado de baja. Si el bróker está corriendo, mándele SIGHUP para que relea los revocados.")
