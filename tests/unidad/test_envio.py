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


class Turnos:
    """Un centro que atiende a otros y a este kiosco le juzga unos cuantos por turno, en el orden en que salieron."""

    def __init__(self, carpeta: Path, cuantos: int) -> None:
        self.almacen = abrir_almacen(carpeta)
        self.almacen.asentar([un_hecho(n) for n in range(cuantos)], hora(), "virtual")
        self.envio = Envio(self.almacen, ventana=48, rto_s=2.0, rto_maximo_s=20.0, lento_s=30.0, azar=random.Random(1))
        self.todos = self.almacen.pendientes(1, cuantos)
        self.fila: list[int] = []
        self.mandados: list[int] = []
        self.tiene: set[int] = set()
        self.pierde: set[int] = set()
        """Los que el bróker toma y no entrega, la primera vez."""
        self.envio.releer()

    def atender(self, segundos: int) -> None:
        """Manda lo que toque en cada décima, y cada cinco segundos es su turno de ocho."""
        for decima in range(segundos * 10):
            self.envio.mandar(decima / 10, self._publicar)
            if decima % 50 == 49:
                self._turno(8)

    def _publicar(self, sobre: str) -> bool:
        secuencia = next(p.secuencia for p in self.todos if p.sobre == sobre)
        self.mandados.append(secuencia)
        if secuencia in self.pierde:
            self.pierde.discard(secuencia)
        else:
            self.fila.append(secuencia)
        return True

    def _turno(self, cuantos: int) -> None:
        """Juzga los que siguen en la fila y llega su acuse, que pide todo lo que el latido anunció."""
        self.tiene.update(self.fila[:cuantos])
        del self.fila[:cuantos]
        contiguo = next(n for n in range(len(self.todos) + 1) if n + 1 not in self.tiene)
        sueltos = tuple((s, self.todos[s - 1].huella) for s in sorted(self.tiene) if s > contiguo)
        faltan = tuple((s, s) for s in range(contiguo + 1, len(self.todos) + 1) if s not in self.tiene)[:15]
        if faltan and faltan[-1][0] < len(self.todos):
            faltan += ((faltan[-1][0] + 1, len(self.todos)),)
        huella = self.todos[contiguo - 1].huella if contiguo else CADENA_NUEVA
        acuse = Acuse("catd-01", self.almacen.epoca, contiguo, huella, sueltos, faltan, (), hora())
        self.almacen.cerrar(acuse, hora())
        self.envio.pedir(acuse.faltan)
        self.envio.releer()


def test_lo_que_espera_turno_en_el_centro_no_se_repite_aunque_lo_pida(tmp_path: Path) -> None:
    """Seiscientos de regreso: cada acuse cierra ocho y pide los demás, que ya están en su fila."""
    centro = Turnos(tmp_path, 200)
    centro.atender(300)
    assert centro.tiene == set(range(1, 201))
    assert [s for s in centro.mandados if s != 1] == list(range(2, 201)), "cada uno una vez"
    assert centro.mandados.count(1) == 2, "sólo se insistió mientras nadie contestaba"


def test_el_broker_pierde_dos_de_en_medio_y_se_repiten_sin_esperar_a_que_se_vacie_la_fila(tmp_path: Path) -> None:
    centro = Turnos(tmp_path, 200)
    centro.pierde = {20, 60}
    centro.atender(300)
    assert centro.tiene == set(range(1, 201))
    assert 2 <= centro.mandados.count(20) <= 3
    assert len(centro.mandados) <= 210, "sólo los perdidos, y no todo lo que iba detrás"
    assert centro.mandados.index(20, centro.mandados.index(20) + 1) < centro.mandados.index(150)


def test_se_pierde_lo_ultimo_y_como_nada_lo_rebasa_lo_repite_la_espera(tmp_path: Path) -> None:
    centro = Turnos(tmp_path, 30)
    centro.pierde = {29, 30}
    centro.atender(120)
    assert centro.tiene == set(range(1, 31))


def test_lo_que_el_centro_perdio_con_su_disco_se_le_vuelve_a_dar_aunque_lo_pida_una_sola_vez(tmp_path: Path) -> None:
    """Ya acusado, sólo el kiosco lo tiene: si lo que se le da se pierde en el camino, el siguiente pedido no se olvida
    porque otras hojas se sigan cerrando."""
    centro = Turnos(tmp_path, 40)
    centro.atender(60)
    assert centro.tiene == set(range(1, 41))
    centro.mandados.clear()
    salida = [f for f in centro.todos if f.secuencia == 7]
    centro.envio.pedir([(7, 7)])
    for decima in range(600, 605):
        centro.envio.mandar(decima / 10, lambda sobre: sobre != salida[0].sobre or centro._publicar(sobre))
    assert centro.mandados == [7]
    centro.envio.pedir([(7, 7)])
    for decima in range(605, 1000):
        centro.envio.mandar(decima / 10, centro._publicar)
    assert centro.mandados == [7, 7], "una vez más, y sin que haga falta otro pedido"
