"""Los DEBE del protocolo, numerados, contra cada motor: mosquitto, tres nodos de RabbitMQ y tres de NATS.

El kiosco es el de producción (`python -m appliance.enlace`) y el centro también (`python -m servicio_central`). Cada
prueba lleva su número y el invariante de `docs/protocolo.md` que comprueba.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from nucleo.acuse import Acuse, sellar_acuse
from nucleo.temas import Carril
from servicio_central import broker
from tests.centro_de_verdad import Cliente, epoca_de, esperar
from tests.estrategias import firmante
from tests.kiosco_de_prueba import hora

if TYPE_CHECKING:
    from tests.conformidad.conftest import Banco, Kiosco

pytestmark = pytest.mark.broker

PLAZO = 60.0
"""Segundos que se espera a que todo llegue. No se mide nada: NATS tarda diez en elegir y aquí eso vale."""


def _todo_llego(kiosco: Kiosco) -> None:
    assert esperar(lambda: kiosco.pendientes() == 0, PLAZO), (kiosco.carpeta / "enlace.log").read_text()[-2000:]
    assert kiosco.aceptadas() == kiosco.propias()


def test_c01_lo_asentado_llega_una_vez_y_en_su_lugar(banco: Banco) -> None:
    """I2, I6."""
    kiosco = banco.kiosco()
    kiosco.asentar(60)
    kiosco.enlace()
    _todo_llego(kiosco)
    kiosco.asentar(5)
    _todo_llego(kiosco)


def test_c02_sin_centro_nada_se_cierra_aunque_el_broker_lo_tome(banco: Banco) -> None:
    """I4."""
    banco.sin_centro()
    kiosco = banco.kiosco()
    kiosco.asentar(10)
    kiosco.enlace()
    assert esperar(lambda: "conectado" in (kiosco.carpeta / "enlace.log").read_text(), PLAZO)
    time.sleep(2)
    assert kiosco.pendientes() == 10
    banco.con_centro()
    _todo_llego(kiosco)


def test_c03_muere_el_broker_a_media_cola(banco: Banco) -> None:
    """I7."""
    kiosco = banco.kiosco()
    kiosco.asentar(150)
    kiosco.enlace()
    assert esperar(lambda: kiosco.pendientes() < 140, PLAZO)
    banco.tropezar()
    kiosco.asentar(50)
    banco.tropezar()
    _todo_llego(kiosco)


def test_c04_muere_el_centro_a_media_cola(banco: Banco) -> None:
    """I3, I7."""
    kiosco = banco.kiosco()
    kiosco.asentar(200)
    kiosco.enlace()
    assert esperar(lambda: kiosco.pendientes() < 190, PLAZO)
    banco.centro.matar()
    banco.con_centro()
    _todo_llego(kiosco)


def test_c05_muere_el_kiosco_a_media_cola_y_otro_enlace_sigue(banco: Banco) -> None:
    """I1."""
    kiosco = banco.kiosco()
    kiosco.asentar(200)
    primero = kiosco.enlace()
    assert esperar(lambda: kiosco.pendientes() < 190, PLAZO)
    primero.kill()
    primero.wait()
    kiosco.enlace()
    _todo_llego(kiosco)


def test_c06_un_acuse_que_no_firmo_el_centro_no_cierra_nada(banco: Banco) -> None:
    """I4: quien tome el bróker entero puede publicar lo que quiera en `baja/acuse`."""
    banco.sin_centro()
    kiosco = banco.kiosco()
    kiosco.asentar(3)
    kiosco.enlace()
    assert esperar(lambda: "conectado" in (kiosco.carpeta / "enlace.log").read_text(), PLAZO)
    epoca, huella = epoca_de(kiosco.carpeta), kiosco.propias()[-1]
    falso = sellar_acuse(Acuse(kiosco.nombre, epoca, 3, huella, (), (), (), hora()), firmante("centro"))
    intruso = Cliente(banco.inscrito.puerto, broker.contexto_tls(banco.inscrito.centro), "centro")
    for _ in range(3):
        intruso.publicar(banco.inscrito.tema(kiosco.nombre, Carril.ACUSE), falso)
    assert esperar(lambda: intruso.tomados == 3, PLAZO)
    time.sleep(1)
    intruso.cerrar()
    assert kiosco.pendientes() == 3
    banco.con_centro()
    _todo_llego(kiosco)


def test_c07_lo_repetido_se_acusa_otra_vez_y_se_cuenta_una(banco: Banco) -> None:
    """I2, I8."""
    kiosco = banco.kiosco()
    kiosco.asentar(4)
    enlace = kiosco.enlace()
    _todo_llego(kiosco)
    enlace.kill()
    enlace.wait()
    cliente = kiosco.cliente(banco.inscrito.tema(kiosco.nombre, Carril.ACUSE))
    for pendiente in kiosco.almacen.sobres(1, 4, limite=4):
        cliente.publicar(banco.inscrito.tema(kiosco.nombre, Carril.HECHOS), pendiente.sobre)
    assert esperar(lambda: any(a.contiguo == 4 for a in cliente.acuses(banco.inscrito.centro)), PLAZO)
    cliente.cerrar()
    assert kiosco.aceptadas() == kiosco.propias()


def test_c08_la_basura_se_aparta_y_no_detiene_a_nadie(banco: Banco) -> None:
    """I9, I10."""
    kiosco, bueno = banco.kiosco(), banco.kiosco()
    cliente = kiosco.cliente()
    for basura in (b"", b"\x00\xff" * 20, b"{}", b"a.b.c", b"x" * 40_000):
        cliente.publicar(banco.inscrito.tema(kiosco.nombre, Carril.HECHOS), basura)
    bueno.asentar(20)
    bueno.enlace()
    _todo_llego(bueno)
    de_este = "SELECT count(*) FROM cuarentena WHERE tema = ?"
    tema = banco.inscrito.tema(kiosco.nombre, Carril.HECHOS)
    assert esperar(lambda: banco.consultar(de_este, tema) == [(5,)], PLAZO)
    cliente.cerrar()


def test_c09_se_corta_el_kiosco_y_el_testamento_lo_dice(banco: Banco) -> None:
    """I11."""
    kiosco = banco.kiosco()
    enlace = kiosco.enlace()
    motivo = "SELECT motivo FROM latidos WHERE equipo = ?"
    assert esperar(lambda: banco.consultar(motivo, kiosco.nombre) not in ([], [("muerte",)]), PLAZO)
    enlace.kill()
    enlace.wait()
    assert esperar(lambda: banco.consultar(motivo, kiosco.nombre) == [("muerte",)], PLAZO)


def test_c10_nadie_habla_por_otro(banco: Banco) -> None:
    """I12: donde el bróker no lo impide (NATS, sin permisos por tema), lo impide la firma."""
    victima, ladron = banco.kiosco(), banco.kiosco()
    victima.asentar(2)
    victima.enlace()
    _todo_llego(victima)
    ladron.asentar(1)
    (robado,) = ladron.almacen.sobres(1, 1, limite=1)
    cliente = ladron.cliente()
    cliente.publicar(banco.inscrito.tema(victima.nombre, Carril.HECHOS), robado.sobre)
    time.sleep(1)
    cliente.cerrar()
    ladron.enlace()
    _todo_llego(ladron)
    assert victima.aceptadas() == victima.propias()


def test_c11_seis_kioscos_vuelven_a_la_vez(banco: Banco) -> None:
    """I7: tras un corte regional todos vuelven en el mismo instante."""
    kioscos = [banco.kiosco() for _ in range(6)]
    for kiosco in kioscos:
        kiosco.asentar(40)
        kiosco.enlace()
    banco.tropezar()
    for kiosco in kioscos:
        _todo_llego(kiosco)
    total = "SELECT count(*), count(DISTINCT huella) FROM hechos"
    ((todos, distintos),) = banco.consultar(total)
    assert todos == distintos
