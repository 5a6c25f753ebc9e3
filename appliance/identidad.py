"""Quién es este kiosco: `identidad.toml`, que escribe la inscripción y nadie edita después."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.falla import Falla
from nucleo.modos import MODOS

ARCHIVO: Final = "identidad.toml"

_NOMBRE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,38}")
_EPOCA: Final = re.compile(r"[0-9a-f]{16}")
_SERVIDOR: Final = re.compile(r"[A-Za-z0-9.:\-]{1,253}")
_CAMPOS: Final = ("equipo", "catd", "epoca", "modo", "proceso", "broker_host", "broker_puerto")


@dataclass(frozen=True, slots=True)
class Identidad:
    """Lo que distingue a este kiosco de cualquier otro. `proceso` es la carpeta de la definición, absoluta."""

    equipo: str
    catd: str
    epoca: str
    """16 cifras hexadecimales; cambia si el almacén se rehace."""
    modo: str
    proceso: Path
    broker_host: str
    broker_puerto: int


def leer_identidad(carpeta: Path) -> Identidad:
    """Lee `identidad.toml` de la carpeta del kiosco. `proceso` relativo se entiende desde esa carpeta.

    Raises:
        Falla: IDENTIDAD, con el archivo y la causa.
    """
    ruta = carpeta / ARCHIVO
    try:
        dato = tomllib.loads(ruta.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _falla(ruta, "no existe", "el kiosco no se ha inscrito o la carpeta es otra") from error
    except OSError as error:
        raise _falla(ruta, "no se puede leer", error.strerror or "la carpeta es de otra cuenta") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _falla(ruta, f"no es TOML ({error})", "se editó a mano o quedó a medias") from error
    sobran, faltan = sorted(set(dato) - set(_CAMPOS)), [c for c in _CAMPOS if c not in dato]
    if sobran or faltan:
        detalle = ", ".join([*(f"falta «{c}»" for c in faltan), *(f"sobra «{c}»" for c in sobran)])
        raise _falla(ruta, detalle, "se editó a mano o es de otra versión")
    puerto = dato["broker_puerto"]
    if not isinstance(puerto, int) or isinstance(puerto, bool) or not 1 <= puerto <= 65535:
        raise _falla(ruta, "«broker_puerto» no es un puerto de 1 a 65535", "se editó a mano")
    modo, proceso = dato["modo"], dato["proceso"]
    if modo not in MODOS:
        raise _falla(ruta, f"«modo» no es ninguno de {', '.join(MODOS)}", "se editó a mano")
    if not isinstance(proceso, str) or not proceso:
        raise _falla(ruta, "«proceso» no es la ruta de una carpeta", "se editó a mano")
    return Identidad(
        equipo=_texto(ruta, dato, "equipo", _NOMBRE),
        catd=_texto(ruta, dato, "catd", _NOMBRE),
        epoca=_texto(ruta, dato, "epoca", _EPOCA),
        modo=modo,
        proceso=(carpeta / proceso).resolve(),
        broker_host=_texto(ruta, dato, "broker_host", _SERVIDOR),
        broker_puerto=puerto,
    )


def _texto(ruta: Path, dato: dict[str, Any], llave: str, forma: re.Pattern[str]) -> str:
    valor = dato[llave]
    if not isinstance(valor, str) or forma.fullmatch(valor) is None:
        raise _falla(ruta, f"«{llave}» no tiene la forma esperada", "se editó a mano")
    return valor


def _falla(ruta: Path, que: str, causa: str) -> Falla:
    return Falla(
        "IDENTIDAD",
        f"La identidad del kiosco no sirve: {ruta} {que}",
        causa,
        "indique la carpeta correcta con --carpeta o vuelva a inscribir el kiosco con `./prep inscribir`",
    )
