"""Los códigos con que el centro no acepta algo, en las palabras que lee la sala."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOTIVOS: Final[Mapping[str, str]] = {
    "TAMANO": "mide más de lo que cabe",
    "FORMA": "no tiene la forma de un mensaje del PREP",
    "TIPO": "no es de los mensajes que se esperan ahí",
    "FIRMA": "la firma no es la de su equipo",
    "TEMA": "llegó por un camino que no existe",
    "AMBITO": "es de otro ámbito",
    "EQUIPO_DESCONOCIDO": "su equipo no está en el padrón",
    "EQUIPO_NO_VIGENTE": "su equipo está de baja",
    "EQUIPO_AJENO": "dice ser de otro equipo",
    "CATD_AJENO": "dice ser de otro CATD",
    "KID_AJENO": "lo firma otro equipo",
    "LLAVE_REVOCADA": "su llave ya se cerró",
    "EPOCA_NO_INSCRITA": "su época no está inscrita",
    "PROCESO_AJENO": "es de otra elección",
    "MODO_AJENO": "es de otro modo: prueba, simulacro u oficial",
    "HECHO_INVALIDO": "lo que dice no se entiende",
    "RENGLONES": "sus renglones no son los de la casilla",
    "ELECCION_DESCONOCIDA": "la definición de aquí no tiene esa elección",
    "CASILLA_DESCONOCIDA": "el catálogo de aquí no tiene esa casilla",
    "CASILLA_NO_ESPERADA": "esa casilla no levanta esa acta",
    "EXCLUIDO": "la autoridad lo excluyó",
    "FUERA_DE_AMBITO": "el padrón no le da esa casilla",
    "BIFURCADO": "esa hoja ya estaba y decía otra cosa",
    "ALMACEN": "el almacén del centro no se pudo escribir",
}


def en_palabras(codigo: str) -> str:
    """«la firma no es la de su equipo (FIRMA)»; uno de otra versión, tal cual."""
    dicho = MOTIVOS.get(codigo)
    return codigo if dicho is None else f"{dicho} ({codigo})"
