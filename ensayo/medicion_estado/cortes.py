"""Una noche corte por corte: el sitio completo, y después lo que llega entre un corte y otro."""

from __future__ import annotations

import gc
import io
import os
import resource
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ensayo.medicion_estado import otro_motor
from ensayo.medicion_estado.etapas import ETAPAS, Tiempos, midiendo
from ensayo.medicion_estado.material import CentroDeEnsayo, horas
from servicio_central.publicacion.publicador import Publicador
from servicio_central.publicado import CORTES, PUBLICO

_MEGA: Final = 1024 * 1024


@dataclass(frozen=True)
class Ocupado:
    """Lo que un corte agrega al disco: lo compartido con otros cortes ya estaba."""

    archivos: int
    inodos: int
    """Archivos, carpetas y enlaces nuevos."""
    bytes: int
    """En bloques del disco."""


@dataclass(frozen=True)
class Hecho:
    """Un corte medido. Segundos de pared y de procesador; sin envolturas en `a_secas`."""

    que: str
    actas: int
    a_secas: tuple[float, float]
    tiempos: Tiempos | None
    ocupado: Ocupado
    memoria: int
    """Bytes residentes, lo más que ha llegado a ocupar el proceso."""

    def texto(self) -> str:
        pared, procesador = self.a_secas
        o = self.ocupado
        partes = [
            f"{self.que}, {self.actas:,} actas nuevas: {procesador:.2f} s de procesador, {pared:.2f} s de cerrado a "
            f"público; {o.archivos:,} archivos, {o.inodos:,} inodos y {o.bytes / _MEGA:,.1f} MiB nuevos; memoria "
            f"{self.memoria / _MEGA:,.0f} MiB"
        ]
        if self.tiempos is not None:
            partes.append(f"   {'etapa':<26}{'pared':>8}{'proc.':>8}")
            partes += [
                f"   {e:<26}{self.tiempos.pared[e]:>8.2f}{self.tiempos.procesador[e]:>8.2f}"
                for e in ETAPAS
                if self.tiempos.pared[e] >= 0.005
            ]
        return "\n".join(partes)


class Noche:
    """Los cortes de un centro, con el mismo publicador de principio a fin, como en la noche."""

    def __init__(self, centro: CentroDeEnsayo, decir: Callable[[str], None]) -> None:
        self.centro = centro
        self._decir = decir
        self._publicador = Publicador(centro.carpeta)
        self._horas = iter(horas(centro.proceso, 400))
        self._inodos: set[int] = set()

    def cortar(self, que: str, actas: int, *, por_etapa: bool, de_nuevo: bool = False) -> Hecho:
        """Llegan esas actas y se hace el corte.

        Args:
            por_etapa: si además se mide cada etapa; las envolturas cuestan algo, y por eso va aparte.
            de_nuevo: con un publicador recién levantado, como si el anterior hubiera muerto.
        """
        self.centro.llegar(actas)
        if de_nuevo:
            self._publicador = Publicador(self.centro.carpeta)
        hora = next(self._horas)
        self._decir(f"{que}: {actas:,} actas")
        tiempos = None
        pared, procesador = time.perf_counter(), time.process_time()
        if por_etapa:
            with midiendo() as tiempos:
                self._cortar(hora)
        else:
            self._cortar(hora)
        a_secas = time.perf_counter() - pared, time.process_time() - procesador
        gc.freeze()  # como el proceso que publica: lo que queda vivo dura toda la noche
        self._decir(f"{a_secas[1]:.2f} s de procesador y {a_secas[0]:.2f} s de pared")
        memoria = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Hecho(que, actas, a_secas, tiempos, self._ocupado(), memoria)

    def mismo_csv(self) -> list[tuple[str, int, bool]]:
        """De cada elección del corte publicado: bytes de su CSV, y si el otro motor da los mismos."""
        publico = self.centro.carpeta / PUBLICO
        definicion = otro_motor.Definicion.leer(self.centro.definicion)
        comparados = []
        for eleccion in self.centro.proceso.elecciones:
            datos = csv_publicado(publico, eleccion)
            comparados.append(
                (
                    eleccion,
                    len(datos),
                    otro_motor.csv_oficial(self.centro.carpeta, definicion, eleccion, datos) == datos,
                )
            )
        return comparados

    def _cortar(self, hora: datetime) -> None:
        self._publicador.cortar(self.centro.proceso, hora, ultimo=False, ahora=hora)

    def _ocupado(self) -> Ocupado:
        corte = self.centro.carpeta / CORTES / (self.centro.carpeta / PUBLICO).readlink().name
        archivos = inodos = octetos = 0
        por_ver = [str(corte)]
        while por_ver:
            for e in os.scandir(por_ver.pop()):
                dato = e.stat(follow_symlinks=False)
                if e.is_dir(follow_symlinks=False):
                    por_ver.append(e.path)
                if dato.st_ino in self._inodos:
                    continue
                self._inodos.add(dato.st_ino)
                archivos += e.is_file(follow_symlinks=False)
                inodos, octetos = inodos + 1, octetos + dato.st_blocks * 512
        return Ocupado(archivos, inodos, octetos)


def csv_publicado(corte: Path, eleccion: str) -> bytes:
    """El de resultados de esa elección, sacado de su zip. Raises: OSError."""
    (ruta,) = corte.glob(f"*_PREP_{eleccion}_*.zip")
    with zipfile.ZipFile(io.BytesIO(ruta.read_bytes())) as paquete:
        (nombre,) = (n for n in paquete.namelist() if f"_{eleccion}_" in n and "CANDIDATURAS" not in n)
        return paquete.read(nombre)
