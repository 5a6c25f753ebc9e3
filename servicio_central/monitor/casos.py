"""Lo que hay por revisar: bifurcaciones y cuarentena, como casos que dos personas pueden leer y dictaminar."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nucleo.concordancia import concordar
from servicio_central import almacenes
from servicio_central.monitor.dictamenes import NADIE, Caso, Clase
from servicio_central.puerto_almacen import Lector

_RENGLONES: Final = 40
_LETRAS: Final = 4000


@dataclass(frozen=True, slots=True)
class Pieza:
    """Un mensaje de un caso: lo que dice ser, sin creerle. `otra` es la hoja que sí se contó, si es una bifurcación."""

    titulo: str
    causa: str
    cuando: str
    dice: str
    otra: str = ""


def abiertos(carpeta: Path) -> list[Caso]:
    """Todos los casos que hay en el almacén: primero las bifurcaciones.

    Raises:
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede leer.
    """
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        bifurcados = [
            Caso(Clase.BIFURCACION, equipo, epoca, cuantos, hasta, primera)
            for equipo, epoca, cuantos, hasta, primera in bd.execute(
                "SELECT equipo, epoca, count(*), max(id), min(secuencia) FROM bifurcaciones GROUP BY equipo, epoca"
                " ORDER BY equipo"
            )
        ]
        apartados = [
            Caso(Clase.CUARENTENA, equipo or NADIE, codigo, cuantos, hasta)
            for equipo, codigo, cuantos, hasta in bd.execute(
                "SELECT equipo, codigo, count(*), max(id) FROM cuarentena GROUP BY equipo, codigo"
                " ORDER BY equipo, codigo"
            )
        ]
    return bifurcados + apartados


def uno(carpeta: Path, clave: str) -> Caso | None:
    """El caso de esa clave, si existe. Raises: uno de `puerto_almacen.ERRORES`."""
    return next((c for c in abiertos(carpeta) if c.clave == clave), None)


def piezas(carpeta: Path, caso: Caso) -> list[Pieza]:
    """Los mensajes de un caso, los más recientes primero. Raises: uno de `puerto_almacen.ERRORES`."""
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        return _bifurcadas(bd, caso) if caso.clase is Clase.BIFURCACION else _apartadas(bd, caso)


def _bifurcadas(bd: Lector, caso: Caso) -> list[Pieza]:
    filas = bd.execute(
        "SELECT b.secuencia, b.recibido, b.sobre, b.huella, h.sobre FROM bifurcaciones b"
        " LEFT JOIN hechos h ON h.huella = b.huella_contada WHERE b.equipo = ? AND b.epoca = ?"
        f" ORDER BY b.id DESC LIMIT {_RENGLONES}",
        (caso.equipo, caso.detalle),
    ).fetchall()
    return [
        Pieza(
            f"Hoja {secuencia}, huella {huella[:12]}",
            "misma secuencia, otra huella",
            recibido,
            leer_sin_creer(sobre),
            leer_sin_creer(contada or ""),
        )
        for secuencia, recibido, sobre, huella, contada in filas
    ]


def _apartadas(bd: Lector, caso: Caso) -> list[Pieza]:
    suyo, valores = ("equipo = ?", [caso.equipo]) if caso.equipo != NADIE else ("equipo IS NULL", [])
    filas: Sequence[tuple[str, str, str, int, bytes, int]] = bd.execute(
        "SELECT c.tema, c.causa, c.primera_vez, c.tamano, c.bytes, v.veces FROM cuarentena c"
        f" LEFT JOIN veces v ON v.clave = c.sha256 WHERE {suyo} AND c.codigo = ?"
        f" ORDER BY c.id DESC LIMIT {_RENGLONES}",
        [*valores, caso.detalle],
    ).fetchall()
    return [
        Pieza(
            f"{tema} · {tamano:,} bytes · visto {concordar(veces or 1, 'vez', 'veces')}",
            causa,
            cuando,
            leer_sin_creer(bytes(datos).decode("utf-8", "replace")),
        )
        for tema, causa, cuando, tamano, datos, veces in filas
    ]


def leer_sin_creer(texto: str) -> str:
    """Lo que dice la carga de un JWS, sin comprobar nada; si no lo es, el texto con lo raro a la vista."""
    partes = texto.split(".")
    if len(partes) == 3:
        try:
            crudo = base64.urlsafe_b64decode(partes[1] + "=" * (-len(partes[1]) % 4))
            return _a_la_vista(json.dumps(json.loads(crudo), ensure_ascii=False, indent=1))
        except (ValueError, RecursionError):
            pass
    return _a_la_vista(texto) or "(vacío)"


def _a_la_vista(texto: str) -> str:
    """Sin nada que no se imprima: medio sustituto de UTF-16 no cabe en ninguna página, y un signo que voltea el renglón
    hace leer otra cosa."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in texto[:_LETRAS])
