"""Por dónde puede salir este kiosco: `enlace.toml`, en su carpeta. Sin él hay una sola salida, la que elija el sistema.

La lista va en orden de preferencia. A lo más una se paga por byte, y entonces puede llevar un tope para la noche.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.enlace.presupuesto import Tope
from appliance.falla import Falla

ARCHIVO: Final = "enlace.toml"
LLAVES: Final = ("nombre", "interfaz", "por_byte", "tope_mb")
MAXIMO: Final = 4
"""Salidas que caben: con más, dar la vuelta tardaría más que esperar a la primera."""

TOPE_MB: Final = (5, 10**6)
"""De cuánto a cuánto puede ser un tope: con menos no caben ni las cifras de una noche."""

_NOMBRE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,19}")
_INTERFAZ: Final = re.compile(r"[A-Za-z0-9_.\-]{1,15}")
_SIN_TOPE: Final = 2**53


@dataclass(frozen=True, slots=True)
class Salida:
    """Una salida a la red. `interfaz` es la del sistema (`ip -br link`)."""

    nombre: str
    interfaz: str
    por_byte: bool = False
    tope_mb: int | None = None
    """Lo más que se gasta en una noche, si se paga por byte."""


def leer_salidas(carpeta: Path) -> tuple[Salida, ...]:
    """Las de `enlace.toml`, la preferida primero; vacío si no lo hay.

    Raises:
        Falla: ENLACE_TOML, con el archivo y la causa.
    """
    ruta = carpeta / ARCHIVO
    try:
        dato = tomllib.loads(ruta.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _falla(ruta, "no se puede leer", error.strerror or "es de otra cuenta") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _falla(ruta, f"no es TOML ({error})") from error
    tablas = dato.pop("salidas", None)
    if dato or not isinstance(tablas, list) or not 1 <= len(tablas) <= MAXIMO:
        raise _falla(ruta, f"debe llevar de 1 a {MAXIMO} [[salidas]] y nada más")
    salidas = tuple(_leer(ruta, tabla) for tabla in tablas)
    for campo in ("nombre", "interfaz"):
        if len({getattr(s, campo) for s in salidas}) < len(salidas):
            raise _falla(ruta, f"dos salidas tienen el mismo «{campo}»")
    if sum(s.por_byte for s in salidas) > 1:
        raise _falla(ruta, "sólo una salida puede llevar «por_byte»")
    return salidas


def tope_de(salidas: Sequence[Salida]) -> Tope | None:
    """El de la que se paga por byte; sin `tope_mb` se cuenta y no se detiene nada. `None` si ninguna se paga."""
    for salida in salidas:
        if salida.por_byte:
            return Tope(salida.nombre, salida.tope_mb * 10**6 if salida.tope_mb else _SIN_TOPE)
    return None


def _leer(ruta: Path, tabla: Any) -> Salida:
    if not isinstance(tabla, dict) or not set(tabla) <= set(LLAVES):
        raise _falla(ruta, f"cada salida sólo puede llevar {', '.join(LLAVES)}")
    nombre, interfaz = tabla.get("nombre"), tabla.get("interfaz")
    if not isinstance(nombre, str) or _NOMBRE.fullmatch(nombre) is None:
        raise _falla(ruta, "«nombre» va en minúsculas, números y guiones, hasta 20")
    if not isinstance(interfaz, str) or _INTERFAZ.fullmatch(interfaz) is None or interfaz in (".", ".."):
        raise _falla(ruta, f"la «interfaz» de {nombre} no es un nombre de interfaz de red")
    por_byte, tope = tabla.get("por_byte", False), tabla.get("tope_mb")
    if not isinstance(por_byte, bool):
        raise _falla(ruta, f"«por_byte» de {nombre} es true o false")
    desde, hasta = TOPE_MB
    if tope is not None and (
        not por_byte or not isinstance(tope, int) or isinstance(tope, bool) or not desde <= tope <= hasta
    ):
        raise _falla(ruta, f"«tope_mb» de {nombre} es un entero de {desde} a {hasta}, y sólo con por_byte = true")
    return Salida(nombre, interfaz, por_byte, tope)


def _falla(ruta: Path, que: str, causa: str = "se editó a mano y quedó incompleto") -> Falla:
    return Falla(
        "ENLACE_TOML",
        f"{ruta} no sirve: {que}",
        causa,
        "corríjalo, o quítelo: sin él se usa la salida que elija el sistema",
    )
