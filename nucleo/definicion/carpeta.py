"""La carpeta de un proceso: `eleccion.toml`, `casillas.csv` y `formatos/`. Sólo aquí el núcleo toca el disco."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from nucleo.catalogo import MAXIMO_BYTES
from nucleo.definicion.proceso import NOMBRE_CATALOGO, NOMBRE_TOML, huella_de, leer_proceso
from nucleo.definicion.sintaxis import MAXIMO_TOML
from nucleo.eleccion import Proceso
from nucleo.gzip_acotado import DemasiadoGrande, descomprimir
from nucleo.problema_archivo import Problema

FORMATOS: Final = "formatos"
MAXIMO_FORMATO: Final = 16 * 2**20
"""Bytes de un archivo de `formatos/`: un papel en blanco a 300 puntos por pulgada ocupa menos de 1 MiB."""


class DefinicionInvalida(Exception):
    """La definición no se puede usar; `problemas` los trae todos, primero los del TOML."""

    def __init__(self, problemas: Sequence[Problema]) -> None:
        self.problemas = tuple(problemas)
        super().__init__("\n".join(str(p) for p in self.problemas))


def cargar_proceso(carpeta: Path) -> Proceso:
    """Lee `eleccion.toml` y `casillas.csv` o `casillas.csv.gz`; la huella cubre también lo que haya en `formatos/`.

    Lo que digan los formatos se juzga aparte (`nucleo.formato.leer_formatos`).

    Raises:
        DefinicionInvalida: con todos los defectos de ambos archivos, también si alguno no se puede leer.
    """
    problemas: list[Problema] = []
    comprimido = f"{NOMBRE_CATALOGO}.gz"
    nombre = comprimido if (carpeta / comprimido).exists() else NOMBRE_CATALOGO
    if nombre == comprimido and (carpeta / NOMBRE_CATALOGO).exists():
        que = f"también existe {NOMBRE_CATALOGO}"
        problemas.append(_del_archivo(nombre, que, "quedó otra versión", "deje sólo uno"))
    toml = leer_archivo(carpeta, NOMBRE_TOML, MAXIMO_TOML, problemas)
    catalogo = leer_archivo(carpeta, nombre, MAXIMO_BYTES, problemas)
    if catalogo is not None and nombre == comprimido:
        catalogo = _descomprimir(catalogo, nombre, problemas)
    formatos = {n: leer_archivo(carpeta, n, MAXIMO_FORMATO, problemas) or b"" for n in nombres_de_formatos(carpeta)}
    if toml is not None:
        leido = leer_proceso(toml, catalogo or b"", NOMBRE_TOML, nombre)
        if isinstance(leido, Proceso) and not problemas:
            propios = {NOMBRE_TOML: toml, NOMBRE_CATALOGO: catalogo or b"", **formatos}
            return replace(leido, huella=huella_de(propios))
        if isinstance(leido, list):
            # De un catálogo que no se pudo abrir ya se dijo por qué; que «está vacío» sobra.
            problemas += [p for p in leido if catalogo is not None or p.archivo != nombre]
    raise DefinicionInvalida(problemas)


def nombres_de_formatos(carpeta: Path) -> tuple[str, ...]:
    """Rutas de los archivos de `formatos/`, relativas a la carpeta y en orden."""
    rutas = (carpeta / FORMATOS).glob("*")
    return tuple(sorted(f"{FORMATOS}/{r.name}" for r in rutas if r.suffix in (".toml", ".png")))


def leer_archivo(carpeta: Path, nombre: str, tope: int, problemas: list[Problema]) -> bytes | None:
    """Los bytes de un archivo de la carpeta, o `None` y su defecto agregado a `problemas`. `tope` en bytes."""
    try:
        with (carpeta / nombre).open("rb") as archivo:
            datos = archivo.read(tope + 1)
    except FileNotFoundError:
        que, causa = "no existe", f"{carpeta} no es la carpeta de un proceso"
    except OSError:
        que, causa = "no se pudo leer", "los permisos del archivo, o un disco dañado"
    else:
        if len(datos) <= tope:
            return datos
        que, causa = f"mide más de {tope // 2**20} MiB", "es otro archivo con ese nombre"
    problemas.append(_del_archivo(nombre, que, causa, "revise la carpeta y el archivo"))
    return None


def _descomprimir(datos: bytes, nombre: str, problemas: list[Problema]) -> bytes | None:
    try:
        return descomprimir(datos, MAXIMO_BYTES)
    except DemasiadoGrande as error:
        problemas.append(_del_archivo(nombre, str(error), "es otro archivo con ese nombre", "revise cuál es"))
    except ValueError as error:
        problemas.append(_del_archivo(nombre, str(error), "se copió a medias", "vuelva a copiarlo"))
    return None


def _del_archivo(nombre: str, que: str, causa: str, siguiente: str) -> Problema:
    return Problema(nombre, 0, que, causa, siguiente)
