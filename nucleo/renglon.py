"""Leer con rigor un objeto JSON: llave por llave, con su tipo y su forma, y que no sobre ninguna."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from nucleo.campo import Campo, CampoInvalido, de_json
from nucleo.formas import HEX64

MAXIMO_CAMPOS: Final = 400
"""Renglones por acta. La coalición de siete partidos da 120 combinaciones; 400 deja margen."""

_MAXIMA_CLAVE: Final = 40
CLAVE: Final = re.compile(rf"[A-Z0-9_ÑÁÉÍÓÚ\-]{{1,{_MAXIMA_CLAVE}}}")
PERSONA: Final = re.compile(r"[a-z0-9\-]{1,40}")
_MAXIMO_TEXTO: Final = 500
_HORA: Final = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}|\.[0-9]{6})?(Z|[+\-][0-9]{2}:[0-9]{2})"
)


class HechoInvalido(ValueError):
    """El contenido de un sobre no es un hecho bien formado."""


class Renglon:
    """Lee llaves una a una, con su tipo, y exige que no sobre ninguna."""

    def __init__(self, dato: Mapping[str, object]) -> None:
        self._dato = dato
        self._leidas = {"hecho"}

    def tomar(self, llave: str) -> object:
        if llave not in self._dato:
            raise HechoInvalido(f"falta «{llave}»")
        self._leidas.add(llave)
        return self._dato[llave]

    def agotado(self) -> None:
        sobra = sorted(str(llave) for llave in set(self._dato) - self._leidas)
        if sobra:
            raise HechoInvalido(f"sobra {sobra[0][:40]!r}")

    def texto(self, llave: str, forma: re.Pattern[str]) -> str:
        dato = self.tomar(llave)
        if not isinstance(dato, str) or forma.fullmatch(dato) is None:
            raise HechoInvalido(f"«{llave}» no tiene la forma esperada")
        return dato

    def libre(self, llave: str) -> str:
        dato = self.tomar(llave)
        if not isinstance(dato, str) or not 0 < len(dato) <= _MAXIMO_TEXTO or not dato.isprintable():
            raise HechoInvalido(f"«{llave}» no es un texto imprimible de hasta {_MAXIMO_TEXTO} caracteres")
        return dato

    def entero(self, llave: str, minimo: int, maximo: int) -> int:
        dato = self.tomar(llave)
        if not isinstance(dato, int) or isinstance(dato, bool) or not minimo <= dato <= maximo:
            raise HechoInvalido(f"«{llave}» no es un entero entre {minimo} y {maximo}")
        return dato

    def uno_de(self, llave: str, permitidos: tuple[str, ...]) -> str:
        dato = self.tomar(llave)
        if not isinstance(dato, str) or dato not in permitidos:
            raise HechoInvalido(f"«{llave}» no es ninguno de {', '.join(permitidos)}")
        return dato

    def hora(self) -> datetime:
        return hora_con_huso(self.tomar("hora"))

    def persona(self, llave: str = "persona") -> str:
        return self.texto(llave, PERSONA)

    def huella(self, llave: str) -> str:
        return self.texto(llave, HEX64)

    def imagen(self) -> str | None:
        """El SHA-256 de la imagen que se tuvo enfrente. Es opcional: los sobres de antes no lo traen."""
        return self.huella("imagen") if "imagen" in self._dato else None

    def campos(self) -> dict[str, Campo]:
        dato = self.tomar("campos")
        if not isinstance(dato, dict) or not 0 < len(dato) <= MAXIMO_CAMPOS:
            raise HechoInvalido(f"«campos» no es un objeto de 1 a {MAXIMO_CAMPOS} renglones")
        try:
            campos = {k: de_json(v) for k, v in dato.items()}
        except CampoInvalido as error:
            raise HechoInvalido(str(error)) from error
        _exigir_claves(tuple(campos))
        return campos


@lru_cache(maxsize=512)
def _exigir_claves(llaves: tuple[object, ...]) -> None:
    """Que todas puedan ser el nombre de un campo. Las de una división son siempre las mismas: recordarlas ahorra
    treinta expresiones regulares por acta; de las malas no se recuerda nada.

    Raises:
        HechoInvalido: con la primera que no.
    """
    for llave in llaves:
        if not isinstance(llave, str) or CLAVE.fullmatch(llave) is None:
            raise HechoInvalido(f"{str(llave)[:40]!r} no es el nombre de un campo")


def hora_con_huso(dato: object) -> datetime:
    """Instante ISO 8601 con huso: `2022-06-05T18:03:07-05:00`, con fracción o sin ella, o con `Z`.

    Una sola forma de las muchas de ISO 8601, y de este siglo: qué otras acepta `fromisoformat` cambia con la versión de
    Python, y el año 1 desborda al pasarlo a la hora local de cada corte.

    Raises:
        HechoInvalido: si no tiene esa forma, no es una fecha o no dice su huso.
    """
    if not isinstance(dato, str) or _HORA.fullmatch(dato) is None:
        raise HechoInvalido("la hora no es ISO 8601 con segundos y huso, de este siglo")
    try:
        instante = datetime.fromisoformat(dato)
    except ValueError as error:
        raise HechoInvalido("la hora no existe en el calendario") from error
    return instante
