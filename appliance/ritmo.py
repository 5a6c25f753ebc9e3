"""En cuánto tiempo estará en el centro lo que espera, según los acuses y los recibos que de verdad llegaron.

Si no han llegado suficientes, no se dice nada: una estimación inventada haría esperar a alguien en vano.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from appliance.imagenes_declaradas import ResumenDeImagenes

VENTANA: Final = timedelta(minutes=3)
MINIMO_ACUSES: Final = 3
MINIMO_RECIBOS: Final = 3
_MINIMO: Final = timedelta(seconds=20)
"""Un solo acuse cierra varios a la vez: en menos tiempo, el ritmo saldría exagerado."""
_ULTIMOS: Final = 3000
"""Renglones que se miran; la tabla se recorre cada pocos segundos."""


def minutos_para_ponerse_al_dia(conexion: sqlite3.Connection, pendientes: int, ahora: datetime) -> int | None:
    """Minutos, redondeados hacia arriba, al paso de los últimos acuses; `None` si no se puede saber.

    Args:
        ahora: por el reloj de la máquina, que es el de los acuses.
    """
    if not pendientes:
        return None
    filas = conexion.execute(
        "SELECT cerrado_en FROM bandeja WHERE estado = 'cerrado' "
        "AND secuencia > (SELECT coalesce(max(secuencia), 0) FROM bandeja) - ?",
        (_ULTIMOS,),
    )
    horas = [datetime.fromisoformat(hora) for (hora,) in filas]
    recientes = [hora for hora in horas if timedelta() <= ahora - hora <= VENTANA]
    if len(recientes) < MINIMO_ACUSES:
        return None
    tramo = max(_MINIMO, ahora - min(recientes))
    return ceil(pendientes * tramo / len(recientes) / timedelta(minutes=1))


def minutos_de_imagenes(conexion: sqlite3.Connection, imagenes: ResumenDeImagenes, ahora: datetime) -> int | None:
    """Como `minutos_para_ponerse_al_dia`, de las imágenes: por bytes que el centro dijo tener, no por los mandados.

    `None` también si están en pausa o si de alguna no se sabe cuánto mide.
    """
    if not imagenes.pendientes or imagenes.sin_medir or imagenes.pausa:
        return None
    filas = conexion.execute("SELECT hora, bytes FROM avances ORDER BY id")
    avances = [(datetime.fromisoformat(hora), int(cuantos)) for hora, cuantos in filas]
    recientes = [(hora, cuantos) for hora, cuantos in avances if timedelta() <= ahora - hora <= VENTANA]
    if len(recientes) < MINIMO_RECIBOS:
        return None
    tramo = max(_MINIMO, ahora - min(hora for hora, _ in recientes))
    return ceil(imagenes.bytes * tramo / sum(cuantos for _, cuantos in recientes) / timedelta(minutes=1))
