"""La noche en que se muere un nodo de cada cosa, y la base es la misma que en una sola máquina.

Los mismos sobres firmados se viven dos veces con los procesos de producción: primero con mosquitto y SQLite; luego con
tres RabbitMQ, tres PostgreSQL con Patroni y etcd y dos ingestores, matando con `kill -9` uno de cada uno con tráfico.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from appliance.almacen import Almacen
from appliance.arranque import abrir_kiosco
from ensayo.crecer.balanza import Balanza
from ensayo.crecer.patroni import CumuloPostgres
from ensayo.crecer.rabbit import CumuloRabbit
from ensayo.puertos import puerto_libre
from nucleo.acta import Asentado
from nucleo.campo import Numero
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.hechos import Captura, IdActa
from servicio_central import ajustes, almacenes, broker, inscripcion, publicado
from servicio_central.corte import hacer_cortes
from servicio_central.puerto_almacen import ERRORES

RAIZ: Final = Path(__file__).resolve().parents[2]
DEFINICION: Final = RAIZ / "datos" / "oaxaca_2022"
PLAZO: Final = 240.0


class NocheRota(RuntimeError):
    """Algo no arrancó, o al final falta algo."""


@dataclass(frozen=True)
class Corrida:
    """Cómo quedó una noche."""

    bases: dict[str, bytes]
    """Archivo publicado → sus bytes, de todas las elecciones."""
    asentados: int
    aceptados: int
    distintos: int
    perdidos: int
    segundos: float
    muertes: dict[str, float] = field(default_factory=dict)
    """Qué se mató → segundos hasta que el centro volvió a aceptar."""


def inscribir(carpeta: Path, kioscos: int, actas: int) -> Proceso:
    """Un centro y sus kioscos, cada uno con `actas` leídas por dos personas y sin mandar nada todavía."""
    autoridad, centro = carpeta / "autoridad", carpeta / "centro"
    proceso = cargar_proceso(DEFINICION)
    puerto = puerto_libre()
    inscripcion.crear_autoridad(autoridad)
    inscripcion.inscribir_centro(
        autoridad, centro, proceso=DEFINICION, modo="simulacro", broker_host="localhost", broker_puerto=puerto
    )
    inscripcion.crear_broker(autoridad, centro)
    casillas = iter(sorted(proceso.casillas))
    for equipo in _equipos(kioscos):
        inscripcion.inscribir_kiosco(autoridad, centro, carpeta / equipo, equipo=equipo, catd=equipo)
        almacen = abrir_kiosco(carpeta / equipo).almacen
        for n in range(actas):
            for hecho in _lecturas(proceso, next(casillas), n):
                almacen.asentar([hecho], hecho.hora, "ensayo")
        almacen.desconectar()
    return proceso


def _equipos(cuantos: int) -> list[str]:
    return [f"catd-{n:02}" for n in range(1, cuantos + 1)]


def _lecturas(proceso: Proceso, casilla: str, n: int) -> Iterator[Captura]:
    eleccion = next(iter(proceso.elecciones.values()))
    opciones = eleccion.opciones_de(proceso.casillas[casilla])
    votos = {o.clave: Numero((n * 7 + i * 13) % 150) for i, o in enumerate(opciones)}
    total = Numero(sum(v.valor for v in votos.values()))
    asentado = Asentado(dict(votos), Numero(100), total, Numero(4), total, total)
    for lugar, persona in enumerate(("ana", "beto")):
        hora = proceso.inicio_publicacion + timedelta(seconds=4 * n + lugar)
        yield Captura(IdActa(eleccion.clave, casilla), 1, hora, persona, asentado)


class _Procesos:
    """Los de producción: enlaces y centros."""

    def __init__(self, bitacoras: Path) -> None:
        self._bitacoras = bitacoras
        self._vivos: dict[str, tuple[list[str], subprocess.Popen[bytes]]] = {}

    def lanzar(self, nombre: str, modulo: str, *mas: str) -> None:
        orden = [sys.executable, "-m", modulo, *mas]
        with (self._bitacoras / f"{nombre}.log").open("ab") as salida:
            proceso = subprocess.Popen(
                orden, stdout=salida, stderr=salida, cwd=RAIZ, env={**os.environ, "PYTHONPATH": str(RAIZ)}
            )
        self._vivos[nombre] = (orden, proceso)

    def matar_y_levantar(self, nombre: str) -> None:
        orden, proceso = self._vivos[nombre]
        proceso.kill()
        proceso.wait()
        self.lanzar(nombre, *orden[2:])

    def cerrar(self) -> None:
        for _, proceso in self._vivos.values():
            proceso.kill()
            proceso.wait()


Tropiezo = Callable[[], Callable[[], None]]
"""Averigua a quién matar, sin prisa, y devuelve cómo matarlo de inmediato."""


def vivir(
    carpeta: Path, proceso: Proceso, centros: list[Path], kioscos: int, tropiezos: dict[str, Tropiezo]
) -> Corrida:
    """Los kioscos van entrando uno por uno; con las hojas de uno en camino se mata algo y entra el siguiente.

    Raises:
        NocheRota: si al final algo queda sin acuse.
    """
    procesos = _Procesos(carpeta)
    comienzo = time.monotonic()
    tropiezos = {**tropiezos, "un ingestor": lambda: lambda: procesos.matar_y_levantar("centro-0")}
    pendientes = iter(tropiezos.items() if len(centros) > 1 else ())
    muertes: dict[str, float] = {}
    almacenes_de = {e: abrir_kiosco(carpeta / e).almacen for e in _equipos(kioscos)}
    try:
        for n, centro in enumerate(centros):
            procesos.lanzar(f"centro-{n}", "servicio_central", "--carpeta", str(centro), "--sin-web")
        muerto, que = comienzo, "arrancar todo"
        for equipo in _equipos(kioscos):
            siguiente = next(pendientes, None)
            matar = siguiente[1]() if siguiente is not None else None
            procesos.lanzar(equipo, "appliance.enlace", "--carpeta", str(carpeta / equipo), "--tope-s", "2")
            while _aceptados(centros[0], equipo) <= 0:
                if time.monotonic() > muerto + PLAZO:
                    raise NocheRota(f"{equipo} no llega al centro después de {que}")
                time.sleep(0.02)
            muertes[que] = time.monotonic() - muerto
            if siguiente is not None and matar is not None:
                matar()
                que = f"kill -9 a {siguiente[0]}"
            else:
                que = "no matar nada"
            muerto = time.monotonic()
        limite = time.monotonic() + PLAZO
        while any(a.resumen().pendientes for a in almacenes_de.values()):
            if time.monotonic() > limite:
                raise NocheRota("quedan hojas sin acuse")
            time.sleep(0.05)
        segundos = time.monotonic() - comienzo
        return replace(_contar(centros[0], almacenes_de, proceso), segundos=segundos, muertes=muertes)
    except NocheRota:
        for ruta in sorted(carpeta.glob("*.log")):
            print(f"--- {ruta.name}", *ruta.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)
        raise
    finally:
        procesos.cerrar()
        for almacen in almacenes_de.values():
            almacen.desconectar()


def _contar(centro: Path, kioscos: dict[str, Almacen], proceso: Proceso) -> Corrida:
    asentadas = {p.huella for a in kioscos.values() for p in a.sobres(1, 10**6, limite=10**6)}
    with closing(almacenes.leer(centro)) as bd:
        aceptadas = [str(h) for (h,) in bd.execute("SELECT huella FROM hechos")]
    hora = proceso.inicio_publicacion + timedelta(minutes=proceso.minutos_entre_cortes)
    bases: dict[str, bytes] = {}
    for clave, corte in hacer_cortes(centro, proceso, hora).items():
        bases |= {f"{clave}/{ruta}": datos for ruta, datos in publicado.contenido(corte.carpeta).items()}
    return Corrida(
        bases, len(asentadas), len(aceptadas), len(set(aceptadas)), len(asentadas - set(aceptadas)), segundos=0.0
    )


def _aceptados(centro: Path, equipo: str) -> int:
    """Cuántas hojas de ese equipo tiene el centro; -1 si ahora nadie lo puede decir."""
    try:
        with closing(almacenes.leer(centro)) as bd:
            (cuantas,) = bd.execute("SELECT count(*) FROM hechos WHERE equipo = ?", (equipo,)).fetchone()
            return int(cuantas)
    except ERRORES:
        # A media sucesión no hay primario que leer; tampoco antes de que el centro abra su almacén.
        return -1


@contextmanager
def una_maquina(carpeta: Path) -> Iterator[list[Path]]:
    """mosquitto y SQLite."""
    proceso = broker.arrancar(carpeta / "centro")
    try:
        yield [carpeta / "centro"]
    finally:
        proceso.kill()
        proceso.wait()


@contextmanager
def varias_maquinas(carpeta: Path) -> Iterator[tuple[list[Path], dict[str, Tropiezo]]]:
    """Tres de cada cosa y dos ingestores; y qué se puede matar."""
    centro = carpeta / "centro"
    donde = ajustes.leer(centro)
    rabbit = CumuloRabbit(centro / ajustes.BROKER, inscripcion.leer_padron(centro))
    postgres = CumuloPostgres(centro / ajustes.BROKER, centro)
    balanza = Balanza(donde.broker_puerto, rabbit.mqtt)
    try:
        rabbit.levantar()
        postgres.levantar()
        amqp = tuple(f"localhost:{p}" for p in rabbit.amqp)
        ajustes.escribir(centro, replace(donde, dsn=postgres.dsn(), amqp=amqp))
        otro = carpeta / "centro-2"
        shutil.copytree(centro, otro, symlinks=True)
        nodos = [n.nombre for n in rabbit.nodos]

        def a_rabbit() -> Callable[[], None]:
            lider = nodos.index(rabbit.lideres()[0])
            return lambda: rabbit.matar_nodo(lider)

        def a_postgres() -> Callable[[], None]:
            primario = postgres.primario()
            return lambda: postgres.matar_nodo(primario)

        yield (
            [centro, otro],
            {
                "el nodo de RabbitMQ que manda en las colas": a_rabbit,
                "el PostgreSQL primario y su Patroni": a_postgres,
                "un nodo de etcd": lambda: lambda: postgres.matar_etcd(0),
            },
        )
    finally:
        balanza.cerrar()
        postgres.cerrar()
        rabbit.cerrar()


def correr(kioscos: int, actas: int, decir: Callable[[str], None] = print) -> bool:
    """Las dos noches; dice si quedaron iguales.

    Raises:
        NocheRota, raiz.SinRaiz: con lo que faltó.
    """
    with tempfile.TemporaryDirectory(prefix="prep-crecer-") as temporal:
        original = Path(temporal) / "original"
        original.mkdir()
        proceso = inscribir(original, kioscos, actas)
        corridas: list[Corrida] = []
        for nombre in ("una máquina", "varias máquinas"):
            carpeta = Path(temporal) / nombre.replace(" ", "-")
            shutil.copytree(original, carpeta, symlinks=True)
            if not corridas:
                with una_maquina(carpeta) as centros:
                    corridas.append(vivir(carpeta, proceso, centros, kioscos, {}))
            else:
                with varias_maquinas(carpeta) as (centros, tropiezos):
                    corridas.append(vivir(carpeta, proceso, centros, kioscos, tropiezos))
            c = corridas[-1]
            decir(
                f"{nombre}: {c.asentados} hojas asentadas, {c.aceptados} aceptadas, {c.perdidos} perdidas, "
                f"{c.aceptados - c.distintos} dobles; {c.segundos:.1f} s"
            )
            for que, segundos in c.muertes.items():
                decir(f"  tras {que}: la primera hoja del siguiente kiosco, aceptada a los {segundos:.1f} s")
    una, varias = corridas
    iguales = una.bases == varias.bases
    decir(f"{len(una.bases)} archivos publicados: {'idénticos byte por byte' if iguales else 'DISTINTOS'}")
    if not iguales:
        for nombre in sorted(una.bases.keys() | varias.bases.keys()):
            if una.bases.get(nombre) != varias.bases.get(nombre):
                decir(f"  distinto: {nombre}")
    sanas = all(c.perdidos == 0 and c.aceptados == c.distintos == c.asentados for c in corridas)
    return iguales and sanas
