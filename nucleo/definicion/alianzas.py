"""Coaliciones y candidaturas comunes: quién va con quién, dónde y con qué columnas.

Coalición: cada partido conserva su renglón y además hay uno por combinación (2ⁿ − n − 1, dominio §5.3).
Candidatura común: un solo emblema y un solo renglón, que sustituye a los de sus partidos y se reparte por el
porcentaje del convenio.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from nucleo.definicion.ambitos import Ambitos, Divisiones, se_enciman
from nucleo.definicion.renglones import Renglones
from nucleo.definicion.tabla import COLUMNA, Forma, Tabla
from nucleo.eleccion import CandidaturaComun, Coalicion, Opcion, TipoOpcion

MAXIMO_PARTIDOS: Final = 8
"""Por alianza. Ocho dan 247 combinaciones; la mayor conocida tuvo seis (57) y cada uno las duplica."""

_PREFIJO: Final = Forma(re.compile(r"[A-Z]{0,4}[_-]?"), "hasta cuatro mayúsculas y un guion, como C_")
_PORCENTAJE: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?")


@dataclass(frozen=True)
class Alianza:
    """Coalición o candidatura común, para saber quién va con quién y dónde."""

    nombre: str
    partidos: tuple[str, ...]
    ambitos: Ambitos
    linea: int


def siglas_conocidas(tabla: Tabla, llave: str, siglas: Sequence[str], permitidas: Collection[str]) -> bool:
    """Si todas son de partidos que compiten y ninguna se repite; anota las que no."""
    bien = True
    for i, sigla in enumerate(siglas):
        if sigla not in permitidas:
            bien = False
            tabla.problema(
                f"el partido {sigla[:40]} no compite en esta elección",
                "una sigla mal escrita, o falta en [[partidos]] o en los «partidos» de la elección",
                f"use una de {', '.join(permitidas)}",
                llave,
                i,
            )
        elif sigla in siglas[:i]:
            bien = False
            tabla.problema(f"el partido {sigla} está repetido", "se copió dos veces", "deje uno solo", llave, i)
    return bien


@dataclass
class LectorDeAlianzas:
    """Lee las alianzas de una elección y da de alta sus columnas en `renglones`."""

    partidos: Mapping[str, str]
    """Sigla → nombre de todos los partidos del proceso."""
    divisiones: Divisiones
    renglones: Renglones
    alianzas: list[Alianza] = field(default_factory=list)

    def coaliciones(self, eleccion: Tabla, propios: Collection[str]) -> Iterator[Coalicion]:
        """Cada `[[elecciones.coaliciones]]` bien definida. `propios` son los partidos con renglón."""
        for tabla in eleccion.tablas("coaliciones", "elecciones.coaliciones"):
            nombre, ambitos = tabla.texto("nombre"), self.divisiones.leer(tabla)
            partidos = tabla.textos("partidos", COLUMNA) or ()
            if not siglas_conocidas(tabla, "partidos", partidos, propios) or not _bastan(
                tabla, "partidos", len(partidos)
            ):
                continue
            columnas = self._columnas(tabla, partidos)
            if not self._aliar(tabla, "partidos", Alianza(nombre, partidos, ambitos, tabla.linea())):
                continue
            for clave, subconjunto in columnas.items():
                opcion = Opcion(clave, TipoOpcion.COMBINACION, "-".join(subconjunto), subconjunto, ambitos)
                self.renglones.agregar(opcion, tabla)
            yield Coalicion(nombre, partidos, tuple(columnas), ambitos)

    def comunes(self, eleccion: Tabla) -> Iterator[tuple[CandidaturaComun, Opcion, Tabla]]:
        """Cada `[[elecciones.comunes]]` bien definida, con su renglón todavía sin dar de alta."""
        for tabla in eleccion.tablas("comunes", "elecciones.comunes"):
            clave, nombre = tabla.texto("clave", COLUMNA), tabla.texto("nombre")
            ambitos, remanente = self.divisiones.leer(tabla), tabla.texto("remanente", COLUMNA)
            partes = self._porcentajes(tabla)
            if partes is None or not _bastan(tabla, "porcentajes", len(partes)):
                continue
            if remanente and remanente not in partes:
                tabla.problema(
                    f"el remanente va a {remanente}, que no está en la candidatura común",
                    "una sigla mal escrita",
                    f"use una de {', '.join(partes)}",
                    "remanente",
                )
            partidos = tuple(partes)
            if self._aliar(tabla, "porcentajes", Alianza(nombre, partidos, ambitos, tabla.linea())):
                comun = CandidaturaComun(clave, partidos, partes, remanente, ambitos)
                yield comun, Opcion(clave, TipoOpcion.COMUN, nombre, partidos, ambitos), tabla

    def _aliar(self, tabla: Tabla, llave: str, nueva: Alianza) -> bool:
        """Anota la alianza si ninguno de sus partidos está ya en otra del mismo lugar."""
        for otra in self.alianzas:
            comparten = [p for p in nueva.partidos if p in otra.partidos]
            if comparten and se_enciman(nueva.ambitos, otra.ambitos):
                otra_alianza = f"«{otra.nombre}», de la línea {otra.linea}"
                tabla.problema(
                    f"{', '.join(comparten)} va en «{nueva.nombre}» y en {otra_alianza}, en el mismo lugar",
                    "dos alianzas parciales sin «ambitos», o con un número repetido",
                    "dé a cada una sus «ambitos», sin repetir",
                    "ambitos" if "ambitos" in tabla else llave,
                )
                return False
        self.alianzas.append(nueva)
        return True

    def _columnas(self, tabla: Tabla, partidos: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Columna → partidos de cada combinación, en el orden del acta."""
        prefijo = tabla.texto("prefijo", _PREFIJO)
        separador = tabla.uno_de("separador", ("_", "-"), "_")
        abreviaturas = tabla.por_sigla("abreviaturas") or {}
        for sigla, corta in abreviaturas.items():
            if sigla not in partidos or not COLUMNA.patron.fullmatch(corta):
                tabla.problema(
                    f"la abreviatura de {sigla[:40]!r} no sirve",
                    "no es un partido de la coalición, o la abreviatura no son mayúsculas",
                    'escriba, por ejemplo, abreviaturas = { PVEM = "PV" }',
                    "abreviaturas",
                    sigla,
                )
        combinaciones = self._combinaciones(tabla, partidos)
        claves = [prefijo + separador.join(abreviaturas.get(s, s) for s in c) for c in combinaciones]
        if repetida := next((c for i, c in enumerate(claves) if c in claves[:i]), None):
            tabla.problema(
                f"dos combinaciones forman la columna {repetida[:60]}",
                "dos partidos con la misma abreviatura",
                "deles abreviaturas distintas",
                "abreviaturas",
            )
        return dict(zip(claves, combinaciones, strict=True))

    def _combinaciones(self, tabla: Tabla, partidos: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
        todas = [c for n in range(len(partidos), 1, -1) for c in combinations(partidos, n)]
        escritas = tabla.listas("combinaciones", COLUMNA)
        if escritas is None:
            return todas
        posibles = {frozenset(c) for c in todas}
        sirven = []
        for i, combinacion in enumerate(escritas):
            conjunto = frozenset(combinacion)
            if len(conjunto) == len(combinacion) and conjunto in posibles:
                posibles.remove(conjunto)
                sirven.append(combinacion)
                continue
            cual = ", ".join(combinacion)[:80] or "vacía"
            tabla.problema(
                f"la combinación {cual} está repetida o no es de esta coalición",
                "una sigla de más, de menos o mal escrita",
                "deje cada subconjunto de dos o más partidos de la coalición una sola vez",
                "combinaciones",
                i,
            )
        if len(sirven) == len(escritas) and frozenset(partidos) in posibles:
            tabla.problema(
                "falta la combinación con todos los partidos de la coalición",
                "la lista está incompleta",
                f"agregue la de {', '.join(partidos)}",
                "combinaciones",
            )
        return sirven

    def _porcentajes(self, tabla: Tabla) -> dict[str, int] | None:
        """Sigla → diezmilésimas (53.33 % = 5333); `None` si no se pudieron leer."""
        escritos = tabla.por_sigla("porcentajes")
        if escritos is None:
            return None
        partes = {sigla: _diezmilesimas(texto) for sigla, texto in escritos.items()}
        for sigla, parte in partes.items():
            if sigla not in self.partidos:
                tabla.problema(
                    f"el partido {sigla[:40]!r} no está en [[partidos]]",
                    "una sigla mal escrita, o falta darlo de alta",
                    f"use una de {', '.join(self.partidos)}",
                    "porcentajes",
                    sigla,
                )
            elif not parte:
                tabla.problema(
                    f"el porcentaje de {sigla} dice {escritos[sigla][:20]!r}",
                    "trae el signo %, coma decimal, más de dos decimales, o es cero",
                    'escriba, por ejemplo, "53.33"',
                    "porcentajes",
                    sigla,
                )
        suma = sum(partes.values())
        if partes and all(partes.values()) and suma != 10_000:
            tabla.problema(
                f"los porcentajes suman {suma // 100}.{suma % 100:02d} y deben sumar 100.00",
                "falta un partido, o se redondeó",
                "cópielos del convenio; el remanente sólo recibe las fracciones de voto, no se suma",
                "porcentajes",
            )
        return partes


def _diezmilesimas(texto: str) -> int:
    forma = _PORCENTAJE.fullmatch(texto)
    return int(forma[1] + (forma[2] or "").ljust(2, "0")) if forma else 0


def _bastan(tabla: Tabla, llave: str, cuantos: int) -> bool:
    bien = 2 <= cuantos <= MAXIMO_PARTIDOS
    if llave in tabla and not bien:
        tabla.problema(
            f"la alianza tiene {cuantos} partidos y debe tener de 2 a {MAXIMO_PARTIDOS}",
            "se omitió una sigla, o son dos alianzas juntas",
            "corrija la lista",
            llave,
        )
    return bien
