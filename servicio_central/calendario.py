"""El calendario legal de cortes: cuándo toca cada uno y el hilo que los hace a su hora.

Del inicio de la publicación al cierre, cada `minutos_entre_cortes` (como mucho 20: al menos tres actualizaciones por
hora); el del cierre es el último. Quien los hace es otro proceso (`servicio_central.publicacion.encargado`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final
from zoneinfo import ZoneInfo

from nucleo.eleccion import Proceso
from servicio_central.publicado import es_de_cierre, es_futuro, nombre_de, ultimo_publicado

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


def atrasado(proceso: Proceso, ahora: datetime, publicado: str | None, de_cierre: bool = False) -> datetime | None:
    """El corte que debió salir y no está, con la hora en que de verdad se haría; `None` si no falta ninguno.

    No se le pone la hora que le tocaba: diría que a esa hora se tenían datos que llegaron después.

    Args:
        publicado: el que se publica; si su hora no ha llegado es un error y no cuenta como hecho.
        de_cierre: si ese se hizo como el último. Después del cierre, otro cualquiera no basta.
    """
    pasadas = [h for h in horas(proceso) if h <= ahora]
    if not pasadas:
        return None
    if publicado is not None and not es_futuro(proceso, publicado, ahora):
        al_corriente = publicado >= nombre_de(proceso, pasadas[-1])
        if al_corriente and (de_cierre or ahora < proceso.cierre):
            return None
    return max(pasadas[-1], ahora.replace(second=0, microsecond=0))


def empezar(
    carpeta: Path, proceso: Callable[[], Proceso], hacer: Hacer, avisar: Callable[[str], None], parar: Event
) -> Thread:
    """Hilo que hace los cortes hasta `parar`; después del cierre sigue atento, porque el reloj o la definición pueden
    corregirse. `proceso` da la definición vigente en cada vuelta."""
    vuelta = _Vuelta(carpeta, proceso, hacer, avisar)

    def correr() -> None:
        espera = 0.0
        while not parar.wait(espera):
            try:
                espera = vuelta.dar(datetime.now(UTC))
            except Exception as error:
                # Sin este hilo no hay publicación: ningún defecto lo termina.
                avisar(f"DEFECTO en el calendario ({error!r}); se reintenta en {_REINTENTO:.0f} s")
                espera = _REINTENTO

    hilo = Thread(target=correr, name="calendario", daemon=True)
    hilo.start()
    return hilo


class _Vuelta:
    """Lo que el hilo hace cada vez que despierta."""

    def __init__(
        self, carpeta: Path, proceso: Callable[[], Proceso], hacer: Hacer, avisar: Callable[[str], None]
    ) -> None:
        self._carpeta = carpeta
        self._proceso = proceso
        self._hacer = hacer
        self._avisar = avisar
        self._dicho = ""

    def dar(self, ahora: datetime) -> float:
        """Hace el corte que falte y devuelve cuántos segundos esperar."""
        proceso, publicado = self._proceso(), ultimo_publicado(self._carpeta)
        if publicado is not None and es_futuro(proceso, publicado, ahora):
            self._una_vez(f"ERROR: se publica el corte {publicado}, cuya hora aún no llega; revise el reloj")
        de_cierre = publicado is not None and es_de_cierre(self._carpeta, publicado)
        debe = atrasado(proceso, ahora, publicado, de_cierre)
        if debe is None:
            proxima = siguiente(proceso, ahora)
            if proxima is None:
                self._una_vez("ya se hizo el último corte del calendario")
                return 60.0
            # A lo más un minuto cada vez: la definición o el reloj de la máquina pueden cambiar mientras se espera.
            return min(60.0, (proxima - ahora).total_seconds())
        puntual = max(h for h in horas(proceso) if h <= ahora)
        hora = puntual if ahora - puntual < timedelta(minutes=1) else debe
        queja = self._hacer(hora, hora >= proceso.cierre)
        local = hora.astimezone(ZoneInfo(proceso.huso))
        if queja:
            self._avisar(f"no salió el corte de las {local:%H:%M}: {queja}; se repite en {_REINTENTO:.0f} s")
            return _REINTENTO
        publicado = ultimo_publicado(self._carpeta)
        if publicado != nombre_de(proceso, hora):
            self._avisar(f"se hizo el corte de las {local:%H:%M} pero se publica el {publicado or 'de nadie'}")
            return _REINTENTO
        self._avisar(f"corte de las {local:%H:%M} publicado")
        return 0.0

    def _una_vez(self, texto: str) -> None:
        if texto != self._dicho:
            self._avisar(texto)
        self._dicho = texto
