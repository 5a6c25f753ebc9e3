"""El cómputo preliminar: los trece datos del resumen oficial y las sumas de votos.

Definiciones de dominio §3.2, comprobadas contra once bases publicadas. Todo es función pura de las actas; se
espera a lo más un acta por casilla, y las casillas esperadas que no vengan cuentan como pendientes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from nucleo import porcentaje
from nucleo.acta import Acta, ActaVerificada
from nucleo.campo import valor
from nucleo.casilla import Casilla
from nucleo.clasificacion import clasificar, cuenta_como_inconsistente, total_calculado
from nucleo.eleccion import Proceso
from nucleo.inconsistencias import CATALOGO

K = TypeVar("K", bound=Hashable)

PENDIENTE: Final = "PENDIENTE"
"""Causa de las esperadas que todavía no se publican, en `faltantes_por_causa`."""

RESUMEN: Final = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
    "PORCENTAJE_PARTICIPACION_CIUDADANA",
)
"""Nombres del resumen, en el orden de la base de datos oficial (dominio §7.1)."""


@dataclass(frozen=True, slots=True)
class Resumen:
    """Los trece datos del resumen.

    Cantidades en actas, personas o votos; los porcentajes, como (parte, total).
    """

    esperadas: int
    fuera_catalogo: int
    contabilizadas: int
    no_contabilizadas: int
    """Sólo dentro del catálogo: las fuera de catálogo no entran (LEEME IECM 2024, variable 9)."""
    inconsistentes: int
    lista_nominal: int
    """De las contabilizadas; las especiales aportan cero."""
    votos_c_cs: int
    votos_s_cs: int
    """Sin casillas especiales; las mesas M, A y P sí entran."""
    ultimo_corte: bool

    @property
    def capturadas(self) -> int:
        return self.contabilizadas + self.no_contabilizadas

    @property
    def registradas(self) -> int:
        return self.capturadas + self.fuera_catalogo

    @property
    def porcentaje_capturadas(self) -> tuple[int, int]:
        return self.capturadas, self.esperadas

    @property
    def porcentaje_contabilizadas(self) -> tuple[int, int]:
        return self.contabilizadas, self.esperadas

    @property
    def porcentaje_inconsistencias(self) -> tuple[int, int]:
        return self.inconsistentes, self.esperadas

    @property
    def participacion(self) -> tuple[int, int]:
        """Votos sin especiales entre lista nominal.

        Con especiales sólo en el último corte (Anexo 13, numeral 29).
        """
        return (self.votos_c_cs if self.ultimo_corte else self.votos_s_cs), self.lista_nominal

    def oficial(self) -> dict[str, str]:
        """Nombre oficial → texto publicado, en el orden de `RESUMEN`."""
        valores: tuple[int | tuple[int, int], ...] = (
            self.esperadas,
            self.registradas,
            self.fuera_catalogo,
            self.capturadas,
            self.porcentaje_capturadas,
            self.contabilizadas,
            self.porcentaje_contabilizadas,
            self.porcentaje_inconsistencias,
            self.no_contabilizadas,
            self.lista_nominal,
            self.votos_c_cs,
            self.votos_s_cs,
            self.participacion,
        )
        textos = (porcentaje.a_texto(*v) if isinstance(v, tuple) else str(v) for v in valores)
        return dict(zip(RESUMEN, textos, strict=True))


def resumir(actas: Iterable[Acta], proceso: Proceso, eleccion_clave: str, ultimo_corte: bool) -> Resumen:
    """Resumen oficial de las actas de una elección.

    `ultimo_corte` decide si la participación incluye especiales.
    """
    por_estatus: Counter[int] = Counter()
    inconsistentes = lista = con_especiales = sin_especiales = 0
    for acta in actas:
        clasificacion = clasificar(acta, proceso)
        if clasificacion is None:
            continue
        por_estatus[clasificacion.contabilizada] += 1
        inconsistentes += cuenta_como_inconsistente(clasificacion)
        if clasificacion.contabilizada == 1 and isinstance(acta, ActaVerificada):
            votos = total_calculado(acta.asentado)
            con_especiales += votos
            if not acta.casilla.especial:
                sin_especiales += votos
                lista += acta.casilla.lista_nominal
    return Resumen(
        esperadas=len(proceso.esperadas(eleccion_clave)),
        fuera_catalogo=por_estatus[2],
        contabilizadas=por_estatus[1],
        no_contabilizadas=por_estatus[0],
        inconsistentes=inconsistentes,
        lista_nominal=lista,
        votos_c_cs=con_especiales,
        votos_s_cs=sin_especiales,
        ultimo_corte=ultimo_corte,
    )


def contabilizadas(actas: Iterable[Acta], proceso: Proceso) -> Iterator[ActaVerificada]:
    """Las actas cuyos votos suman, en el orden recibido."""
    for acta in actas:
        clasificacion = clasificar(acta, proceso)
        if clasificacion is not None and clasificacion.contabilizada == 1 and isinstance(acta, ActaVerificada):
            yield acta


def votos_por_opcion(actas: Iterable[Acta], proceso: Proceso, eleccion_clave: str) -> dict[str, int]:
    """Votos contabilizados de toda la elección: todas sus opciones, en el orden del acta."""
    votos = dict.fromkeys(proceso.elecciones[eleccion_clave].por_clave, 0)
    for acta in contabilizadas(actas, proceso):
        _sumar(votos, acta)
    return votos


def votos_por(
    grupo: Callable[[Casilla], K], actas: Iterable[Acta], proceso: Proceso, eleccion_clave: str
) -> dict[K, dict[str, int]]:
    """Votos contabilizados por el grupo de la casilla (distrito, municipio, sección…), en orden de catálogo.

    Aparecen todos los grupos de las casillas esperadas y, en cada uno, las opciones que ahí existen.
    """
    eleccion = proceso.elecciones[eleccion_clave]
    votos: dict[K, dict[str, int]] = {}
    for casilla in proceso.esperadas(eleccion_clave):
        suma = votos.setdefault(grupo(casilla), {})
        for opcion in eleccion.opciones_de(casilla):
            suma.setdefault(opcion.clave, 0)
    orden = {clave: lugar for lugar, clave in enumerate(eleccion.por_clave)}
    votos = {g: dict(sorted(suma.items(), key=lambda par: orden[par[0]])) for g, suma in votos.items()}
    for acta in contabilizadas(actas, proceso):
        _sumar(votos[grupo(acta.casilla)], acta)
    return votos


def votos_por_division(
    actas: Iterable[Acta], proceso: Proceso, eleccion_clave: str
) -> dict[int | None, dict[str, int]]:
    """Votos contabilizados por distrito o municipio; `None` reúne las mesas M, A y P sin división."""
    return votos_por(proceso.elecciones[eleccion_clave].division, actas, proceso, eleccion_clave)


def _sumar(votos: dict[str, int], acta: ActaVerificada) -> None:
    for clave, campo in acta.asentado.votos.items():
        votos[clave] += valor(campo)


def porcentajes(votos: Mapping[str, int]) -> dict[str, str]:
    """Porcentaje de cada renglón sobre el total de votos, con nulos y no registradas en el total.

    Así publicaron INE 2018 (1 960 de 1 960 valores) y Quintana Roo 2019.
    """
    total = sum(votos.values())
    return {clave: porcentaje.a_texto(cuantos, total) for clave, cuantos in votos.items()}


def contabilizadas_por_ubicacion(actas: Iterable[Acta], proceso: Proceso) -> dict[str, int]:
    """Actas contabilizadas en casillas urbanas y no urbanas (columna UBICACION_CASILLA)."""
    cuenta = Counter(acta.casilla.ubicacion for acta in contabilizadas(actas, proceso))
    return {"urbanas": cuenta[1], "no_urbanas": cuenta[2]}


def faltantes_por_causa(actas: Iterable[Acta], proceso: Proceso, eleccion_clave: str) -> dict[str, int]:
    """Por qué las contabilizadas no son todas las esperadas.

    `PENDIENTE` y cada código que impide contabilizar.

    La suma es siempre esperadas menos contabilizadas. Un acta con dos causas cuenta en la primera del
    catálogo.
    """
    causas = [c for c, entrada in CATALOGO.items() if entrada.contabilizada == 0]
    cuenta = dict.fromkeys([PENDIENTE, *causas], 0)
    capturadas = 0
    for acta in actas:
        clasificacion = clasificar(acta, proceso)
        if clasificacion is None or clasificacion.contabilizada == 2:
            continue
        capturadas += 1
        if clasificacion.contabilizada == 0:
            cuenta[next(c for c in clasificacion.inconsistencias if c in cuenta)] += 1
    cuenta[PENDIENTE] = len(proceso.esperadas(eleccion_clave)) - capturadas
    return cuenta
