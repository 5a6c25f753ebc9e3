"""De qué formato es la página, cuando pudo ser de varios.

Dos variantes de una elección comparten casi todo lo impreso: el parecido global no las distingue, y confundirlas
pondría el recorte de un partido junto al campo de otro. Por eso decide sólo lo que tienen distinto.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.vision.plantilla import Plantilla
from appliance.vision.registro import (
    Matriz,
    Pagina,
    Registro,
    correlacion,
    parecido,
    registrar,
    sobre_el_formato,
)

_CERCANO: Final = 0.2
"""Diferencia de parecido global dentro de la cual vale la pena desempatar; la mayor medida al errar fue 0.05."""
_BIEN_PUESTO: Final = 0.8
"""Con esto la hoja está en su lugar aunque el formato no sea el suyo; un formato ajeno la deforma y da hasta 0.57."""
_DISTINTO: Final = 12.0
_DISTINTO_MINIMO: Final = 150
"""Píxeles distintos que se necesitan para opinar: un par de palabras."""
_VENTAJA: Final = 0.08
_MAXIMO_FINALISTAS: Final = 4


@dataclass(frozen=True, slots=True)
class Hallado:
    """El formato con que coincidió la página. `dudoso` es que otro coincide casi igual donde difieren."""

    registro: Registro
    plantilla: Plantilla
    dudoso: bool


def cual_formato(pagina: Pagina, posibles: Sequence[Plantilla]) -> Hallado | None:
    """El formato más parecido y su registro, o `None` si ninguno da un registro creíble.

    El primero que registra dice dónde está la hoja; con eso los demás se comparan sin volver a buscarla.
    """
    finalistas = _finalistas(pagina, posibles)
    if not finalistas:
        return None
    mejor, *otros = finalistas
    dudoso = False
    for otro in otros:
        ventaja = _ventaja(pagina, mejor, otro)
        if ventaja < 0:
            mejor, dudoso = otro, ventaja > -_VENTAJA
        elif ventaja < _VENTAJA:
            dudoso = True
    return Hallado(*mejor, dudoso)


def _finalistas(pagina: Pagina, posibles: Sequence[Plantilla]) -> list[tuple[Registro, Plantilla]]:
    """Los registros más parecidos, de mayor a menor, todos a menos de `_CERCANO` del primero."""
    registrados: list[tuple[Registro, Plantilla]] = []
    for i, plantilla in enumerate(posibles):
        registro = registrar(pagina, plantilla)
        if registro is None:
            continue
        registrados.append((registro, plantilla))
        if registro.ncc >= _BIEN_PUESTO:
            prometedores = _prometedores(pagina, registro, posibles[i + 1 :])
            registrados += [(r, p) for p in prometedores if (r := registrar(pagina, p)) is not None]
            break
    registrados.sort(key=lambda par: -par[0].ncc)
    return [par for par in registrados if par[0].ncc > registrados[0][0].ncc - _CERCANO][:_MAXIMO_FINALISTAS]


def _prometedores(pagina: Pagina, registro: Registro, otros: Sequence[Plantilla]) -> list[Plantilla]:
    """De los demás formatos, los que se parecen a la página donde ya se sabe que está la hoja."""
    matriz = _de_reducida(registro, pagina)
    parecidos = sorted(((parecido(pagina.reducida, matriz, p), i) for i, p in enumerate(otros)), reverse=True)
    return [otros[i] for ncc, i in parecidos[:_MAXIMO_FINALISTAS] if ncc > registro.ncc - _CERCANO]


def _ventaja(pagina: Pagina, uno: tuple[Registro, Plantilla], otro: tuple[Registro, Plantilla]) -> float:
    """Cuánto más se parece la página a uno que a otro, sólo donde los dos papeles difieren."""
    (registro_a, a), (registro_b, b) = uno, otro
    if a.trazos.shape != b.trazos.shape:
        return registro_a.ncc - registro_b.ncc
    trazos_a, dentro_a = sobre_el_formato(pagina.reducida, _de_reducida(registro_a, pagina), a)
    trazos_b, dentro_b = sobre_el_formato(pagina.reducida, _de_reducida(registro_b, pagina), b)
    difieren = (np.abs(a.trazos - b.trazos) > _DISTINTO) & (a.impreso | b.impreso) & dentro_a & dentro_b
    if difieren.sum() < _DISTINTO_MINIMO:
        return 0.0
    return correlacion(trazos_a[difieren], a.trazos[difieren]) - correlacion(trazos_b[difieren], b.trazos[difieren])


def _de_reducida(registro: Registro, pagina: Pagina) -> Matriz:
    """La homografía del registro, tomada desde la página reducida."""
    f = pagina.escala
    a_entera = np.linalg.inv(np.array([[f, 0, f / 2 - 0.5], [0, f, f / 2 - 0.5], [0, 0, 1.0]]))
    return np.asarray(registro.matriz @ a_entera, np.float64)
