"""La fila del centro: nadie se queda atrás porque otro grite."""

from __future__ import annotations

from collections import Counter
from queue import Empty
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicio_central import fila as modulo
from servicio_central.enlace import Estado
from servicio_central.enlace_amqp import Entrega
from servicio_central.fila import TOPE_POR_EQUIPO, TURNO, Fila
from servicio_central.juicio import Mensaje
from servicio_central.sucesos import Conectado, Desconectado, Suceso, Tomado


def de(equipo: str, numero: int = 0) -> Mensaje:
    return Mensaje(f"prep/simulacro-x/{equipo}/sube/hechos", str(numero).encode())


def todo(fila: Fila) -> list[Suceso]:
    salen = []
    while True:
        try:
            salen.append(fila.get(block=False))
        except Empty:
            return salen


def test_el_que_inunda_llena_su_lugar_y_los_demas_pasan_por_turnos() -> None:
    fila = Fila()
    for n in range(10_000):
        fila.put(de("malo", n))
    for n in range(2 * TURNO):
        fila.put(de("uno", n))
        fila.put(de("dos", n))
    salen = [m.tema.split("/")[2] for m in todo(fila) if isinstance(m, Mensaje)]
    assert salen[: 6 * TURNO] == (["malo"] * TURNO + ["uno"] * TURNO + ["dos"] * TURNO) * 2
    assert salen.count("malo") == TOPE_POR_EQUIPO
    assert fila.tirados == {"malo": 10_000 - TOPE_POR_EQUIPO}
    fila.put(de("malo"))
    assert len(todo(fila)) == 1, "lo que salió dejó lugar"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60))
def test_lo_de_cada_quien_sale_en_su_orden_y_ni_sobra_ni_falta(mensajes: list[tuple[str, int]]) -> None:
    fila = Fila()
    for equipo, numero in mensajes:
        fila.put(de(equipo, numero))
    salen = [m for m in todo(fila) if isinstance(m, Mensaje)]
    for equipo in "abc":
        # Nadie ha sacado nada: de lo repetido queda el primero, en su lugar.
        suyos = dict.fromkeys(de(e, n) for e, n in mensajes if e == equipo)
        assert [m for m in salen if f"/{equipo}/" in m.tema] == list(suyos)


def test_lo_que_el_kiosco_repite_mientras_espera_aqui_no_entra_otra_vez() -> None:
    """Con cientos de regreso los acuses tardan, los kioscos repiten, y juzgar cada copia tardaría todavía más."""
    fila = Fila()
    for _ in range(5):
        fila.put(de("uno", 7))
    fila.put(de("dos", 7))
    assert len(todo(fila)) == 2
    assert not fila.tirados, "no es que no quepa"
    fila.put(de("uno", 7))
    assert len(todo(fila)) == 1, "el que ya salió se puede repetir: tal vez su acuse se perdió"


def test_un_puback_pasa_antes_y_la_caida_despues_de_lo_ya_recibido() -> None:
    fila = Fila()
    for suceso in (de("a"), Desconectado("x"), Tomado(), de("b"), Conectado()):
        fila.put(suceso)
    assert [type(s) for s in todo(fila)] == [Tomado, Conectado, Mensaje, Mensaje, Desconectado]


def test_lo_numerado_de_amqp_conserva_su_orden_y_no_se_tira() -> None:
    fila = Fila()
    for n in range(2 * TOPE_POR_EQUIPO):
        fila.put(Entrega(f"prep/x/{'ab'[n % 2]}/sube/hechos", b"", n, None))  # type: ignore[arg-type]
    assert [m.numero for m in todo(fila) if isinstance(m, Entrega)] == list(range(2 * TOPE_POR_EQUIPO))
    assert not fila.tirados


def test_los_nombres_inventados_no_hacen_crecer_la_cuenta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modulo, "_MAXIMO_NOMBRES", 10)
    fila = Fila()
    for n in range(5_000):
        fila.put(de(f"inventado-{n}"))
        fila.put(Mensaje("sin niveles", b""))
    assert len(fila._metidos) <= 11
    assert len(todo(fila)) <= 10 * 1 + TOPE_POR_EQUIPO
    assert sum(fila.tirados.values()) > 0


def test_hay_un_tope_para_todos_juntos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modulo, "TOPE", 20)
    fila, cuenta = Fila(), Counter[str]()
    for n in range(30):
        fila.put(de(f"e{n}"))
    cuenta.update(type(s).__name__ for s in todo(fila))
    assert cuenta == {"Mensaje": 20}


def test_un_hilo_mete_y_otro_saca_sin_perder_ni_repetir() -> None:
    fila = Fila()

    def meter() -> None:
        for n in range(4_000):
            fila.put(de("abcdefgh"[n % 8], n))
        fila.put(Desconectado("fin"))

    hilo = Thread(target=meter)
    hilo.start()
    vistos: list[int] = []
    while isinstance(suceso := fila.get(timeout=20), Mensaje):
        vistos.append(int(suceso.datos))
    hilo.join()
    assert isinstance(suceso, Desconectado)
    assert len(vistos) == len(set(vistos)) == 4_000 - sum(fila.tirados.values())


def test_lo_tirado_lo_ve_operacion_con_el_nombre_del_equipo() -> None:
    estado = Estado()
    fila = Fila(estado.tirados)
    assert estado.desbordes() == []
    for n in range(TOPE_POR_EQUIPO + 7):
        fila.put(de("catd-09", n))
    assert estado.desbordes() == [("fila del enlace de catd-09", 7)]
