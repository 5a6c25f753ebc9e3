"""f) A media noche muere el bróker y se borra lo que guardaba: qué se pierde y cuándo se está otra vez al corriente."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Final

from ensayo.medicion_enlace.acuse import asentar_al_azar, calentar, demoras_de
from ensayo.medicion_enlace.banco import Banco
from ensayo.medicion_enlace.medida import Decir, Medida, Renglon, percentil
from servicio_central import ajustes


@dataclass(frozen=True)
class Tamano:
    """Kioscos y ritmo; cuánto dura, cuándo muere el bróker y cuánto tarda el sistema en volver a arrancarlo."""

    kioscos: int = 8
    por_segundo: float = 30.0
    segundos: float = 75.0
    muere: float = 35.0
    caido: float = 5.0


CHICO: Final = Tamano(kioscos=2, por_segundo=20.0, segundos=4.0, muere=1.0, caido=0.5)


@dataclass
class _Muerte:
    """Lo que le pasa al bróker, y a qué hora (de época, en segundos)."""

    murio: float = 0.0
    volvio: float = 0.0
    borrados: list[str] = field(default_factory=list)
    volver: Event = field(default_factory=Event)
    """Ya volvió."""
    terminar: Event = field(default_factory=Event)


def medir(carpeta: Path, t: Tamano, decir: Decir) -> Medida:
    """Mide en una carpeta vacía. Raises: BancoRoto."""
    muerte = _Muerte()
    with Banco(carpeta / "banco", t.kioscos) as banco:
        banco.levantar_sede()
        banco.levantar_enlaces()
        calentar(banco)
        decir(f"{t.kioscos} kioscos en línea; a los {t.muere:g} s muere el bróker")
        hilo = Thread(target=_matar, args=(banco, t, muerte, decir), daemon=True)
        hilo.start()
        creados, _ = asentar_al_azar(banco, t.por_segundo, t.segundos, decir)
        muerte.volver.wait()
        banco.esperar_al_corriente()
        demoras = demoras_de(banco, creados)
        asentadas = {
            p.huella for e in banco.equipos for p in banco.almacen(e).sobres(1, 2**53, limite=len(creados) + t.kioscos)
        }
        aceptadas = [huella for _, _, huella in banco.en_el_centro()]
        apartados = banco.apartados()
        muerte.terminar.set()
    antes = [d for clave, d in demoras.items() if creados[clave] + d < muerte.murio]
    durante = {clave: d for clave, d in demoras.items() if creados[clave] <= muerte.volvio < creados[clave] + d}
    corriente = max((creados[clave] + d for clave, d in durante.items()), default=muerte.volvio) - muerte.volvio
    perdidas, dobles = asentadas - set(aceptadas), len(aceptadas) - len(set(aceptadas))
    referencia = f"{len(asentadas)} asentadas"
    renglones = (
        Renglon(
            "hojas perdidas, dobles o apartadas",
            "ninguna",
            f"{len(perdidas)} perdidas, {dobles} dobles, {apartados} apartadas",
            referencia,
            f"{len(asentadas & set(aceptadas)) / len(asentadas):.3f} aceptadas",
            not perdidas and not dobles and not apartados and set(aceptadas) == asentadas,
        ),
        Renglon(
            "acciones de operador",
            "ninguna",
            "ninguna",
            "el bróker lo vuelve a arrancar el sistema",
            f"{len(muerte.borrados)} archivos del bróker borrados",
            bool(muerte.murio and muerte.volvio),
        ),
        Renglon(
            "del regreso del bróker a tener acusado todo lo que esperaba",
            "que acabe",
            f"{corriente:.1f} s ({len(durante)} sobres esperaban)",
            f"{muerte.volvio - muerte.murio:.1f} s sin bróker",
            f"{corriente / max(muerte.volvio - muerte.murio, 1e-9):.1f} veces la ausencia",
            len(demoras) == len(creados),
        ),
    )
    return Medida(
        "f",
        "el bróker borrado a media noche",
        renglones,
        (
            "Reales: todos los procesos. Lo que hace aquí el banco es lo que haría systemd con `Restart=always`: "
            "volver a correr la misma orden.",
            f"Antes de morir, creación → acuse p50 {percentil(antes, 50) * 1000:.0f} ms." if antes else "",
        ),
    )


def _matar(banco: Banco, t: Tamano, muerte: _Muerte, decir: Decir) -> None:
    time.sleep(t.muere)
    banco.piezas["broker"].matar()
    muerte.murio = time.time()
    persistencia = banco.centro / ajustes.BROKER / "persistencia"
    muerte.borrados += [r.name for r in persistencia.iterdir()]
    shutil.rmtree(persistencia)
    decir(f"  bróker muerto y borrado ({len(muerte.borrados)} archivos suyos)")
    time.sleep(t.caido)
    banco.levantar_broker()
    muerte.volvio = time.time()
    decir("  bróker de vuelta")
    muerte.volver.set()
    # El núcleo termina a las piezas cuando acaba el hilo que las levantó (prctl(2), PR_SET_PDEATHSIG).
    muerte.terminar.wait()
