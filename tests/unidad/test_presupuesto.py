"""Lo que se gasta de la salida que se paga, cuánto difiere el reloj y en cuánto tiempo estará todo: nunca de más."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.bandeja import Resumen
from appliance.enlace.__main__ import main
from appliance.enlace.desfase import Desfase
from appliance.enlace.presupuesto import BLOQUE, ENVOLTURA, EnAlmacen, Medida, Presupuesto, Tope, medida_de
from appliance.imagenes_declaradas import ORDEN, PRESUPUESTO, ResumenDeImagenes
from appliance.pantalla.barra import EsperaDeImagenes, enlace_de
from appliance.ritmo import minutos_de_imagenes
from nucleo.temas import Carril
from tests.kiosco_de_prueba import abrir_almacen

MAQUINA = datetime(2026, 6, 7, 2, 0, tzinfo=UTC)
NOCHE = datetime.fromisoformat("2022-06-05T23:00:00-05:00")
MEGA = 10**6


class Cuaderno:
    """Una memoria de una sola página."""

    def __init__(self, texto: str = "") -> None:
        self.texto = texto

    def presupuesto(self) -> str:
        return self.texto

    def guardar_presupuesto(self, texto: str) -> None:
        self.texto = texto


def cuenta(
    cuaderno: Cuaderno, hora: datetime = NOCHE, salida: str = "celular", tope: Tope | None = None
) -> Presupuesto:
    return Presupuesto(cuaderno, tope, lambda: salida, lambda: hora)


def test_se_cuenta_por_carril_y_por_salida_y_sobrevive_a_reiniciar(tmp_path: Path) -> None:
    almacen = abrir_almacen(tmp_path)
    salida = "celular"
    una = Presupuesto(EnAlmacen(almacen), None, lambda: salida, lambda: NOCHE)
    una.contar(Carril.HECHOS, 1000)
    una.contar(Carril.IMAGEN, BLOQUE)
    salida = "cable"
    una.contar(Carril.IMAGEN, 5)
    otra = Presupuesto(EnAlmacen(almacen), None, lambda: salida, lambda: NOCHE)
    assert otra.por_carril("celular") == {"hechos": 1000 + ENVOLTURA, "imagen": BLOQUE + ENVOLTURA}
    assert otra.gastado("cable") == 0, "lo último aún no se anotaba"
    una.guardar()
    assert Presupuesto(EnAlmacen(almacen), None, lambda: "", lambda: NOCHE).gastado("cable") == 5 + ENVOLTURA


def test_manda_lo_que_dice_la_interfaz_aunque_reinicie_la_maquina_o_el_modem() -> None:
    cuaderno, tope, lectura = Cuaderno(), Tope("celular", 10 * MEGA, reserva=2 * MEGA), ("a:1", MEGA)

    def de(hora: datetime = NOCHE) -> Presupuesto:
        return Presupuesto(cuaderno, tope, lambda: "celular", lambda: hora, lambda: lectura)

    def pasan(presupuesto: Presupuesto, marca: str, hasta: int) -> int:
        nonlocal lectura
        lectura = (marca, hasta)
        presupuesto.contar(Carril.LATIDO, 1)
        presupuesto.guardar()
        return presupuesto.medidos()

    una = de()
    assert pasan(una, "a:1", MEGA) == 1 + ENVOLTURA, "lo de antes de esta noche no es de esta noche"
    assert pasan(una, "a:1", 4 * MEGA) == 3 * MEGA
    assert pasan(de(), "a:1", 5 * MEGA) == 4 * MEGA, "lo que pasó con el enlace detenido también se cobra"
    assert pasan(de(), "b:1", 6 * MEGA) == 10 * MEGA, "otra marca: la cuenta empezó de cero"
    assert not de().alcanza_para_imagenes()
    manana = de(NOCHE + timedelta(hours=14))
    assert pasan(manana, "b:1", 8 * MEGA) <= 2 * MEGA
    assert manana.alcanza_para_imagenes()


@given(
    st.text(max_size=40) | st.sampled_from(['{"medida": [1]}', '{"medida": ["a", 1, "b"]}', '{"medida": null}', "7"])
)
def test_una_medida_que_no_se_entiende_empieza_de_cero(texto: str) -> None:
    assert medida_de(texto) == Medida()


def test_pasada_la_medianoche_es_la_misma_noche_y_a_mediodia_empieza_otra() -> None:
    cuaderno = Cuaderno()
    una = cuenta(cuaderno)
    una.contar(Carril.HECHOS, 1000)
    una.guardar()
    assert cuenta(cuaderno, NOCHE + timedelta(hours=5)).gastado("celular") == 1000 + ENVOLTURA
    siguiente = cuenta(cuaderno, NOCHE + timedelta(hours=14))
    assert siguiente.gastado("celular") == 0
    siguiente.contar(Carril.HECHOS, 1)
    assert siguiente.gastado("celular") == 1 + ENVOLTURA


def test_el_tope_solo_detiene_imagenes_y_solo_en_la_salida_que_se_paga() -> None:
    tope = Tope("celular", 10 * MEGA, reserva=2 * MEGA)
    medida, cable = cuenta(Cuaderno(), tope=tope), cuenta(Cuaderno(), salida="cable", tope=tope)
    sin_tope = cuenta(Cuaderno())
    for presupuesto in (medida, cable, sin_tope):
        for _ in range(7):
            presupuesto.contar(Carril.IMAGEN, MEGA)
        assert presupuesto.alcanza_para_imagenes()
        presupuesto.contar(Carril.IMAGEN, MEGA)
    assert [p.alcanza_para_imagenes() for p in (medida, cable, sin_tope)] == [False, True, True]
    assert medida.medidos() > 8 * MEGA
    assert (cable.medidos(), sin_tope.medidos()) == (0, 0)


@given(
    st.text(max_size=60) | st.sampled_from(['{"noche": 1}', '{"noche":"x","salidas":{"a":{"b":"c"}}}', "[]", "null"])
)
def test_lo_anotado_se_entiende_o_se_empieza_de_cero(texto: str) -> None:
    presupuesto = cuenta(Cuaderno(texto))
    presupuesto.contar(Carril.HECHOS, 1)
    assert presupuesto.gastado("celular") == 1 + ENVOLTURA


@pytest.mark.parametrize("malo", ["0", "4", "-5", "mucho", "1.5"])
def test_un_tope_en_que_no_caben_ni_las_cifras_no_se_acepta(
    malo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--carpeta", str(tmp_path), "--tope-mb", malo])
    assert "--tope-mb" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------ el reloj


def test_del_reloj_se_dice_solo_lo_que_consta() -> None:
    desfase = Desfase()
    assert desfase.milisegundos() == 0
    hora = timedelta(milliseconds=1)
    # El kiosco va 5 s adelante y la vuelta tarda 300 ms: consta al menos lo que no puede ser demora.
    desfase.mande(MAQUINA)
    desfase.contesto(MAQUINA - 5000 * hora + 200 * hora, MAQUINA + 300 * hora)
    assert desfase.milisegundos() == 4800
    # Una vuelta más rápida dice más.
    desfase.mande(MAQUINA)
    desfase.contesto(MAQUINA - 5000 * hora + 10 * hora, MAQUINA + 20 * hora)
    assert desfase.milisegundos() == 4990


def test_una_demora_no_se_toma_por_desfase_ni_un_segundo_acuse_cuenta() -> None:
    desfase = Desfase()
    desfase.mande(MAQUINA)
    desfase.contesto(MAQUINA + timedelta(seconds=3), MAQUINA + timedelta(seconds=9))
    assert desfase.milisegundos() == 0
    desfase.contesto(MAQUINA - timedelta(hours=1), MAQUINA)
    assert desfase.milisegundos() == 0


def test_atrasado_es_negativo_y_si_el_reloj_se_corrige_se_olvida_lo_de_antes() -> None:
    desfase = Desfase()
    desfase.mande(MAQUINA)
    desfase.contesto(MAQUINA + timedelta(seconds=60), MAQUINA + timedelta(seconds=1))
    assert desfase.milisegundos() == -59_000
    desfase.mande(MAQUINA)
    desfase.contesto(MAQUINA, MAQUINA - timedelta(seconds=1))
    assert desfase.milisegundos() == 0


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**4), st.integers(0, 10**4))
def test_nunca_se_dice_mas_desfase_del_que_hay(desfase_ms: int, ida: int, vuelta: int) -> None:
    def kiosco(ms: int) -> datetime:
        return MAQUINA + timedelta(milliseconds=ms + desfase_ms)

    desfase = Desfase()
    desfase.mande(kiosco(0))
    desfase.contesto(MAQUINA + timedelta(milliseconds=ida), kiosco(ida + vuelta))
    dicho = desfase.milisegundos()
    assert abs(dicho) <= abs(desfase_ms)
    assert dicho * desfase_ms >= 0
    assert abs(dicho - desfase_ms) <= ida + vuelta


# ---------------------------------------------------------------------------------------------- en cuánto tiempo estará


@pytest.fixture
def base() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as conexion:
        conexion.execute("CREATE TABLE avances (id INTEGER PRIMARY KEY, hora TEXT, bytes INTEGER)")
        yield conexion


def faltan(bytes_: int, *, sin_medir: int = 0, pausa: str = "", apartadas: int = 0) -> ResumenDeImagenes:
    return ResumenDeImagenes(3, bytes_, sin_medir, apartadas, pausa)


def test_la_hora_de_las_imagenes_sale_de_los_recibos_o_no_se_da(base: sqlite3.Connection) -> None:
    def avanzar(bytes_: int, *hace_s: int) -> None:
        base.execute("DELETE FROM avances")
        for s in hace_s:
            base.execute(
                "INSERT INTO avances (hora, bytes) VALUES (?, ?)",
                ((MAQUINA - timedelta(seconds=s)).isoformat(), bytes_),
            )

    def minutos(resumen: ResumenDeImagenes) -> int | None:
        return minutos_de_imagenes(base, resumen, MAQUINA)

    assert minutos(faltan(MEGA)) is None
    avanzar(MEGA, 5, 10)
    assert minutos(faltan(MEGA)) is None, "dos recibos no hacen un paso"
    avanzar(MEGA, 600, 610, 620)
    assert minutos(faltan(MEGA)) is None, "los viejos no dicen nada de ahora"
    avanzar(MEGA, -5, -6, -7)
    assert minutos(faltan(MEGA)) is None, "ni los de un reloj que retrocedió"
    avanzar(MEGA, 10, 20, 30, 40, 50, 60)
    assert minutos(faltan(210 * MEGA)) == 35
    assert minutos(faltan(210 * MEGA, sin_medir=1)) is None, "de una no se sabe cuánto mide"
    assert minutos(faltan(210 * MEGA, pausa=ORDEN)) is None
    assert minutos(ResumenDeImagenes(0, 0, 0, 0, "")) is None
    avanzar(MEGA, 0, 0, 0)
    assert minutos(faltan(30 * MEGA)) == 4, "tres recibos juntos no exageran el paso"


def test_la_barra_dice_las_cifras_y_las_imagenes_por_separado() -> None:
    def barra(pendientes: int, minutos: int | None, imagenes: EsperaDeImagenes) -> str:
        resumen = Resumen(90, "0" * 64, pendientes, 0, None, MAQUINA - timedelta(seconds=5))
        return enlace_de(resumen, MAQUINA, NOCHE, minutos, imagenes).texto

    con = EsperaDeImagenes(faltan(MEGA), 35)
    assert barra(9, 2, con) == "con enlace, enviando · 9 en espera · cifras al día en 2 min · imágenes en 35 min"
    assert barra(0, None, con) == "con enlace · cifras al día · imágenes en 35 min"
    assert barra(0, None, EsperaDeImagenes(faltan(MEGA))) == "con enlace · cifras al día · 3 imágenes por llegar"
    dicho = barra(0, None, EsperaDeImagenes(faltan(MEGA, pausa=PRESUPUESTO)))
    assert "3 imágenes en pausa para no gastar datos; las cifras siguen saliendo" in dicho
    assert "lo pidió el centro" in barra(0, None, EsperaDeImagenes(faltan(MEGA, pausa=ORDEN)))
    perdida = EsperaDeImagenes(ResumenDeImagenes(0, 0, 0, 1, ""))
    assert barra(0, None, perdida) == "con enlace · cifras al día · 1 imagen sin poder entregarse"
    assert (
        barra(0, None, EsperaDeImagenes(ResumenDeImagenes(0, 0, 0, 0, ""))) == "con enlace · todo entregado al centro"
    )
