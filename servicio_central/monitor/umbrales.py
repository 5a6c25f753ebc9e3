"""Los umbrales de la sala: de un TOML comentado, con lo que cada centro quiera cambiar encima."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

from servicio_central.tropiezo import Tropiezo

ARCHIVO: Final = "umbrales.toml"


@dataclass(frozen=True)
class Umbrales:
    """Desde cuándo algo es alarma. Segundos, bytes y milisegundos, según el nombre."""

    silencio_s: int
    silencio_masivo: int
    mas_viejo_s: int
    mas_viejo_grave_s: int
    pendientes: int
    crecimiento: int
    ventana_s: int
    faltan_s: int
    relojes_buenos: frozenset[str]
    desfase_ms: int
    disco_kiosco: int
    disco_centro: int
    corte_tarde_s: int
    calor_s: tuple[int, int, int, int]
    inactividad: timedelta
    sesion_maxima: timedelta


def leer(carpeta: Path | None = None) -> Umbrales:
    """Los de la casa, con los de `umbrales.toml` de esa carpeta encima.

    Raises:
        Tropiezo: UMBRALES, si el archivo no se entiende o dice algo que aquí no existe.
    """
    dato = tomllib.loads(resources.files("servicio_central.monitor").joinpath(ARCHIVO).read_text("utf-8"))
    ruta = None if carpeta is None else carpeta / ARCHIVO
    if ruta is not None and ruta.exists():
        try:
            propio = tomllib.loads(ruta.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise _tropiezo(ruta, str(error)) from error
        dato = _encima(dato, propio, ruta)
    return _armar(dato)


def _encima(base: Mapping[str, Any], propio: Mapping[str, Any], ruta: Path) -> dict[str, Any]:
    junto: dict[str, Any] = {seccion: dict(llaves) for seccion, llaves in base.items()}
    for seccion, llaves in propio.items():
        if seccion not in junto or not isinstance(llaves, dict):
            raise _tropiezo(ruta, f"no hay una sección [{seccion}]")
        for llave, valor in llaves.items():
            if llave not in junto[seccion]:
                raise _tropiezo(ruta, f"en [{seccion}] no hay «{llave}»")
            if not _parecido(valor, junto[seccion][llave]):
                raise _tropiezo(ruta, f"[{seccion}] {llave} no es como {junto[seccion][llave]!r}")
            junto[seccion][llave] = valor
    return junto


def _parecido(valor: object, modelo: object) -> bool:
    """Del mismo tipo que el de la casa; los números, de uno en adelante."""
    if isinstance(modelo, list):
        if not isinstance(valor, list) or not valor or not all(_parecido(v, modelo[0]) for v in valor):
            return False
        return isinstance(modelo[0], str) or (len(valor) == len(modelo) and valor == sorted(set(valor)))
    if type(valor) is not type(modelo):
        return False
    return not isinstance(valor, int) or 1 <= valor < 2**53


def _armar(dato: Mapping[str, Any]) -> Umbrales:
    bandeja = dato["bandeja"]
    uno, dos, tres, cuatro = dato["calor"]["segundos"]
    return Umbrales(
        silencio_s=dato["silencio"]["segundos"],
        silencio_masivo=dato["silencio"]["masivo"],
        mas_viejo_s=bandeja["mas_viejo_s"],
        mas_viejo_grave_s=bandeja["grave_s"],
        pendientes=bandeja["pendientes"],
        crecimiento=bandeja["crecimiento"],
        ventana_s=bandeja["ventana_s"],
        faltan_s=bandeja["faltan_s"],
        relojes_buenos=frozenset(dato["reloj"]["buenos"]),
        desfase_ms=dato["reloj"]["desfase_ms"],
        disco_kiosco=dato["disco"]["kiosco_bytes"],
        disco_centro=dato["disco"]["centro_bytes"],
        corte_tarde_s=dato["corte"]["tarde_s"],
        calor_s=(uno, dos, tres, cuatro),
        inactividad=timedelta(minutes=dato["sesion"]["inactividad_min"]),
        sesion_maxima=timedelta(hours=dato["sesion"]["maxima_h"]),
    )


def _tropiezo(ruta: Path, causa: str) -> Tropiezo:
    return Tropiezo(
        "UMBRALES",
        f"{ruta} no sirve: {causa}",
        "se editó a mano y quedó algo de más o mal escrito",
        "corríjalo con servicio_central/monitor/umbrales.toml a la vista, o bórrelo para usar los de la casa",
    )
