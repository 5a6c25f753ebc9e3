"""Cuánto se espera antes de repetir un sobre, después de lo que ya tardó otro."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

from appliance.enlace.envio import Envio
from nucleo.acuse import BIFURCADO, Acuse, Apartado
from nucleo.sobre import CADENA_NUEVA
from tests.kiosco_de_prueba import abrir_almacen, hora, un_hecho


def test_la_hoja_que_espero_a_que_le_dieran_su_casilla_no_hace_lento_lo_demas(tmp_path: Path) -> None:
    almacen = abrir_almacen(tmp_path)
    envio = Envio(almacen, ventana=48, rto_s=2.0, rto_maximo_s=20.0, lento_s=30.0, azar=random.Random(1))
    salio: list[float] = []

    def mandar(ahora: float) -> None:
        if envio.mandar(ahora, lambda _: True):
            salio.append(ahora)

    almacen.asentar([un_hecho(0)], hora(), "virtual")
    (primera,) = almacen.pendientes()
    envio.releer()
    mandar(0.0)
    apartada = (Apartado(primera.huella, "FUERA_DE_AMBITO"),)
    acuse = Acuse("catd-01", almacen.epoca, 0, CADENA_NUEVA, (), (), apartada, hora())
    assert almacen.cerrar(acuse, hora()).apartados == 1
    for segundo in range(40):
        envio.releer()
        mandar(float(segundo))
    assert almacen.cerrar(replace(acuse, contiguo=1, huella=primera.huella, apartados=()), hora()).cerrados == 1
    almacen.asentar([un_hecho(1)], hora(), "virtual")
    envio.releer()
    salio.clear()
    for decima in range(400, 500):
        mandar(decima / 10)
    assert len(salio) >= 3, "a los 2 s y a los 6, no a los 20"


def test_mientras_nadie_contesta_solo_se_insiste_con_la_primera(tmp_path: Path) -> None:
    """Cientos de kioscos de regreso ante un centro ahogado: repetir ventanas enteras lo hundiría más."""
    almacen = abrir_almacen(tmp_path)
    envio = Envio(almacen, ventana=48, rto_s=2.0, rto_maximo_s=20.0, lento_s=30.0, azar=random.Random(1))
    salio: list[str] = []

    def publicar(sobre: str) -> bool:
        salio.append(sobre)
        return True

    def hasta(desde: int, fin: int) -> None:
        for decima in range(desde * 10, fin * 10):
            envio.mandar(decima / 10, publicar)

    almacen.asentar([un_hecho(n) for n in range(48)], hora(), "virtual")
    primera, segunda, *_, ultima = almacen.pendientes()
    envio.releer()
    hasta(0, 1)
    assert len(salio) == 48
    hasta(1, 25)
    assert salio[48:] == [primera.sobre] * 3, "a los 2, a los 6 y a los 14 segundos"
    acuse = Acuse("catd-01", almacen.epoca, 1, primera.huella, (), (), (), hora())
    assert almacen.cerrar(acuse, hora()).cerrados == 1
    envio.releer()
    salio.clear()
    hasta(25, 60)
    assert {segunda.sobre, ultima.sobre} <= set(salio), "ya contestó: lo demás se repite a su paso"


def test_hay_mas_apartados_de_los_que_caben_y_todos_se_reintentan_a_su_paso(tmp_path: Path) -> None:
    """Los primeros cuarenta y ocho no se aceptarán nunca; los de atrás sí, en cuanto el centro tenga su padrón."""
    almacen = abrir_almacen(tmp_path)
    envio = Envio(almacen, ventana=48, rto_s=2.0, rto_maximo_s=20.0, lento_s=30.0, azar=random.Random(1))
    almacen.asentar([un_hecho(n) for n in range(120)], hora(), "virtual")
    todos = almacen.pendientes(1, 120)
    for desde in range(0, 120, 40):
        apartados = tuple(
            Apartado(p.huella, BIFURCADO if p.secuencia <= 48 else "FUERA_DE_AMBITO") for p in todos[desde : desde + 40]
        )
        almacen.cerrar(Acuse("catd-01", almacen.epoca, 0, CADENA_NUEVA, (), (), apartados, hora()), hora())
    assert almacen.pendientes() == []
    salio: Counter[str] = Counter()
    envio.releer()
    for decima in range(3000):
        envio.mandar(decima / 10, lambda sobre: not salio.update([sobre]))
        if decima % 70 == 0:
            envio.releer()
    veces = [salio[p.sobre] for p in todos]
    assert min(veces) > 0, "alguno nunca se volvió a mandar"
    # Cada uno a su paso, aunque se deje de mirar: el lento cada 30 s, lo bifurcado cada vez menos.
    assert max(veces[:48]) <= 5
    assert min(veces[48:]) >= 7
    assert max(veces[48:]) <= 13
