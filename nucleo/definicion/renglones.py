"""Los renglones de votación de un acta, sin columnas repetidas y en el orden del papel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from nucleo.acta import COMPLEMENTARIOS
from nucleo.base_oficial import columnas
from nucleo.definicion.ambitos import se_enciman
from nucleo.definicion.tabla import LIBRE, Tabla
from nucleo.eleccion import Opcion, TipoOpcion
from nucleo.hechos import MAXIMO_CAMPOS

NO_REGISTRADAS: Final = Opcion("NO_REGISTRADAS", TipoOpcion.NO_REGISTRADAS, "Candidaturas no registradas")
NULOS: Final = Opcion("NULOS", TipoOpcion.NULOS, "Votos nulos")

GRUPOS: Final = ("partidos", "comunes", "coaliciones", "independientes")
"""Orden de los renglones si no se dice otro (LEEME IECM 2024)."""

_GRUPO_DE: Final = {
    TipoOpcion.PARTIDO: "partidos",
    TipoOpcion.COMUN: "comunes",
    TipoOpcion.COMBINACION: "coaliciones",
    TipoOpcion.INDEPENDIENTE: "independientes",
}
# La forma que `nucleo.hechos` admite en un sobre; sin Ñ, porque al leer bases ajenas se confundiría con N.
_CLAVE: Final = re.compile(r"[A-Z][A-Z0-9_-]{0,39}")


def choca_con_fija(clave: str, tabla: Tabla, *dentro: str | int) -> bool:
    """Si la base de datos ya tiene una columna así, con ese nombre o el que le dé otro instituto; lo anota."""
    choca = clave in COMPLEMENTARIOS or columnas.canonica(clave) is not None
    if choca:
        tabla.problema(
            f"la columna {clave} ya existe en la base de datos con otro significado",
            "la sigla coincide con una columna fija o con un nombre que otros institutos le dan",
            "use otra sigla o un prefijo",
            *dentro,
        )
    return choca


@dataclass
class Renglones:
    """Se llena renglón por renglón y entrega las opciones de la elección."""

    opciones: dict[str, Opcion] = field(default_factory=dict)
    """Clave de columna → opción, en orden de llegada."""
    _lineas: dict[str, int] = field(default_factory=dict)

    def agregar(self, opcion: Opcion, tabla: Tabla, *dentro: str | int) -> None:
        """Da de alta una columna, o anota por qué no se puede.

        Dos alianzas de lugares distintos pueden compartir una columna (C_PAN_PRI aquí como parte de tres
        partidos y allá de dos): es un solo renglón que existe en ambos lugares.
        """
        clave = opcion.clave
        anterior = self.opciones.get(clave)
        if not clave:
            return
        if choca_con_fija(clave, tabla, *dentro):
            return
        if not _CLAVE.fullmatch(clave):
            tabla.problema(
                f"la columna {clave[:60]!r} no se puede usar",
                "tiene más de 40 posiciones o no comienza con letra",
                "acorte las siglas con «abreviaturas» o cambie el prefijo",
                *dentro,
            )
        elif anterior is None:
            self.opciones[clave] = opcion
            self._lineas[clave] = tabla.linea(*dentro)
        elif (anterior.tipo, anterior.partidos) == (opcion.tipo, opcion.partidos) and not se_enciman(
            anterior.ambitos, opcion.ambitos
        ):
            juntos = (anterior.ambitos or frozenset()) | (opcion.ambitos or frozenset())
            self.opciones[clave] = replace(anterior, ambitos=juntos)
        else:
            tabla.problema(
                f"la columna {clave} ya se usa en la línea {self._lineas[clave]}",
                "dos renglones con la misma clave, o una abreviatura que coincide con otra sigla",
                "cambie una de las dos, o dé a cada una sus «ambitos»",
                *dentro,
            )

    def ordenados(self, tabla: Tabla) -> tuple[Opcion, ...]:
        """Opciones en el orden que pida la clave `orden` de la elección; al final, no registradas y nulos."""
        grupos = tabla.textos("orden", LIBRE)
        if grupos is not None and sorted(grupos) != sorted(GRUPOS):
            tabla.problema(
                f"«orden» dice {', '.join(grupos)[:80]!r}",
                "falta, sobra o se repite un grupo",
                f"ponga los cuatro en el orden del acta: {', '.join(GRUPOS)}",
                "orden",
            )
            grupos = None
        if not self.opciones:
            tabla.problema("no hay por quién votar", "faltan los partidos", "agregue «partidos» o [[partidos]]")
        tope = MAXIMO_CAMPOS - len(COMPLEMENTARIOS)
        if len(self.opciones) + 2 > tope:
            tabla.problema(
                f"el acta tendría {len(self.opciones) + 2} renglones y caben {tope}",
                "coaliciones demasiado grandes",
                "revise los partidos de cada coalición",
            )
        opciones = [o for g in grupos or GRUPOS for o in self.opciones.values() if _GRUPO_DE[o.tipo] == g]
        return (*opciones, NO_REGISTRADAS, NULOS)
