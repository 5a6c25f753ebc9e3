"""Las fechas y horas de la base: una forma de escribirlas y las que se han publicado.

Se escribe `dd/mm/aaaa hh:mm:ss` en la hora de la entidad; el corte lleva además su desfase: `05/06/2022 21:20
(UTC-5)`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_FORMA: Final = re.compile(
    r"(?:(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<a>\d{4})|(?P<a2>\d{4})[-/](?P<m2>\d{1,2})[-/](?P<d2>\d{1,2}))"
    r"[ T]+(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?\s*(?:h(?:rs?)?\.?)?"
    r"\s*(?:\(?UTC\s*(?P<signo>[+-])\s*(?P<uh>\d{1,2})(?::(?P<um>\d{2}))?\)?)?",
    re.ASCII | re.IGNORECASE,
)


def hora(instante: datetime, huso: str) -> str:
    """Hora de un renglón: `05/06/2022 19:22:00`, en el huso IANA de la entidad."""
    return f"{instante.astimezone(ZoneInfo(huso)):%d/%m/%Y %H:%M:%S}"


def corte(instante: datetime, huso: str) -> str:
    """Hora del corte: `05/06/2022 21:20 (UTC-5)`."""
    local = instante.astimezone(ZoneInfo(huso))
    return f"{local:%d/%m/%Y %H:%M} ({desfase(local)})"


def desfase(local: datetime) -> str:
    """Desfase publicado de un instante con huso: `UTC-5`, o `UTC-5:30` si no es de horas enteras."""
    minutos = round((local.utcoffset() or timedelta()) / timedelta(minutes=1))
    horas, resto = divmod(abs(minutos), 60)
    return f"UTC{'-' if minutos < 0 else '+'}{horas}" + (f":{resto:02d}" if resto else "")


def leer(texto: str, huso: tzinfo | None = None) -> datetime | None:
    """Interpreta una fecha publicada; `None` si no lo es.

    Con desfase escrito, el resultado lo lleva; sin él, lleva `huso` (o ninguno).
    """
    forma = _FORMA.fullmatch(texto.strip())
    if forma is None:
        return None
    p = forma.groupdict()
    try:
        if p["signo"]:
            delta = timedelta(hours=int(p["uh"]), minutes=int(p["um"] or 0))
            huso = timezone(-delta if p["signo"] == "-" else delta)
        return datetime(
            int(p["a"] or p["a2"]),
            int(p["m"] or p["m2"]),
            int(p["d"] or p["d2"]),
            int(p["h"]),
            int(p["min"]),
            int(p["s"] or 0),
            tzinfo=huso,
        )
    except ValueError:
        return None
