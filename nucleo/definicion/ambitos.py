"""En qué distritos o municipios existe algo, según lo escrito y lo que hay en el catálogo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nucleo.casilla import Casilla
from nucleo.definicion.tabla import Tabla
from nucleo.eleccion import Ambito, Eleccion

Ambitos = frozenset[int] | None
"""Números de distrito o municipio; `None` es en todos."""


def se_enciman(unos: Ambitos, otros: Ambitos) -> bool:
    """Si hay un lugar que esté en ambos."""
    return unos is None or otros is None or not unos.isdisjoint(otros)


@dataclass(frozen=True)
class Divisiones:
    """Las divisiones de una elección, o ninguna si el catálogo no se pudo leer: entonces nada se juzga."""

    ambito: Ambito
    numeros: frozenset[int]

    def leer(self, tabla: Tabla) -> Ambitos:
        """La clave `ambitos` de esa tabla; `None` si no está."""
        numeros = tabla.enteros("ambitos")
        if numeros is None or self._sobra(tabla, "ambitos"):
            return None
        if not numeros:
            tabla.problema("«ambitos» está vacío", "se borraron los números", "escríbalos, o quite la clave", "ambitos")
        for i, numero in enumerate(numeros):
            self.revisar(tabla, numero, "ambitos", i)
        return frozenset(numeros)

    def leer_uno(self, tabla: Tabla) -> int | None:
        """La clave `ambito` de una candidatura: obligatoria salvo que se elija en toda la entidad."""
        if "ambito" in tabla:
            numero = tabla.entero("ambito", 1, 999)
            if not numero or self._sobra(tabla, "ambito"):
                return None
            self.revisar(tabla, numero, "ambito")
            return numero
        if self.ambito is not Ambito.ENTIDAD:
            tabla.problema(
                f"la candidatura no dice su {self.ambito.value}",
                "se omitió «ambito»",
                f"agregue «ambito» con el número de {self.ambito.value}",
            )
        return None

    def revisar(self, tabla: Tabla, numero: int, *dentro: str | int) -> None:
        if self.numeros and numero not in self.numeros:
            cual = numero if 0 <= numero < 1_000 else "que se indica"
            tabla.problema(
                f"ninguna casilla del catálogo está en el {self.ambito.value} {cual}",
                "un número equivocado, o un catálogo incompleto",
                f"use un número que esté en la columna ID_{self.ambito.name} del catálogo",
                *dentro,
            )

    def _sobra(self, tabla: Tabla, llave: str) -> bool:
        if self.ambito is Ambito.ENTIDAD:
            tabla.problema(
                f"«{llave}» no tiene sentido en una elección de toda la entidad",
                "se copió de la elección de diputaciones o de ayuntamientos",
                f"quite «{llave}»",
                llave,
            )
        return self.ambito is Ambito.ENTIDAD


def divisiones_de(
    eleccion: Eleccion, tabla: Tabla, casillas: Mapping[str, Casilla], lineas: Mapping[str, int]
) -> Divisiones:
    """Divisiones en que hay casillas de la elección; anota en `tabla` las casillas que no dicen la suya."""
    esperadas = [c for c in casillas.values() if c.tipo in eleccion.tipos_casilla]
    if casillas and not esperadas:
        tabla.problema(
            f"ninguna casilla del catálogo levanta acta de la elección {eleccion.clave}",
            "«tipos_casilla» deja fuera a todas",
            "corrija «tipos_casilla» o el catálogo",
            "tipos_casilla",
        )
    huerfanas = [c.clave for c in esperadas if eleccion.division(c) is None and c.tipo not in "MAP"]
    if huerfanas and eleccion.ambito is not Ambito.ENTIDAD:
        tabla.problema(
            f"hay casillas que no dicen su {eleccion.ambito.value} ({len(huerfanas)}); la primera es {huerfanas[0]}, "
            f"en la línea {lineas[huerfanas[0]]} del catálogo",
            "el catálogo se exportó sin esa columna",
            f"complete ID_{eleccion.ambito.name} en el catálogo",
            "ambito",
        )
    return Divisiones(eleccion.ambito, frozenset(d for c in esperadas if (d := eleccion.division(c)) is not None))
