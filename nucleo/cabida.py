"""Si un hecho cabe en una definición: existen su elección y su casilla, y sus renglones son los de esa acta.

Lo mira el centro antes de aceptar un hecho y, en los dos lados, antes de tomar una definición nueva: ninguna entra si
con ella ya no vale algo asentado.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nucleo.acta import COMPLEMENTARIOS
from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion, Proceso
from nucleo.hechos import Captura, Correccion, FueraDeCatalogo, Hecho, HojaDeBitacora, Revision, pertenencia

_COMUNES: Final = frozenset(COMPLEMENTARIOS)


@dataclass(frozen=True, slots=True)
class Objecion:
    """Por qué no cabe. `espera` dice si otra definición podría darle lugar; si no, está mal hecho."""

    codigo: str
    causa: str
    espera: bool


class Cabida:
    """Juzga con una definición fija; recuerda los renglones de cada división."""

    def __init__(self, proceso: Proceso) -> None:
        self._proceso = proceso
        self._renglones: dict[tuple[str, int | None], frozenset[str]] = {}

    def objecion(self, hecho: Hecho) -> Objecion | None:
        """Por qué ese hecho no cabe; `None` si cabe."""
        if isinstance(hecho, HojaDeBitacora):
            return None
        clave, _ = pertenencia(hecho)
        eleccion = self._proceso.elecciones.get(clave)
        if eleccion is None:
            return Objecion("ELECCION_DESCONOCIDA", f"la definición vigente no tiene la elección {clave}", True)
        if isinstance(hecho, FueraDeCatalogo):
            return None
        casilla = self._proceso.casillas.get(hecho.acta.casilla)
        if casilla is None:
            return Objecion(
                "CASILLA_DESCONOCIDA", f"el catálogo vigente no tiene la casilla {hecho.acta.casilla}", True
            )
        if casilla.tipo not in eleccion.tipos_casilla:
            return Objecion("CASILLA_NO_ESPERADA", f"la casilla {casilla.clave} no levanta acta de {clave}", True)
        renglones = self._renglones_de(eleccion, casilla)
        ajenos: frozenset[str] | set[str] = frozenset()
        if isinstance(hecho, Captura):
            ajenos = renglones.symmetric_difference(hecho.asentado.votos)
        elif isinstance(hecho, Correccion | Revision):
            ajenos = hecho.campos.keys() - renglones - _COMUNES
        if not ajenos:
            return None
        cuales = ", ".join(sorted(ajenos)[:5])
        return Objecion("RENGLONES", f"los renglones no son los de la casilla {casilla.clave}: {cuales}", False)

    def _renglones_de(self, eleccion: Eleccion, casilla: Casilla) -> frozenset[str]:
        lugar = (eleccion.clave, eleccion.division(casilla))
        renglones = self._renglones.get(lugar)
        if renglones is None:
            renglones = frozenset(o.clave for o in eleccion.opciones_de(casilla))
            self._renglones[lugar] = renglones
        return renglones
