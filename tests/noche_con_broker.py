"""Kioscos, bróker y centro de verdad, cada uno en su proceso: la noche más chica que los tiene a todos."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Self

from appliance.arranque import abrir_kiosco
from ensayo.puertos import puerto_libre
from nucleo.acta import Origen
from nucleo.hechos import Acopio, IdActa
from tests.centro_de_verdad import RAIZ, Inscrito, ProcesoCentro


class Noche:
    """Al salir del `with` todo se detiene."""

    def __init__(self, carpeta: Path, equipos: Sequence[str]) -> None:
        self.sistema = Inscrito(carpeta)
        self._bitacora = (carpeta / "kioscos.log").open("wb")
        carpetas = {equipo: self.sistema.kiosco(equipo) for equipo in equipos}
        self.sistema.levantar_broker()
        self.centro = ProcesoCentro(self.sistema.centro, "--puerto", str(puerto_libre()))
        self.centro.levantar()
        self.almacenes = {equipo: abrir_kiosco(c).almacen for equipo, c in carpetas.items()}
        self._enlaces = [self._enlace(c) for c in carpetas.values()]

    def _enlace(self, carpeta: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "appliance.enlace", "--carpeta", str(carpeta)),
                *("--latido-s", "1", "--silencio-s", "5", "--rto-s", "0.5", "--tope-s", "2"),
            ],
            env={**os.environ, "PYTHONPATH": str(RAIZ)},
            cwd=RAIZ,
            stdout=self._bitacora,
            stderr=self._bitacora,
        )

    def asentar(self, equipo: str, cuantos: int) -> None:
        proceso, almacen = self.sistema.proceso, self.almacenes[equipo]
        casillas = list(proceso.casillas)
        base = almacen.ultimo().secuencia
        for n in range(base, base + cuantos):
            hora = proceso.inicio_operacion + timedelta(hours=2, seconds=n)
            acopio = Acopio(IdActa("GUB", casillas[n]), hora, Origen.CATD, "ACTA PREP", "", "acopio-1")
            almacen.asentar([acopio], hora, "virtual")

    def pendientes(self) -> int:
        return sum(a.resumen().pendientes for a in self.almacenes.values())

    def en_el_centro(self) -> dict[str, list[int]]:
        """Equipo → secuencias aceptadas, en orden."""
        with closing(sqlite3.connect(f"file:{self.sistema.centro / 'almacen.sqlite'}?mode=ro", uri=True)) as bd:
            filas = bd.execute("SELECT equipo, secuencia FROM hechos ORDER BY equipo, secuencia").fetchall()
        return {equipo: [s for e, s in filas if e == equipo] for equipo, _ in filas}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for enlace in self._enlaces:
            enlace.kill()
            enlace.wait()
        if self.centro.proceso is not None:
            self.centro.matar()
        self.sistema.matar_broker()
        for almacen in self.almacenes.values():
            almacen.desconectar()
        self._bitacora.close()
