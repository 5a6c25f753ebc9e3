"""Órdenes, definición y cambio de llave con mosquitto y TLS de verdad: el centro y el enlace de producción."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from appliance import cambio_de_llave, definicion_recibida
from appliance.arranque import abrir_enlace, abrir_kiosco
from appliance.enlace.ciclo import Ajustes, Enlace
from appliance.identidad import leer_identidad
from nucleo.acta import Origen
from nucleo.definicion import cargar_proceso
from nucleo.hechos import Acopio, IdActa
from nucleo.orden import MostrarMensaje
from servicio_central import ajustes, arranque, broker, cambios_de_padron, firma_de_definicion
from servicio_central.almacen import leer
from servicio_central.ordenes import Estado
from tests.centro_de_verdad import OAXACA, Cliente, Inscrito, esperar

pytestmark = pytest.mark.broker


@contextmanager
def centro(inscrito: Inscrito) -> Iterator[arranque.Centro]:
    abierto, parar = arranque.abrir_centro(inscrito.centro, lambda _: None), Event()
    hilo = abierto.empezar(parar)
    try:
        yield abierto
    finally:
        parar.set()
        hilo.join(timeout=10)


@contextmanager
def enlazado(kiosco: Path) -> Iterator[Enlace]:
    enlace = abrir_enlace(kiosco, Ajustes(base_s=0.1, tope_s=0.5, latido_s=2.0))
    hilo = Thread(target=enlace.correr, daemon=True)
    hilo.start()
    try:
        yield enlace
    finally:
        enlace.parar = True
        hilo.join(timeout=10)
        enlace.cerrar()


def acopiar(enlace: Enlace, casilla: str) -> None:
    ahora = datetime.now(UTC)
    enlace.almacen.asentar([Acopio(IdActa("GUB", casilla), ahora, Origen.CATD, "ACTA PREP", "", "ana")], ahora, "libre")


def aceptados(inscrito: Inscrito) -> int:
    bd = leer(inscrito.centro / ajustes.ALMACEN)
    try:
        return int(bd.execute("SELECT count(*) FROM hechos").fetchone()[0])
    finally:
        bd.close()


def test_se_ordena_se_reparte_una_definicion_y_se_rota_la_llave_sin_perder_la_cadena(tmp_path: Path) -> None:
    inscrito = Inscrito(tmp_path)
    kiosco = inscrito.kiosco("catd-01")
    casillas = [c for c in inscrito.proceso.casillas if "B" in c]
    otra = tmp_path / "otra"
    shutil.copytree(OAXACA, otra, ignore=shutil.ignore_patterns("cortes", "*.md", "*.py"))
    (otra / "eleccion.toml").write_text((otra / "eleccion.toml").read_text("utf-8") + "# otra\n", "utf-8")
    firma_de_definicion.firmar(inscrito.autoridad, inscrito.centro, otra)
    proceso = inscrito.levantar_broker()
    try:
        with centro(inscrito) as abierto:
            with enlazado(kiosco) as enlace:
                acopiar(enlace, casillas[0])
                abierto.despacho.ordenar(abierto.vigia.padron, "catd-01", MostrarMensaje("hola"), "op")
                abierto.despacho.repartir_definicion(abierto.vigia.padron, ["catd-01"], "op")
                assert esperar(lambda: definicion_recibida.version_guardada(kiosco) == 1, 30)
                assert esperar(lambda: enlace.almacen.resumen().pendientes == 0)
            bandeja = abierto.despacho._bandeja
            assert [o.estado(datetime.now(UTC)) for o in bandeja.de("catd-01")] == [Estado.OBEDECIDA] * 2
            abrir_kiosco(kiosco).almacen.desconectar()
            assert cargar_proceso(definicion_recibida.en_uso(kiosco, leer_identidad(kiosco)).proceso).huella != (
                inscrito.proceso.huella
            )

            solicitud = cambio_de_llave.generar(kiosco).read_bytes()
            respuesta = cambios_de_padron.rotar(
                inscrito.autoridad, inscrito.centro, tmp_path / "usb", "catd-01", solicitud
            )
            viejo = tmp_path / "viejo"
            shutil.copytree(kiosco, viejo)
            with enlazado(kiosco) as enlace:
                enlace.parar = True
                acopiar(enlace, casillas[1])  # firmado con la vieja, se manda ya con la nueva puesta
            cambio_de_llave.instalar(kiosco, respuesta)
            with enlazado(kiosco) as enlace:
                acopiar(enlace, casillas[2])
                assert esperar(lambda: aceptados(inscrito) >= 3 and enlace.almacen.resumen().pendientes == 0, 30)
                ultima = enlace.almacen.ultimo().secuencia
                cambios_de_padron.cerrar_llave(inscrito.autoridad, inscrito.centro, "catd-01", hasta=ultima)
                proceso.send_signal(signal.SIGHUP)
                acopiar(enlace, casillas[3])
                assert esperar(lambda: enlace.almacen.resumen().pendientes == 0, 30)
                assert enlace.almacen.resumen().apartados == 0
            assert esperar(lambda: not _conecta(inscrito, viejo)), "el certificado anterior ya no entra"
    finally:
        inscrito.matar_broker()


def _conecta(inscrito: Inscrito, carpeta: Path) -> bool:
    try:
        cliente = Cliente(inscrito.puerto, broker.contexto_tls(carpeta), "catd-01")
    except OSError:
        return False
    try:
        return cliente.listo and cliente.caido is None
    finally:
        cliente.cerrar()
