"""El catálogo de lo que puede estar mal en una imagen: cada motivo con sus palabras, escrito una sola vez.

Los datos viven en `motivos.toml`; aquí se validan y se entregan con tipo.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from types import MappingProxyType
from typing import Final


class CatalogoDeMotivosInvalido(ValueError):
    """`motivos.toml` no dice lo que el código espera."""


@dataclass(frozen=True, slots=True)
class Motivo:
    """Algo que tiene la imagen, dicho a una persona."""

    codigo: str
    que: str
    causa: str
    siguiente: str
    region: str | None
    """Parte del formato donde está, o el lado de la hoja; `None` es toda la imagen."""
    grave: bool
    """Si pide repetir la digitalización; lo demás sólo avisa."""

    def __str__(self) -> str:
        return f"{self.que}. Causa probable: {self.causa}. Siguiente paso: {self.siguiente}."


def leer_motivos(toml: str) -> tuple[Mapping[str, Motivo], Mapping[str, str]]:
    """Código → motivo, y nombre interno de cada región → cómo se le dice a una persona.

    Raises:
        CatalogoDeMotivosInvalido: si falta o sobra algo, o un código se repite.
    """
    dato = tomllib.loads(toml)
    motivos: dict[str, Motivo] = {}
    llaves = {c.name for c in fields(Motivo)} - {"region"}
    for renglon in dato.get("motivo", []):
        codigo = str(renglon.get("codigo", "(sin código)"))
        if set(renglon) != llaves or codigo in motivos or not isinstance(renglon["grave"], bool):
            raise CatalogoDeMotivosInvalido(f"{codigo}: está repetido, o no trae exactamente {sorted(llaves)}")
        if not all(isinstance(renglon[t], str) and renglon[t] for t in llaves - {"grave"}):
            raise CatalogoDeMotivosInvalido(f"{codigo}: tiene un texto vacío")
        motivos[codigo] = Motivo(region=None, **renglon)
    regiones = dato.get("regiones", {})
    if not motivos or not all(isinstance(v, str) and v for v in regiones.values()):
        raise CatalogoDeMotivosInvalido("no hay motivos, o una región no tiene nombre")
    return MappingProxyType(motivos), MappingProxyType(regiones)


CATALOGO, REGIONES = leer_motivos(resources.files("appliance.vision").joinpath("motivos.toml").read_text("utf-8"))

_SIN_NOMBRE: Final = "una parte"


def motivo(codigo: str, region: str | None = None) -> Motivo:
    """El motivo de ese código, con el nombre de la región en su frase."""
    base = CATALOGO[codigo]
    nombre = _SIN_NOMBRE if region is None else REGIONES.get(region, region.replace("_", " "))
    return Motivo(codigo, base.que.replace("{region}", nombre), base.causa, base.siguiente, region, base.grave)
