"""Un kiosco de más para que quien mira la jornada toque las pantallas: su reloj sigue en la noche que se repite."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from ensayo.escenario import Escenario, Pieza, puerto_libre
from servicio_central import inscripcion

NOMBRE = "catd-mano"


class RelojDesplazado:
    """Avanza con el reloj de la máquina a partir de un instante virtual."""

    def __init__(self, desde: datetime) -> None:
        self._desde = desde
        self._arranque = time.monotonic()

    def ahora(self) -> datetime:
        return self._desde + timedelta(seconds=int(time.monotonic() - self._arranque))

    def calidad(self) -> str:
        return "virtual"


class KioscoDeMano:
    """Inscribe y levanta el kiosco; se usa con `with`."""

    def __init__(self, escenario: Escenario, desde: datetime) -> None:
        self._escenario = escenario
        self._reloj = RelojDesplazado(desde)
        self._puerto = puerto_libre()
        self._piezas: list[Pieza] = []
        self.carpetas = {e: escenario.kiosco(e) for e in (*escenario.equipos, NOMBRE)}
        self.url = f"http://127.0.0.1:{self._puerto}/"

    def ahora(self) -> datetime:
        return self._reloj.ahora()

    def __enter__(self) -> Self:
        carpeta = self._escenario.kiosco(NOMBRE)
        inscripcion.inscribir_kiosco(
            self._escenario.carpeta / "autoridad", self._escenario.centro, carpeta, equipo=NOMBRE, catd=NOMBRE
        )
        bitacoras = self._escenario.carpeta / "bitacoras"
        pantalla = [sys.executable, "-m", "ensayo.kiosco_de_mano", "--carpeta", str(carpeta)]
        pantalla += ["--puerto", str(self._puerto), "--desde", self._reloj.ahora().isoformat()]
        enlace = [sys.executable, "-m", "appliance.enlace", "--carpeta", str(carpeta)]
        for nombre, orden in (("mano-pantalla", pantalla), ("mano-enlace", enlace)):
            pieza = Pieza(nombre, orden, bitacoras / f"{nombre}.log")
            pieza.levantar()
            self._piezas.append(pieza)
        # El almacén lo crea el primero que lo abre; quien cuente sobres debe encontrarlo.
        limite = time.monotonic() + 20
        while not (carpeta / "almacen.sqlite").exists() and time.monotonic() < limite:
            time.sleep(0.1)
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        for pieza in self._piezas:
            pieza.terminar()


def principal() -> int:
    """Pantalla del kiosco con reloj virtual: `python -m ensayo.kiosco_de_mano --carpeta DIR --puerto N --desde ISO`."""
    from appliance.arranque import abrir_kiosco
    from appliance.pantalla.servidor import servir

    lector = argparse.ArgumentParser(description="Kiosco de ensayo con reloj virtual")
    lector.add_argument("--carpeta", type=Path, required=True)
    lector.add_argument("--puerto", type=int, required=True)
    lector.add_argument("--desde", type=datetime.fromisoformat, required=True)
    opciones = lector.parse_args()
    servir(abrir_kiosco(opciones.carpeta, RelojDesplazado(opciones.desde)), opciones.puerto)
    return 0


if __name__ == "__main__":
    sys.exit(principal())
