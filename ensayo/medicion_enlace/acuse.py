"""a) De asentar un hecho a que su kiosco oye el acuse firmado, con varios kioscos trabajando a la vez."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ensayo.medicion_enlace.banco import Banco
from ensayo.medicion_enlace.material import capturas
from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from ensayo.medicion_enlace.referencia import vueltas_sin_red

METAS: Final = ((50.0, 0.060), (99.0, 0.150))
"""Percentil → segundos, como mucho."""


@dataclass(frozen=True)
class Tamano:
    """Cuántos kioscos, cuántos sobres por segundo entre todos y por cuántos segundos."""

    kioscos: int = 12
    por_segundo: float = 60.0
    segundos: float = 60.0


CHICO: Final = Tamano(kioscos=2, por_segundo=20.0, segundos=2.0)
Creados = dict[tuple[str, int], float]
"""(equipo, secuencia) → hora de época, en segundos, justo antes de asentarlo."""


def medir(carpeta: Path, t: Tamano, decir: Decir) -> Medida:
    """Mide en una carpeta vacía. Raises: BancoRoto."""
    with Banco(carpeta / "banco", t.kioscos) as banco:
        banco.levantar_sede()
        banco.levantar_enlaces()
        calentar(banco)
        decir(f"{t.kioscos} kioscos en línea; {t.por_segundo:g} sobres/s durante {t.segundos:g} s")
        creados, tarde = asentar_al_azar(banco, t.por_segundo, t.segundos, decir)
        banco.esperar_al_corriente()
        demoras = list(demoras_de(banco, creados).values())
        apartados = banco.apartados()
    decir("la referencia: la misma vuelta sin red")
    minimo = vueltas_sin_red(carpeta / "sin-red", max(20, int(t.segundos * 5)))
    ritmo = f"{len(creados)} sobres a {t.por_segundo:g}/s"
    renglones = []
    for cual, meta in METAS:
        medido, piso = percentil(demoras, cual), percentil(minimo, cual)
        renglones.append(
            Renglon(
                f"creación → acuse firmado, p{cual:g} ({ritmo})",
                f"≤ {meta * 1000:.0f} ms",
                f"{medido * 1000:.0f} ms",
                f"{piso * 1000:.1f} ms, asentar + ingerir + cerrar sin red en este disco",
                f"{medido / piso:.1f} veces",
                medido <= meta,
            )
        )
    completo = len(demoras) == len(creados) and not apartados
    renglones.append(
        Renglon(
            "sobres acusados",
            "todos",
            f"{len(demoras)} de {len(creados)}, {apartados} apartados",
            "lo asentado",
            f"{len(demoras) / len(creados):.3f}",
            completo,
        )
    )
    return Medida(
        "a",
        "creación → acuse firmado",
        tuple(renglones),
        (
            "Reales: mosquitto con TLS mutuo, `servicio_central`, un proceso `appliance.enlace` por kiosco con sus "
            "ajustes de producción, SQLite en disco. Asienta un solo proceso, con llegadas al azar.",
            f"El más lento: {max(demoras) * 1000:.0f} ms. Quien asienta llegó tarde a {tarde} de sus citas (> 50 ms).",
        ),
    )


def calentar(banco: Banco) -> None:
    """Un hecho por kiosco, hasta que todos tengan su acuse: la conexión y el nacimiento no se miden."""
    for equipo, hecho in zip(banco.equipos, capturas(), strict=False):
        banco.almacen(equipo).asentar([hecho], hecho.hora, "virtual")
    banco.esperar_al_corriente()


def asentar_al_azar(banco: Banco, por_segundo: float, segundos: float, decir: Decir) -> tuple[Creados, int]:
    """Asienta con esperas exponenciales, cada vez en un kiosco al azar; dice también a cuántas citas llegó tarde."""
    azar, creados, tarde = random.Random(1), Creados(), 0
    hechos = capturas(len(banco.equipos))
    inicio = cita = time.monotonic()
    dicho = inicio
    while (cita := cita + azar.expovariate(por_segundo)) < inicio + segundos:
        if (falta := cita - time.monotonic()) > 0:
            time.sleep(falta)
        tarde += falta < -0.05
        equipo, hecho = azar.choice(banco.equipos), next(hechos)
        antes = time.time()
        (asiento,) = banco.almacen(equipo).asentar([hecho], hecho.hora, "virtual")
        creados[equipo, asiento.secuencia] = antes
        if time.monotonic() - dicho > 10:
            dicho = time.monotonic()
            decir(f"  {dicho - inicio:.0f} s: {len(creados)} asentados, {banco.pendientes()} en camino")
    return creados, tarde


def demoras_de(banco: Banco, creados: Mapping[tuple[str, int], float]) -> dict[tuple[str, int], float]:
    """Segundos de asentado a cerrado, de lo que ya se cerró."""
    cerrados = {e: banco.cerrados(e) for e in banco.equipos}
    return {
        (equipo, secuencia): datetime.fromisoformat(cuando).timestamp() - antes
        for (equipo, secuencia), antes in creados.items()
        if (cuando := cerrados[equipo].get(secuencia)) is not None
    }
