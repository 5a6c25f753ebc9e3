"""Cable y celular de verdad entre dos espacios de red: se va uno a media noche, luego el otro, y vuelven.

Hace falta root y poder crear espacios de red (`ip netns`); si no se puede, se salta y dice por qué.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.laboratorio.test_redes import Banco, _ip, _llega

BROKER: Final = "10.203.80.1"
REDES: Final = {"cable": "10.203.78", "celular": "10.203.79"}
SALIDAS: Final = """\
[[salidas]]
nombre = "cable"
interfaz = "cable"

[[salidas]]
nombre = "celular"
interfaz = "celular"
por_byte = true
tope_mb = 800
"""

pytestmark = pytest.mark.broker


class BancoConDosSalidas(Banco):
    """El de una salida, con dos caminos hasta la misma dirección del bróker."""

    def __init__(self, carpeta: Path, sede: str, catd: str) -> None:
        self._sede = sede
        super().__init__(carpeta, sede, catd, host=BROKER, salidas=SALIDAS, opciones=("--vuelta-s", "3"))

    def poner(self, salida: str, como: str) -> None:
        # Del lado de la sede: en el kiosco la interfaz sigue ahí, con sus rutas, y se queda sin señal.
        _ip("-n", self._sede, "link", "set", salida, como)

    def salida(self) -> str:
        """La que dice el último latido que llegó al centro."""
        with closing(sqlite3.connect(f"file:{self.centro / 'almacen.sqlite'}?mode=ro", uri=True)) as bd:
            fila = bd.execute("SELECT salida, medidos_bytes FROM latidos").fetchone()
        return str(fila[0]) if fila else ""

    def bytes_por(self, salida: str) -> int:
        orden = ["ip", "netns", "exec", self._catd, "cat"]
        rutas = [f"/sys/class/net/{salida}/statistics/{f}" for f in ("rx_bytes", "tx_bytes")]
        return sum(map(int, subprocess.run([*orden, *rutas], check=True, capture_output=True).stdout.split()))

    def cambios(self) -> list[str]:
        with self.almacen.lectura() as mirada:
            orden = "SELECT detalle FROM bitacora WHERE evento = 'salida_cambiada' ORDER BY renglon"
            return [d for (d,) in mirada.conexion.execute(orden)]


@pytest.fixture
def banco(tmp_path: Path) -> Iterator[BancoConDosSalidas]:
    sede, catd = (f"prep-dos-{lado}-{os.getpid()}" for lado in ("sede", "catd"))
    try:
        try:
            for lado in (sede, catd):
                _ip("netns", "add", lado)
                _ip("-n", lado, "link", "set", "lo", "up")
            _ip("-n", sede, "addr", "add", f"{BROKER}/32", "dev", "lo")
            for metrica, (salida, red) in enumerate(REDES.items(), 1):
                _ip("-n", sede, "link", "add", salida, "type", "veth", "peer", "name", salida, "netns", catd)
                for lado, numero in ((sede, 1), (catd, 2)):
                    _ip("-n", lado, "addr", "add", f"{red}.{numero}/24", "dev", salida)
                    _ip("-n", lado, "link", "set", salida, "up")
                ruta = ("route", "add", BROKER, "via", f"{red}.1", "dev", salida, "metric", str(metrica))
                _ip("-n", catd, *ruta)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"aquí no se pueden crear espacios de red: {error}")
        banco = BancoConDosSalidas(tmp_path, sede, catd)
        try:
            yield banco
        finally:
            banco.cerrar()
    finally:
        for lado in (sede, catd):
            subprocess.run(["ip", "netns", "del", lado], check=False, capture_output=True)


def test_se_va_el_cable_luego_el_celular_y_vuelven_y_nada_se_pierde(banco: BancoConDosSalidas) -> None:
    def entregado() -> bool:
        return banco.pendientes() == 0

    banco.asentar(8)
    assert _llega(entregado), "ni con las dos"
    assert _llega(lambda: banco.salida() == "cable"), "se empieza por la preferida"
    banco.poner("cable", "down")
    banco.asentar(8)
    assert _llega(entregado), "por celular"
    assert _llega(lambda: banco.salida() == "celular")
    banco.poner("celular", "down")
    banco.asentar(8)
    assert not _llega(entregado, 3), "sin ninguna no hay quien acuse"
    banco.poner("celular", "up")
    assert _llega(entregado)
    banco.poner("cable", "up")
    assert _llega(lambda: banco.salida() == "cable"), "al final, la preferida"
    antes = banco.bytes_por("celular")
    banco.asentar(20)
    assert _llega(entregado)
    assert banco.bytes_por("celular") - antes < 2_000, "lo que se paga por byte ya no se usa"
    ultima = banco.almacen.ultimo().secuencia
    assert sorted(banco.en_el_centro()) == list(range(1, ultima + 1))
    assert banco.cambios()[0] == "de cable a celular"
    assert banco.cambios()[-1] == "de celular a cable"
    assert banco.almacen.resumen().alarma is None
