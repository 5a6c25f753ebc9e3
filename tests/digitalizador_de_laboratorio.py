"""Un kiosco que sólo digitaliza, para matarlo: la cadena y la visión de producción, y un paso en que se muere.

    python -m tests.digitalizador_de_laboratorio CARPETA [--hojas DIR] [--visto DIR]
        [--matar-en PASO | --llenar-en PASO]

Con `--visto` no se mira otra vez: se usa lo que la visión de producción ya vio en esas mismas hojas (`guardar_visto`).
Sale con 0 si terminó, 3 si el disco no dejó.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from appliance.arranque import Kiosco, abrir_kiosco
from appliance.digitalizacion import tabla
from appliance.digitalizacion.cadena import Cadena, Mirar, Vistazo
from appliance.digitalizacion.entrada import escribir_hoja
from appliance.digitalizacion.hoja import Vista
from appliance.falla import Falla
from appliance.reloj import RelojDeEnsayo
from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

ACTAS = (IdActa("GUB", "200003B0100"), IdActa("GUB", "200003C0100"))
MUERTO_DE_LLENO = 3


def principal() -> int:
    opciones = argparse.ArgumentParser()
    opciones.add_argument("carpeta", type=Path)
    opciones.add_argument("--hojas", type=Path)
    opciones.add_argument("--visto", type=Path)
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
        with quien_mira(kiosco, leidas.visto) as mirar:
            digitalizar(kiosco, Cadena(leidas.carpeta, kiosco.mesa, mirar, al_paso=al_paso), leidas.hojas)
    except Falla as falla:
        print(f"{falla.rechazo.codigo}: {falla}")
        return MUERTO_DE_LLENO
    return 0


@contextlib.contextmanager
def quien_mira(kiosco: Kiosco, visto: Path | None) -> Iterator[Mirar]:
    """La visión de producción, o lo que ya vio."""
    if visto is not None:
        yield lambda ruta: leer_visto(visto, ruta)
        return
    # Aquí y no arriba: cargar OpenCV es lo más lento de este proceso, y con `--visto` no hace falta.
    from appliance.digitalizacion.mirador import Mirador
    from appliance.vision.trabajador import Trabajador

    with Trabajador(kiosco.identidad.proceso) as trabajador:
        yield Mirador(trabajador, kiosco.proceso)


def guardar_visto(visto: Path, hojas: Path, mirar: Mirar) -> None:
    """Mira de verdad cada hoja y deja lo visto en `visto`, por la huella de su archivo."""
    for ruta in sorted(hojas.iterdir()):
        vistazo = mirar(ruta)
        assert isinstance(vistazo, Vistazo), vistazo
        lugar = visto / _huella(ruta)
        lugar.with_suffix(".json").write_text(vistazo.vista.a_texto())
        lugar.with_suffix(".webp").write_bytes(vistazo.imagen)


def leer_visto(visto: Path, ruta: Path) -> Vistazo | Rechazo:
    """Lo que se vio en un archivo con esos mismos bytes; de uno cortado o cambiado no hay nada."""
    lugar = visto / _huella(ruta)
    try:
        return Vistazo(Vista.de_texto(lugar.with_suffix(".json").read_text()), lugar.with_suffix(".webp").read_bytes())
    except FileNotFoundError:
        return Rechazo("IMAGEN_ROTA", "La imagen está dañada o incompleta", "se cortó", "digitalice otra vez el acta")


def _huella(ruta: Path) -> str:
    return hashlib.sha256(ruta.read_bytes()).hexdigest()


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
