"""Un cable de verdad entre dos espacios de red: bróker y centro en uno, kiosco en otro, y se baja y sube a media noche.

Hace falta root y poder crear espacios de red (`ip netns`); si no se puede, se salta y dice por qué.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from appliance.almacen import Almacen
from appliance.arranque import abrir_kiosco
from nucleo.acta import Origen
from nucleo.definicion import cargar_proceso
from nucleo.hechos import Acopio, IdActa
from servicio_central import broker, inscripcion
from tests.centro_de_verdad import OAXACA, RAIZ

SEDE: Final = "10.203.77.1"
EQUIPO: Final = "catd-01"
PUERTO: Final = 18883

pytestmark = pytest.mark.broker


def _ip(*orden: str) -> None:
    subprocess.run(["ip", *orden], check=True, capture_output=True, timeout=10)


@pytest.fixture
def espacios() -> Iterator[tuple[str, str]]:
    """(sede, catd), unidos por un par veth; el extremo del CATD se llama `cable`."""
    sede, catd = (f"prep-lab-{lado}-{os.getpid()}" for lado in ("sede", "catd"))
    try:
        try:
            for lado in (sede, catd):
                _ip("netns", "add", lado)
                _ip("-n", lado, "link", "set", "lo", "up")
            _ip("-n", sede, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", catd)
            for lado, direccion in ((sede, SEDE), (catd, "10.203.77.2")):
                _ip("-n", lado, "addr", "add", f"{direccion}/24", "dev", "cable")
                _ip("-n", lado, "link", "set", "cable", "up")
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"aquí no se pueden crear espacios de red: {error}")
        yield sede, catd
    finally:
        for lado in (sede, catd):
            subprocess.run(["ip", "netns", "del", lado], check=False, capture_output=True)


class Banco:
    """Bróker y centro en la sede, el enlace del kiosco en el CATD; las hojas las asienta la prueba."""

    def __init__(
        self, carpeta: Path, sede: str, catd: str, *, host: str = SEDE, salidas: str = "", opciones: Sequence[str] = ()
    ) -> None:
        autoridad, self.centro, self.kiosco = carpeta / "autoridad", carpeta / "centro", carpeta / EQUIPO
        self._catd = catd
        self._bitacora = (carpeta / "bitacora.log").open("wb")
        inscripcion.crear_autoridad(autoridad)
        inscripcion.inscribir_centro(
            autoridad, self.centro, proceso=OAXACA, modo="simulacro", broker_host=host, broker_puerto=PUERTO
        )
        inscripcion.crear_broker(autoridad, self.centro)
        inscripcion.inscribir_kiosco(autoridad, self.centro, self.kiosco, equipo=EQUIPO, catd=EQUIPO)
        if salidas:
            (self.kiosco / "enlace.toml").write_text(salidas)
        self.proceso = cargar_proceso(OAXACA)
        self.almacen: Almacen = abrir_kiosco(self.kiosco).almacen
        self._procesos = [
            self._en(sede, *broker.orden(self.centro)),
            self._en(
                sede, sys.executable, "-m", "servicio_central", "--carpeta", str(self.centro), "--puerto", "18080"
            ),
            self._en(
                *(catd, sys.executable, "-m", "appliance.enlace", "--carpeta", str(self.kiosco)),
                *("--latido-s", "1", "--silencio-s", "4", "--rto-s", "0.5", "--tope-s", "2", *opciones),
            ),
        ]

    def _en(self, espacio: str, *orden: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["ip", "netns", "exec", espacio, *orden],
            env={**os.environ, "PYTHONPATH": str(RAIZ)},
            cwd=RAIZ,
            stdout=self._bitacora,
            stderr=self._bitacora,
        )

    def cable(self, como: str) -> None:
        _ip("-n", self._catd, "link", "set", "cable", como)

    def asentar(self, cuantos: int) -> None:
        casillas = list(self.proceso.casillas)
        base = self.almacen.ultimo().secuencia
        for n in range(base, base + cuantos):
            acta = IdActa("GUB", casillas[n])
            hora = self.proceso.inicio_operacion + timedelta(hours=2, seconds=n)
            self.almacen.asentar([Acopio(acta, hora, Origen.CATD, "ACTA PREP", "", "acopio-1")], hora, "virtual")

    def pendientes(self) -> int:
        return self.almacen.resumen().pendientes

    def en_el_centro(self) -> list[int]:
        with closing(sqlite3.connect(f"file:{self.centro / 'almacen.sqlite'}?mode=ro", uri=True)) as bd:
            return [s for (s,) in bd.execute("SELECT secuencia FROM hechos ORDER BY posicion")]

    def cerrar(self) -> None:
        for proceso in reversed(self._procesos):
            proceso.kill()
            proceso.wait()
        self.almacen.desconectar()
        self._bitacora.close()


@pytest.fixture
def banco(tmp_path: Path, espacios: tuple[str, str]) -> Iterator[Banco]:
    banco = Banco(tmp_path, *espacios)
    yield banco
    banco.cerrar()


def _llega(que: Callable[[], bool], segundos: float = 60.0) -> bool:
    limite = time.monotonic() + segundos
    while time.monotonic() < limite:
        if que():
            return True
        time.sleep(0.05)
    return que()


def test_se_baja_y_se_sube_el_cable_a_media_noche_y_todo_llega_una_vez(banco: Banco) -> None:
    banco.asentar(8)
    assert _llega(lambda: banco.pendientes() == 0), "ni siquiera con el cable puesto"
    for vez in range(3):
        if vez == 2:
            banco.asentar(12)  # esta vez se va con hojas en camino
        banco.cable("down")
        banco.asentar(8)
        time.sleep(0.5 + 2 * vez)
        # Sin cable no hay quien acuse: lo asentado sigue pendiente, y la gente sigue asentando.
        assert banco.pendientes() >= 8
        banco.cable("up")
        assert _llega(lambda: banco.pendientes() == 0), f"no volvió a la vez {vez + 1}"
    ultima = banco.almacen.ultimo().secuencia
    assert ultima == 8 + 3 * 8 + 12
    assert sorted(banco.en_el_centro()) == list(range(1, ultima + 1))
    assert banco.almacen.resumen().alarma is None
