"""La hoja en blanco por el escáner: si sale con rayas o manchas, las actas también.

Una raya de escáner es angosta y recorre casi toda la hoja a lo largo (polvo sobre el vidrio, en un alimentador); una
mancha ocupa unas celdas. La hoja se divide en celdas y cada una se compara con sus vecinas, no con el blanco ideal: el
papel y la lámpara no son parejos.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from PIL import Image, UnidentifiedImageError

CELDAS_A_LO_ANCHO: Final = 24
CELDAS_A_LO_LARGO: Final = 32

_PUNTOS: Final = 850
"""Puntos de ancho con que se mira: 100 por pulgada en carta. Una raya de un cuarto de milímetro ocupa uno."""

_OSCURO: Final = 10.0
"""Niveles de gris (de 255) más oscuro que sus vecinos para que una columna cuente como raya."""

_LARGO_RAYA: Final = 0.8
"""Parte del largo de la hoja que recorre una raya."""

_MANCHA: Final = 14.0
_NEGRA: Final = 128.0
_CHICA: Final = 300
_MAXIMO_PIXELES: Final = 60_000_000
_ORILLA: Final = 0.03
"""Parte de cada orilla que no se mira: la sombra del borde de la hoja no es raya."""


@dataclass(frozen=True, slots=True)
class Blancura:
    """Qué se vio. `rayas` son lugares a lo ancho, en centésimas; `manchas`, (fila, columna) de celdas desde 1."""

    rayas: tuple[int, ...]
    manchas: tuple[tuple[int, int], ...]
    clara: float
    """Gris medio, de 0 (negro) a 255."""

    @property
    def limpia(self) -> bool:
        return not self.rayas and not self.manchas and self.clara >= _NEGRA


def mirar(contenido: bytes) -> Blancura | None:
    """Mira la imagen de una hoja en blanco; `None` si no es una imagen que se pueda leer."""
    try:
        with Image.open(io.BytesIO(contenido)) as imagen:
            if imagen.width * imagen.height > _MAXIMO_PIXELES or min(imagen.size) < _CHICA:
                return None
            gris = imagen.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    orilla_x, orilla_y = round(gris.width * _ORILLA), round(gris.height * _ORILLA)
    gris = gris.crop((orilla_x, orilla_y, gris.width - orilla_x, gris.height - orilla_y))
    bandas = _renglones(gris.resize((min(_PUNTOS, gris.width), CELDAS_A_LO_LARGO), Image.Resampling.BOX))
    celdas = _renglones(gris.resize((CELDAS_A_LO_ANCHO, CELDAS_A_LO_LARGO), Image.Resampling.BOX))
    clara = sum(map(sum, celdas)) / (CELDAS_A_LO_ANCHO * CELDAS_A_LO_LARGO)
    rayas = _rayas(bandas)
    return Blancura(rayas, _manchas(celdas, rayas), clara)


def _rayas(bandas: Sequence[Sequence[int]]) -> tuple[int, ...]:
    ancho = len(bandas[0])
    cuenta = [0] * ancho
    for banda in bandas:
        for x in _columnas_oscuras(banda):
            cuenta[x] += 1
    marcadas = [x for x in range(ancho) if cuenta[x] >= _LARGO_RAYA * len(bandas)]
    # Columnas juntas son la misma raya.
    inicios = [x for x in marcadas if x - 1 not in set(marcadas)]
    return tuple(sorted({round(100 * x / ancho) for x in inicios}))


def _columnas_oscuras(banda: Sequence[int]) -> list[int]:
    vecindad = 12
    oscuras = []
    for x, valor in enumerate(banda):
        # Casi todo el papel pasa por aquí: primero lo barato.
        if valor > 245:
            continue
        cerca = banda[max(0, x - vecindad) : x + vecindad + 1]
        if median(cerca) - valor >= _OSCURO:
            oscuras.append(x)
    return oscuras


def _manchas(celdas: Sequence[Sequence[int]], rayas: Sequence[int]) -> tuple[tuple[int, int], ...]:
    tipica = median(v for renglon in celdas for v in renglon)
    con_raya = {min(CELDAS_A_LO_ANCHO - 1, r * CELDAS_A_LO_ANCHO // 100) for r in rayas}
    return tuple(
        (fila + 1, columna + 1)
        for fila, renglon in enumerate(celdas)
        for columna, valor in enumerate(renglon)
        if tipica - valor >= _MANCHA and columna not in con_raya
    )


def _renglones(gris: Image.Image) -> list[list[int]]:
    datos = list(gris.tobytes())
    return [datos[i : i + gris.width] for i in range(0, len(datos), gris.width)]
