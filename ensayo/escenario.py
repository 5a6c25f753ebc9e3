"""Levanta una noche completa en una carpeta: autoridad, bróker, centro y un kiosco por CATD, todo código de producción.

Cada pieza es un proceso aparte y se puede matar: `vigilar` levanta lo que se haya caído, como haría systemd.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from ensayo.agenda import Agenda, guardar
from ensayo.puertos import puerto_libre
from nucleo.eleccion import Proceso
from servicio_central import broker, inscripcion

RAIZ = Path(__file__).resolve().parent.parent


class EscenarioRoto(RuntimeError):
    """Lo pedido no se puede montar, o alguna pieza no arranca o no avanza; el mensaje dice cuál."""

    def __init__(self, mensaje: str, *, con_bitacoras: bool = False) -> None:
        super().__init__(mensaje)
        self.con_bitacoras = con_bitacoras
        """Si ya hay piezas cuya bitácora vale la pena mirar."""


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG: Final = 1


def morir_con(quien_dirige: int) -> None:
    # Si a la jornada la matan con `kill -9` no puede despedirse: que el núcleo termine a sus piezas (prctl(2)).
    # Y que lo oigan desde que nacen: ignorada o bloqueada se hereda, y el aviso se perdería mientras arrancan.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # Si murió antes de pedirlo, ya no habrá aviso.
    if os.getppid() != quien_dirige:
        os._exit(1)


@dataclass
class Pieza:
    """Un proceso del escenario, con su orden para volver a levantarlo y su bitácora."""

    nombre: str
    orden: list[str]
    bitacora: Path
    conversa: bool = False
    """Si se le habla por la entrada y contesta por la salida."""
    proceso: subprocess.Popen[str] | None = None
    caidas: int = 0
    _abierta: IO[str] | None = field(default=None, repr=False)

    def levantar(self) -> None:
        self._cerrar_tubos()
        self._abierta = self.bitacora.open("a", encoding="utf-8")
        self.proceso = subprocess.Popen(
            self.orden,
            cwd=RAIZ,
            text=True,
            stdin=subprocess.PIPE if self.conversa else subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.conversa else self._abierta,
            stderr=self._abierta,
            env={**os.environ, "PYTHONPATH": str(RAIZ), "PYTHONUNBUFFERED": "1"},
            preexec_fn=partial(morir_con, os.getpid()),
        )

    @property
    def viva(self) -> bool:
        return self.proceso is not None and self.proceso.poll() is None

    def matar(self) -> None:
        """`kill -9`, sin despedida."""
        if self.proceso is not None and self.viva:
            self.proceso.kill()
            self.proceso.wait()

    def terminar(self) -> None:
        if self.proceso is not None and self.viva:
            self.proceso.send_signal(signal.SIGTERM)
            try:
                self.proceso.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.proceso.kill()
                self.proceso.wait()
        self._cerrar_tubos()

    def _cerrar_tubos(self) -> None:
        for tubo in (self._abierta, self.proceso and self.proceso.stdin, self.proceso and self.proceso.stdout):
            # Al que murió sin leer su última orden ya no hay a quién entregarla.
            with suppress(OSError):
                if tubo:
                    tubo.close()

    def ultimas_lineas(self, cuantas: int = 8) -> str:
        lineas = self.bitacora.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lineas[-cuantas:])


class Escenario:
    """La noche montada. Se usa con `with`: al salir no queda ningún proceso vivo."""

    def __init__(
        self, carpeta: Path, definicion: Path, proceso: Proceso, agendas: Mapping[str, Agenda], imagenes: str
    ) -> None:
        self.carpeta = carpeta
        self.proceso = proceso
        self.equipos = tuple(agendas)
        self.puerto_web = puerto_libre()
        self.centro = carpeta / "centro"
        self._definicion = definicion
        self._agendas = agendas
        self._imagenes = imagenes
        self._puerto_broker = puerto_libre()
        self.piezas: dict[str, Pieza] = {}
        self._vivido: dict[str, datetime] = {}

    def kiosco(self, equipo: str) -> Path:
        """Carpeta de ese kiosco."""
        return self.carpeta / "kioscos" / equipo

    def __enter__(self) -> Self:
        try:
            self._inscribir()
            self._levantar()
        except BaseException:
            self.cerrar()
            raise
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        self.cerrar()

    def cerrar(self) -> None:
        """Apaga todo: primero los kioscos, al final el bróker."""
        for pieza in reversed(self.piezas.values()):
            pieza.terminar()

    def _inscribir(self) -> None:
        autoridad = self.carpeta / "autoridad"
        (self.carpeta / "bitacoras").mkdir(parents=True)
        inscripcion.crear_autoridad(autoridad)
        inscripcion.inscribir_centro(
            autoridad,
            self.centro,
            proceso=self._definicion,
            modo=self.proceso.modo,
            broker_host="localhost",
            broker_puerto=self._puerto_broker,
        )
        inscripcion.crear_broker(autoridad, self.centro)
        for equipo in self.equipos:
            inscripcion.inscribir_kiosco(autoridad, self.centro, self.kiosco(equipo), equipo=equipo, catd=equipo)
            guardar(self._agendas[equipo], self.kiosco(equipo) / "agenda.json")

    def _levantar(self) -> None:
        bitacoras = self.carpeta / "bitacoras"
        self._pieza("broker", broker.orden(self.centro), bitacoras)
        broker.esperar(self.centro)
        self._pieza(
            "centro",
            self._python("servicio_central", self.centro, "--puerto", str(self.puerto_web)),
            bitacoras,
        )
        for equipo in self.equipos:
            kiosco = self.kiosco(equipo)
            self._pieza(
                f"personas/{equipo}",
                self._python("ensayo.personas", kiosco, "--imagenes", self._imagenes),
                bitacoras,
                conversa=True,
            )
            self._pieza(f"enlace/{equipo}", self._python("appliance.enlace", kiosco), bitacoras)

    @staticmethod
    def _python(modulo: str, carpeta: Path, *mas: str) -> list[str]:
        return [sys.executable, "-m", modulo, "--carpeta", str(carpeta), *mas]

    def _pieza(self, nombre: str, orden: list[str], bitacoras: Path, *, conversa: bool = False) -> None:
        pieza = Pieza(nombre, orden, bitacoras / f"{nombre.replace('/', '-')}.log", conversa)
        self.piezas[nombre] = pieza
        pieza.levantar()

    # -------------------------------------------------------------------------------------------------- dirigir la
    # noche

    def vigilar(self) -> list[str]:
        """Levanta las piezas caídas y devuelve sus nombres. Cinco caídas solas seguidas delatan un defecto, no un
        infortunio.
        """
        caidas = []
        for pieza in self.piezas.values():
            if not pieza.viva:
                pieza.caidas += 1
                pieza.levantar()
                caidas.append(pieza.nombre)
        return caidas

    def vivir_hasta(self, instante: datetime) -> None:
        """Todas las personas de todos los CATD trabajan hasta ese instante virtual; vuelve cuando acabaron.

        Si un proceso muere a media tarea se levanta y se le repite la orden: él sabe qué le faltaba.

        Raises:
            EscenarioRoto: si el mismo proceso muere demasiadas veces o el kiosco rechaza lo que en la noche sí ocurrió.
        """
        pendientes = {e: self.piezas[f"personas/{e}"] for e in self.equipos}
        for pieza in pendientes.values():
            self._decir(pieza, instante)
        for equipo, pieza in pendientes.items():
            intentos = 0
            while not self._contesto(pieza, instante):
                intentos += 1
                if intentos > 8:
                    raise EscenarioRoto(
                        f"{pieza.nombre} no termina su agenda:\n{pieza.ultimas_lineas()}", con_bitacoras=True
                    )
                pieza.matar()
                pieza.levantar()
                self._decir(pieza, instante)
            self._vivido[equipo] = instante

    @staticmethod
    def _decir(pieza: Pieza, instante: datetime) -> None:
        assert pieza.proceso is not None
        assert pieza.proceso.stdin is not None
        try:
            pieza.proceso.stdin.write(f"hasta {instante.isoformat()}\n")
            pieza.proceso.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # murió: `_contesto` lo verá y se levantará de nuevo

    @staticmethod
    def _contesto(pieza: Pieza, instante: datetime) -> bool:
        assert pieza.proceso is not None
        assert pieza.proceso.stdout is not None
        return any(renglon.startswith(f"listo {instante.isoformat()}") for renglon in pieza.proceso.stdout)

    def pendientes(self) -> dict[str, int]:
        """Renglones de bandeja sin acuse, por equipo, leídos del almacén de cada kiosco."""
        cuenta = {}
        for equipo in self.equipos:
            ruta = self.kiosco(equipo) / "almacen.sqlite"
            if not ruta.exists():
                continue
            with closing(sqlite3.connect(f"file:{ruta}?mode=ro", uri=True, timeout=10)) as bd:
                (cuenta[equipo],) = bd.execute("SELECT count(*) FROM bandeja WHERE estado <> 'cerrado'").fetchone()
        return cuenta

    def escurrir(self, plazo: float = 120.0) -> float:
        """Espera a que todo lo asentado tenga acuse firmado del centro. Devuelve los segundos que tomó.

        Raises:
            EscenarioRoto: si en `plazo` segundos no se cierra ni un renglón y aún faltan. Una máquina lenta no lo es.
        """
        inicio = avance = time.monotonic()
        faltaban: dict[str, int] = {}
        while True:
            faltan = {e: n for e, n in self.pendientes().items() if n}
            if not faltan:
                return time.monotonic() - inicio
            if faltan != faltaban:
                faltaban, avance = faltan, time.monotonic()
            if time.monotonic() - avance > plazo:
                detalle = ", ".join(f"{e}: {n}" for e, n in sorted(faltan.items()))
                raise EscenarioRoto(f"siguen sin acuse y sin avanzar en {plazo:.0f} s: {detalle}", con_bitacoras=True)
            self.vigilar()
            time.sleep(0.05)


def carpeta_nueva(destino: Path | None) -> Path:
    """Carpeta vacía para el escenario: la pedida (se vacía si es de un ensayo anterior) o `.ensayo/` del repositorio.

    Queda apartada para este proceso hasta que termine.

    Raises:
        EscenarioRoto: si no se puede usar, la usa otra jornada o tiene algo que no dejó un ensayo.
    """
    carpeta = destino or RAIZ / ".ensayo" / "jornada"
    try:
        carpeta.parent.mkdir(parents=True, exist_ok=True)
        _apartar(carpeta)
        if carpeta.exists() and any(carpeta.iterdir()):
            if not (carpeta / "autoridad").is_dir() or not (carpeta / "kioscos").is_dir():
                raise EscenarioRoto(f"{carpeta} no está vacía ni es de un ensayo anterior; elija otra con --carpeta")
            shutil.rmtree(carpeta)
        carpeta.mkdir(exist_ok=True)
    except OSError as error:
        raise EscenarioRoto(f"no se puede usar {carpeta}: {error.strerror}; elija otra con --carpeta") from error
    return carpeta


def _apartar(carpeta: Path) -> None:
    # El candado vive junto a la carpeta, no adentro: adentro se borra. Lo suelta el sistema al morir el proceso.
    candado = os.open(carpeta.parent / f".{carpeta.name}.candado", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(candado, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(candado)
        raise EscenarioRoto(f"otra jornada está usando {carpeta}; espere a que termine o use --carpeta") from None
