"""El calendario legal de cortes: cuándo toca cada uno y el hilo que los hace a su hora.

Del inicio de la publicación al cierre, cada `minutos_entre_cortes` (como mucho 20: al menos tres actualizaciones por
hora); el del cierre es el último. Cada corte corre en un proceso aparte: ni le quita turno a la ingesta ni puede
tumbarla.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from nucleo.eleccion import Proceso
from servicio_central.corte import nombre_de, ultimo_publicado

_REINTENTO: Final = 20.0
"""Segundos antes de repetir un corte que falló."""

Hacer = Callable[[datetime, bool], str]
"""Hace el corte de esa hora (y si es el último); devuelve la queja, o vacío si salió."""


def horas(proceso: Proceso) -> list[datetime]:
    """Horas de corte, en orden; la última es el cierre."""
    cada = timedelta(minutes=proceso.minutos_entre_cortes)
    lista = []
    hora = proceso.inicio_publicacion
    while hora < proceso.cierre:
        lista.append(hora)
        hora += cada
    return [*lista, proceso.cierre]


def siguiente(proceso: Proceso, despues_de: datetime) -> datetime | None:
    """La primera hora de corte posterior; `None` si ya cerró."""
    return next((h for h in horas(proceso) if h > despues_de), None)


def atrasado(proceso: Proceso, ahora: datetime, publicado: str | None) -> datetime | None:
    """El corte que debió salir y no está, con la hora en que de verdad se haría; `None` si no falta ninguno.

    No se le pone la hora que le tocaba: diría que a esa hora se tenían datos que llegaron después.
    """
    pasadas = [h for h in horas(proceso) if h <= ahora]
    if not pasadas or (publicado is not None and publicado >= nombre_de(proceso, pasadas[-1])):
        return None
    return max(pasadas[-1], ahora.replace(second=0, microsecond=0))


def en_otro_proceso(carpeta: Path) -> Hacer:
    """Hace cada corte con `python -m servicio_central.corte`."""

    def hacer(hora: datetime, ultimo: bool) -> str:
        orden = [sys.executable, "-m", "servicio_central.corte", "--carpeta", str(carpeta), "--hora", hora.isoformat()]
        hecho = subprocess.run(
            [*orden, *(["--ultimo"] if ultimo else [])], capture_output=True, text=True, check=False, timeout=600
        )
        return "" if hecho.returncode == 0 else (hecho.stderr.strip() or f"terminó con {hecho.returncode}")

    return hacer


def empezar(
    carpeta: Path, proceso: Callable[[], Proceso], hacer: Hacer, avisar: Callable[[str], None], parar: Event
) -> Thread:
    """Hilo que hace los cortes hasta el cierre o hasta `parar`. `proceso` da la definición vigente en cada vuelta."""

    def correr() -> None:
        while not parar.is_set():
            ahora = datetime.now(UTC)
            vigente = proceso()
            debe = atrasado(vigente, ahora, ultimo_publicado(carpeta))
            if debe is None:
                proxima = siguiente(vigente, ahora)
                if proxima is None:
                    avisar("ya se hizo el último corte del calendario")
                    return
                # A lo más un minuto cada vez: la definición o el reloj de la máquina pueden cambiar mientras se espera.
                parar.wait(min(60.0, (proxima - ahora).total_seconds()))
                continue
            puntual = max(h for h in horas(vigente) if h <= ahora)
            hora = puntual if ahora - puntual < timedelta(minutes=1) else debe
            queja = hacer(hora, hora >= vigente.cierre)
            if queja:
                avisar(f"no salió el corte de las {hora:%H:%M}: {queja}; se repite en {_REINTENTO:.0f} s")
                parar.wait(_REINTENTO)
            else:
                avisar(f"corte de las {hora:%H:%M} publicado")

    hilo = Thread(target=correr, name="calendario", daemon=True)
    hilo.start()
    return hilo
