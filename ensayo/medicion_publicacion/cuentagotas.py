"""b) Slowloris: miles de conexiones que mandan su petición a cuentagotas mientras gente normal sigue preguntando."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from ensayo.medicion_publicacion.banco import Banco
from ensayo.medicion_publicacion.carga import SinMedir, exigir, nucleos, pedir

_ESTABLECIDA: Final = "01"


@dataclass(frozen=True)
class Tamano:
    """Cuántas conexiones lentas, cuántas nuevas por segundo y cuánto dura."""

    conexiones: int = 6000
    por_segundo: int = 1500
    segundos: int = 20
    minimas: int = 3000
    """Las que ha de llegar a haber a la vez para que eso sea un ataque: nginx corta otras tantas mientras llegan."""


CHICO: Final = Tamano(conexiones=200, por_segundo=200, segundos=3, minimas=1)


def medir(banco: Banco, tamano: Tamano, decir: Decir) -> Medida:
    """Ataca y pregunta a la vez. Raises: SinMedir, si el ataque no llegó a serlo."""
    if banco.conexiones < tamano.conexiones:
        raise SinMedir(
            f"con los descriptores de esta máquina caben {banco.conexiones} conexiones y se abrirían "
            f"{tamano.conexiones}: suba el límite (`ulimit -Hn`) y repita"
        )
    en_calma = _preguntar(banco.sitio.puerto, time.monotonic() + min(3, tamano.segundos), None)
    ataque = subprocess.Popen(
        [
            *("taskset", "-c", str(nucleos()[1]), exigir("slowhttptest"), "-H", "-t", "GET"),
            *("-c", str(tamano.conexiones), "-r", str(tamano.por_segundo), "-l", str(tamano.segundos)),
            *("-i", "2", "-x", "24", "-p", "3", "-u", f"http://127.0.0.1:{banco.sitio.puerto}/"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        bajo = _preguntar(banco.sitio.puerto, time.monotonic() + tamano.segundos, ataque)
    finally:
        ataque.kill()
        ataque.wait()
    decir(
        f"{len(bajo.segundos)} contestadas y {bajo.fallidas} no, con hasta {bajo.lentas:,} conexiones lentas a la vez"
    )
    return juzgar(en_calma, bajo, tamano)


@dataclass(frozen=True)
class Preguntas:
    """Lo que le pasó a la gente normal."""

    segundos: tuple[float, ...]
    fallidas: int
    lentas: int
    """Las más que hubo abiertas a la vez."""


def juzgar(en_calma: Preguntas, bajo: Preguntas, tamano: Tamano) -> Medida:
    """Compara lo que tardó la gente normal con y sin el ataque. Raises: SinMedir, si el ataque no llegó a serlo."""
    if bajo.lentas < tamano.minimas or not bajo.segundos or not en_calma.segundos:
        raise SinMedir(f"sólo llegó a haber {bajo.lentas} conexiones lentas de {tamano.conexiones}")
    antes, ahora = (statistics.median(p.segundos) * 1000 for p in (en_calma, bajo))
    todas = len(bajo.segundos) + bajo.fallidas
    renglones = (
        Renglon(
            "peticiones normales contestadas",
            "100 %",
            f"{len(bajo.segundos)} de {todas}",
            f"{len(en_calma.segundos)} de {len(en_calma.segundos) + en_calma.fallidas} en calma",
            f"{len(bajo.segundos) / todas:.3f}",
            bajo.fallidas == 0,
        ),
        Renglon(
            "percentil 95 de esas peticiones",
            "≤ 50 ms",
            f"{percentil(bajo.segundos, 95) * 1000:.1f} ms (mediana {ahora:.1f})",
            f"en calma, {percentil(en_calma.segundos, 95) * 1000:.1f} ms (mediana {antes:.1f})",
            f"{ahora / antes:.1f} veces la mediana",
            percentil(bajo.segundos, 95) <= 0.050,
        ),
    )
    notas = (f"hasta {bajo.lentas:,} conexiones lentas a la vez, de {tamano.conexiones:,} que abrió el ataque",)
    return Medida("b", f"slowloris con {tamano.conexiones:,} conexiones", renglones, notas)


def _preguntar(puerto: int, hasta: float, ataque: subprocess.Popen[bytes] | None) -> Preguntas:
    """Una petición tras otra, cada una en su conexión, como quien llega por primera vez."""
    segundos, fallidas, lentas, vuelta = [], 0, 0, 0
    while time.monotonic() < hasta and (ataque is None or ataque.poll() is None):
        inicio = time.perf_counter()
        codigo = 0
        with suppress(OSError, http.client.HTTPException):
            codigo = pedir(puerto, "/")[0]
        if codigo == 200:
            segundos.append(time.perf_counter() - inicio)
        else:
            fallidas += 1
        if ataque is not None and vuelta % 10 == 0:
            lentas = max(lentas, abiertas(puerto))
        vuelta += 1
        time.sleep(0.1)
    return Preguntas(tuple(segundos), fallidas, lentas)


def abiertas(puerto: int) -> int:
    """Conexiones establecidas del lado de quien escucha en ese puerto (proc(5), `/proc/net/tcp`)."""
    marca = f":{puerto:04X}"
    renglones = (r.split() for r in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(r[1].endswith(marca) and r[3] == _ESTABLECIDA for r in renglones)
