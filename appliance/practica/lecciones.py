"""Las lecciones: un acta de muestra cada una, lo que enseña y lo que debía capturarse.

Están en `practica/lecciones.toml`, dentro de la carpeta de la definición de capacitación, junto a sus imágenes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.falla import Falla
from nucleo.acta import COMPLEMENTARIOS
from nucleo.campo import Campo, CampoInvalido, de_texto
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa

CARPETA: Final = "practica"
ARCHIVO: Final = "lecciones.toml"
_LLAVES: Final = {"titulo", "ensena", "eleccion", "casilla", "imagen", "ppp", "respuestas", "porque"}


@dataclass(frozen=True)
class Leccion:
    """Un acta de muestra. `porque` explica, por renglón, la regla que se practica ahí (dominio §4.1)."""

    titulo: str
    ensena: str
    acta: IdActa
    imagen: Path
    ppp: int
    """Densidad de la imagen, que está derecha y completa: con ella se sabe dónde está cada renglón."""
    respuestas: Mapping[str, Campo]
    porque: Mapping[str, str]


def leer_lecciones(definicion: Path, proceso: Proceso) -> tuple[Leccion, ...]:
    """Las lecciones de esa definición; vacío si no trae.

    Raises:
        Falla: LECCIONES, con el archivo y la causa.
    """
    ruta = definicion / CARPETA / ARCHIVO
    try:
        dato = tomllib.loads(ruta.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _falla(ruta, f"no se puede leer ({error})") from error
    lista = dato.get("lecciones")
    if set(dato) != {"lecciones"} or not isinstance(lista, list) or not lista:
        raise _falla(ruta, "debe traer sólo una lista [[lecciones]]")
    return tuple(_leer(ruta, i, renglon, proceso) for i, renglon in enumerate(lista, 1))


def _leer(ruta: Path, numero: int, dato: object, proceso: Proceso) -> Leccion:
    if not isinstance(dato, dict) or set(dato) != _LLAVES:
        raise _falla(ruta, f"la lección {numero} no tiene exactamente {', '.join(sorted(_LLAVES))}")
    textos = {k: dato[k] for k in ("titulo", "ensena", "eleccion", "casilla", "imagen")}
    if not all(isinstance(x, str) and x.isprintable() and 0 < len(x) <= 400 for x in textos.values()):
        raise _falla(ruta, f"la lección {numero} tiene un texto vacío o con signos raros")
    acta = IdActa(textos["eleccion"], textos["casilla"])
    eleccion, casilla = proceso.elecciones.get(acta.eleccion), proceso.casillas.get(acta.casilla)
    if eleccion is None or casilla is None:
        raise _falla(ruta, f"la lección {numero} es de un acta que no está en el catálogo ({acta})")
    imagen = ruta.parent / textos["imagen"]
    if imagen.parent != ruta.parent or not imagen.is_file():
        raise _falla(ruta, f"la lección {numero} nombra una imagen que no está junto a ella")
    if not isinstance(dato["ppp"], int) or not 50 <= dato["ppp"] <= 600:
        raise _falla(ruta, f"la lección {numero} no dice su densidad, de 50 a 600")
    esperados = {*COMPLEMENTARIOS, *(o.clave for o in eleccion.opciones_de(casilla))}
    respuestas = _respuestas(ruta, numero, dato["respuestas"])
    porque: Any = dato["porque"]
    if set(respuestas) != esperados:
        raise _falla(ruta, f"la lección {numero} no responde exactamente los renglones del acta")
    if not isinstance(porque, dict) or not set(porque) <= esperados:
        raise _falla(ruta, f"la lección {numero} explica un renglón que no existe")
    return Leccion(textos["titulo"], textos["ensena"], acta, imagen, dato["ppp"], respuestas, porque)


def _respuestas(ruta: Path, numero: int, dato: object) -> dict[str, Campo]:
    if not isinstance(dato, dict):
        raise _falla(ruta, f"la lección {numero} no trae [lecciones.respuestas]")
    try:
        return {clave: de_texto(str(texto)) for clave, texto in dato.items()}
    except CampoInvalido as error:
        raise _falla(ruta, f"la lección {numero}: {error}") from error


def _falla(ruta: Path, que: str) -> Falla:
    return Falla(
        "LECCIONES",
        f"Las lecciones de práctica no sirven: {ruta} {que}",
        "se editaron a mano y quedaron incompletas",
        "vuelva a poner la carpeta de capacitación original",
    )
