"""De bytes a la tabla raíz, o por qué el archivo no es TOML, dicho en español y con su línea."""

from __future__ import annotations

import re
import tomllib
from typing import Final

from nucleo.definicion.esquema import RAIZ
from nucleo.definicion.localizador import Localizador
from nucleo.definicion.tabla import Lectura, Tabla
from nucleo.problema_archivo import Problema

MAXIMO_TOML: Final = 2**20
"""Bytes de la definición. Con candidaturas de 125 municipios mide unos 200 KB."""
MAXIMO_LINEA: Final = 2_000
"""Caracteres por línea. Una clave de 60 mil puntos ocupa a `tomllib` más de un minuto; una definición no la usa."""

_POSICION: Final = re.compile(r" \(at line (\d+), column \d+\)$")

_EXPLICACIONES: Final = (
    ("Cannot declare", "la tabla se declara dos veces", "una las dos tablas, o use [[…]] si es una lista"),
    ("Cannot overwrite", "la clave se repite", "deje una sola"),
    ("Cannot redefine", "la tabla ya se había escrito de otra forma", "déjela en un solo lugar"),
    ("Duplicate inline", "la clave se repite dentro de las llaves", "deje una sola"),
    ("Cannot mutate", "se agrega algo a una tabla escrita entre llaves", "escríbala completa entre las llaves"),
    ("Expected '='", "falta el signo igual después de la clave", "escriba clave = valor"),
    ("Expected newline", "sobra texto después del valor, o faltan comillas", "deje una asignación por línea"),
    ('Expected "', "falta cerrar unas comillas", "ciérrelas"),
    ("Expected ']", "falta cerrar los corchetes del encabezado", "ciérrelos"),
    ("Unclosed array", "falta cerrar una lista o poner una coma", "revise los corchetes y las comas"),
    ("Unclosed inline", "falta cerrar unas llaves o poner una coma", "revise las llaves y las comas"),
    ("Unterminated", "falta cerrar unas comillas", "ciérrelas"),
    ("Illegal character", "hay un salto de línea o un carácter de control en un texto", "cierre las comillas"),
    ("Unescaped", "hay una diagonal invertida dentro de un texto", "duplíquela, o use comillas simples"),
    ("Invalid hex", "un código \\u de carácter incompleto", "escriba el carácter tal cual"),
    ("Escaped character", "un código \\u de carácter que no existe", "escriba el carácter tal cual"),
    ("Found invalid", "hay un carácter de control", "bórrelo"),
    ("Invalid date", "la fecha no existe", "revise el día y la hora"),
    ("Invalid initial", "la clave tiene caracteres que no se admiten", "use letras sin acento, cifras y _"),
    ("Invalid value", "un texto sin comillas, o un número con ceros a la izquierda", "corrija el valor"),
    ("Invalid statement", "no es una asignación ni un encabezado", "escriba clave = valor, o [tabla]"),
)
"""Comienzo del mensaje de `tomllib` → causa y siguiente paso."""


def abrir(toml: bytes, nombre: str) -> tuple[Lectura, Tabla] | Problema:
    """La raíz de la definición y la lectura donde se anotan sus defectos, o el que impide leerla."""
    if len(toml) > MAXIMO_TOML:
        que = f"mide más de {MAXIMO_TOML // 2**20} MiB"
        return Problema(nombre, 0, que, "es otro archivo con ese nombre", "revise cuál es")
    try:
        texto = toml.decode("utf-8")
        larga = next((n for n, linea in enumerate(texto.split("\n"), 1) if len(linea) > MAXIMO_LINEA), None)
        if larga is not None:
            que = f"la línea tiene más de {MAXIMO_LINEA} caracteres"
            return Problema(nombre, larga, que, "se perdieron los saltos de línea", "divídala")
        dato = tomllib.loads(texto)
        lectura = Lectura(nombre, Localizador(texto))
    except UnicodeDecodeError as error:
        linea = toml[: error.start].count(b"\n") + 1
        que = "hay bytes que no son UTF-8"
        return Problema(nombre, linea, que, "se guardó con otra codificación", "guárdelo en UTF-8")
    except RecursionError:
        return Problema(nombre, 0, "hay listas dentro de listas sin fin", "corchetes de más", "bórrelos")
    except ValueError as error:
        return _explicar(nombre, texto, str(error))
    return lectura, Tabla(lectura, (), dato, RAIZ)


def _explicar(nombre: str, texto: str, mensaje: str) -> Problema:
    posicion = _POSICION.search(mensaje)
    # Sin posición, tomllib se topó con el final del archivo.
    linea = int(posicion[1]) if posicion else texto.rstrip().count("\n") + 1
    for comienzo, causa, siguiente in _EXPLICACIONES:
        if mensaje.startswith(comienzo):
            return Problema(nombre, linea, "no es TOML válido", causa, siguiente)
    return Problema(nombre, linea, "no es TOML válido", "un signo de más o de menos", "revise la línea")
