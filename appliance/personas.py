"""Quién trabaja en el CATD y en qué: las personas inscritas y su papel.

Una persona puede tener varios papeles (en un CATD chico recibe y digitaliza la misma); lo que nunca pasa es que lea dos
veces la misma acta, y eso lo cuida `nucleo.captura`, no el papel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Papel(Enum):
    """Lo que alguien hace en el CATD (roles de los planes de trabajo; dominio §2)."""

    ACOPIO = "acopio"
    DIGITALIZACION = "digitalizacion"
    CAPTURA = "captura"
    """Hace primeras lecturas."""
    VERIFICACION = "verificacion"
    """Hace segundas lecturas, correcciones ciegas, revisiones y cotejo."""
    COORDINACION = "coordinacion"


NOMBRES = {
    Papel.ACOPIO: "Acopio",
    Papel.DIGITALIZACION: "Digitalización",
    Papel.CAPTURA: "Captura",
    Papel.VERIFICACION: "Verificación",
    Papel.COORDINACION: "Coordinación",
}


@dataclass(frozen=True, slots=True)
class Persona:
    """`clave` es la que se asienta en los hechos; `nombre`, lo que ve la gente.

    `nip` y `gafete` son resúmenes (nunca el dato): así la lista puede viajar por un playbook y quedar en el disco.
    """

    clave: str
    nombre: str
    papeles: frozenset[Papel]
    nip: str = ""
    """`scrypt$…`; vacío sólo en la lista de práctica."""
    gafete: str = ""
    """SHA-256 hexadecimal del azar del gafete; vacío sólo en la lista de práctica."""

    @property
    def coordina(self) -> bool:
        return Papel.COORDINACION in self.papeles

    def puede(self, *papeles: Papel) -> bool:
        """Si tiene alguno de esos papeles."""
        return not self.papeles.isdisjoint(papeles)
