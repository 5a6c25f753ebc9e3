"""Unos miles de mensajes mutados en la puerta del centro; `./prep laboratorio --fuzz N` da los que se quieran."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from ensayo.laboratorio.fuzz import Fuzz, probar
from ensayo.laboratorio.proceso import publica_de
from nucleo.acuse import Acuse, abrir_acuse
from nucleo.sobre import SobreInvalido

SEMILLA = int(os.environ.get("PREP_SEMILLA", "1"))


def test_todo_byte_que_entra_tiene_un_destino_explicado() -> None:
    cuenta: Counter[str] = Counter()
    for semilla in range(SEMILLA, SEMILLA + 3):
        vistos, fallas = probar(semilla, 4000)
        assert fallas == [], f"./prep laboratorio --fuzz 4000 --semilla {semilla}"
        assert sum(vistos.values()) == 4000
        cuenta += vistos
    # De verdad llegó hondo: hubo de todo lo que el juicio distingue.
    hondos = "aceptado|repetido|bifurcado BIFURCADO|fatal FIRMA|fatal FORMA|fatal TIPO|fatal TEMA|fatal HECHO_INVALIDO"
    assert set(hondos.split("|")) <= set(cuenta)


def test_lo_mismo_contra_el_kiosco_solo_pasa_lo_firmado_por_el_centro(tmp_path: Path) -> None:
    fuzz = Fuzz(SEMILLA, tmp_path / "centro")
    fuzz.almacen.cerrar()
    abiertos = 0
    for _ in range(3000):
        try:
            acuse = abrir_acuse(fuzz.caso().datos.decode("ascii", "replace"), publica_de("centro"))
        except SobreInvalido:
            continue
        assert isinstance(acuse, Acuse)
        abiertos += 1
    assert abiertos > 0
