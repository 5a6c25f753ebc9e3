"""Quiénes trabajan en este kiosco.

En esta etapa la persona se elige de una lista, sin comprobar quién es: el gafete con NIP llega con la etapa 3. La lista
sale de `personas.toml` en la carpeta del kiosco; si no existe, en simulacro es la de práctica y en oficial no se
arranca: a nombre de nadie no se captura una elección.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from appliance.falla import Falla
from appliance.personas import Papel, Persona

ARCHIVO: Final = "personas.toml"

_CLAVE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,39}")
_PAPELES: Final = ("captura", "coordinacion")


_TODOS: Final = frozenset(Papel) - {Papel.COORDINACION}

DE_PRACTICA: Final = (
    Persona("capturista-1", "Capturista 1", _TODOS),
    Persona("capturista-2", "Capturista 2", _TODOS),
    Persona("capturista-3", "Capturista 3", _TODOS),
    Persona("coordinacion", "Coordinación", frozenset(Papel)),
)


def leer_personas(carpeta: Path, modo: str) -> tuple[Persona, ...]:
    """Personas de la carpeta del kiosco, inscrito en ese modo.

    Raises:
        Falla: PERSONAS, si el archivo existe y no se entiende, o si falta y el modo no es simulacro.
    """
    ruta = carpeta / ARCHIVO
    try:
        dato = tomllib.loads(ruta.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if modo == "simulacro":
            return DE_PRACTICA
        raise Falla(
            "PERSONAS",
            f"Falta la lista de personas {ruta}",
            f"el kiosco es de modo {modo}, que no admite a las personas de práctica, y nadie la escribió",
            'escriba ahí una [[personas]] con «clave» y «nombre» por persona; a coordinación, papel = "coordinacion"',
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _falla(ruta, str(error)) from error
    renglones = dato.get("personas")
    if set(dato) != {"personas"} or not isinstance(renglones, list) or not renglones:
        raise _falla(ruta, "debe traer sólo una lista [[personas]]")
    personas = tuple(_leer(ruta, renglon) for renglon in renglones)
    if len({p.clave for p in personas}) != len(personas):
        raise _falla(ruta, "hay dos personas con la misma clave")
    return personas


def _leer(ruta: Path, renglon: object) -> Persona:
    if not isinstance(renglon, dict) or not {"clave", "nombre"} <= set(renglon) <= {"clave", "nombre", "papel"}:
        raise _falla(ruta, "cada persona lleva «clave», «nombre» y, si quiere, «papel»")
    clave, nombre, papel = renglon["clave"], renglon["nombre"], renglon.get("papel", "captura")
    if not isinstance(clave, str) or _CLAVE.fullmatch(clave) is None:
        raise _falla(ruta, f"la clave {clave!r} no es de minúsculas, números y guiones")
    if not isinstance(nombre, str) or not 0 < len(nombre) <= 60 or not nombre.isprintable():
        raise _falla(ruta, f"el nombre de {clave} no es un texto de hasta 60 caracteres")
    if papel not in _PAPELES:
        raise _falla(ruta, f"el papel de {clave} no es ninguno de {', '.join(_PAPELES)}")
    return Persona(clave, nombre, frozenset(Papel) if papel == "coordinacion" else _TODOS)


def _falla(ruta: Path, que: str) -> Falla:
    return Falla(
        "PERSONAS",
        f"La lista de personas {ruta} no sirve: {que}",
        "se editó a mano y quedó incompleta",
        "corríjala; en simulacro también puede quitarla y usar la de práctica",
    )
