"""Las `[[elecciones.candidaturas]]`: que cada persona vaya por quien dice y donde dice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from nucleo.definicion.alianzas import Alianza
from nucleo.definicion.ambitos import Ambitos, Divisiones
from nucleo.definicion.tabla import COLUMNA, LIBRE, Tabla
from nucleo.eleccion import Candidatura, Opcion, TipoOpcion


def leer_candidaturas(
    eleccion: Tabla,
    opciones: Collection[Opcion],
    alianzas: Sequence[Alianza],
    divisiones: Divisiones,
    juzgar: bool,
) -> Iterator[Candidatura]:
    """Candidaturas en el orden escrito; anota las que no pueden ser.

    Args:
        opciones: renglones de la elección.
        alianzas: coaliciones y candidaturas comunes.
        juzgar: si se comparan con `opciones` y `alianzas`, o sólo se lee su forma.
    """
    juez = _Juez(opciones, alianzas, divisiones)
    for tabla in eleccion.tablas("candidaturas", "elecciones.candidaturas"):
        siglas, donde = tabla.textos("partidos", COLUMNA), divisiones.leer_uno(tabla)
        if siglas is not None and juzgar:
            juez.juzgar(tabla, siglas, donde)
        yield Candidatura(siglas or (), tabla.texto("propietaria"), tabla.texto("suplente", LIBRE), donde)


@dataclass
class _Juez:
    opciones: Collection[Opcion]
    alianzas: Sequence[Alianza]
    divisiones: Divisiones
    lineas: dict[tuple[int | None, str], int] = field(default_factory=dict)
    """(lugar, sigla) → línea de la candidatura que ya la usó."""

    def juzgar(self, tabla: Tabla, siglas: Sequence[str], donde: int | None) -> None:
        if not siglas:
            tabla.problema("la candidatura no tiene partido", "«partidos» está vacío", "escriba su sigla", "partidos")
        conocidas = self._conocidas()
        for i, sigla in enumerate(siglas):
            if sigla not in conocidas:
                tabla.problema(
                    f"{sigla} no es un partido ni una candidatura independiente de esta elección",
                    "una sigla mal escrita, o falta darla de alta",
                    f"use una de {', '.join(conocidas)}",
                    "partidos",
                    i,
                )
                return
            self._una_vez(tabla, sigla, donde, i)
            ambitos = conocidas[sigla]
            if ambitos is not None and donde is not None and donde not in ambitos:
                tabla.problema(
                    f"{sigla} no compite en el {self.divisiones.ambito.value} {donde}",
                    "el «ambito» no está en los «ambitos» de esa candidatura independiente",
                    "corrija uno de los dos",
                    "ambito",
                )
        if len(siglas) > 1 and not any(_postula(a, siglas, donde) for a in self.alianzas):
            tabla.problema(
                f"{', '.join(siglas)[:80]} no van juntos ahí",
                "la coalición o candidatura común tiene otros partidos, o no existe en ese lugar",
                "corrija los partidos, o los «ambitos» de la alianza",
                "partidos",
            )

    def _conocidas(self) -> dict[str, Ambitos]:
        """Sigla o clave de quien puede postular → dónde; los partidos de una alianza postulan en todas partes."""
        conocidas: dict[str, Ambitos] = {o.clave: None for o in self.opciones if o.tipo is TipoOpcion.PARTIDO}
        conocidas |= {p: None for a in self.alianzas for p in a.partidos}
        return conocidas | {o.clave: o.ambitos for o in self.opciones if o.tipo is TipoOpcion.INDEPENDIENTE}

    def _una_vez(self, tabla: Tabla, sigla: str, donde: int | None, i: int) -> None:
        if (donde, sigla) in self.lineas:
            tabla.problema(
                f"{sigla} ya postula a alguien ahí, en la línea {self.lineas[donde, sigla]}",
                "se copió una candidatura sin cambiar su «ambito» o sus partidos",
                "deje una sola candidatura por partido y lugar",
                "partidos",
                i,
            )
        self.lineas.setdefault((donde, sigla), tabla.linea("partidos", i))


def _postula(alianza: Alianza, siglas: Sequence[str], donde: int | None) -> bool:
    return set(alianza.partidos) == set(siglas) and (alianza.ambitos is None or donde in alianza.ambitos)
