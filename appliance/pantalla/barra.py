"""La barra de arriba: en qué CATD y en qué modo se está, quién trabaja, qué hora es y la verdad del enlace.

El enlace se deduce de la bandeja y del último acuse guardado, nunca de lo que el proceso del enlace crea de sí mismo:
si está apagado, también se ve.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appliance import reloj
from appliance.arranque import Kiosco
from appliance.bandeja import Resumen
from appliance.ritmo import minutos_para_ponerse_al_dia
from nucleo.modos import CAPACITACION, CON_CENTRO, OFICIAL, SIMULACRO

SIN_ENLACE: Final = timedelta(seconds=50)
"""Tres latidos de 15 s sin acuse, y un poco."""

MODOS: Final = {CAPACITACION: "Capacitación", SIMULACRO: "Simulacro", OFICIAL: "Oficial"}
RELOJES: Final = {
    reloj.SINCRONIZADO: "hora exacta",
    reloj.LIBRE: "hora sin comprobar",
    reloj.DESCONOCIDO: "hora sin comprobar",
    reloj.VIRTUAL: "hora de ensayo",
}

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


def datos_de_la_barra(kiosco: Kiosco, maquina: datetime, pantalla: datetime) -> dict[str, object]:
    """Lo de la barra que no depende de quién mira. Las horas, como en `enlace_de`. Raises: Falla."""
    resumen = kiosco.almacen.resumen()
    por_enviar = resumen.pendientes - resumen.apartados
    with kiosco.almacen.lectura() as mirada:
        minutos = minutos_para_ponerse_al_dia(mirada.conexion, por_enviar, maquina)
    calidad = kiosco.reloj.calidad()
    return {
        "catd": kiosco.identidad.catd,
        "modo": kiosco.identidad.modo,
        "nombre_del_modo": MODOS[kiosco.identidad.modo],
        "ahora": pantalla,
        # En capacitación no hay centro: decir que falta el enlace alarmaría a quien apenas aprende.
        "enlace": (
            enlace_de(resumen, maquina, pantalla, minutos)
            if kiosco.identidad.modo in CON_CENTRO
            else Enlace("bien", "práctica: nada se envía al centro")
        ),
        "hora_dudosa": calidad in (reloj.LIBRE, reloj.DESCONOCIDO),
        "calidad_de_la_hora": RELOJES[calidad],
    }


def enlace_de(resumen: Resumen, maquina: datetime, pantalla: datetime, minutos: int | None = None) -> Enlace:
    """Estado del enlace en palabras.

    Args:
        maquina: ahora, por el reloj de la máquina (el de `ultimo_acuse`).
        pantalla: ahora, por el reloj que ve la gente; en un ensayo son distintos.
        minutos: cuánto tardará en llegar lo que espera; se dice sólo con enlace.
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
        return Enlace(
            "espera",
            f"con enlace{espera}{_al_dia(minutos)}; el centro apartó {resumen.apartados}: avise a coordinación",
        )
    if resumen.pendientes:
        return Enlace("bien", f"con enlace, enviando{espera}{_al_dia(minutos)}")
    return Enlace("bien", "con enlace · todo entregado al centro")


def _espera(resumen: Resumen) -> str:
    return f" · {resumen.pendientes} en espera" if resumen.pendientes else ""


def _al_dia(minutos: int | None) -> str:
    return f" · cifras al día en {minutos} min" if minutos is not None else ""
