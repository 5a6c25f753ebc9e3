"""El menú del inicio: qué pantallas hay y de qué papel es cada una. Cada persona ve sólo las suyas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.personas import Papel, Persona
from nucleo.modos import CAPACITACION, MODOS, OFICIAL


@dataclass(frozen=True, slots=True)
class Puerta:
    """Un botón del inicio. `detalle` dice qué se hace ahí, en una línea."""

    ruta: str
    rotulo: str
    detalle: str
    papeles: frozenset[Papel]
    modos: tuple[str, ...] = MODOS
    de_aparato: bool = False
    """Si sólo existe cuando el kiosco se abrió con un aparato de varios modos."""


_RECIBE: Final = frozenset({Papel.ACOPIO, Papel.COORDINACION})
_DIGITALIZA: Final = frozenset({Papel.DIGITALIZACION, Papel.COORDINACION})
_VERIFICA: Final = frozenset({Papel.VERIFICACION, Papel.COORDINACION})
_COORDINA: Final = frozenset({Papel.COORDINACION})
_CUALQUIERA: Final = frozenset(Papel)

PUERTAS: Final = (
    Puerta(
        "/practica",
        "Práctica guiada",
        "aprender en diez minutos, con actas de muestra",
        _CUALQUIERA,
        (CAPACITACION,),
    ),
    Puerta("/acopio", "Acopio", "llegó una bolsa", _RECIBE),
    Puerta("/esperadas", "Faltan por llegar", "lo que se espera y no ha llegado", _RECIBE),
    Puerta("/sin-acta", "Sin acta", "el paquete no trae acta", _RECIBE),
    Puerta("/digitalizacion", "Digitalizar", "pasar hojas por el escáner", _DIGITALIZA),
    Puerta("/cotejo", "Cotejo", "comparar con el papel", _VERIFICA),
    Puerta("/empaquetado", "Empaquetado", "guardar en cajas y hacer la relación", _RECIBE),
    Puerta("/coordinacion", "Coordinación", "el tablero del CATD", _COORDINA),
    Puerta("/modo", "Cambiar de modo", "capacitación, simulacro u oficial", _COORDINA, de_aparato=True),
)


def puertas_de(persona: Persona, modo: str = OFICIAL, *, de_aparato: bool = False) -> tuple[Puerta, ...]:
    """Las que esa persona puede abrir en ese modo, en el orden del trabajo.

    Args:
        de_aparato: si el kiosco se abrió con un aparato de varios modos.
    """
    return tuple(
        p for p in PUERTAS if persona.puede(*p.papeles) and modo in p.modos and (de_aparato or not p.de_aparato)
    )
