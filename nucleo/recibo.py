"""El recibo: lo que el centro firma de una imagen *después* de que sus bytes son durables.

Sólo un recibo que dice `completa` cierra la imagen en el kiosco; que el bróker haya tomado un trozo (PUBACK) no dice
nada. Mientras tanto el recibo cuenta qué rangos ya están, para no mandarlos otra vez. Cada recibo vale por sí mismo y
el último manda: si el centro perdió lo que tenía a medias, dice menos y el kiosco lo vuelve a mandar.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from joserfc.jwk import ECKey

from nucleo import formas
from nucleo.carga import leer_carga
from nucleo.formas import EPOCA, EQUIPO, HEX64
from nucleo.renglon import hora_con_huso
from nucleo.sobre import Firmante, Tipo, es_version_1, verificar
from nucleo.temas import USUARIO_CENTRO
from nucleo.trozo import MAXIMO_ARCHIVO, MAXIMO_DATOS

MAXIMO_IMAGENES: Final = 32
"""Imágenes por recibo; si hay más, se firman varios."""

MAXIMO_RANGOS: Final = 16
"""Rangos que se dicen de cada una. Callar uno sólo cuesta mandarlo otra vez."""

_CAMPOS: Final = {"v", "equipo", "epoca", "hora", "imagenes"}


class Situacion(Enum):
    """En qué quedó una imagen en el centro."""

    PARCIAL = "parcial"
    """Tiene los `rangos` que dice, durables; quizá ninguno."""
    COMPLETA = "completa"
    """La tiene entera, durable, y su SHA-256 es ése."""
    AJENA = "ajena"
    """Ese equipo no la ha declarado en un hecho aceptado."""
    DANADA = "danada"
    """Llegó entera y su SHA-256 es otro: se tiró y hay que mandarla otra vez."""
    ESPERA = "espera"
    """Ahora no la puede guardar (disco): hay que volver a intentarlo más tarde."""


@dataclass(frozen=True, slots=True)
class ImagenRecibida:
    """Lo que el centro tiene de una imagen."""

    sha256: str
    total: int
    """Bytes de la imagen entera, según quien la manda."""
    situacion: Situacion
    rangos: tuple[tuple[int, int], ...] = ()
    """[desde, hasta) que ya están, en orden, sin tocarse, en múltiplos de `MAXIMO_DATOS` o el final. Sólo si es
    `PARCIAL`, y nunca todo."""


@dataclass(frozen=True, slots=True)
class Recibo:
    """Qué imágenes de un equipo tiene el centro."""

    equipo: str
    epoca: str
    hora: datetime
    imagenes: tuple[ImagenRecibida, ...]


def sellar_recibo(recibo: Recibo, firmante: Firmante) -> str:
    """JWS compacto del recibo, firmado por el centro.

    Raises:
        SobreInvalido: FORMA, si ningún kiosco podría abrirlo.
    """
    dato = {
        "v": 1,
        "equipo": recibo.equipo,
        "epoca": recibo.epoca,
        "hora": recibo.hora.isoformat(),
        "imagenes": [[i.sha256, i.total, _situacion_a_json(i)] for i in recibo.imagenes],
    }
    carga = json.dumps(dato, separators=(",", ":")).encode()
    _abrir_carga(carga)
    return firmante.firmar(Tipo.RECIBO, carga)


def abrir_recibo(compacto: str, llave_centro: ECKey) -> Recibo:
    """Verifica y lee un recibo.

    Raises:
        SobreInvalido: si no lo firmó el centro o no tiene la forma.
    """
    return _abrir_carga(verificar(compacto, llave_centro, Tipo.RECIBO, de=USUARIO_CENTRO))


def _situacion_a_json(imagen: ImagenRecibida) -> object:
    if imagen.situacion is Situacion.PARCIAL:
        return [list(r) for r in imagen.rangos[:MAXIMO_RANGOS]]
    return imagen.situacion.value


def _abrir_carga(carga: bytes) -> Recibo:
    return leer_carga(carga, _leer, "el recibo")


def _leer(dato: dict[str, Any]) -> Recibo:
    if set(dato) != _CAMPOS or not es_version_1(dato):
        raise ValueError
    imagenes = tuple(_imagen(i) for i in formas.lista(dato["imagenes"], MAXIMO_IMAGENES))
    if not imagenes or len({i.sha256 for i in imagenes}) != len(imagenes):
        raise ValueError
    return Recibo(
        equipo=formas.texto(dato["equipo"], EQUIPO),
        epoca=formas.texto(dato["epoca"], EPOCA),
        hora=hora_con_huso(dato["hora"]),
        imagenes=imagenes,
    )


def _imagen(dato: object) -> ImagenRecibida:
    huella, total, tiene = formas.lista(dato, 3)
    sha256, bytes_ = formas.texto(huella, HEX64), formas.entero(total, 1, MAXIMO_ARCHIVO + 1)
    if isinstance(tiene, str):
        situacion = Situacion(tiene)
        if situacion is Situacion.PARCIAL:
            raise ValueError
        return ImagenRecibida(sha256, bytes_, situacion)
    return ImagenRecibida(sha256, bytes_, Situacion.PARCIAL, _rangos(tiene, bytes_))


def _rangos(dato: object, total: int) -> tuple[tuple[int, int], ...]:
    rangos, libre = [], 0
    for par in formas.lista(dato, MAXIMO_RANGOS):
        desde, hasta = (formas.entero(n, 0, total + 1) for n in formas.lista(par, 2))
        # Un rango que toca al anterior sería otra manera de decir lo mismo.
        if desde < libre or desde >= hasta or desde % MAXIMO_DATOS or (hasta % MAXIMO_DATOS and hasta != total):
            raise ValueError
        rangos.append((desde, hasta))
        libre = hasta + 1
    if rangos == [(0, total)]:
        # Entera y sin decir «completa»: no consta que su huella sea la buena.
        raise ValueError
    return tuple(rangos)
