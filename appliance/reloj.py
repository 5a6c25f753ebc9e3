"""La hora del kiosco y qué tanto se le puede creer.

El orden de los hechos lo da la secuencia, nunca el reloj; la hora se publica, y por eso cada sobre dice su calidad.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from appliance.falla import Falla
from nucleo.renglon import HechoInvalido, hora_con_huso

SINCRONIZADO: Final = "sincronizado"
LIBRE: Final = "libre"
DESCONOCIDO: Final = "desconocido"
VIRTUAL: Final = "virtual"

_MARCA_SINCRONIZADO: Final = Path("/run/systemd/timesync/synchronized")
_CHRONY: Final = Path("/run/chrony/chronyd.pid")
_VIGENCIA_CALIDAD: Final = timedelta(seconds=30)


class Reloj(Protocol):
    """Quien dice la hora."""

    def ahora(self) -> datetime:
        """Instante actual con el huso del proceso."""
        ...

    def calidad(self) -> str:
        """`sincronizado`, `libre`, `desconocido` o `virtual`."""
        ...

    def monotonico(self) -> float:
        """Segundos de un reloj que nadie pone en hora: no salta ni retrocede mientras viva el proceso."""
        ...


def hora_creible(reloj: Reloj) -> datetime:
    """La hora del reloj, si cabe en un sobre.

    Raises:
        Falla: RELOJ, si el centro no la aceptaría: un equipo sin pila arranca en 1970.
    """
    ahora = reloj.ahora()
    exigir_creible(ahora)
    return ahora


def exigir_creible(hora: datetime) -> None:
    """Como `hora_creible`, de una hora ya leída. Raises: Falla."""
    try:
        hora_con_huso(hora.isoformat())
    except HechoInvalido as error:
        raise Falla(
            "RELOJ",
            f"El reloj del kiosco dice {hora:%d/%m/%Y %H:%M}, una hora que no puede ser",
            "el equipo se quedó sin pila o sin red y arrancó con la fecha de fábrica",
            "espere a que se ponga en hora y repita la acción; si no pasa en unos minutos, llame al área técnica",
        ) from error


class RelojDelSistema:
    """El reloj de la máquina, en el huso del proceso."""

    def __init__(self, huso: str) -> None:
        self._huso = ZoneInfo(huso)
        self._calidad = DESCONOCIDO
        self._vista: datetime | None = None

    def ahora(self) -> datetime:
        return datetime.now(self._huso)

    def calidad(self) -> str:
        # Cada asiento la pide: se mira a lo más cada 30 s, sin lanzar procesos.
        ahora = self.ahora()
        if self._vista is None or abs(ahora - self._vista) > _VIGENCIA_CALIDAD:
            self._vista, self._calidad = ahora, _calidad_del_sistema()
        return self._calidad

    def monotonico(self) -> float:
        return time.monotonic()


class RelojFijado:
    """Un reloj que sólo avanza cuando se le dice; para ensayos y pruebas."""

    def __init__(self, instante: datetime) -> None:
        self._corridos = 0.0
        self.fijar(instante)

    def fijar(self, instante: datetime) -> None:
        """Pone la hora, sin que pase el tiempo. Raises: ValueError si no trae huso."""
        if instante.utcoffset() is None:
            raise ValueError("la hora del ensayo debe llevar huso")
        self._instante = instante

    def avanzar(self, cuanto: timedelta) -> None:
        """Pasa ese tiempo; si es negativo, sólo se atrasa la hora."""
        self._instante += cuanto
        self._corridos += max(0.0, cuanto.total_seconds())

    def ahora(self) -> datetime:
        return self._instante

    def calidad(self) -> str:
        return VIRTUAL

    def monotonico(self) -> float:
        return self._corridos


class RelojDeEnsayo:
    """Corre al paso del reloj de la máquina, pero empezó a la hora que se le dijo; para practicar en pantalla."""

    def __init__(self, inicio: datetime) -> None:
        if inicio.utcoffset() is None:
            raise ValueError("la hora del ensayo debe llevar huso")
        self._inicio = inicio
        self._base = datetime.now(inicio.tzinfo)

    def ahora(self) -> datetime:
        return self._inicio + (datetime.now(self._inicio.tzinfo) - self._base)

    def calidad(self) -> str:
        return VIRTUAL

    def monotonico(self) -> float:
        return time.monotonic()


def _calidad_del_sistema() -> str:
    # systemd-timesyncd toca esta marca cuando de veras sincronizó. De chrony sólo se sabe que corre: no basta
    # para afirmar que está sincronizado, y preguntarle cuesta un proceso.
    if _MARCA_SINCRONIZADO.exists():
        return SINCRONIZADO
    return DESCONOCIDO if _CHRONY.exists() else LIBRE
