"""Con qué se mide: las lecturas de actas que de veras se capturaron en la noche que se repite, y un centro sin red."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from ensayo.noche import Noche, cargar_noche
from ensayo.tuberia import EQUIPO, LlaveEnMemoria, Tuberia
from nucleo.hechos import Captura
from nucleo.padron import Equipo, Padron
from servicio_central.almacen import Almacen
from servicio_central.ingesta import Ingesta

EPOCA: Final = "0" * 16
"""La de los sobres de `ensayo.medir.preparar` y de `ensayo.tuberia`."""


noche = cache(cargar_noche)


@cache
def _de_la_noche() -> tuple[Captura, ...]:
    documentos = (d for agenda in noche().agendas.values() for d in agenda.documentos)
    return tuple(
        Captura(d.acta, 1, d.captura, f"captura-{n % 9}", d.asentado)
        for n, d in enumerate(documentos)
        if d.asentado is not None and d.captura is not None
    )


def capturas(desde: int = 0) -> Iterator[Captura]:
    """Sin fin, empezando por la de ese lugar. Es el hecho más caro de juzgar: trae todos los campos del acta."""
    todas = _de_la_noche()
    desde %= len(todas)
    return cycle((*todas[desde:], *todas[:desde]))


def centro_aparte(tuberia: Tuberia, esta: Noche, ruta: Path) -> tuple[Ingesta, Almacen, LlaveEnMemoria]:
    """Otra ingesta para los sobres de esa tubería, con su almacén en `ruta` y la llave con que firma sus acuses."""
    proceso, firmante = esta.proceso, LlaveEnMemoria("centro", ECKey.generate_key("P-256"))
    equipo = Equipo(EQUIPO, EQUIPO, frozenset({EPOCA}), tuberia.firmante.llave)
    padron = Padron(proceso.clave, proceso.modo, 1, {EQUIPO: equipo})
    almacen = Almacen.abrir(ruta)
    return Ingesta(almacen, proceso, padron, firmante, tuberia.reloj.ahora), almacen, firmante
