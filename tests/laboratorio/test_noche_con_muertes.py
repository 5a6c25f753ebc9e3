"""La noche con muertes: `kill -9` en puntos al azar, y la misma base de datos al final.

Procesos de verdad (mosquitto, centro, personas y enlace de cada kiosco), datos de verdad (los CATD más chicos de Oaxaca
2022). La semilla se imprime; con `PREP_SEMILLA=n` se repite la misma serie de víctimas, y con
`./prep laboratorio --procesos R` se corren las que se quieran.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from ensayo.laboratorio.procesos import CLASES, DISTRITOS, MUERTES, vivir
from ensayo.noche import Noche, cargar_noche

SEMILLA = int(os.environ.get("PREP_SEMILLA", "20220605"))


@pytest.fixture(scope="module")
def noche() -> Noche:
    return cargar_noche(distritos=DISTRITOS)


def test_matar_a_cualquiera_en_cualquier_momento_no_cambia_la_base(noche: Noche, tmp_path: Path) -> None:
    print(f"semilla {SEMILLA}")
    tranquila = vivir(noche, tmp_path / "tranquila", 0, random.Random(SEMILLA))
    accidentada = vivir(noche, tmp_path / "accidentada", MUERTES, random.Random(SEMILLA))
    print(f"{len(accidentada.victimas)} muertes: {accidentada.victimas}")
    for corrida in (tranquila, accidentada):
        assert corrida.sobres.cuadra, corrida.sobres
        assert corrida.sobres.asentados > 500
    assert len(accidentada.victimas) >= 20
    assert {v.split("/")[0] for v in accidentada.victimas} == set(CLASES)
    assert accidentada.base == tranquila.base
