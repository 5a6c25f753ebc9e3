"""Los motores contra los que corre la batería: los mismos procesos del kiosco y del centro, otro bróker enfrente."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from appliance.almacen import Almacen
from appliance.arranque import abrir_kiosco
from ensayo.crecer import raiz
from ensayo.crecer.balanza import Balanza
from ensayo.crecer.nats import CumuloNats
from ensayo.crecer.rabbit import CumuloRabbit
from servicio_central import ajustes, almacenes, broker, inscripcion
from servicio_central.ajustes import BROKER
from tests.centro_de_verdad import RAIZ, Cliente, Inscrito, ProcesoCentro, esperar
from tests.kiosco_de_prueba import hora, un_hecho

KIOSCOS = tuple(f"catd-{n:02}" for n in range(1, 31))


@dataclass
class Banco:
    """Un motor levantado, un centro de producción y kioscos inscritos que nadie ha usado."""

    motor: str
    inscrito: Inscrito
    centro: ProcesoCentro
    tropezar: Callable[[], None]
    """Mata y levanta (una parte de) el bróker con `kill -9`."""
    kioscos: Iterator[str] = field(default_factory=lambda: iter(KIOSCOS))
    procesos: list[subprocess.Popen[bytes]] = field(default_factory=list)
    vuelta: Iterator[int] = field(default_factory=itertools.count)

    def kiosco(self) -> Kiosco:
        return Kiosco(self, next(self.kioscos))

    def consultar(self, consulta: str, *valores: object) -> list[tuple[object, ...]]:
        with closing(almacenes.leer(self.inscrito.centro)) as bd:
            return [tuple(fila) for fila in bd.execute(consulta, valores)]

    def con_centro(self) -> None:
        if self.centro.proceso is None or self.centro.proceso.poll() is not None:
            self.centro.levantar()

    def sin_centro(self) -> None:
        if self.centro.proceso is not None and self.centro.proceso.poll() is None:
            self.centro.matar()


class Kiosco:
    """Un kiosco inscrito, su almacén y su enlace de producción."""

    def __init__(self, banco: Banco, nombre: str) -> None:
        self.banco, self.nombre = banco, nombre
        self.carpeta = banco.inscrito.kiosco(nombre)
        self.almacen: Almacen = abrir_kiosco(self.carpeta).almacen

    def enlace(self) -> subprocess.Popen[bytes]:
        with (self.carpeta / "enlace.log").open("ab") as salida:
            orden = [sys.executable, "-m", "appliance.enlace", "--carpeta", str(self.carpeta)]
            proceso = subprocess.Popen(
                [*orden, "--latido-s", "1", "--tope-s", "1"],
                env={**os.environ, "PYTHONPATH": str(RAIZ)},
                stdout=salida,
                stderr=salida,
            )
        self.banco.procesos.append(proceso)
        return proceso

    def asentar(self, cuantos: int) -> None:
        base = self.almacen.ultimo().secuencia
        for n in range(cuantos):
            self.almacen.asentar([un_hecho(base + n)], hora(), "virtual")

    def pendientes(self) -> int:
        return self.almacen.resumen().pendientes

    def propias(self) -> list[str]:
        """Las huellas de lo asentado, en orden."""
        ultima = self.almacen.ultimo().secuencia
        return [p.huella for p in self.almacen.sobres(1, ultima, limite=ultima or 1)]

    def aceptadas(self) -> list[object]:
        """Las huellas que el centro aceptó de este equipo, en orden."""
        filas = self.banco.consultar("SELECT huella FROM hechos WHERE equipo = ? ORDER BY secuencia", self.nombre)
        return [huella for (huella,) in filas]

    def cliente(self, temas: str = "") -> Cliente:
        """Una conexión suelta con el certificado del kiosco: lo que podría hacer quien se lo robe."""
        return Cliente(self.banco.inscrito.puerto, broker.contexto_tls(self.carpeta), self.nombre, temas=temas)


def _mosquitto(inscrito: Inscrito) -> Iterator[Callable[[], None]]:
    inscrito.levantar_broker()

    def tropezar() -> None:
        inscrito.matar_broker()
        inscrito.levantar_broker()

    yield tropezar
    inscrito.matar_broker()


def _rabbitmq(inscrito: Inscrito) -> Iterator[Callable[[], None]]:
    cumulo = CumuloRabbit(inscrito.centro / BROKER, inscripcion.leer_padron(inscrito.centro))
    balanza = Balanza(inscrito.puerto, cumulo.mqtt)
    try:
        cumulo.levantar()
        donde = replace(ajustes.leer(inscrito.centro), amqp=tuple(f"localhost:{p}" for p in cumulo.amqp))
        ajustes.escribir(inscrito.centro, donde)
        turno = itertools.count()

        def tropezar() -> None:
            nodo = next(turno) % 3
            cumulo.matar_nodo(nodo)
            cumulo.levantar_nodo(nodo)

        yield tropezar
    finally:
        balanza.cerrar()
        cumulo.cerrar()


def _nats(inscrito: Inscrito) -> Iterator[Callable[[], None]]:
    cumulo = CumuloNats(inscrito.centro / BROKER)
    balanza = Balanza(inscrito.puerto, cumulo.mqtt)
    try:
        cumulo.levantar()
        turno = itertools.count()

        def tropezar() -> None:
            nodo = next(turno) % 3
            cumulo.matar_nodo(nodo)
            cumulo.levantar_nodo(nodo)

        yield tropezar
    finally:
        balanza.cerrar()
        cumulo.cerrar()


MOTORES = {"mosquitto": _mosquitto, "rabbitmq": _rabbitmq, "nats": _nats}


@pytest.fixture(scope="session", params=list(MOTORES))
def banco(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Banco]:
    if request.param != "mosquitto" and (causa := raiz.impedimento()):
        pytest.skip(causa)
    inscrito = Inscrito(tmp_path_factory.mktemp(f"conformidad-{request.param}"))
    for nombre in KIOSCOS:
        inscrito.kiosco(nombre)
    motor = MOTORES[request.param](inscrito)
    tropezar = next(motor)
    banco = Banco(request.param, inscrito, ProcesoCentro(inscrito.centro, "--sin-web"), tropezar)
    yield banco
    banco.sin_centro()
    for _ in motor:
        pass
    shutil.rmtree(inscrito.carpeta, ignore_errors=True)


@pytest.fixture(autouse=True)
def limpio(banco: Banco) -> Iterator[None]:
    """Cada prueba empieza con el centro arriba y acaba sin enlaces."""
    banco.con_centro()
    yield
    while banco.procesos:
        proceso = banco.procesos.pop()
        proceso.kill()
        proceso.wait()


__all__ = ["Banco", "Kiosco", "esperar"]
