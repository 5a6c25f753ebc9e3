"""Las personas de muchos CATD en un proceso: hacen lo agendado cuando le toca, según un reloj comprimido.

Llaman a la mesa de producción, como `ensayo.personas`. De cada acta verificada anotan el instante verdadero en que
quedó asentada, para medir cuánto tarda en aceptarla el centro.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from appliance.arranque import abrir_kiosco
from appliance.mesa import Mesa
from appliance.reloj import RelojFijado
from ensayo.agenda import Agenda, Documento, Tarea, agenda_de
from ensayo.laboratorio.jalisco.estado import DURACION, documentos_de, leer_estado
from ensayo.laboratorio.jalisco.hojas import Hojas
from ensayo.personas import Imprevisto, Personas
from nucleo.problema import Rechazo

VERIFICADAS: Final = "verificadas.txt"
"""En la carpeta de cada kiosco: secuencia e instante (segundos de época) de cada acta verificada."""

_RESPIRO_S: Final = 0.02
_A_LA_VEZ: Final = timedelta(minutes=2)


class PersonasConHojas(Personas):
    """Las de los ensayos, con imágenes del tamaño de las oficiales."""

    def __init__(
        self, mesa: Mesa, agenda: Agenda, reloj: RelojFijado, hojas: Hojas, al_verificar: Callable[[int], None]
    ) -> None:
        super().__init__(mesa, agenda, reloj, "minimas")
        self._hojas = hojas
        self._al_verificar = al_verificar

    def _hacer(self, tarea: Tarea, d: Documento) -> None:
        if tarea.accion == "digitalizar":
            hecha = self._mesa.digitalizar(
                d.acta, persona=tarea.persona, digitalizacion=d.digitalizacion, contenido=self._hojas.de(d.acta)
            )
            if isinstance(hecha, Rechazo):
                raise Imprevisto(f"{tarea.persona} digitalizar {d.acta}: {hecha}")
            return
        super()._hacer(tarea, d)
        if tarea.orden >= 3 and tarea.accion in ("capturar", "corregir"):
            self._al_verificar(self._mesa.almacen.ultimo().secuencia)


def principal() -> int:
    """`python -m ensayo.laboratorio.jalisco.gente --carpeta DIR --catds N --parte I --partes P`.

    Dice `listo` cuando abrió sus kioscos; a `empieza <segundos de época> <velocidad>` vive la noche, y al acabarla
    dice `listo <tareas> <el mayor retraso, en segundos>`.
    """
    lector = argparse.ArgumentParser(description="Personas de muchos CATD (las dirige `prep laboratorio jalisco`)")
    lector.add_argument("--carpeta", type=Path, required=True)
    for nombre in ("--catds", "--parte", "--partes"):
        lector.add_argument(nombre, type=int, required=True)
    opciones = lector.parse_args()
    estado = leer_estado(opciones.carpeta / "definicion", opciones.catds)
    hojas = Hojas(opciones.carpeta / "hojas")
    todas = [
        _abrir(opciones.carpeta / "kioscos" / equipo, agenda_de(documentos_de(estado, equipo)), hojas, estado.inicio)
        for equipo in list(estado.catds)[opciones.parte :: opciones.partes]
    ]
    gc.freeze()
    os.nice(5)
    print("listo", flush=True)
    orden, comienzo, velocidad = sys.stdin.readline().split()
    assert orden == "empieza"
    hechas, retraso = vivir(todas, estado.inicio, float(comienzo), float(velocidad))
    print(f"listo {hechas} {retraso:.2f}", flush=True)
    # Se queda hasta que la apaguen: si muriera, su cuenta de procesador se perdería.
    sys.stdin.read()
    return 0


def vivir(todas: list[PersonasConHojas], inicio: datetime, comienzo: float, velocidad: float) -> tuple[int, float]:
    """Vive la noche entera. Devuelve cuántas tareas hicieron y lo más que se atrasaron, en segundos de reloj."""
    hechas, retraso, virtual = 0, 0.0, inicio
    while virtual < inicio + DURACION:
        segundos = (time.time() - comienzo) * velocidad
        debido = min(inicio + DURACION, inicio + timedelta(seconds=segundos))
        retraso = max(retraso, (debido - virtual).total_seconds() / velocidad)
        # De a poco: si la máquina no da, todos los CATD se atrasan parejo, y no unos mientras otros se ponen al día.
        virtual = min(debido, virtual + _A_LA_VEZ)
        hechas += sum(p.vivir_hasta(virtual) for p in todas)
        if virtual == debido:
            time.sleep(_RESPIRO_S)
    return hechas, retraso


def _abrir(carpeta: Path, agenda: Agenda, hojas: Hojas, inicio: datetime) -> PersonasConHojas:
    reloj = RelojFijado(inicio)
    mesa = abrir_kiosco(carpeta, reloj).mesa
    descriptor = os.open(carpeta / VERIFICADAS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return PersonasConHojas(
        mesa, agenda, reloj, hojas, lambda secuencia: _anotar(descriptor, f"{secuencia} {time.time():.6f}\n")
    )


def _anotar(descriptor: int, renglon: str) -> None:
    os.write(descriptor, renglon.encode("ascii"))


if __name__ == "__main__":
    sys.exit(principal())
