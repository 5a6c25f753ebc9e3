"""Lo que toda página necesita además de su ficha, y que no cambia en toda la noche."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nucleo.eleccion import Ambito, Eleccion, Proceso
from servicio_central.sitio.geografia import Geografia


@dataclass(frozen=True, eq=False)
class Contexto:
    """El proceso y lo que la definición traiga para dibujarlo."""

    proceso: Proceso
    origen: str = ""
    """Dirección pública sin diagonal final (`https://prep.ejemplo.mx`), para el mapa del sitio; vacía si no se sabe."""
    geografias: Mapping[Ambito, Geografia] = field(default_factory=dict)
    """Contornos de distritos o de municipios; lo que falte se dibuja como cartograma."""

    def geografia(self, eleccion: Eleccion) -> Geografia | None:
        ambito = Ambito.MUNICIPIO if eleccion.ambito is Ambito.MUNICIPIO else Ambito.DISTRITO
        return self.geografias.get(ambito)
