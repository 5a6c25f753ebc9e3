"""El huso y las horas del proceso: con desfase escrito, y que sea el que ese huso tenía ese día.

Escribir el desfase parece redundante, pero es lo que descubre un horario de verano mal supuesto: Oaxaca
publicó en UTC-5 en 2022 y en UTC-6 en 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nucleo.definicion.tabla import Tabla

MAXIMO_ENTRE_CORTES: Final = 20
"""Minutos: se piden al menos tres actualizaciones por hora (dominio §3.3)."""
MAXIMA_PUBLICACION: Final = timedelta(hours=24)
"""La publicación cierra a más tardar 24 horas después de que empieza (dominio §3.3)."""

_NUNCA: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Calendario:
    """Huso IANA y momentos en ese huso. Los momentos que no se pudieron leer quedan en el año 1."""

    huso: str
    inicio_operacion: datetime = _NUNCA
    inicio_publicacion: datetime = _NUNCA
    cierre: datetime = _NUNCA
    minutos_entre_cortes: int = MAXIMO_ENTRE_CORTES


def leer_calendario(raiz: Tabla) -> Calendario:
    """Las claves `huso` y `[calendario]`; sólo sirve si no quedó anotado ningún problema."""
    nombre = raiz.texto("huso")
    huso = _zona(raiz, nombre) if nombre else None
    tabla = raiz.tabla("calendario", "calendario")
    if tabla is None:
        return Calendario(nombre)
    operacion = _momento(tabla, "inicio_operacion", huso)
    publicacion = _momento(tabla, "inicio_publicacion", huso)
    cierre = _momento(tabla, "cierre", huso)
    if operacion and publicacion and operacion > publicacion:
        tabla.problema(
            "la publicación empieza antes que la operación",
            "las dos horas están cambiadas",
            "corrija «inicio_operacion» o «inicio_publicacion»",
            "inicio_publicacion",
        )
    if publicacion and cierre and not timedelta() < cierre - publicacion <= MAXIMA_PUBLICACION:
        tabla.problema(
            "el cierre no es posterior al inicio de la publicación, o lo es por más de 24 horas",
            "el día o la hora están mal escritos",
            "corrija «cierre»",
            "cierre",
        )
    minutos = tabla.entero("minutos_entre_cortes", 1, MAXIMO_ENTRE_CORTES, MAXIMO_ENTRE_CORTES)
    return Calendario(nombre, operacion or _NUNCA, publicacion or _NUNCA, cierre or _NUNCA, minutos)


def _zona(raiz: Tabla, nombre: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(nombre)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        # Según qué tan raro sea el nombre («../x», «America»), zoneinfo falla de las tres formas.
        raiz.problema(
            f"el huso {nombre[:60]!r} no existe",
            "está mal escrito, o no es un nombre IANA",
            "use, por ejemplo, America/Mexico_City",
            "huso",
        )
        return None


def _momento(tabla: Tabla, llave: str, huso: ZoneInfo | None) -> datetime | None:
    """El momento en el huso de la entidad, o como se escribió si el huso no se conoce."""
    escrito = tabla.momento(llave)
    if escrito is None or huso is None:
        return escrito
    try:
        local = escrito.astimezone(huso)
    except OverflowError:
        tabla.problema(f"«{llave}» está fuera del calendario", "un año equivocado", "corrija el año", llave)
        return None
    if local.utcoffset() != escrito.utcoffset():
        tabla.problema(
            f"«{llave}» tiene un desfase que no es el de {huso.key} ese día",
            "el horario de verano, o se copió de otro proceso",
            f"si la hora escrita es la local, use {escrito.replace(tzinfo=huso).isoformat()}",
            llave,
        )
    return local
