"""Quien le pide análisis al proceso de visión, le pone plazo, y lo levanta otra vez si muere o se cuelga."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Final

from appliance.vision.mensaje import LARGO, MAXIMO_IMAGEN, MAXIMO_TEXTO, MensajeInvalido, bloque, leer_respuesta
from appliance.vision.pagina import Analisis
from appliance.vision.proceso import LISTO, MEMORIA_MB
from nucleo.problema import Rechazo

PLAZO_S: Final = 20.0
ARRANQUE_S: Final = 60.0
"""Cargar las bibliotecas y preparar los formatos de tres elecciones tarda unos cinco segundos; en otro equipo, más."""

_RAIZ: Final = Path(__file__).resolve().parents[2]


class _SeMurio(Exception):
    """El proceso cerró su salida."""


class _SeColgo(Exception):
    """El proceso no contestó a tiempo."""


class Trabajador:
    """Un proceso de visión que se levanta al usarlo. Lo pueden compartir varios hilos: atiende de uno en uno."""

    def __init__(self, carpeta: Path, memoria_mb: int = MEMORIA_MB, arranque_s: float = ARRANQUE_S) -> None:
        self._carpeta = carpeta
        self._memoria_mb = memoria_mb
        self._arranque_s = arranque_s
        self._candado = threading.Lock()
        self._proceso: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """El número del proceso, si está levantado."""
        return self._proceso.pid if self._proceso is not None and self._proceso.poll() is None else None

    def analizar(
        self, ruta: Path, formatos: Collection[str] | None = None, plazo_s: float = PLAZO_S
    ) -> Analisis | Rechazo:
        """Analiza la imagen de esa ruta.

        Args:
            ruta: absoluta; el archivo no se modifica.
            formatos: si se sabe qué acta es, la clave de su formato (`nucleo.formato.formato_para`); sin ellas se
                prueban los de la elección que diga el código, o todos.
            plazo_s: cuánto se espera desde que el proceso está listo.

        Returns:
            El análisis, o un rechazo: la imagen no se puede abrir, o el proceso murió (VISION_CAIDA), se tardó
            (VISION_TARDA) o no arranca (VISION_NO_ARRANCA). En los tres últimos la próxima llamada lo levanta de nuevo.
        """
        with self._candado:
            try:
                proceso = self._levantado()
            except (_SeMurio, _SeColgo, OSError):
                self._matar()
                return Rechazo(
                    "VISION_NO_ARRANCA",
                    "El análisis de imágenes no arranca",
                    "falta memoria, o la carpeta del proceso o la instalación están incompletas",
                    "siga identificando a mano y avise al área técnica",
                )
            try:
                return self._pedir(proceso, ruta, formatos, time.monotonic() + plazo_s)
            except _SeColgo:
                self._matar()
                return Rechazo(
                    "VISION_TARDA",
                    f"El análisis de la imagen pasó de {plazo_s:.0f} segundos y se detuvo",
                    "la imagen es muy grande o está dañada",
                    "digitalice otra vez a 200 puntos por pulgada; si se repite, identifique el acta a mano",
                )
            except (_SeMurio, MensajeInvalido, OSError):
                self._matar()
                return Rechazo(
                    "VISION_CAIDA",
                    "El análisis de la imagen se interrumpió",
                    "la imagen está dañada o el equipo se quedó sin memoria",
                    "digitalice otra vez; si se repite, identifique el acta a mano",
                )

    def cerrar(self) -> None:
        """Termina el proceso; se puede volver a usar."""
        with self._candado:
            self._matar()

    def __enter__(self) -> Trabajador:
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        self.cerrar()

    def _levantado(self) -> subprocess.Popen[bytes]:
        if self._proceso is not None and self._proceso.poll() is None:
            return self._proceso
        self._matar()
        orden = [sys.executable, "-m", "appliance.vision.proceso", str(self._carpeta.resolve())]
        self._proceso = subprocess.Popen(
            [*orden, "--memoria-mb", str(self._memoria_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            # Sólo lo que necesita: ni llaves ni rutas del kiosco. Un hilo por biblioteca, porque hay dos núcleos.
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(_RAIZ),
                "PYTHONUTF8": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
            },
            cwd="/",
        )
        limite = time.monotonic() + self._arranque_s
        if self._bloque(self._proceso, len(LISTO), limite) != LISTO:
            raise _SeMurio
        return self._proceso

    def _pedir(
        self, proceso: subprocess.Popen[bytes], ruta: Path, formatos: Collection[str] | None, limite: float
    ) -> Analisis | Rechazo:
        assert proceso.stdin is not None
        claves = None if formatos is None else sorted(formatos)
        peticion = json.dumps({"ruta": str(ruta.absolute()), "formatos": claves}).encode()
        # Cabe siempre en el tubo (64 KiB): una ruta mide a lo más 4 KiB, así que escribirla no espera a nadie.
        proceso.stdin.write(bloque(peticion))
        texto = self._bloque(proceso, MAXIMO_TEXTO, limite)
        return leer_respuesta(texto, self._bloque(proceso, MAXIMO_IMAGEN, limite))

    def _bloque(self, proceso: subprocess.Popen[bytes], maximo: int, limite: float) -> bytes:
        largo = int.from_bytes(self._exactos(proceso, LARGO, limite), "big")
        if largo > maximo:
            raise MensajeInvalido("el bloque es demasiado grande")
        return self._exactos(proceso, largo, limite)

    @staticmethod
    def _exactos(proceso: subprocess.Popen[bytes], cuantos: int, limite: float) -> bytes:
        assert proceso.stdout is not None
        descriptor, recibido = proceso.stdout.fileno(), bytearray()
        sondeo = select.poll()
        sondeo.register(descriptor, select.POLLIN)
        while len(recibido) < cuantos:
            if not sondeo.poll(max(0.0, limite - time.monotonic()) * 1000):
                raise _SeColgo
            trozo = os.read(descriptor, min(1 << 16, cuantos - len(recibido)))
            if not trozo:
                raise _SeMurio
            recibido += trozo
        return bytes(recibido)

    def _matar(self) -> None:
        if self._proceso is None:
            return
        self._proceso.kill()
        self._proceso.wait()
        for tubo in (self._proceso.stdin, self._proceso.stdout):
            with contextlib.suppress(OSError):
                if tubo is not None:
                    tubo.close()
        self._proceso = None
