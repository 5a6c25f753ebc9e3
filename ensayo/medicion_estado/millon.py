"""Un millón de actas: sólo lo que crece con ellas y no se puede repartir por secciones. Sintético."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from nucleo.acta import SIN_PROCEDENCIA, ActaVerificada, Asentado
from nucleo.base_oficial.escritura import escribir_csv
from nucleo.campo import Numero
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso
from nucleo.publicacion.parcial import Parcial, parcial_de, sumar
from nucleo.publicacion.situacion import Situacion
from nucleo.transparencia.arbol import Arbol

_HORA: Final = datetime(2024, 6, 3, 2, 0, tzinfo=UTC)
_DISTINTAS: Final = 1000
"""Transcripciones inventadas; se repiten entre las actas."""


@dataclass(frozen=True)
class Cifra:
    que: str
    segundos: float
    """De procesador."""
    detalle: str


def medir(actas: int, base: Proceso) -> list[Cifra]:
    """Mide con esa cantidad de actas de una sola elección, la primera de `base`."""
    eleccion = next(iter(base.elecciones.values()))
    casillas = [_casilla(n) for n in range(actas)]
    proceso = replace(base, casillas={c.clave: c for c in casillas})
    azar = random.Random(5)
    transcritas = [_asentado([o.clave for o in eleccion.opciones], azar) for _ in range(_DISTINTAS)]
    todas = [ActaVerificada(c, transcritas[n % _DISTINTAS], SIN_PROCEDENCIA) for n, c in enumerate(casillas)]
    cifras: list[Cifra] = []
    grupos = [todas[i : i + 3] for i in range(0, actas, 3)]
    parciales: list[Parcial] = []

    def contar() -> str:
        parciales.extend(
            parcial_de(((a, Situacion.CONTABILIZADA) for a in grupo), proceso, eleccion) for grupo in grupos
        )
        return f"{len(parciales):,} secciones"

    cifras.append(_cronometrar("un parcial por sección", contar))
    cifras.append(_cronometrar("sumar los parciales", lambda: f"{sumar(parciales).votos_c_cs:,} votos"))
    resumen = sumar(parciales).resumen(ultimo_corte=False)
    cifras.append(
        _cronometrar(
            "CSV oficial",
            lambda: f"{len(escribir_csv(proceso, eleccion.clave, todas, _HORA, False, resumen)) / 2**20:,.0f} MiB",
        )
    )
    arbol = Arbol()

    def asentar() -> str:
        for n in range(actas):
            arbol.agregar(b"hoja de ensayo %d" % n)
        return f"raíz {arbol.raiz().hex()[:16]}…"

    cifras.append(_cronometrar("agregar las hojas al registro", asentar))
    pruebas = min(actas, 1000)
    cifras.append(
        _cronometrar(
            f"{pruebas:,} pruebas de inclusión",
            lambda: f"{sum(len(arbol.inclusion(n * (actas // pruebas))) for n in range(pruebas)):,} huellas",
        )
    )
    return cifras


def _cronometrar(que: str, hacer: Callable[[], str]) -> Cifra:
    inicio = time.process_time()
    detalle = hacer()
    return Cifra(que, time.process_time() - inicio, detalle)


def _casilla(n: int) -> Casilla:
    """La clave tiene cuatro cifras de sección: las demás van en el número y la extraordinaria."""
    resto, seccion = divmod(n, 9999)
    ext, numero = divmod(resto, 99)
    return Casilla(14, seccion + 1, "B", numero + 1, ext, 1, "Distrito 1", 1, "Acatic", 1, 700, 18)


def _asentado(claves: list[str], azar: random.Random) -> Asentado:
    votos = {clave: Numero(azar.randrange(20)) for clave in claves}
    total = Numero(sum(v.valor for v in votos.values()))
    return Asentado(dict(votos), Numero(100), total, Numero(0), total, total)
