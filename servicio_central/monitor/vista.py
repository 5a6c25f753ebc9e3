"""De un kiosco a lo que se lee de él: palabras, ícono y color juntos.

Redondea a propósito: lo que no cambia de palabras no se vuelve a mandar a nadie.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from servicio_central.monitor.alarmas import Gravedad, en_palabras
from servicio_central.monitor.episodios import Presente
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco, Retrato
from servicio_central.monitor.umbrales import Umbrales

ICONOS: Final = {
    EstadoDeEnlace.EN_LINEA: "●",
    EstadoDeEnlace.SIN_SENAL: "▲",
    EstadoDeEnlace.CAIDO: "✕",
    EstadoDeEnlace.NUNCA: "○",
    EstadoDeEnlace.BAJA: "–",
}
CLASES: Final = {
    EstadoDeEnlace.EN_LINEA: "en-linea",
    EstadoDeEnlace.SIN_SENAL: "sin-senal",
    EstadoDeEnlace.CAIDO: "caido",
    EstadoDeEnlace.NUNCA: "nunca",
    EstadoDeEnlace.BAJA: "baja",
}
SIN_CALOR: Final = -1


@dataclass(frozen=True, slots=True)
class Queja:
    """Una alarma de ese kiosco, corta."""

    que: str
    episodio: int
    gravedad: str
    reconocida: bool


@dataclass(frozen=True, slots=True)
class VistaDeKiosco:
    """Un kiosco en palabras. `calor` va de 0 (al día) a 4 (lo más viejo); -1 si no se sabe."""

    equipo: str
    catd: str
    clase: str
    icono: str
    estado: str
    edad: str
    calor: int
    peor: int
    """Gravedad de su peor alarma; 9 si no tiene."""
    viva: bool
    """Si alguna de sus alarmas críticas o altas nadie la ha reconocido."""
    quejas: tuple[Queja, ...]
    pendientes: int
    hojas: str
    imagenes: str
    en_pausa: bool
    """Si obedeció la orden de no mandar imágenes."""
    por_recibir: str
    """Imágenes declaradas que el centro aún no tiene; vacío si ninguna."""
    reloj: str
    disco: str
    escaner: str
    version: str
    otra_version: bool
    definicion: str
    otra_definicion: bool
    salida: str


def edad_de(k: Kiosco, ahora: datetime) -> int:
    """Segundos que podría llevar sin salir su hoja más vieja; -1 si nada espera o nunca habló.

    De un equipo callado no se sabe qué capturó después: su silencio cuenta como edad.
    """
    if k.latido is None:
        return SIN_CALOR
    silencio = int((ahora - k.latido).total_seconds()) if k.estado.callado else SIN_CALOR
    return max(k.mas_viejo_s, silencio)


def calor_de(k: Kiosco, ahora: datetime, umbrales: Umbrales) -> int:
    """0 a 4 según los bordes de `umbrales.toml`; -1 si nunca habló o está de baja."""
    if k.estado in (EstadoDeEnlace.NUNCA, EstadoDeEnlace.BAJA):
        return SIN_CALOR
    return bisect_right(umbrales.calor_s, edad_de(k, ahora))


def nombres_de_calor(umbrales: Umbrales) -> tuple[str, ...]:
    """Los cinco colores en palabras, para la leyenda."""
    b = [en_palabras(s) for s in umbrales.calor_s]
    return ("al día", f"{b[0]} a {b[1]}", f"{b[1]} a {b[2]}", f"{b[2]} a {b[3]}", f"más de {b[3]}")


def ver(k: Kiosco, suyas: Sequence[Presente], retrato: Retrato, umbrales: Umbrales) -> VistaDeKiosco:
    """La vista de un kiosco con sus alarmas."""
    distintas = {p.alarma.tipo for p in suyas}
    graves = [p for p in suyas if p.alarma.gravedad <= Gravedad.ALTA]
    return VistaDeKiosco(
        equipo=k.equipo,
        catd=k.catd if k.catd != k.equipo else "",
        clase=CLASES[k.estado],
        icono=ICONOS[k.estado],
        estado=k.estado.value,
        edad=_edad(k, retrato.hora, umbrales),
        calor=calor_de(k, retrato.hora, umbrales),
        peor=min((int(p.alarma.gravedad) for p in suyas), default=9),
        viva=any(not p.reconocida for p in graves),
        quejas=tuple(
            Queja(p.alarma.que, p.episodio.numero if p.episodio else 0, p.alarma.gravedad.palabra, p.reconocida)
            for p in suyas
        ),
        pendientes=k.pendientes,
        hojas=f"{k.guardados:,} de {max(k.anunciada, k.guardados):,}",
        imagenes=f"{k.imagenes:,} · {bytes_en_palabras(k.imagenes_bytes)}" if k.imagenes else "",
        en_pausa=k.imagenes_en_pausa is not None,
        por_recibir=f"{k.por_recibir:,} · {bytes_en_palabras(k.por_recibir_bytes)}" if k.por_recibir else "",
        reloj=_reloj(k),
        disco="" if k.disco_libre is None or k.disco_libre < 0 else bytes_en_palabras(k.disco_libre),
        escaner={"listo": "listo", "sin_escaner": "no lo halla", "falla": "falla"}.get(k.escaner, ""),
        version=k.version,
        otra_version="VERSION" in distintas,
        definicion=k.definicion[:8],
        otra_definicion="DEFINICION" in distintas,
        salida=k.salida,
    )


def bytes_en_palabras(cuantos: int) -> str:
    """«312 kB», «48 MB», «120 GB», truncados."""
    for tope, entre, unidad in ((10**6, 10**3, "kB"), (10**10, 10**6, "MB")):
        if cuantos < tope:
            return f"{cuantos // entre:,} {unidad}"
    return f"{cuantos // 10**9:,} GB"


def _edad(k: Kiosco, ahora: datetime, umbrales: Umbrales) -> str:
    if k.estado is EstadoDeEnlace.NUNCA:
        return "nunca"
    if k.estado is EstadoDeEnlace.BAJA:
        return "de baja"
    edad = edad_de(k, ahora)
    if k.estado.callado:
        # En minutos: un texto que cambia cada segundo se mandaría a todos cada segundo.
        return en_palabras(edad) if edad >= 60 else "<1 min"
    if edad < umbrales.calor_s[0]:
        return "al día"
    return en_palabras(edad)


def _reloj(k: Kiosco) -> str:
    if not k.reloj:
        return ""
    if abs(k.desfase_ms) < 1000:
        return k.reloj
    return f"{k.reloj} {k.desfase_ms // 1000:+d} s" if k.desfase_ms > 0 else f"{k.reloj} −{-k.desfase_ms // 1000} s"
