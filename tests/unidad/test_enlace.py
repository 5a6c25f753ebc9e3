"""El enlace sobre una red en memoria y con el tiempo en la mano: qué manda, qué repite y qué nunca hace."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import random
import sys
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.consola import anunciar, decir
from appliance.enlace.ciclo import Ajustes, Enlace
from appliance.enlace.transporte import Mensaje
from appliance.enlace.transporte_memoria import BrokerEnMemoria, TransporteEnMemoria
from appliance.llave import LlaveDeArchivo
from appliance.reloj import RelojFijado
from nucleo.sobre import Tipo, firmar_con
from nucleo.temas import Carril, Tema, ambito_de
from tests.centro_de_prueba import Centro
from tests.kiosco_de_prueba import EPOCA, PROCESO, abrir_almacen, hora, identidad, un_hecho
from tests.noche_en_memoria import NocheEnMemoria

AMBITO = ambito_de("simulacro", PROCESO.clave)
ACUSE = str(Tema(AMBITO, "catd-01", Carril.ACUSE))
HECHOS = str(Tema(AMBITO, "catd-01", Carril.HECHOS))


class CentroEnMemoria(TransporteEnMemoria):
    """El centro de prueba conectado al bróker en memoria: contesta en cuanto le llega algo."""

    def __init__(self, broker: BrokerEnMemoria, centro: Centro) -> None:
        super().__init__(broker)
        self.centro = centro
        self._red = broker
        for carril in (Carril.HECHOS, Carril.LATIDO):
            self.filtros.append(f"prep/{AMBITO}/+/sube/{carril.value}")

    def atender(self) -> None:
        mensajes, self.recibidos = self.recibidos, []
        for mensaje in mensajes:
            if respuesta := self.centro.atender(mensaje.tema, mensaje.carga):
                self._red.repartir(respuesta[0], respuesta[1].encode())


class Noche(NocheEnMemoria):
    """Un kiosco, un bróker y un centro con el mismo reloj de mentiras. Cada espera del enlace lo adelanta."""

    def __init__(self, carpeta: Path, semilla: int = 1, ajustes: Ajustes | None = None) -> None:
        super().__init__()
        self.almacen = abrir_almacen(carpeta)
        self.firmante = LlaveDeArchivo(carpeta / "llave.pem", "catd-01")
        self.centro = Centro(AMBITO, self.firmante.publica())
        self.conexion = CentroEnMemoria(self.broker, self.centro)
        self.conexion.conectar()
        self.reloj = RelojFijado(hora())
        self.enlace = self.enlazar(identidad(), self.firmante, self.centro.publica, semilla=semilla, ajustes=ajustes)

    def atender(self) -> None:
        self.conexion.atender()

    def asentar(self, cuantos: int) -> None:
        base = self.almacen.ultimo().secuencia
        self.almacen.asentar([un_hecho(base + i) for i in range(cuantos)], hora(), "virtual")

    def pendientes(self) -> int:
        return self.almacen.resumen().pendientes


@pytest.fixture
def noche(tmp_path: Path) -> Noche:
    return Noche(tmp_path)


def test_lleva_todo_en_orden_y_una_sola_vez(noche: Noche) -> None:
    noche.asentar(120)
    noche.correr(lambda: noche.pendientes() == 0)
    assert noche.centro.recibidos == list(range(1, 121))


def test_nada_se_manda_antes_de_que_el_centro_conteste(noche: Noche) -> None:
    noche.asentar(5)
    noche.centro.mudo = True
    noche.correr(lambda: False, limite_s=50)
    assert noche.centro.recibidos == []
    assert noche.pendientes() == 5


def test_quien_vuelve_antes_que_el_centro_no_espera_al_siguiente_pulso(noche: Noche) -> None:
    """Se cae el bróker y el kiosco vuelve primero: su nacimiento lo toma el bróker y no lo oye nadie."""
    noche.asentar(3)
    noche.broker.salir(noche.conexion, despedida=True)

    def al_pasar(segundos: float) -> None:
        if segundos >= 1.0 and not noche.broker.conectado(noche.conexion):
            noche.conexion.conectar()

    noche.al_pasar = al_pasar
    assert noche.correr(lambda: noche.pendientes() == 0) < Ajustes().latido_s / 2


def test_con_el_centro_caido_se_late_cada_vez_mas_despacio(noche: Noche) -> None:
    """Cientos insistiendo cada dos segundos estorbarían al centro que apenas vuelve."""
    latidos: list[float] = []

    def pierde(tema: str) -> bool:
        if tema.endswith("/latido"):
            latidos.append(noche.segundos)
        return True

    noche.broker.pierde = pierde
    noche.correr(lambda: False, limite_s=Ajustes().silencio_s - 1)
    esperas = [b - a for a, b in itertools.pairwise(latidos)]
    assert len(esperas) >= 4
    assert esperas[:3] == sorted(esperas[:3])
    assert max(esperas) >= Ajustes().latido_s


@pytest.mark.parametrize("por_segundo", [10, 30])
def test_a_un_centro_que_tarda_no_se_le_repite_lo_que_ya_tiene_en_la_fila(noche: Noche, por_segundo: int) -> None:
    """Vuelven cientos a la vez: el acuse tarda más que la espera de siempre, y repetir lo haría tardar más."""
    cola: deque[Mensaje] = deque()
    de_una_vez, servidos = noche.conexion.atender, 0

    def atender() -> None:
        nonlocal servidos
        cola.extend(noche.conexion.recibidos)
        noche.conexion.recibidos = []
        while cola and servidos < noche.segundos * por_segundo:
            servidos += 1
            noche.conexion.recibidos = [cola.popleft()]
            de_una_vez()

    noche.conexion.atender = atender  # type: ignore[method-assign]
    noche.asentar(400)
    noche.correr(lambda: noche.pendientes() == 0)
    assert sorted(set(noche.centro.recibidos)) == list(range(1, 401))
    assert len(noche.centro.recibidos) <= 400 * 1.5


def test_que_el_broker_lo_tome_no_cierra_nada(noche: Noche) -> None:
    noche.asentar(5)
    noche.broker.pierde = lambda tema: tema == HECHOS
    noche.correr(lambda: False, limite_s=40)
    assert noche.pendientes() == 5
    noche.broker.pierde = lambda _: False
    noche.correr(lambda: noche.pendientes() == 0)
    assert sorted(noche.centro.hechos) == [1, 2, 3, 4, 5]


def test_un_sobre_que_no_se_puede_juzgar_no_frena_a_los_de_atras(noche: Noche) -> None:
    noche.asentar(60)
    dudosos = set(range(1, 51))
    noche.centro.rechaza = lambda secuencia: "" if secuencia in dudosos else None
    noche.correr(lambda: len(noche.centro.hechos) == 10, limite_s=120)
    assert sorted(noche.centro.hechos) == list(range(51, 61))
    noche.centro.rechaza = lambda _: None
    assert noche.correr(lambda: noche.pendientes() == 0) < 60


def test_lo_apartado_se_ve_no_frena_y_se_reintenta_despacio(noche: Noche) -> None:
    noche.asentar(10)
    noche.centro.rechaza = lambda secuencia: "FIRMA" if secuencia == 3 else None
    noche.correr(lambda: False, limite_s=100)
    resumen = noche.almacen.resumen()
    assert (resumen.pendientes, resumen.apartados) == (1, 1)
    assert 3 <= noche.centro.recibidos.count(3) <= 6
    noche.centro.rechaza = lambda _: None
    noche.correr(lambda: noche.pendientes() == 0, limite_s=60)
    assert noche.almacen.resumen().apartados == 0


def test_el_centro_perdio_lo_que_habia_acusado_y_lo_vuelve_a_pedir(noche: Noche) -> None:
    noche.asentar(30)
    noche.correr(lambda: noche.pendientes() == 0)
    for secuencia in range(11, 31):
        del noche.centro.hechos[secuencia]
    noche.correr(lambda: len(noche.centro.hechos) == 30, limite_s=60)
    assert noche.pendientes() == 0


def test_basura_en_el_tema_del_acuse_no_tumba_el_enlace(noche: Noche) -> None:
    noche.asentar(3)
    ajena = LlaveDeArchivo(noche.almacen.ruta.parent / "llave.pem", "catd-01")
    falso = firmar_con(ajena._llave, "centro", Tipo.ACUSE, b'{"v":1}')
    basura = [b"", b"\xff\xfe", b"a.b.c", b"{}" * 5000, falso.encode(), "ñ.ñ.ñ".encode()]

    def ensuciar(_: float) -> None:
        for carga in basura:
            noche.broker.repartir(ACUSE, carga)

    noche.al_pasar = ensuciar
    noche.correr(lambda: noche.pendientes() == 0, limite_s=60)
    assert noche.pendientes() == 0
    assert not any("Traceback" in dicho for dicho in noche.dichos)


def test_si_el_centro_recuerda_mas_que_el_kiosco_hay_alarma_y_lo_suyo_se_sigue_mandando(
    noche: Noche, tmp_path: Path
) -> None:
    noche.asentar(10)
    noche.correr(lambda: noche.pendientes() == 0)
    otra = Noche(tmp_path / "copia-vieja")
    otra.centro.hechos = dict(noche.centro.hechos)
    otra.asentar(2)
    otra.correr(lambda: False, limite_s=40)
    assert otra.almacen.resumen().alarma == "retrocedido"
    assert set(otra.centro.recibidos) == {1, 2}, "callar sería perder las actas de este CATD: el centro guarda ambas"
    assert otra.pendientes() == 2, "lo que el centro no acusa con nuestra huella no se cierra"
    assert otra.centro.latidos, "los latidos siguen: el centro debe ver que está vivo"


def test_el_latido_dice_nacimiento_pulso_y_muerte_con_la_misma_sesion(noche: Noche) -> None:
    noche.correr(lambda: False, limite_s=40)
    noche.conexion.atender()
    latidos = noche.centro.latidos
    assert [x.motivo for x in latidos] == ["nacimiento", "pulso", "pulso", "muerte"]
    assert len({x.sesion for x in latidos}) == 1


def test_la_espera_crece_con_azar_y_vuelve_a_empezar_cuando_el_centro_contesto(noche: Noche) -> None:
    noche.broker.levantado = False
    noche.correr(lambda: False, limite_s=300)
    esperas = [float(d.rsplit("espera_s=", 1)[1]) for d in noche.dichos if "espera_s" in d]
    assert max(esperas) <= 30
    assert sum(esperas[:2]) < 1.6, "los primeros reintentos son pronto"
    assert max(esperas) > 5, "y después se espacian"
    noche.broker.levantado = True
    noche.conexion.conectar()
    noche.asentar(1)
    assert noche.correr(lambda: noche.pendientes() == 0) < 1


def test_un_centro_que_calla_un_minuto_es_una_conexion_muerta(noche: Noche) -> None:
    noche.asentar(1)
    noche.centro.mudo = True
    noche.correr(lambda: any("no contesta" in d for d in noche.dichos), limite_s=200)
    assert 60 <= noche.segundos < 70


@pytest.mark.parametrize("semilla", range(6))
def test_con_una_red_pesima_nada_se_pierde_ni_se_cierra_sin_estar_en_el_centro(tmp_path: Path, semilla: int) -> None:
    azar = random.Random(semilla)
    noche = Noche(tmp_path, semilla, Ajustes(latido_s=5, silencio_s=20))
    noche.broker.pierde = lambda _: azar.random() < 0.25

    def danar(segundos: float) -> None:
        if azar.random() < 0.01:
            noche.asentar(azar.randint(1, 8))
        if azar.random() < 0.004:
            noche.broker.caer()
        if not noche.broker.levantado and azar.random() < 0.05:
            noche.broker.levantado = True
            noche.conexion.conectar()
        with noche.almacen.lectura() as mirada:
            cerrados = mirada.conexion.execute("SELECT secuencia FROM bandeja WHERE estado = 'cerrado'").fetchall()
        assert {s for (s,) in cerrados} <= set(noche.centro.hechos)

    noche.asentar(20)
    noche.al_pasar = danar
    noche.correr(lambda: False, limite_s=60)
    noche.al_pasar = lambda _: None
    noche.broker.pierde = lambda _: False
    if not noche.broker.levantado:
        noche.broker.levantado = True
        noche.conexion.conectar()
    noche.correr(lambda: noche.pendientes() == 0, limite_s=300)
    ultima = noche.almacen.ultimo().secuencia
    assert sorted(noche.centro.hechos) == list(range(1, ultima + 1))


def test_un_kiosco_sin_pila_que_arranco_en_1970_espera_su_hora_y_luego_entrega(noche: Noche) -> None:
    noche.asentar(3)
    noche.reloj.fijar(datetime(1970, 1, 1, tzinfo=UTC))
    noche.correr(lambda: False, limite_s=40)
    assert noche.centro.latidos == []
    assert any("01/01/1970" in dicho for dicho in noche.dichos)
    noche.reloj.fijar(hora())
    noche.correr(lambda: noche.pendientes() == 0, limite_s=60)
    assert sorted(noche.centro.hechos) == [1, 2, 3]


@pytest.mark.parametrize("cerrada", [False, True])
def test_con_la_salida_llena_o_cerrada_el_kiosco_sigue(cerrada: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    tropiezos: list[Exception] = []
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as llena:
        if cerrada:
            llena.close()
        with monkeypatch.context() as cambios:
            cambios.setattr(sys, "stderr", llena)
            cambios.setattr(sys, "stdout", llena)
            for hablar in (decir, anunciar):
                try:
                    hablar("sin enlace")
                except (OSError, ValueError) as error:
                    tropiezos.append(error)
    assert tropiezos == []
    assert inspect.signature(Enlace).parameters["decir"].default is decir


def test_acuse_de_otra_epoca_no_cierra_nada(noche: Noche) -> None:
    noche.asentar(1)
    assert noche.centro.acuse("catd-01", EPOCA) != noche.centro.acuse("catd-01", "f" * 16)
    noche.centro.hechos = {1: noche.almacen.ultimo().huella}
    ajeno = noche.centro.acuse("catd-01", "f" * 16)
    noche.centro.mudo = True
    noche.al_pasar = lambda _: noche.broker.repartir(ACUSE, ajeno.encode())
    noche.correr(lambda: False, limite_s=3)
    assert noche.pendientes() == 1
    assert noche.almacen.resumen().ultimo_acuse is None
