"""Qué casillas son de este CATD: `ambito.toml` en la carpeta del kiosco.

Sin él se espera todo el catálogo, y la pantalla lo dice. Acopiar una casilla de otro CATD se permite (los paquetes se
equivocan de camino): el ámbito sólo dice qué falta por llegar aquí.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.falla import Falla
from nucleo.casilla import Casilla
from nucleo.eleccion import Proceso

ARCHIVO: Final = "ambito.toml"

_DATO_DE: Final[dict[str, Callable[[Casilla], int | None]]] = {
    "distritos": lambda c: c.distrito,
    "municipios": lambda c: c.municipio,
    "secciones": lambda c: c.seccion,
}


@dataclass(frozen=True)
class Ambito:
    """CLAVE_CASILLA de las que se esperan aquí, en orden de catálogo. `completo` es que no hay `ambito.toml`."""

    casillas: tuple[str, ...]
    completo: bool


def leer_ambito(carpeta: Path, proceso: Proceso) -> Ambito:
    """Lee `ambito.toml`: listas `distritos`, `municipios` y `secciones`; una casilla es de aquí si está en alguna.

    Raises:
        Falla: AMBITO, con el archivo y la causa.
    """
    ruta = carpeta / ARCHIVO
    try:
        dato = tomllib.loads(ruta.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Ambito(tuple(proceso.casillas), True)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _falla(ruta, f"no se puede leer ({error})") from error
    if not dato or not set(dato) <= set(_DATO_DE):
        raise _falla(ruta, f"sólo lleva listas {', '.join(_DATO_DE)}")
    elegidas: set[str] = set()
    for llave, numeros in dato.items():
        if not isinstance(numeros, list) or not all(isinstance(n, int) and not isinstance(n, bool) for n in numeros):
            raise _falla(ruta, f"«{llave}» no es una lista de números")
        existen = {_DATO_DE[llave](c) for c in proceso.casillas.values()}
        if sobran := sorted(set(numeros) - existen):
            raise _falla(ruta, f"«{llave}» trae {sobran[0]}, que no está en el catálogo")
        elegidas |= {c.clave for c in proceso.casillas.values() if _DATO_DE[llave](c) in set(numeros)}
    if not elegidas:
        raise _falla(ruta, "no elige ninguna casilla")
    return Ambito(tuple(clave for clave in proceso.casillas if clave in elegidas), False)


def _falla(ruta: Path, que: str) -> Falla:
    return Falla(
        "AMBITO",
        f"El ámbito del CATD no sirve: {ruta} {que}",
        "se editó a mano o es de otro proceso",
        "corríjalo, o quítelo para esperar todo el catálogo",
    )
