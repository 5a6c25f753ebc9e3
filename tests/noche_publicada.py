"""Noches al azar para lo que se publica: hechos del proceso raro, cada uno en el lugar de su cadena, y cortes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from nucleo.acta import Asentado, Digitalizacion, MotivoSinActa, Origen, ResultadoCotejo
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.hechos import (
    Acopio,
    Captura,
    Correccion,
    Cotejo,
    Empaque,
    FueraDeCatalogo,
    Hecho,
    IdActa,
    Imagen,
    Recaptura,
    Revision,
    SinActa,
)
from nucleo.publicacion.fichas import Corte
from nucleo.publicacion.reserva import HechoRegistrado
from tests.unidad.actas_de_prueba import INICIO, proceso_raro

PROCESO: Final = proceso_raro(huella="ab" * 32)
ACTAS: Final = tuple(IdActa(e, c.clave) for e in PROCESO.elecciones for c in PROCESO.esperadas(e))
IMAGENES: Final = ("aa" * 32, "bb" * 32)

_personas = st.sampled_from(("ana", "beto", "caro", "dino"))
_horas = st.integers(0, 400).map(lambda m: INICIO + timedelta(minutes=m))
_dato: st.SearchStrategy[Campo] = st.sampled_from((Numero(0), Numero(7), Numero(7), Numero(31), ILEGIBLE, SIN_DATO))
_vuelta = st.sampled_from((1, 1, 1, 2, 3))
# Casi todo le pasa a unas pocas actas: repartido entre todas, ninguna llegaría a verificarse.
_acta = st.one_of(st.sampled_from(ACTAS[:2]), st.sampled_from(ACTAS[:2]), st.sampled_from(ACTAS))
_imagen = st.none() | st.sampled_from(IMAGENES)


def asentado(acta: IdActa, dato: Campo) -> Asentado:
    """Todos los renglones de esa acta con el mismo dato; con 31 excede a quienes podían votar en alguna."""
    casilla = PROCESO.casillas[acta.casilla]
    votos = dict.fromkeys((o.clave for o in PROCESO.elecciones[acta.eleccion].opciones_de(casilla)), dato)
    return Asentado(votos, SIN_DATO, SIN_DATO, SIN_DATO, SIN_DATO, dato)


@st.composite
def un_hecho(sortea: st.DrawFn) -> Hecho:
    acta, hora, persona = sortea(_acta), sortea(_horas), sortea(_personas)
    clase = sortea(
        st.sampled_from(
            (*(Captura,) * 6, Acopio, Imagen, Correccion, Revision, Recaptura, SinActa, Cotejo, Empaque, None)
        )
    )
    if clase is Captura:
        dato = sortea(_dato)
        return Captura(acta, sortea(_vuelta), hora, persona, asentado(acta, dato), sortea(_imagen))
    if clase is Acopio:
        return Acopio(acta, hora, sortea(st.sampled_from(Origen)), "ACTA PREP", "", persona)
    if clase is Imagen:
        return Imagen(acta, hora, sortea(st.sampled_from(IMAGENES)), 900, Digitalizacion.ESCANER, persona)
    campos = {"PAN": sortea(_dato)}
    if clase is Correccion:
        return Correccion(acta, sortea(_vuelta), hora, persona, campos)
    if clase is Revision:
        return Revision(acta, sortea(_vuelta), hora, ("caro", "dino"), campos)
    if clase is Recaptura:
        return Recaptura(acta, sortea(st.sampled_from((2, 3))), hora, persona, "borrosa")
    if clase is SinActa:
        return SinActa(acta, hora, sortea(st.sampled_from(MotivoSinActa)), "ana", "beto")
    if clase is Cotejo:
        return Cotejo(acta, hora, sortea(st.sampled_from(ResultadoCotejo)), persona)
    if clase is Empaque:
        return Empaque(acta, hora, sortea(st.sampled_from(("CAJA-1", "FUERA"))), persona)
    folio = sortea(st.sampled_from(("F-1", "F-2")))
    huella = sortea(st.sampled_from(IMAGENES))
    documento = (Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "")
    return FueraDeCatalogo(acta.eleccion, folio, hora, *documento, huella, persona)


@st.composite
def una_pareja(sortea: st.DrawFn) -> list[Hecho]:
    """Dos personas leyeron lo mismo: al azar casi nunca pasaría."""
    acta, vuelta, dato, hora = sortea(_acta), sortea(_vuelta), sortea(_dato), sortea(_horas)
    una, otra = sortea(st.permutations(("ana", "beto", "caro", "dino")))[:2]
    return [Captura(acta, vuelta, hora, persona, asentado(acta, dato)) for persona in (una, otra)]


_llegadas = st.lists(st.one_of(un_hecho().map(lambda h: [h]), una_pareja()), max_size=7)


@dataclass(frozen=True)
class Tramo:
    """Lo que llega entre un corte y el siguiente."""

    hechos: tuple[HechoRegistrado, ...]
    imagenes: frozenset[str]
    corte: Corte


@st.composite
def noches(sortea: st.DrawFn) -> list[Tramo]:
    """De uno a tres cortes; el último corte puede no llegar, y después de él pueden seguir otros."""
    tramos = []
    numero = 0
    presentes: frozenset[str] = frozenset()
    for lugar in range(sortea(st.integers(1, 3))):
        hechos = []
        for hecho in (h for llegada in sortea(_llegadas) for h in llegada):
            numero += 1
            huella = hashlib.sha256(str(numero).encode()).hexdigest()
            equipo = sortea(st.sampled_from(("catd-01", "catd-02")))
            hechos.append(HechoRegistrado(equipo, "e1", numero, "", huella, hecho))
        presentes |= sortea(st.frozensets(st.sampled_from(IMAGENES)))
        hora = INICIO + timedelta(hours=2, minutes=20 * lugar)
        ultimo = sortea(st.sampled_from((False, False, True)))
        tramos.append(Tramo(tuple(hechos), presentes, Corte(f"{hora:%Y%m%d_%H%M}", hora, ultimo)))
    return tramos
