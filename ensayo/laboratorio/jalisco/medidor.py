"""Lo que gastan los procesos de la noche y cómo va el atraso, tomado cada tanto de `/proc` y de los almacenes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

_TICS: Final = os.sysconf("SC_CLK_TCK")
_BANDEJA: Final = "SELECT count(*), coalesce(sum(estado <> 'cerrado'), 0) FROM bandeja"
_IMAGENES: Final = "SELECT count(*), coalesce(sum(estado <> 'completa'), 0), coalesce(sum(recibidos), 0) FROM imagenes"

Pids = Callable[[], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Avance:
    """Cifras e imágenes de unos kioscos: asentadas, y las que el centro no ha acusado."""

    sobres: int = 0
    sobres_faltan: int = 0
    imagenes: int = 0
    imagenes_faltan: int = 0
    bytes: int = 0
    """Los que los recibos dicen que el centro tiene."""

    def __add__(self, otro: Avance) -> Avance:
        return Avance(
            self.sobres + otro.sobres,
            self.sobres_faltan + otro.sobres_faltan,
            self.imagenes + otro.imagenes,
            self.imagenes_faltan + otro.imagenes_faltan,
            self.bytes + otro.bytes,
        )

    @property
    def aceptados(self) -> int:
        return self.sobres - self.sobres_faltan


def avance_de(kioscos: Iterable[Path]) -> Avance:
    """El de todos esos kioscos, leído de sus almacenes."""
    return sum((_avance(k / "almacen.sqlite") for k in kioscos), Avance())


def _avance(ruta: Path) -> Avance:
    with closing(sqlite3.connect(f"file:{ruta}?mode=ro", uri=True, timeout=10)) as bd:
        return Avance(*bd.execute(_BANDEJA).fetchone(), *bd.execute(_IMAGENES).fetchone())


@dataclass(frozen=True, slots=True)
class Gasto:
    """Segundos de procesador desde que nacieron y bytes de memoria de un grupo de procesos."""

    cpu_s: float
    memoria: int


@dataclass(frozen=True, slots=True)
class Muestra:
    """Un instante de la noche."""

    instante: float
    avance: Avance
    gastos: Mapping[str, Gasto]

    def cpu_desde(self, antes: Muestra, grupo: str) -> float:
        """Núcleos que usó ese grupo desde la otra muestra: 1.0 es uno entero."""
        return (self.gastos[grupo].cpu_s - antes.gastos[grupo].cpu_s) / (self.instante - antes.instante)

    def por_segundo(self, antes: Muestra) -> tuple[float, float]:
        """Sobres y bytes de imagen aceptados por segundo desde la otra muestra."""
        segundos = self.instante - antes.instante
        sobres = self.avance.aceptados - antes.avance.aceptados
        return sobres / segundos, (self.avance.bytes - antes.avance.bytes) / segundos


class Medidor:
    """Guarda las muestras de la noche. `grupos`: nombre → sus procesos."""

    def __init__(self, kioscos: Sequence[Path], grupos: Mapping[str, Pids]) -> None:
        self.muestras: list[Muestra] = []
        self._kioscos = kioscos
        self._grupos = grupos

    def tomar(self) -> Muestra:
        gastos = {nombre: _gasto(pids()) for nombre, pids in self._grupos.items()}
        self.muestras.append(Muestra(time.time(), avance_de(self._kioscos), gastos))
        return self.muestras[-1]

    def mayor(self, grupo: str) -> int:
        """La memoria más grande que llegó a tener el grupo, en bytes."""
        return max(m.gastos[grupo].memoria for m in self.muestras)

    def total(self) -> tuple[float, float, dict[str, float]]:
        """Sobres/s, bytes/s y núcleos de cada grupo, de la primera muestra a la última."""
        primera, ultima = self.muestras[0], self.muestras[-1]
        return *ultima.por_segundo(primera), {g: ultima.cpu_desde(primera, g) for g in self._grupos}

    def picos(self) -> tuple[float, float]:
        """Los mayores sobres/s y bytes/s entre dos muestras."""
        ritmos = [b.por_segundo(a) for a, b in pairwise(self.muestras)]
        return max(s for s, _ in ritmos), max(b for _, b in ritmos)

    def crecimiento(self, grupo: str, desde: float) -> tuple[int, float]:
        """Cuánto creció la memoria del grupo desde esa parte de la noche, y cuánto por cada mil sobres (bytes).

        Lo primero, según la recta que mejor pasa por las muestras: el último punto solo dice más del recolector de
        basura que de la noche.
        """
        muestras = self.muestras[int(len(self.muestras) * desde) :]
        puntos = [(m.avance.aceptados / 1000, m.gastos[grupo].memoria) for m in muestras]
        media_x = sum(x for x, _ in puntos) / len(puntos)
        media_y = sum(y for _, y in puntos) / len(puntos)
        ancho = sum((x - media_x) ** 2 for x, _ in puntos)
        pendiente = sum((x - media_x) * (y - media_y) for x, y in puntos) / ancho if ancho else 0.0
        return round(pendiente * (puntos[-1][0] - puntos[0][0])), pendiente


def hijos_de(pid: int) -> list[int]:
    """Los procesos que nacieron de ése y siguen vivos."""
    with suppress(OSError):
        return [int(h) for h in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []


def _gasto(pids: Iterable[int]) -> Gasto:
    cpu, memoria = 0.0, 0
    for pid in pids:
        # Uno que acaba de morir ya no dice nada.
        with suppress(OSError, ValueError, IndexError):
            campos = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            cpu += (int(campos[11]) + int(campos[12])) / _TICS
            memoria += _pss(pid)
    return Gasto(cpu, memoria)


def _pss(pid: int) -> int:
    """La memoria de un proceso, con su parte de la que comparte con otros (proc(5)): al sumarla nada se repite."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    renglon = next(r for r in rollup.splitlines() if r.startswith("Pss:"))
    return int(renglon.split()[1]) * 1024
