"""Lee del almacén los hechos aceptados de una elección, en una sola transacción y sin estorbar a la ingesta.

Los hechos sólo se agregan: lo leído en el corte anterior sigue igual, así que cada corte lee sólo lo nuevo. Lo que la
autoridad excluyó en el padrón se lee igual y se aparta aquí. Quien publica lee por su cuenta y recuerda lo ya
leído (`servicio_central.publicacion.fuente`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from nucleo.hechos import Hecho
from nucleo.padron import Padron
from nucleo.publicacion.reserva import HechoRegistrado, registrado_de
from servicio_central import almacenes, padrones
from servicio_central.puerto_almacen import Marca


@dataclass(frozen=True)
class Leidos:
    """Los hechos aceptados de una elección en un instante."""

    hechos: tuple[Hecho, ...]
    conjunto: str
    """SHA-256 de las huellas de los hechos que cuentan, ordenadas y separadas por saltos: dos centros con las mismas
    hojas y el mismo padrón dan lo mismo."""
    excluidos: int = 0
    """Hechos aceptados que el padrón excluye; no están en `hechos`."""


@dataclass
class _Memoria:
    marca: Marca = field(default_factory=Marca)
    leidos: list[HechoRegistrado] = field(default_factory=list)


_recordados: dict[tuple[Hashable, str], _Memoria] = {}


def leer_hechos(carpeta: Path, eleccion: str, padron: Padron | None = None) -> Leidos:
    """Hechos aceptados de esa elección que cuentan, del almacén de la carpeta del centro.

    Args:
        padron: con qué exclusiones; sin él, las del padrón de la carpeta (`padrones.para_contar`).

    Las firmas no se vuelven a comprobar: se comprobaron al aceptarlos y el almacén sólo agrega. Quien no confíe en este
    centro las comprueba con `./prep auditar`.

    Raises:
        uno de `puerto_almacen.ERRORES`: si no hay almacén o no se puede leer.
        Tropiezo: PADRON, si hay centro y ningún padrón se puede leer.
    """
    padron = padron or padrones.para_contar(carpeta)
    todos = _todos(carpeta, eleccion)
    cuentan = todos if padron is None else [a for a in todos if padron.excluye(*a.lugar) is None]
    conjunto = hashlib.sha256("".join(f"{h}\n" for h in sorted(a.huella for a in cuentan)).encode()).hexdigest()
    return Leidos(tuple(a.hecho for a in cuentan), conjunto, len(todos) - len(cuentan))


def leer_aceptados(carpeta: Path, eleccion: str) -> tuple[Hecho, ...]:
    """Todos los hechos aceptados de esa elección, también los excluidos: una exclusión se puede quitar.

    Raises:
        uno de `puerto_almacen.ERRORES`: si no hay almacén o no se puede leer.
    """
    return tuple(a.hecho for a in _todos(carpeta, eleccion))


def _todos(carpeta: Path, eleccion: str) -> list[HechoRegistrado]:
    with closing(almacenes.leer(carpeta)) as bd:
        bd.execute("BEGIN")
        clave = (bd.identidad, eleccion)
        memoria = _recordados.get(clave) or _Memoria()
        leido = bd.nuevos(eleccion, memoria.marca)
        if leido is None:
            memoria = _Memoria()
            leido = bd.nuevos(eleccion, memoria.marca) or ([], Marca())
    nuevos, marca = leido
    memoria.leidos += [registrado_de(huella, sobre) for huella, sobre in nuevos]
    memoria.marca = marca
    _recordados[clave] = memoria
    return memoria.leidos
