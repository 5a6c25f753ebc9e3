"""El menú del inicio: qué pantallas hay y de qué papel es cada una. Cada persona ve sólo las suyas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.personas import Papel, Persona


@dataclass(frozen=True, slots=True)
class Puerta:
    """Un botón del inicio. `detalle` dice qué se hace ahí, en una línea."""

    ruta: str
    rotulo: str
    detalle: str
    papeles: frozenset[Papel]


_RECIBE: Final = frozenset({Papel.ACOPIO, Papel.COORDINACION})
_DIGITALIZA: Final = frozenset({Papel.DIGITALIZACION, Papel.COORDINACION})
_VERIFICA: Final = frozenset({Papel.VERIFICACION, Papel.COORDINACION})
_COORDINA: Final = frozenset({Papel.COORDINACION})

PUERTAS: Final = (
    Puerta("/acopio", "Acopio", "llegó una bolsa", _RECIBE),
    Puerta("/esperadas", "Faltan por llegar", "lo que se espera y no ha llegado", _RECIBE),
    Puerta("/sin-acta", "Sin acta", "el paquete no trae acta", _RECIBE),
    Puerta("/digitalizacion", "Digitalizar", "pasar hojas por el escáner", _DIGITALIZA),
    Puerta("/cotejo", "Cotejo", "comparar con el papel", _VERIFICA),
    Puerta("/empaquetado", "Empaquetado", "guardar en cajas y hacer la relación", _RECIBE),
    Puerta("/coordinacion", "Coordinación", "el tablero del CATD", _COORDINA),
)


def puertas_de(persona: Persona) -> tuple[Puerta, ...]:
    """Las que esa persona puede abrir, en el orden del trabajo."""
    return tuple(p for p in PUERTAS if persona.puede(*p.papeles))
