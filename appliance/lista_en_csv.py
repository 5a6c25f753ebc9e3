"""La lista de personas de un CATD como la escribe quien la arma: un CSV con clave, nombre y papeles."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.falla import Falla
from appliance.personas import (
    MAXIMO_ARCHIVO,
    MAXIMO_NOMBRE,
    ListaInvalida,
    Papel,
    clave_valida,
    nombre_valido,
    papeles_de,
)

ENCABEZADO: Final = ("clave", "nombre", "papeles")
MAXIMO_PERSONAS: Final = 500


@dataclass(frozen=True, slots=True)
class Inscrita:
    """Un renglón de la lista: quién es y qué hace, todavía sin NIP ni gafete."""

    clave: str
    nombre: str
    papeles: frozenset[Papel]


def leer_csv(ruta: Path) -> tuple[Inscrita, ...]:
    """Las personas de ese archivo, en su orden.

    Los papeles de una persona van en la misma celda, separados por espacio, `;`, `+` o `/`, con acento o sin él.

    Raises:
        Falla: PERSONAS, con el archivo, el renglón y la causa.
    """
    try:
        with ruta.open("rb") as archivo:
            crudo = archivo.read(MAXIMO_ARCHIVO + 1)
    except OSError as error:
        raise _falla(ruta, 0, f"no se puede leer ({error.strerror})", "la ruta es otra") from error
    if len(crudo) > MAXIMO_ARCHIVO:
        raise _falla(ruta, 0, "es demasiado grande", "es otro archivo")
    try:
        # Excel antepone una marca de orden de bytes.
        texto = crudo.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _falla(ruta, 0, "no está en UTF-8", "la hoja de cálculo lo guardó con otra codificación") from error
    return _de_texto(ruta, texto)


def _de_texto(ruta: Path, texto: str) -> tuple[Inscrita, ...]:
    lector = csv.reader(io.StringIO(texto, newline=""), strict=True)
    personas: dict[str, Inscrita] = {}
    encabezado = False
    try:
        for celdas in lector:
            celdas = [c.strip() for c in celdas]
            if not any(celdas):
                continue
            if not encabezado:
                encabezado = True
                if tuple(map(_sin_acentos, celdas)) != ENCABEZADO:
                    causa = "falta el renglón de encabezado o separa con otro signo que la coma"
                    raise _falla(ruta, lector.line_num, f"el encabezado no es {','.join(ENCABEZADO)}", causa)
                continue
            persona = _persona(ruta, lector.line_num, celdas)
            if persona.clave in personas:
                raise _falla(ruta, lector.line_num, f"la clave {persona.clave} se repite", "se copió un renglón")
            personas[persona.clave] = persona
    except csv.Error as error:
        raise _falla(ruta, lector.line_num, f"no es CSV ({error})", "le falta una comilla") from error
    if not personas or len(personas) > MAXIMO_PERSONAS:
        que = "no trae a nadie" if not personas else f"trae más de {MAXIMO_PERSONAS} personas"
        raise _falla(ruta, lector.line_num, que, "es otro archivo, o la lista de toda la entidad")
    return tuple(personas.values())


def _persona(ruta: Path, linea: int, celdas: list[str]) -> Inscrita:
    if len(celdas) != len(ENCABEZADO):
        causa = "el nombre lleva una coma y no va entre comillas, o sobra o falta una celda"
        raise _falla(ruta, linea, f"tiene {len(celdas)} celdas y van {len(ENCABEZADO)}", causa)
    clave, nombre, papeles = celdas
    if not clave_valida(clave):
        que = f"la clave {clave[:40]!r} no es de minúsculas, números y guiones (hasta 40)"
        raise _falla(ruta, linea, que, "lleva acentos, espacios o mayúsculas")
    if not nombre_valido(nombre):
        que = f"el nombre de {clave} no es un texto de 1 a {MAXIMO_NOMBRE} caracteres"
        raise _falla(ruta, linea, que, "la celda está vacía o trae otra cosa")
    for separador in ";+/":
        papeles = papeles.replace(separador, " ")
    try:
        return Inscrita(clave, nombre, papeles_de(_sin_acentos(papeles).split()))
    except ListaInvalida as error:
        raise _falla(ruta, linea, f"{clave}: {error}", "se escribió de otra manera") from error


def _sin_acentos(texto: str) -> str:
    partes = unicodedata.normalize("NFD", texto.lower())
    return "".join(c for c in partes if not unicodedata.combining(c))


def _falla(ruta: Path, linea: int, que: str, causa: str) -> Falla:
    donde = f"{ruta}, renglón {linea}" if linea else str(ruta)
    return Falla(
        "PERSONAS",
        f"La lista no sirve: {donde}: {que}",
        causa,
        "corríjalo y repita la orden; no se hizo ni se cambió ningún gafete",
    )
