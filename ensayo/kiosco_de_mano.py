"""Un kiosco de más para que quien mira la jornada toque las pantallas: su reloj sigue en la noche que se repite."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from types import TracebackType
from typing import Self

from appliance.reloj import RelojDeEnsayo
from ensayo.escenario import Escenario, EscenarioRoto, Pieza
from ensayo.puertos import puerto_libre
from servicio_central import inscripcion

NOMBRE = "catd-mano"

_RELEE_PADRON = 3.0
"""Segundos para que el centro note el padrón nuevo: un kiosco que late antes de tiempo va a cuarentena por
desconocido.
"""


class KioscoDeMano:
    """Inscribe y levanta el kiosco con su enlace; se usa con `with`."""

    def __init__(self, escenario: Escenario, desde: datetime) -> None:
        self._escenario = escenario
        self._reloj = RelojDeEnsayo(desde)
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
        time.sleep(_RELEE_PADRON)
        bitacoras = self._escenario.carpeta / "bitacoras"
        pantalla = [sys.executable, "-m", "appliance", "--carpeta", str(carpeta), "--puerto", str(self._puerto)]
        pantalla += ["--reloj-de-ensayo", self._reloj.ahora().isoformat()]
        enlace = [sys.executable, "-m", "appliance.enlace", "--carpeta", str(carpeta)]
        for nombre, orden in (("mano-pantalla", pantalla), ("mano-enlace", enlace)):
            pieza = Pieza(nombre, orden, bitacoras / f"{nombre}.log")
            pieza.levantar()
            self._piezas.append(pieza)
        # El almacén lo crea el primero que lo abre; quien cuente sobres debe encontrarlo.
        limite = time.monotonic() + 20
        while not (carpeta / "almacen.sqlite").exists():
            if time.monotonic() > limite:
                raise EscenarioRoto(f"el kiosco de mano no arrancó:\n{self._piezas[0].ultimas_lineas()}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        for pieza in self._piezas:
            pieza.terminar()
