"""Las alarmas como se leen: las del mismo tipo juntas, lo peor y lo no reconocido primero. Cien CATD callados son un
renglón, no cien."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from servicio_central.monitor.alarmas import Alarma, Gravedad
from servicio_central.monitor.episodios import Presente

_EQUIPOS: Final = 8

NOMBRES: Final = {
    "INGESTA": "La ingesta se detuvo",
    "BROKER": "Centro sin bróker",
    "ALMACEN": "Almacén ilegible",
    "LIBRETA": "Libreta de la sala",
    "DISCO_CENTRO": "Disco del centro",
    "CORTE_FUTURO": "Corte del futuro",
    "CORTE_TARDE": "Corte tarde",
    "SILENCIO_MASIVO": "Muchos CATD callados",
    "BIFURCACION": "Bifurcación",
    "CADENA_ROTA": "Cadena rota",
    "RETROCESO": "Retroceso",
    "BITACORA": "Bitácora que no cuadra",
    "CUARENTENA": "Cuarentena",
    "CUARENTENA_AJENA": "Cuarentena de desconocidos",
    "SILENCIO": "CATD en silencio",
    "NUNCA": "Nunca ha hablado",
    "BANDEJA": "Bandeja que crece",
    "FALTAN": "Hojas que faltan",
    "RELOJ": "Reloj",
    "DISCO": "Disco de un kiosco",
    "ESCANER": "Escáner",
    "DEFINICION": "Otra definición",
    "VERSION": "Otra versión",
    "DESBORDE": "Desborde",
    "EN_ESPERA": "Hojas en espera",
    "EXCLUIDO": "Excluido por la autoridad",
    "EN_DUDA": "Actas en duda",
    "PEDIDO": "Pedido por autorizar",
    "ORDEN": "Orden sin cumplir",
    "MOCHILA": "Mochila incompleta",
}
"""Tipo de alarma → cómo se llama en pantalla."""


@dataclass(frozen=True, slots=True)
class Grupo:
    """Un renglón de la lista de alarmas."""

    tipo: str
    nombre: str
    gravedad: str
    cuantas: int
    que: str
    causa: str
    siguiente: str
    equipos: tuple[str, ...]
    otros: int
    """Equipos que no cupieron."""
    desde: str
    sin_reconocer: int
    reconocio: str
    """Quién, si es una sola y ya se reconoció."""
    episodio: int
    """Si es una sola."""

    @property
    def viva(self) -> bool:
        """Si debe llamar la atención: es grave y falta quien la reconozca."""
        return self.sin_reconocer > 0 and self.gravedad != Gravedad.AVISO.palabra


def agrupar(presentes: Sequence[Presente], huso: str) -> tuple[Grupo, ...]:
    """Por tipo y gravedad; lo peor primero y, de lo mismo, lo que nadie ha reconocido."""
    juntas: dict[tuple[Gravedad, str], list[Presente]] = {}
    for p in presentes:
        juntas.setdefault((p.alarma.gravedad, p.alarma.tipo), []).append(p)
    hechos = [(g, _grupo(suyas, huso)) for (g, _), suyas in juntas.items()]
    return tuple(grupo for g, grupo in sorted(hechos, key=lambda x: (x[0], not x[1].sin_reconocer, x[1].tipo)))


def _grupo(suyas: list[Presente], huso: str) -> Grupo:
    primera = suyas[0].alarma
    equipos = [p.alarma.equipo for p in suyas if p.alarma.equipo]
    desde = min((p.episodio.desde for p in suyas if p.episodio), default=None)
    sola = len(suyas) == 1
    episodio = suyas[0].episodio if sola else None
    return Grupo(
        tipo=primera.tipo,
        nombre=NOMBRES.get(primera.tipo, primera.tipo),
        gravedad=primera.gravedad.palabra,
        cuantas=len(suyas),
        que=primera.que if sola else _comun(p.alarma for p in suyas),
        causa=primera.causa,
        siguiente=primera.siguiente,
        equipos=tuple(equipos[:_EQUIPOS]),
        otros=max(0, len(equipos) - _EQUIPOS),
        desde="" if desde is None else hora(desde, huso),
        sin_reconocer=sum(not p.reconocida for p in suyas),
        reconocio=episodio.reconocio if episodio else "",
        episodio=episodio.numero if episodio else 0,
    )


def _comun(alarmas: Iterable[Alarma]) -> str:
    """Lo que dicen, si todas dicen lo mismo o si son pocas cosas distintas."""
    distintos = list(dict.fromkeys(a.que for a in alarmas))
    return "; ".join(distintos[:3]) + ("…" if distintos[3:] else "")


def hora(instante: datetime, huso: str) -> str:
    """«22:41» en la hora de la entidad."""
    return f"{instante.astimezone(ZoneInfo(huso)):%H:%M}"


def fecha(instante: datetime, huso: str) -> str:
    """«05/06 22:41:07» en la hora de la entidad."""
    return f"{instante.astimezone(ZoneInfo(huso)):%d/%m %H:%M:%S}"
