"""Las bitácoras de los kioscos, tal como llegaron en hojas firmadas, y si a alguna le falta o le cambiaron un renglón.

Cada hoja dice con qué renglón empieza y la huella del anterior (`nucleo.eventos`). Quitar un renglón en el kiosco deja
un hueco en la numeración; cambiarlo, una huella que ya no es la que la hoja siguiente compromete.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from nucleo.eventos import BITACORA_NUEVA, huella_de_hoja
from nucleo.hechos import HojaDeBitacora, de_contenido
from nucleo.sobre import leer_json
from servicio_central import almacenes
from servicio_central.puerto_almacen import Lector


class Defecto(Enum):
    """Qué tiene de malo la unión de una hoja con la anterior."""

    HUECO = "faltan renglones"
    REPETIDA = "vuelve a contar renglones ya contados"
    ROTA = "no encadena con la anterior: alguien cambió, quitó o agregó renglones"


@dataclass(frozen=True, slots=True)
class Anomalia:
    """Dónde se rompe la bitácora de un equipo. `desde` y `hasta` son renglones; `secuencia`, la hoja que lo delata."""

    equipo: str
    epoca: str
    defecto: Defecto
    desde: int
    hasta: int
    secuencia: int

    def __str__(self) -> str:
        return (
            f"la bitácora de {self.equipo} {self.defecto.value} (renglones {self.desde} a {self.hasta}, "
            f"hoja {self.secuencia})"
        )


@dataclass(frozen=True, slots=True)
class Hoja:
    """Una hoja y su lugar en la cadena de sobres."""

    secuencia: int
    contenido: HojaDeBitacora


def comprobar(equipo: str, epoca: str, hojas: Iterable[Hoja]) -> list[Anomalia]:
    """Revisa las uniones de las hojas de una cadena, en orden de secuencia.

    Un sobre que aún no llega se ve como un hueco hasta que llegue: quien lo lea mira antes si `contiguo` ya lo pasó.
    """
    anomalias = []
    siguiente, previo = 1, BITACORA_NUEVA
    for hoja in sorted(hojas, key=lambda h: h.secuencia):
        desde = hoja.contenido.desde
        ultimo = desde + len(hoja.contenido.renglones) - 1
        if desde > siguiente:
            anomalias.append(Anomalia(equipo, epoca, Defecto.HUECO, siguiente, desde - 1, hoja.secuencia))
        elif desde < siguiente:
            anomalias.append(Anomalia(equipo, epoca, Defecto.REPETIDA, desde, siguiente - 1, hoja.secuencia))
        elif hoja.contenido.previo != previo:
            anomalias.append(Anomalia(equipo, epoca, Defecto.ROTA, desde, ultimo, hoja.secuencia))
        siguiente, previo = ultimo + 1, huella_de_hoja(hoja.contenido.previo, hoja.contenido.renglones)
    return anomalias


def anomalias_de(carpeta: Path) -> list[Anomalia]:
    """Lo que no cuadra en las bitácoras recibidas por el centro de esa carpeta, por equipo y época.

    Sólo se juzga lo contiguo: más allá de un hueco de sobres, lo que falta puede venir en camino.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        cadenas = bd.execute("SELECT equipo, epoca, contiguo FROM cadenas ORDER BY equipo, epoca").fetchall()
        return [a for e, p, n in cadenas for a in anomalias_de_cadena(bd, e, p, n)]


def anomalias_de_cadena(bd: Lector, equipo: str, epoca: str, contiguo: int) -> list[Anomalia]:
    """Lo mismo, de una sola cadena hasta su `contiguo`. Raises: uno de `puerto_almacen.ERRORES`."""
    return comprobar(equipo, epoca, hojas(bd, equipo, epoca, contiguo))


def hojas(bd: Lector, equipo: str, epoca: str, contiguo: int) -> list[Hoja]:
    """Las hojas de bitácora de esa cadena hasta su `contiguo`, en orden. Raises: uno de `puerto_almacen.ERRORES`."""
    filas = bd.execute(
        "SELECT secuencia, sobre FROM hechos WHERE equipo = ? AND epoca = ? AND secuencia <= ? AND tipo = 'bitacora'"
        " ORDER BY secuencia",
        (equipo, epoca, contiguo),
    )
    halladas = []
    for secuencia, sobre in filas:
        carga = sobre.split(".")[1]
        hecho = de_contenido(leer_json(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))["contenido"])
        if isinstance(hecho, HojaDeBitacora):
            halladas.append(Hoja(secuencia, hecho))
    return halladas
