"""Lo que zbar alcanza a leer donde zxing no pudo, siempre en un proceso aparte.

zbar es de C y hay reportes de que aborta con ciertas imágenes (pyzbar #143 y #158): aquí, si muere o se cuelga, se
pierde esa opinión y nada más. El proceso se queda vivo de una hoja a otra, porque arrancarlo cuesta más que leer.
"""

from __future__ import annotations

import json
import os
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from appliance.vision.codigo_leido import CodigoLeido

PLAZO_S: Final = 4.0
"""Segundos que se le esperan por imagen; una fotografía de 8 megapíxeles le toma menos de uno."""

_RAIZ: Final = Path(__file__).resolve().parents[2]
_MEDIDAS: Final = struct.Struct("<II")
_LARGO: Final = struct.Struct("<I")
_MAXIMO_PIXELES: Final = 80_000_000
_MAXIMA_RESPUESTA: Final = 1_000_000
_MAXIMA_MEMORIA: Final = 2**30
_SIMBOLOGIAS: Final = {"QRCODE": "QR", "CODE128": "CODE128"}


class _Perdida(Exception):
    """El proceso murió, se tardó de más o contestó lo que no debía."""


class SegundaOpinion:
    """Un lector zbar que se puede llamar desde varios hilos; atiende de uno en uno."""

    def __init__(self, plazo_s: float = PLAZO_S) -> None:
        self.caidas = 0
        """Veces que murió, se colgó o no pudo arrancar."""
        self.procesador_s = 0.0
        """Segundos de procesador que ha usado el proceso aparte, en total."""
        self._plazo_s = plazo_s
        self._proceso: subprocess.Popen[bytes] | None = None
        self._turno = threading.Lock()

    @property
    def pid(self) -> int | None:
        """El proceso que está atendiendo, si hay."""
        return self._proceso.pid if self._proceso is not None else None

    def __call__(self, gris: NDArray[np.uint8]) -> tuple[CodigoLeido, ...]:
        """Los códigos que ve zbar en una imagen de un canal; ninguno, si se cayó al intentarlo."""
        with self._turno:
            try:
                codigos, procesador_s = self._preguntar(gris)
            except (_Perdida, OSError, ValueError):
                self.caidas += 1
                self._soltar()
                return ()
            self.procesador_s += procesador_s
            return codigos

    def cerrar(self) -> None:
        """Termina el proceso; la siguiente llamada arrancaría otro."""
        with self._turno:
            self._soltar()

    def _preguntar(self, gris: NDArray[np.uint8]) -> tuple[tuple[CodigoLeido, ...], float]:
        proceso = self._vivo()
        assert proceso.stdin is not None
        assert proceso.stdout is not None
        limite = time.monotonic() + self._plazo_s
        alto, ancho = gris.shape
        _mandar(proceso.stdin.fileno(), _MEDIDAS.pack(ancho, alto) + gris.tobytes(), limite)
        salida = proceso.stdout.fileno()
        (largo,) = _LARGO.unpack(_recibir(salida, _LARGO.size, limite))
        if largo > _MAXIMA_RESPUESTA:
            raise _Perdida
        # Es un proceso nuestro, pero leyó una imagen ajena con una biblioteca de C: se le cree lo que tenga forma.
        match json.loads(_recibir(salida, largo, limite)):
            case {"codigos": list(vistos), "procesador_s": float(procesador_s)}:
                return tuple(map(_codigo, vistos)), procesador_s
        raise _Perdida

    def _vivo(self) -> subprocess.Popen[bytes]:
        if self._proceso is None or self._proceso.poll() is not None:
            self._soltar()
            self._proceso = subprocess.Popen(
                [sys.executable, "-m", "appliance.vision.segunda_opinion"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_RAIZ,
                bufsize=0,
            )
            for tubo in (self._proceso.stdin, self._proceso.stdout):
                assert tubo is not None
                os.set_blocking(tubo.fileno(), False)
        return self._proceso

    def _soltar(self) -> None:
        if self._proceso is not None:
            self._proceso.kill()
            self._proceso.wait()
            for tubo in (self._proceso.stdin, self._proceso.stdout):
                if tubo is not None:
                    with suppress(OSError):
                        tubo.close()
            self._proceso = None


def _codigo(visto: object) -> CodigoLeido:
    match visto:
        case [str(texto), str(simbologia), int(x), int(y), int(ancho), int(alto)]:
            # zbar sólo da bien el rectángulo: en qué sentido está el código dentro de él no se sabe.
            d, b = x + ancho, y + alto
            return CodigoLeido(texto, simbologia, ((x, y), (d, y), (d, b), (x, b)))
    raise _Perdida


def _mandar(tubo: int, datos: bytes, limite: float) -> None:
    resto = memoryview(datos)
    while resto:
        _esperar(limite, escribe=tubo)
        try:
            resto = resto[os.write(tubo, resto) :]
        except BlockingIOError:
            continue


def _recibir(tubo: int, cuantos: int, limite: float) -> bytes:
    datos = bytearray()
    while len(datos) < cuantos:
        _esperar(limite, lee=tubo)
        trozo = os.read(tubo, cuantos - len(datos))
        if not trozo:
            raise _Perdida
        datos += trozo
    return bytes(datos)


def _esperar(limite: float, lee: int | None = None, escribe: int | None = None) -> None:
    queda = limite - time.monotonic()
    tubos: tuple[list[int], list[int]] = ([lee] if lee is not None else [], [escribe] if escribe is not None else [])
    if queda <= 0 or not any(select.select(*tubos, [], queda)):
        raise _Perdida


def _atender(entrada: IO[bytes], salida: IO[bytes]) -> None:
    """El proceso aparte: una imagen tras otra, hasta que se cierre la entrada."""
    # Sólo este proceso carga zbar.
    from pyzbar import pyzbar

    simbolos = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE128]
    while medidas := entrada.read(_MEDIDAS.size):
        ancho, alto = _MEDIDAS.unpack(medidas)
        if not 0 < ancho * alto <= _MAXIMO_PIXELES:
            return
        pixeles = entrada.read(ancho * alto)
        antes = time.process_time()
        vistos = pyzbar.decode((pixeles, ancho, alto), symbols=simbolos)
        codigos: Sequence[tuple[object, ...]] = [
            (v.data.decode("utf-8", "replace"), _SIMBOLOGIAS[v.type], *v.rect) for v in vistos
        ]
        cuerpo = json.dumps({"codigos": codigos, "procesador_s": time.process_time() - antes}).encode("utf-8")
        salida.write(_LARGO.pack(len(cuerpo)) + cuerpo)
        salida.flush()


def principal() -> int:
    """Punto de entrada del proceso aparte."""
    _, duro = resource.getrlimit(resource.RLIMIT_AS)
    tope = _MAXIMA_MEMORIA if duro == resource.RLIM_INFINITY else min(duro, _MAXIMA_MEMORIA)
    resource.setrlimit(resource.RLIMIT_AS, (tope, duro))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(BrokenPipeError, KeyboardInterrupt):
        _atender(sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(principal())
