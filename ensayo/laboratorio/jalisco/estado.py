"""El estado que se ensaya: sus casillas, en qué CATD se acopian y qué llega a cada uno, y a qué hora.

Las casillas son las de `datos/jalisco_de_ensayo`. Los votos y las horas salen de la clave del acta: la misma noche
siempre, en cualquier proceso que la pida.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import shutil
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

from ensayo.agenda import Documento
from nucleo.acta import Asentado, Digitalizacion, Origen
from nucleo.campo import Numero
from nucleo.casilla import Casilla
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Eleccion, Proceso
from nucleo.hechos import IdActa

DEFINICION: Final = Path(__file__).resolve().parents[3] / "datos" / "jalisco_de_ensayo"

POR_HORA: Final = (27, 944, 1300, 915, 728, 485, 327, 214, 563)
"""Actas verificadas en Oaxaca 2022 cada hora desde las 18 (`docs/dominio.md` §2). Las 563 que tardaron de las dos a las
trece del día siguiente llegan aquí en una sola hora más, la última."""

DURACION: Final = timedelta(hours=len(POR_HORA))
_ACUMULADAS: Final = tuple(accumulate(POR_HORA))
_PAPELEO: Final = timedelta(minutes=4)
"""Mediana entre el acopio y la primera lectura, y entre ésta y la segunda: juntas, poco más o menos los 7.2 minutos de
`docs/dominio.md`."""


@dataclass(frozen=True)
class Estado:
    """La definición, y las casillas de cada CATD."""

    definicion: Path
    proceso: Proceso
    catds: dict[str, tuple[Casilla, ...]]
    """Equipo → casillas, contiguas por sección."""

    @property
    def actas(self) -> int:
        return sum(len(self.proceso.esperadas(e)) for e in self.proceso.elecciones)

    @property
    def inicio(self) -> datetime:
        return self.proceso.inicio_operacion

    @property
    def region(self) -> tuple[str, ...]:
        """El tercio de los CATD, vecinos, que se queda sin enlace."""
        return tuple(self.catds)[: max(1, len(self.catds) // 3)]


def escribir_definicion(carpeta: Path, casillas: int) -> Path:
    """Copia la definición con tantas casillas, tomadas parejo de todo el estado. Devuelve su carpeta.

    Raises:
        ValueError: si se piden más casillas de las que hay.
    """
    with gzip.open(DEFINICION / "casillas.csv.gz", "rt", encoding="utf-8", newline="") as archivo:
        encabezado, *renglones = csv.reader(archivo)
    if not 1 <= casillas <= len(renglones):
        raise ValueError(f"--casillas va de 1 a {len(renglones)}")
    texto = io.StringIO()
    escritor = csv.writer(texto, lineterminator="\n")
    escritor.writerow(encabezado)
    escritor.writerows(renglones[i * len(renglones) // casillas] for i in range(casillas))
    destino = carpeta / "definicion"
    destino.mkdir(parents=True)
    (destino / "casillas.csv").write_text(texto.getvalue(), encoding="utf-8")
    shutil.copy(DEFINICION / "eleccion.toml", destino)
    return destino


def leer_estado(definicion: Path, catds: int) -> Estado:
    """El estado de esa definición, con sus casillas repartidas por partes iguales. Raises: como `cargar_proceso`."""
    proceso = cargar_proceso(definicion)
    todas = tuple(proceso.casillas.values())
    cortes = [i * len(todas) // catds for i in range(catds + 1)]
    return Estado(
        definicion,
        proceso,
        {f"catd-{n + 1:03}": todas[a:b] for n, (a, b) in enumerate(pairwise(cortes))},
    )


def documentos_de(estado: Estado, equipo: str) -> list[Documento]:
    """Lo que llega a ese CATD: por cada casilla una bolsa, y de cada bolsa un acta de cada elección."""
    return [d for casilla in estado.catds[equipo] for d in _bolsa(estado, casilla)]


def _bolsa(estado: Estado, casilla: Casilla) -> Sequence[Documento]:
    azar = random.Random(casilla.clave)
    llegada = estado.inicio + _hora_de_llegada(azar.random())
    fin = estado.inicio + DURACION
    documentos = []
    for eleccion in estado.proceso.elecciones.values():
        captura = min(fin, llegada + _demora(azar))
        verificacion = min(fin, captura + _demora(azar))
        documentos.append(
            Documento(
                acta=IdActa(eleccion.clave, casilla.clave),
                distrito=casilla.distrito or 0,
                acopio=llegada,
                captura=captura,
                verificacion=verificacion,
                asentado=_votado(eleccion, casilla, azar),
                origen=Origen.CATD,
                digitalizacion=Digitalizacion.ESCANER,
                tipo_documento="ACTA PREP",
                mecanismo_traslado="",
            )
        )
    return documentos


def _hora_de_llegada(parte: float) -> timedelta:
    """Cuándo ha llegado esa parte (0 a 1) de las actas."""
    cuantas = parte * _ACUMULADAS[-1]
    hora = bisect_left(_ACUMULADAS, cuantas)
    antes = _ACUMULADAS[hora - 1] if hora else 0
    return timedelta(hours=hora + (cuantas - antes) / POR_HORA[hora])


def _demora(azar: random.Random) -> timedelta:
    # Segundos enteros: las horas viajan así.
    return timedelta(seconds=round(azar.lognormvariate(0, 0.8) * _PAPELEO.total_seconds()))


def _votado(eleccion: Eleccion, casilla: Casilla, azar: random.Random) -> Asentado:
    opciones = eleccion.opciones_de(casilla)
    # Pocas opciones se llevan casi todo, y nunca más de los que podían votar.
    podian = casilla.lista_nominal or 700
    pesos = [azar.random() ** 6 for _ in opciones]
    votaron = azar.randint(podian // 4, podian // 2)
    votos = {o.clave: Numero(int(votaron * p / sum(pesos))) for o, p in zip(opciones, pesos, strict=True)}
    total = Numero(sum(v.valor for v in votos.values()))
    return Asentado(dict(votos), Numero(podian - total.valor), total, Numero(0), total, total)
