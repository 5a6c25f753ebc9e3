"""La barra de arriba: en qué CATD y en qué modo se está, quién trabaja, qué hora es y la verdad del enlace.

El enlace se deduce de la bandeja y del último acuse guardado, nunca de lo que el proceso del enlace crea de sí mismo:
si está apagado, también se ve.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appliance import imagenes_declaradas, reloj, situacion
from appliance.arranque import Kiosco
from appliance.bandeja import Resumen
from appliance.enlace.aviso_de_reloj import DESFASE
from appliance.enlace.carril_de_ordenes import MENSAJE
from appliance.enlace.rechazos import RECHAZADO
from appliance.enlace.transporte_por_salida import SALIDA
from appliance.imagenes_declaradas import ORDEN, PRESUPUESTO, ResumenDeImagenes
from appliance.ritmo import minutos_de_imagenes, minutos_para_ponerse_al_dia
from nucleo.concordancia import concordar
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


@dataclass(frozen=True, slots=True)
class EsperaDeImagenes:
    """Las imágenes que faltan y, si se puede saber, en cuántos minutos estarán."""

    faltan: ResumenDeImagenes
    minutos: int | None = None


SIN_IMAGENES: Final = EsperaDeImagenes(ResumenDeImagenes(0, 0, 0, 0, ""))

PAUSAS: Final = {
    PRESUPUESTO: " para no gastar datos; las cifras siguen saliendo",
    ORDEN: ": lo pidió el centro",
}


def datos_de_la_barra(kiosco: Kiosco, maquina: datetime, pantalla: datetime) -> dict[str, object]:
    """Lo de la barra que no depende de quién mira. Las horas, como en `enlace_de`. Raises: Falla."""
    resumen = kiosco.almacen.resumen()
    por_enviar = resumen.pendientes - resumen.apartados
    with kiosco.almacen.lectura() as mirada:
        minutos = minutos_para_ponerse_al_dia(mirada.conexion, por_enviar, maquina)
        faltan = imagenes_declaradas.resumen(mirada.conexion)
        mensaje, salida, rechazado, desfase = (
            situacion.leer(mirada.conexion, llave) for llave in (MENSAJE, SALIDA, RECHAZADO, DESFASE)
        )
        imagenes = EsperaDeImagenes(faltan, minutos_de_imagenes(mirada.conexion, faltan, maquina))
    calidad = kiosco.reloj.calidad()
    return {
        "catd": kiosco.identidad.catd,
        "modo": kiosco.identidad.modo,
        "nombre_del_modo": MODOS[kiosco.identidad.modo],
        "ahora": pantalla,
        "mensaje_del_centro": mensaje,
        # En capacitación no hay centro: decir que falta el enlace alarmaría a quien apenas aprende.
        "enlace": (
            enlace_de(resumen, maquina, pantalla, minutos, imagenes, salida, rechazado)
            if kiosco.identidad.modo in CON_CENTRO
            else Enlace("bien", "práctica: nada se envía al centro")
        ),
        "hora_dudosa": bool(desfase) or calidad in (reloj.LIBRE, reloj.DESCONOCIDO),
        "calidad_de_la_hora": _desfasada(int(desfase)) if desfase else RELOJES[calidad],
    }


def enlace_de(
    resumen: Resumen,
    maquina: datetime,
    pantalla: datetime,
    minutos: int | None = None,
    imagenes: EsperaDeImagenes = SIN_IMAGENES,
    salida: str = "",
    rechazado: str = "",
) -> Enlace:
    """Estado del enlace en palabras.

    Args:
        maquina: ahora, por el reloj de la máquina (el de `ultimo_acuse`).
        pantalla: ahora, por el reloj que ve la gente; en un ensayo son distintos.
        minutos: cuánto tardarán en llegar las cifras que esperan; se dice sólo con enlace.
        imagenes: las que faltan, y cuánto tardarán.
        salida: por cuál contestó el centro, si hay varias.
        rechazado: con qué palabras cierra el bróker la puerta; vacío si deja entrar.
    """
    if resumen.alarma is not None:
        return Enlace("mal", "ALTO: llame al área técnica", ALTO)
    espera = _espera(resumen)
    if rechazado:
        return Enlace("mal", f"sin enlace: el bróker no nos deja entrar{espera}; llame al área técnica")
    con_enlace = f"con enlace por {salida}" if salida else "con enlace"
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
            f"{con_enlace}{espera}{_al_dia(minutos)}{_de_imagenes(imagenes)}; el centro apartó {resumen.apartados}: "
            "avise a coordinación",
        )
    if resumen.pendientes:
        return Enlace("bien", f"{con_enlace}, enviando{espera}{_al_dia(minutos)}{_de_imagenes(imagenes)}")
    if imagenes.faltan.pendientes or imagenes.faltan.apartadas:
        return Enlace("bien", f"{con_enlace} · cifras al día{_de_imagenes(imagenes)}")
    return Enlace("bien", f"{con_enlace} · todo entregado al centro")


def _espera(resumen: Resumen) -> str:
    return f" · {resumen.pendientes} en espera" if resumen.pendientes else ""


def _de_imagenes(imagenes: EsperaDeImagenes) -> str:
    faltan, dicho = imagenes.faltan, ""
    if faltan.pendientes and faltan.pausa:
        dicho = f" · {_cuantas(faltan.pendientes)} en pausa{PAUSAS.get(faltan.pausa, faltan.pausa)}"
    elif faltan.pendientes and imagenes.minutos is not None:
        dicho = f" · imágenes en {imagenes.minutos} min"
    elif faltan.pendientes:
        dicho = f" · {_cuantas(faltan.pendientes)} por llegar"
    return dicho + (f" · {_cuantas(faltan.apartadas)} sin poder entregarse" if faltan.apartadas else "")


def imagenes_en_palabras(faltan: ResumenDeImagenes) -> str:
    """Cómo va su entrega, para quien lo pregunta: dice la pausa aunque no falte ninguna."""
    dicho = (
        f"{_cuantas(faltan.pendientes)} por llegar al centro" if faltan.pendientes else "ninguna por llegar al centro"
    )
    if faltan.apartadas:
        dicho += f"; {_cuantas(faltan.apartadas)} sin poder entregarse"
    return dicho + (f"; en pausa{PAUSAS.get(faltan.pausa, f': {faltan.pausa}')}" if faltan.pausa else "")


def _cuantas(imagenes: int) -> str:
    return concordar(imagenes, "imagen", "imágenes")


def _al_dia(minutos: int | None) -> str:
    return f" · cifras al día en {minutos} min" if minutos is not None else ""


def _desfasada(milisegundos: int) -> str:
    lado = "adelantado" if milisegundos > 0 else "atrasado"
    return f"reloj {lado} {round(abs(milisegundos) / 1000)} s"
