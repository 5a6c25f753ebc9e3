"""La ayuda y los errores de uso de todas las órdenes, en español.

`argparse` los escribe en inglés y los pasa por una función de traducción, que aquí se le cambia: así ninguna orden
tiene que hacer nada. Lo que no esté en la lista, o cambie en otra versión de Python, sale como venga.
"""

from __future__ import annotations

import argparse
from typing import Final

_TEXTOS: Final = {
    "usage: ": "Uso: ",
    "positional arguments": "argumentos",
    "options": "opciones",
    "subcommands": "subórdenes",
    "show this help message and exit": "muestra esta ayuda y termina",
    "argument %(argument_name)s: %(message)s": "en %(argument_name)s: %(message)s",
    "unrecognized arguments: %s": "no se entiende: %s",
    "not allowed with argument %s": "no va junto con %s",
    "ignored explicit argument %r": "no lleva valor y se le dio %r",
    "the following arguments are required: %s": "falta: %s",
    "one of the arguments %s is required": "hace falta uno de: %s",
    "expected one argument": "lleva un valor",
    "expected at most one argument": "lleva un valor o ninguno",
    "expected at least one argument": "lleva al menos un valor",
    "expected %s argument": "lleva %s valor",
    "expected %s arguments": "lleva %s valores",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s puede ser cualquiera de: %(matches)s",
    "invalid %(type)s value: %(value)r": "%(value)r no tiene la forma que se espera (%(type)s)",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r no es ninguna de: %(choices)s",
    "unknown parser %(parser_name)r (choices: %(choices)s)": "%(parser_name)r no es ninguna de: %(choices)s",
}


def en_espanol(texto: str) -> str:
    """Ese texto de `argparse`."""
    return _TEXTOS.get(texto, texto)


def _segun_cuantos(uno: str, varios: str, n: int) -> str:
    return en_espanol(uno if n == 1 else varios)


def hablar_espanol() -> None:
    """Que `argparse` use estas palabras en todo este proceso."""
    for nombre, funcion in (("_", en_espanol), ("ngettext", _segun_cuantos)):
        setattr(argparse, nombre, funcion)
