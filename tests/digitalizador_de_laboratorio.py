"""Un kiosco que sólo digitaliza, para matarlo: la cadena y la visión de producción, y un paso en que se muere.

    python -m tests.digitalizador_de_laboratorio CARPETA [--hojas DIR] [--matar-en PASO | --llenar-en PASO]

Sale con 0 si terminó, 3 si el disco no dejó.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from appliance.arranque import Kiosco, abrir_kiosco
from appliance.digitalizacion import tabla
from appliance.digitalizacion.cadena import Cadena
from appliance.digitalizacion.entrada import escribir_hoja
from appliance.digitalizacion.mirador import Mirador
from appliance.falla import Falla
from appliance.reloj import RelojDeEnsayo
from appliance.vision.trabajador import Trabajador
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import IdActa

ACTAS = (IdActa("GUB", "200003B0100"), IdActa("GUB", "200003C0100"))
MUERTO_DE_LLENO = 3


def principal() -> int:
    opciones = argparse.ArgumentParser()
    opciones.add_argument("carpeta", type=Path)
    opciones.add_argument("--hojas", type=Path)
    opciones.add_argument("--matar-en", default="")
    opciones.add_argument("--llenar-en", default="")
    leidas = opciones.parse_args()

    def al_paso(paso: str) -> None:
        if paso == leidas.matar_en:
            os.kill(os.getpid(), signal.SIGKILL)
        if paso == leidas.llenar_en:
            llenar(leidas.carpeta / "relleno")

    try:
        kiosco = abrir_kiosco(leidas.carpeta, RelojDeEnsayo(datetime.fromisoformat("2022-06-05T20:14:00-05:00")))
        with Trabajador(kiosco.identidad.proceso) as trabajador:
            cadena = Cadena(leidas.carpeta, kiosco.mesa, Mirador(trabajador, kiosco.proceso), al_paso=al_paso)
            digitalizar(kiosco, cadena, leidas.hojas)
    except Falla as falla:
        print(f"{falla.rechazo.codigo}: {falla}")
        return MUERTO_DE_LLENO
    return 0


def digitalizar(kiosco: Kiosco, cadena: Cadena, hojas: Path | None) -> None:
    """Como el kiosco al arrancar: primero lo que quedó; luego, las hojas que aún no han pasado."""
    for acta in ACTAS:
        kiosco.mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD)
    cadena.retomar()
    mirar(cadena)
    if hojas is not None:
        with kiosco.almacen.lectura() as mirada:
            pasaron = {int(n) for (n,) in mirada.conexion.execute("SELECT numero FROM hojas")}
        faltan = [r for r in sorted(hojas.iterdir()) if int(r.stem[-4:]) not in pasaron]
        if faltan:
            lote, carpeta = cadena.abrir_lote("digital-1", Digitalizacion.ESCANER)
            for ruta in faltan:
                destino = carpeta / ruta.name
                escribir_hoja(destino, ruta.read_bytes())
                cadena.recibir(lote, int(ruta.stem[-4:]), destino)
                mirar(cadena)
            cadena.cerrar_lote(lote, entraron=3, a_medias=0, fin="sin_papel", falla=None)
    assert cadena.recoger_sueltas() == 0
    with kiosco.almacen.lectura() as mirada:
        print(dict(tabla.cuentas(mirada)))


def mirar(cadena: Cadena) -> None:
    while (hoja := cadena.siguiente()) is not None:
        cadena.avanzar(hoja)


def llenar(ruta: Path) -> None:
    """Ocupa hasta el último bloque del disco."""
    with contextlib.suppress(OSError), ruta.open("ab", buffering=0) as relleno:
        while True:
            relleno.write(b"\0" * 65536)
    with contextlib.suppress(OSError), ruta.open("ab", buffering=0) as relleno:
        while True:
            relleno.write(b"\0" * 512)


if __name__ == "__main__":
    sys.exit(principal())
