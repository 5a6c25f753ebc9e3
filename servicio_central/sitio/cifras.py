"""Cómo se escriben las cantidades, los porcentajes y las horas para quien lee."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from nucleo import porcentaje
from nucleo.base_oficial import fechas

_MESES: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_DIAS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_ENLACES: Final = frozenset(("de", "del", "y", "la", "las", "los", "el", "en", "por"))


def miles(cantidad: int) -> str:
    """Con coma de millares, como se escribe en México: 1,234,567."""
    return f"{cantidad:,}"


def cuenta(cantidad: int, uno: str, varios: str = "") -> str:
    """Cantidad con su sustantivo: `cuenta(1, "acta")` es «1 acta»; en plural, `varios` o con s."""
    return f"{cantidad:,} {uno if cantidad == 1 else varios or uno + 's'}"


def por_ciento(parte: int, total: int) -> str:
    """Cuatro decimales truncados y el signo, sin que se separen al partir el renglón."""
    return f"{porcentaje.a_texto(parte, total)}\u00a0%"


def milesimas(parte: int, total: int) -> int:
    """Largo de una barra de mil unidades; algo que no es cero siempre se alcanza a ver."""
    return max(parte * 1000 // total, 4) if parte and total else 0


@lru_cache(maxsize=4096)
def hora(instante: datetime, huso: str) -> str:
    """`20:20 h`."""
    return f"{instante.astimezone(ZoneInfo(huso)):%H:%M}\u00a0h"


@lru_cache(maxsize=4096)
def dia(instante: datetime, huso: str) -> str:
    """`domingo 5 de junio de 2022`."""
    local = instante.astimezone(ZoneInfo(huso))
    return f"{_DIAS[local.weekday()]} {local.day} de {_MESES[local.month - 1]} de {local.year}"


def momento(instante: datetime, huso: str) -> str:
    """`20:20 h (UTC-5) del domingo 5 de junio de 2022`."""
    local = instante.astimezone(ZoneInfo(huso))
    return f"{hora(instante, huso)} ({fechas.desfase(local)}) del {dia(instante, huso)}"


@lru_cache(maxsize=4096)
def momento_breve(instante: datetime, huso: str) -> str:
    """`5 de junio, 20:20:07`."""
    local = instante.astimezone(ZoneInfo(huso))
    return f"{local.day} de {_MESES[local.month - 1]}, {local:%H:%M:%S}"


def frase(texto: str) -> str:
    """Lo que viene en mayúsculas, como se lee: GUBERNATURA es «Gubernatura»; lo demás queda igual."""
    return texto.capitalize() if texto.isupper() else texto


@lru_cache(maxsize=4096)
def nombre_propio(texto: str) -> str:
    """Nombre de lugar que viene en mayúsculas: VILLA DE ALVAREZ es «Villa de Alvarez»; lo demás queda igual."""
    if not texto.isupper():
        return texto
    palabras = [p if i and p in _ENLACES else p.capitalize() for i, p in enumerate(texto.lower().split())]
    return " ".join(palabras)


def enumerar(partes: list[str]) -> str:
    """«uno, dos y tres»."""
    return partes[0] if len(partes) == 1 else f"{', '.join(partes[:-1])} y {partes[-1]}" if partes else ""


def tamano(octetos: int) -> str:
    """`412 KB`, `3.1 MB`: para decir cuánto pesa una descarga."""
    if octetos < 1000:
        return cuenta(octetos, "byte")
    if octetos < 1_000_000:
        return f"{octetos // 1000}\u00a0KB"
    decimas = octetos // 100_000
    return f"{decimas // 10:,}.{decimas % 10}\u00a0MB"
