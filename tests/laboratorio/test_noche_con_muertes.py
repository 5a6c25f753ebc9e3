"""La noche con muertes: `kill -9` en puntos al azar, y la misma base de datos al final.

Procesos de verdad (mosquitto, centro, personas y enlace de cada kiosco), datos de verdad (los CATD más chicos de Oaxaca
2022). La semilla se imprime; con `PREP_SEMILLA=n` se repite la misma serie de víctimas.
"""

from __future__ import annotations

import math
import os
import random
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ensayo.escenario import Escenario
from ensayo.noche import Noche, cargar_noche
from ensayo.veredicto import contar_sobres
from servicio_central.corte import hacer_corte

DISTRITOS = frozenset({10, 9, 21})
MUERTES = 24
SEMILLA = int(os.environ.get("PREP_SEMILLA", "20220605"))


@pytest.fixture(scope="module")
def noche() -> Noche:
    return cargar_noche(distritos=DISTRITOS)


class Segador(threading.Thread):
    """Mata una pieza al azar cada tanto y, si no la levanta nadie más, la vuelve a levantar."""

    def __init__(self, escenario: Escenario, azar: random.Random) -> None:
        super().__init__(daemon=True)
        self.victimas: list[str] = []
        self._escenario = escenario
        self._azar = azar
        self._fin = threading.Event()

    def run(self) -> None:
        clases = ("personas", "enlace", "centro", "broker")
        while not self._fin.wait(self._azar.uniform(0.05, 0.5)):
            # Primero la clase y luego la pieza: así el centro y el bróker mueren tanto como los kioscos.
            clase = clases[len(self.victimas) % len(clases)]
            nombre = self._azar.choice([n for n in self._escenario.piezas if n.startswith(clase)])
            pieza = self._escenario.piezas[nombre]
            if not pieza.viva:
                continue
            pieza.matar()
            self.victimas.append(nombre)
            if clase != "personas":  # a las personas las levanta quien dirige la noche, al ver que callaron
                time.sleep(self._azar.uniform(0.0, 0.4))
                pieza.levantar()

    def detener(self) -> None:
        self._fin.set()
        self.join()


def _esperar_muertes(escenario: Escenario, segador: Segador, debidas: int) -> None:
    limite = time.monotonic() + 60
    while len(segador.victimas) < debidas:
        assert time.monotonic() < limite, f"el segador sólo lleva {len(segador.victimas)} muertes"
        # A las demás piezas las levanta él; a las personas, quien dirige.
        for nombre, pieza in escenario.piezas.items():
            if nombre.startswith("personas") and not pieza.viva:
                pieza.levantar()
        time.sleep(0.05)


def _vivir(noche: Noche, carpeta: Path, muertes: int, azar: random.Random) -> tuple[bytes, list[str]]:
    fin = noche.cortes[0][0]
    with Escenario(carpeta, noche.definicion, noche.proceso, noche.agendas, "muestra") as escenario:
        segador = Segador(escenario, azar)
        if muertes:
            segador.start()
        hora = noche.inicio
        while hora < fin:
            hora = min(fin, hora + timedelta(minutes=10))
            escenario.vivir_hasta(hora)
            # Las muertes se reparten por toda la noche, corra la máquina lo que corra.
            debidas = math.ceil(muertes * (hora - noche.inicio) / (fin - noche.inicio))
            _esperar_muertes(escenario, segador, debidas)
        if muertes:
            segador.detener()
        escenario.vigilar()
        escenario.escurrir(plazo=120)
        corte = hacer_corte(escenario.centro, noche.proceso, noche.eleccion.clave, fin)
        sobres = contar_sobres({e: escenario.kiosco(e) for e in escenario.equipos}, escenario.centro)
        assert sobres.cuadra, sobres
        assert sobres.asentados > 500
        return corte.zip.read_bytes(), segador.victimas


def test_matar_a_cualquiera_en_cualquier_momento_no_cambia_la_base(noche: Noche, tmp_path: Path) -> None:
    print(f"semilla {SEMILLA}")
    tranquila, _ = _vivir(noche, tmp_path / "tranquila", 0, random.Random(SEMILLA))
    accidentada, victimas = _vivir(noche, tmp_path / "accidentada", MUERTES, random.Random(SEMILLA))
    print(f"{len(victimas)} muertes: {victimas}")
    assert len(victimas) >= 20
    assert {v.split("/")[0] for v in victimas} == {"personas", "enlace", "centro", "broker"}
    assert accidentada == tranquila


def _contar(centro: Path, tabla: str) -> int:
    with closing(sqlite3.connect(f"file:{centro / 'almacen.sqlite'}?mode=ro", uri=True)) as bd:
        return int(bd.execute(f"SELECT count(*) FROM {tabla}").fetchone()[0])
