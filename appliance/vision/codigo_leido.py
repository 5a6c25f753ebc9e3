"""Un código de barras que alguien creyó leer en la imagen: todavía no prueba nada."""

from __future__ import annotations

from dataclasses import dataclass

Punto = tuple[float, float]
"""Columna y renglón, en píxeles de la imagen en que se buscó."""


@dataclass(frozen=True, slots=True)
class CodigoLeido:
    """Texto de un QR o Code 128 y dónde está. Quien lo usa lo coteja contra el catálogo y su verificador."""

    texto: str
    simbologia: str
    """`QR` o `CODE128`."""
    posicion: tuple[Punto, Punto, Punto, Punto]
    """Esquinas superior izquierda, superior derecha, inferior derecha e inferior izquierda *del código*."""
    espejo: bool | None = None
    """Si se leyó por detrás del papel; `None` si no se puede saber. Que no lo sea no prueba que se vio el anverso."""
