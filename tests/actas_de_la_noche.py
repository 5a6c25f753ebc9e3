"""Las actas de una noche de prueba: qué dice cada papel (con cada inconsistencia) y qué lee mal cada quien."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ensayo.dibujo_en_color import TextosDeEtiqueta, dibujar_en_color
from nucleo.acta import Asentado
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero, valor
from nucleo.codigo_qr import codigo_de
from nucleo.eleccion import Proceso
from nucleo.hechos import IdActa
from tests.puesto_de_prueba import png

SECCIONES: Final = tuple(range(2, 17))
"""Treinta casillas y pico de Oaxaca 2022, entre ellas una especial y una extraordinaria."""


@dataclass(frozen=True)
class Papel:
    """Un acta en papel. `que` dice qué tiene de especial."""

    acta: IdActa
    que: str
    dice: Asentado
    errores: Mapping[str, Mapping[str, Campo]] = field(default_factory=dict)
    """Lo que lee mal cada persona, por clave de persona y renglón."""

    def leido_por(self, persona: str, vuelta: int = 1) -> dict[str, Campo]:
        """Lo que esa persona cree que dice. En la recaptura ya nadie se equivoca."""
        return self.dice.campos() | (dict(self.errores.get(persona, {})) if vuelta == 1 else {})


def papeles(proceso: Proceso, cuantos: int) -> list[Papel]:
    """Los primeros `cuantos` papeles del CATD. Los especiales van al principio; los demás cuadran."""
    casillas = [c for c in proceso.casillas.values() if c.seccion in SECCIONES][:cuantos]
    hechos = []
    for lugar, casilla in enumerate(casillas):
        acta = IdActa("GUB", casilla.clave)
        claves = [o.clave for o in proceso.elecciones["GUB"].opciones_de(casilla)]
        que = _QUE[lugar] if lugar < len(_QUE) else "cuadra"
        votos = _votos(acta, claves, que, casilla.lista_nominal)
        total = sum(map(valor, votos.values()))
        asentado = Asentado(
            votos,
            Numero(max(0, casilla.lista_nominal - total)),
            Numero(max(0, total - 4)),
            Numero(4),
            Numero(total),
            Numero(total + 17 if que == "total que no cuadra" else total),
        )
        hechos.append(Papel(acta, que, asentado, _errores(que, claves)))
    return hechos


def dibujado(proceso: Proceso, papel: Papel, *, con_codigo: bool = True) -> bytes:
    """PNG carta a 200 ppp de ese papel, como sale del escáner."""
    casilla, eleccion = proceso.casillas[papel.acta.casilla], proceso.elecciones[papel.acta.eleccion]
    etiqueta = TextosDeEtiqueta(codigo_de(casilla, eleccion), "", papel.acta.casilla) if con_codigo else None
    return png(dibujar_en_color(casilla, eleccion, papel.dice, etiqueta))


_QUE: Final = (
    "un renglón ilegible",
    "un renglón sin dato",
    "todas ilegibles",
    "excede lista nominal",
    "total que no cuadra",
    "desacuerdo que una tercera resuelve",
    "desacuerdo de tres",
    "la primera se equivoca y la segunda acierta",
    "las dos leen lo mismo y el papel dice otra cosa",
    "la segunda corrige al mirar otra vez",
)


def _votos(acta: IdActa, claves: list[str], que: str, lista: int) -> dict[str, Campo]:
    azar = random.Random(str(acta))
    votos: dict[str, Campo] = {clave: Numero(azar.randrange(0, 14)) for clave in claves}
    match que:
        case "un renglón ilegible":
            votos[claves[3]] = ILEGIBLE
        case "un renglón sin dato":
            votos[claves[4]] = SIN_DATO
        case "todas ilegibles":
            votos = dict.fromkeys(claves, ILEGIBLE)
        case "excede lista nominal":
            votos[claves[0]] = Numero(lista + 40)
    return votos


def _errores(que: str, claves: list[str]) -> dict[str, dict[str, Campo]]:
    uno, otro = claves[0], claves[1]
    match que:
        case "desacuerdo que una tercera resuelve":
            return {"captura-1": {uno: Numero(91)}, "captura-2": {uno: Numero(91)}}
        case "la primera se equivoca y la segunda acierta":
            return {"captura-1": {otro: ILEGIBLE}, "captura-2": {otro: ILEGIBLE}}
        case "desacuerdo de tres":
            return {
                "captura-1": {uno: Numero(81)},
                "captura-2": {uno: Numero(81)},
                "verifica-1": {uno: Numero(82)},
                "verifica-2": {uno: Numero(83)},
            }
        case "las dos leen lo mismo y el papel dice otra cosa":
            return {p: {otro: Numero(77)} for p in ("captura-1", "captura-2", "verifica-1", "verifica-2")}
    return {}
