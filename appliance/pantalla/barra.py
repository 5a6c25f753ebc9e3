"""La barra de arriba: en qué CATD se está, quién captura, qué hora es y la verdad del enlace.

El enlace se deduce de la bandeja y del último acuse guardado, nunca de lo que el proceso del enlace crea de sí mismo:
si está apagado, también se ve.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appliance.bandeja import Resumen

SIN_ENLACE: Final = timedelta(seconds=50)
"""Tres latidos de 15 s sin acuse, y un poco."""


ALTO: Final = (
    "ALTO: este kiosco y el centro no coinciden, quizá porque se copió o se restauró su disco. Lo que capture desde "
    "ahora puede no contarse, y habrá que recapturarlo cuando el kiosco se vuelva a inscribir. Llame al área técnica."
)


@dataclass(frozen=True, slots=True)
class Enlace:
    """Lo que se muestra. `clase` es `bien`, `espera` o `mal`; el texto lo dice completo, sin depender del color."""

    clase: str
    texto: str
    alto: str = ""
    """Con alarma, lo que debe saber quien captura; va en toda página."""


def enlace_de(resumen: Resumen, maquina: datetime, pantalla: datetime) -> Enlace:
    """Estado del enlace en palabras.

    Args:
        maquina: ahora, por el reloj de la máquina (el de `ultimo_acuse`).
        pantalla: ahora, por el reloj que ve la gente; en un ensayo son distintos.
    """
    if resumen.alarma is not None:
        return Enlace("mal", "ALTO: llame al área técnica", ALTO)
    espera = _espera(resumen)
    if resumen.ultimo_acuse is None:
        return Enlace("mal" if resumen.pendientes else "espera", f"aún sin enlace con el centro{espera}")
    hace = maquina - resumen.ultimo_acuse
    if hace > SIN_ENLACE or hace < -SIN_ENLACE:
        desde = pantalla - max(hace, timedelta())
        cuando = f"{desde:%H:%M}" if hace < timedelta(hours=20) else f"el {desde:%d/%m a las %H:%M}"
        return Enlace("mal", f"sin enlace desde {cuando}{espera}")
    if resumen.apartados:
        return Enlace("espera", f"con enlace{espera}; el centro apartó {resumen.apartados}: avise a coordinación")
    if resumen.pendientes:
        return Enlace("bien", f"con enlace, enviando{espera}")
    return Enlace("bien", "con enlace · todo entregado al centro")


def _espera(resumen: Resumen) -> str:
    return f" · {resumen.pendientes} en espera" if resumen.pendientes else ""
