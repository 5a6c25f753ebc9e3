"""El formato en blanco de un acta, como dato: en qué lugar del papel está cada campo.

Una elección tiene un formato por cada juego de renglones: donde la coalición es parcial, el papel también cambia de un
distrito a otro (dominio §5.3). Cada uno son dos archivos de `formatos/` en la carpeta del proceso: `<clave>.toml` con
las medidas y la imagen del papel en blanco.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeGuard

from nucleo.acta import COMPLEMENTARIOS
from nucleo.casilla import Casilla

# El único lector de archivos del núcleo: ya acota el tamaño y explica cada fallo del disco.
from nucleo.definicion.carpeta import DefinicionInvalida, leer_archivo
from nucleo.definicion.sintaxis import MAXIMO_TOML, abrir
from nucleo.definicion.tabla import COLUMNA, Lectura, nombre_de_tipo
from nucleo.eleccion import Eleccion
from nucleo.problema_archivo import Problema

CARPETA: Final = "formatos"
REGION_DEL_CODIGO: Final = "codigo"
"""La única región obligatoria: donde se pega la etiqueta, que por eso nunca se compara con el papel en blanco."""

MAXIMO_MM: Final = 1_000
"""Lado de una hoja. El acta más grande que se conoce, la del INE 2024, mide 430 × 280 mm."""

_LLAVES: Final = ("clave", "eleccion", "ancho_mm", "alto_mm", "imagen", "regiones", "renglones", "casillas")
_CLAVE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_IMAGEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}\.png")
_REGION: Final = re.compile(r"[a-z][a-z_]{0,29}")


@dataclass(frozen=True, slots=True)
class Caja:
    """Rectángulo del papel, en milímetros desde la esquina superior izquierda de la hoja derecha."""

    x: float
    y: float
    ancho: float
    alto: float


@dataclass(frozen=True)
class Formato:
    """Un papel en blanco. `casillas` y `renglones` tienen las claves de `Asentado.campos()`, en el orden del acta."""

    clave: str
    eleccion: str
    ancho_mm: float
    alto_mm: float
    imagen: str
    """Nombre del PNG del papel en blanco, en la misma carpeta."""
    casillas: Mapping[str, Caja]
    """El recuadro de los dígitos de cada campo."""
    regiones: Mapping[str, Caja]
    """Partes con nombre: `codigo`, `identificacion`, `firmas`…"""
    renglones: Mapping[str, Caja]
    """La franja completa de cada campo: rótulo, letra y número."""

    @cached_property
    def opciones(self) -> tuple[str, ...]:
        """Claves de los renglones de votación que trae impresos."""
        return tuple(clave for clave in self.casillas if clave not in COMPLEMENTARIOS)


def leer_formatos(carpeta: Path, eleccion: str | None = None) -> tuple[Formato, ...]:
    """Los formatos de la carpeta de un proceso, por orden de clave; ninguno si no tiene `formatos/`.

    Args:
        carpeta: la del proceso, la misma de `cargar_proceso`.
        eleccion: si se da, sólo los de esa elección.

    Raises:
        DefinicionInvalida: con todos los defectos de todos los archivos.
    """
    problemas: list[Problema] = []
    leidos: dict[str, Formato] = {}
    for ruta in sorted((carpeta / CARPETA).glob("*.toml")):
        toml = leer_archivo(carpeta, f"{CARPETA}/{ruta.name}", MAXIMO_TOML, problemas)
        formato = leer_formato(toml, ruta.name) if toml is not None else []
        if isinstance(formato, Formato):
            if formato.clave != ruta.stem:
                que = f"se llama {ruta.stem} y su clave es {formato.clave}"
                problemas.append(Problema(ruta.name, 0, que, "se copió de otro formato", "iguálelos"))
            leidos[formato.clave] = formato
        else:
            problemas += formato
    if problemas:
        raise DefinicionInvalida(problemas)
    return tuple(f for f in leidos.values() if eleccion is None or f.eleccion == eleccion)


def formato_para(formatos: Sequence[Formato], eleccion: Eleccion, casilla: Casilla) -> Formato | None:
    """El formato cuyos renglones son exactamente los del acta de esa casilla; `None` si nadie lo dibujó."""
    opciones = {o.clave for o in eleccion.opciones_de(casilla)}
    return next((f for f in formatos if f.eleccion == eleccion.clave and set(f.opciones) == opciones), None)


def leer_formato(toml: bytes, nombre: str) -> Formato | list[Problema]:
    """El formato que describen esos bytes, o todos sus defectos, cada uno con su línea."""
    abierto = abrir(toml, nombre)
    if isinstance(abierto, Problema):
        return [abierto]
    lectura, _ = abierto
    # `abrir` juzgó la raíz como si fuera la definición del proceso; las llaves de aquí son otras.
    lectura.problemas.clear()
    formato = _Lector(lectura, tomllib.loads(toml.decode("utf-8"))).formato()
    return sorted(lectura.problemas, key=lambda p: p.linea) or formato


class _Lector:
    """Lee llave por llave y anota cada defecto; lo inválido se sustituye por algo neutro para seguir leyendo."""

    def __init__(self, lectura: Lectura, dato: Mapping[str, object]) -> None:
        self._lectura = lectura
        self._dato = dato

    def formato(self) -> Formato:
        for llave in self._dato:
            if llave not in _LLAVES:
                self._problema(f"la llave «{llave[:60]}» no se conoce", "sobra o está mal escrita", _ACEPTADAS, llave)
        for llave in _LLAVES:
            if llave not in self._dato:
                self._problema(f"falta «{llave}»", "se copió a medias", f"agregue «{llave}», o vuelva a dibujarlo")
        ancho, alto = self._medida("ancho_mm"), self._medida("alto_mm")
        formato = Formato(
            clave=self._texto("clave", _CLAVE, "como GUB-1"),
            eleccion=self._texto("eleccion", COLUMNA.patron, "la clave de la elección, como GUB"),
            ancho_mm=ancho,
            alto_mm=alto,
            imagen=self._texto("imagen", _IMAGEN, "el nombre de un PNG de la misma carpeta"),
            regiones=self._cajas("regiones", _REGION, ancho, alto),
            renglones=self._cajas("renglones", COLUMNA.patron, ancho, alto),
            casillas=self._cajas("casillas", COLUMNA.patron, ancho, alto),
        )
        self._revisar(formato)
        return formato

    def _revisar(self, formato: Formato) -> None:
        if "regiones" in self._dato and REGION_DEL_CODIGO not in formato.regiones:
            que = f"falta la región «{REGION_DEL_CODIGO}»"
            self._problema(que, "se borró", "diga dónde se pega la etiqueta", "regiones")
        if "casillas" not in self._dato or "renglones" not in self._dato:
            return
        for clave in COMPLEMENTARIOS:
            if clave not in formato.casillas:
                self._problema(f"falta la casilla de {clave}", "se omitió un renglón", "agréguela", "casillas")
        for clave in formato.casillas.keys() ^ formato.renglones.keys():
            donde = "casillas" if clave in formato.casillas else "renglones"
            que = f"{clave} está sólo en «{donde}»"
            self._problema(que, "se omitió en la otra tabla", "escríbalo en las dos", donde, clave)
        for clave in formato.casillas.keys() & formato.renglones.keys():
            if not _dentro(formato.casillas[clave], formato.renglones[clave]):
                que = f"la casilla de {clave} se sale de su renglón"
                self._problema(que, "las medidas son de otro papel", "mida otra vez", "casillas", clave)

    def _problema(self, que: str, causa: str, siguiente: str, *dentro: str | int) -> None:
        self._lectura.problema(dentro, que, causa, siguiente)

    def _texto(self, llave: str, forma: re.Pattern[str], descripcion: str) -> str:
        dato = self._dato.get(llave)
        if isinstance(dato, str) and forma.fullmatch(dato):
            return dato
        if llave in self._dato:
            que = f"«{llave}» dice {str(dato)[:60]!r}"
            self._problema(que, "tiene caracteres que ahí no se admiten", f"escriba {descripcion}", llave)
        return ""

    def _medida(self, llave: str) -> float:
        dato = self._dato.get(llave)
        if _es_numero(dato) and 0 < dato <= MAXIMO_MM:
            return dato
        if llave in self._dato:
            que = f"«{llave}» no es una medida de papel"
            self._problema(que, "no está en milímetros", f"escriba un número de 1 a {MAXIMO_MM}", llave)
        return MAXIMO_MM

    def _cajas(self, llave: str, forma: re.Pattern[str], ancho: float, alto: float) -> dict[str, Caja]:
        tabla = self._dato.get(llave)
        if not isinstance(tabla, dict):
            if llave in self._dato:
                que = f"«{llave}» es {nombre_de_tipo(tabla)} y debe ser una tabla"
                self._problema(que, "faltan los corchetes del encabezado", f"escriba [{llave}]", llave)
            return {}
        cajas = {}
        hoja = Caja(0, 0, ancho, alto)
        for nombre, dato in tabla.items():
            if forma.fullmatch(nombre) is None:
                que = f"«{nombre[:40]}» no es un nombre de «{llave}»"
                self._problema(que, "tiene caracteres que ahí no se admiten", "escríbalo como en la definición", llave)
                continue
            caja = _caja(dato)
            if caja is None:
                que = f"«{nombre}» no son cuatro medidas"
                self._problema(que, "falta o sobra un número", "escriba [x, y, ancho, alto] en mm", llave, nombre)
            elif not _dentro(caja, hoja):
                que = f"«{nombre}» se sale de la hoja de {ancho} × {alto} mm"
                self._problema(que, "las medidas son de otro papel", "mida otra vez", llave, nombre)
            else:
                cajas[nombre] = caja
        return cajas


_ACEPTADAS: Final = f"las que se aceptan son {', '.join(_LLAVES)}"


def _es_numero(dato: object) -> TypeGuard[int | float]:
    # Un entero de TOML puede tener miles de cifras y no caber en un flotante.
    return type(dato) is int or (isinstance(dato, float) and math.isfinite(dato))


def _caja(dato: object) -> Caja | None:
    if not isinstance(dato, list) or len(dato) != 4:
        return None
    x, y, ancho, alto = dato
    if not (_es_numero(x) and _es_numero(y) and _es_numero(ancho) and _es_numero(alto)):
        return None
    if any(abs(n) > MAXIMO_MM for n in (x, y, ancho, alto)):
        return None
    return Caja(x, y, ancho, alto) if ancho > 0 and alto > 0 else None


def _dentro(caja: Caja, otra: Caja) -> bool:
    return (
        otra.x <= caja.x
        and otra.y <= caja.y
        and caja.x + caja.ancho <= otra.x + otra.ancho
        and caja.y + caja.alto <= otra.y + otra.alto
    )
