"""Lo que la bitácora de un kiosco, que viaja firmada, dice de las órdenes que recibió: por qué no cumplió alguna."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from servicio_central import bitacora
from servicio_central.bitacora import Hoja
from servicio_central.puerto_almacen import Lector

_DE_ORDENES: Final = frozenset(
    {"orden_obedecida", "orden_tarde", "definicion_recibida", "definicion_tomada", "definicion_rechazada"}
)


@dataclass(frozen=True, slots=True)
class Rastro:
    """Números de orden de una cadena. `rechazos` dice por qué; `completas` son definiciones que ya tiene enteras."""

    tarde: frozenset[int] = frozenset()
    rechazos: dict[int, str] = field(default_factory=dict)
    completas: frozenset[int] = frozenset()


def leer(bd: Lector, equipo: str, epoca: str, ultima: int) -> Rastro:
    """El de esa cadena, hasta esa hoja. Raises: uno de `puerto_almacen.ERRORES`."""
    return de_hojas(bitacora.hojas(bd, equipo, epoca, ultima))


def de_hojas(hojas: Iterable[Hoja]) -> Rastro:
    """El rastro de esas hojas, que van en el orden de la cadena: la hora del kiosco no se mira."""
    tarde, completas, rechazos, pendiente = set(), set(), {}, 0
    for hoja in hojas:
        for renglon in hoja.contenido.renglones:
            if renglon.evento not in _DE_ORDENES:
                continue
            numero, _, nombre = renglon.detalle.partition(" ")
            es_numero = numero.isascii() and numero.isdigit() and len(numero) < 16
            match renglon.evento:
                case "orden_obedecida" if es_numero and nombre == "definicion":
                    pendiente = int(numero)
                case "orden_tarde" if es_numero:
                    tarde.add(int(numero))
                case "definicion_rechazada" if pendiente:
                    rechazos[pendiente] = renglon.detalle
                case "definicion_recibida" if pendiente:
                    completas.add(pendiente)
                    rechazos.pop(pendiente, None)
    return Rastro(frozenset(tarde), rechazos, frozenset(completas))
