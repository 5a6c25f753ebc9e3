"""El diccionario de datos: cada columna de la base oficial y cada llave JSON, con qué dice y de dónde sale.

Se genera de lo mismo que escribe la base (`nucleo.base_oficial.columnas`) y que valida los JSON (`esquema`): no hay
otra lista que se pueda desactualizar.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nucleo.base_oficial import columnas, leeme
from nucleo.base_oficial.columnas import Columna
from nucleo.eleccion import Eleccion, Opcion, Proceso
from nucleo.publicacion.json_publico.esquema import PAGINAS
from nucleo.publicacion.json_publico.llaves import ACTA, ANEXO_13, CATALOGO_CASILLAS, DEFINICION, LEEME, LIBRO, Esquema
from nucleo.publicacion.json_publico.piezas import VERSION


def diccionario(proceso: Proceso) -> dict[str, Any]:
    """`diccionario.json` de un proceso: sus bases, una por elección, y la forma de todos sus JSON."""
    return {
        "v": VERSION,
        "proceso": proceso.clave,
        "definicion": proceso.huella,
        "bases": {
            clave: {
                "resumen": [_de_columna(c, f"{ANEXO_13}; {LEEME}") for c in columnas.RESUMEN],
                "columnas": list(_columnas(eleccion)),
                "candidaturas": list(_candidaturas(eleccion)),
            }
            for clave, eleccion in proceso.elecciones.items()
        },
        "json": {pagina: list(llaves_de(forma)) for pagina, forma in PAGINAS.items()},
    }


def llaves_de(forma: Esquema, ruta: str = "") -> Iterator[dict[str, str]]:
    """Cada llave de una página, con su ruta: `[]` es cada elemento de una lista y `*` cualquier clave."""
    for opcion in forma.get("anyOf", ()):
        yield from llaves_de(opcion, ruta)
    if "items" in forma:
        yield from llaves_de(forma["items"], f"{ruta}[]")
    for llave, suya in forma.get("properties", {}).items():
        yield from _llave(suya, f"{ruta}.{llave}" if ruta else llave)
    if isinstance(libre := forma.get("additionalProperties"), dict):
        yield from _llave(libre, f"{ruta}.*")


def _llave(forma: Esquema, ruta: str) -> Iterator[dict[str, str]]:
    yield {"llave": ruta, "tipo": _tipo(forma), "explicacion": forma["description"], "fuente": forma["x-fuente"]}
    yield from llaves_de(forma, ruta)


_TIPOS = {
    "object": "objeto",
    "array": "lista",
    "integer": "entero",
    "string": "texto",
    "boolean": "lógico",
    "null": "nada",
}


def _tipo(forma: Esquema) -> str:
    if "anyOf" in forma:
        return " o ".join(_tipo(opcion) for opcion in forma["anyOf"])
    if "type" in forma:
        return _TIPOS[forma["type"]]
    return "entero" if "const" in forma else "texto"


def _columnas(eleccion: Eleccion) -> Iterator[dict[str, str]]:
    complementarias = {c.nombre for c in columnas.COMPLEMENTARIAS}
    for columna in columnas.fijas_antes(eleccion.ambito):
        yield _de_columna(columna, ACTA if columna.nombre in complementarias else CATALOGO_CASILLAS)
    for opcion in eleccion.opciones:
        yield _de_opcion(opcion)
    for columna in columnas.DESPUES_DE_LOS_VOTOS:
        yield _de_columna(columna, f"{LIBRO}; {LEEME}")


def _candidaturas(eleccion: Eleccion) -> Iterator[dict[str, str]]:
    for nombre, descripcion in leeme.columnas_de_candidaturas(eleccion):
        yield {"columna": nombre, "explicacion": descripcion, "fuente": DEFINICION}


def _de_columna(columna: Columna, fuente: str) -> dict[str, str]:
    return {"columna": columna.nombre, "explicacion": columna.descripcion, "fuente": fuente}


def _de_opcion(opcion: Opcion) -> dict[str, str]:
    return {"columna": opcion.clave, "explicacion": leeme.explicar(opcion), "fuente": f"{ACTA}; {DEFINICION}"}
