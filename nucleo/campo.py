"""Lo que puede decir un renglón del acta: un número, algo ilegible o nada.

El vacío no es cero: `SinDato` e `Ilegible` valen cero al sumar, pero marcan inconsistencia (Anexo 13 del Reglamento de
Elecciones; tabla de criterios en `docs/dominio.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAXIMO: Final = 99_999
"""Tope de un campo. El acta ofrece tres o cuatro casillas de dígito; cinco dejan margen y detienen disparates."""


class CampoInvalido(ValueError):
    """El texto o valor no corresponde a un campo de acta."""


@dataclass(frozen=True, slots=True)
class Numero:
    """Cantidad legible, en votos, boletas o personas (0 a `MAXIMO`)."""

    valor: int

    def __post_init__(self) -> None:
        if isinstance(self.valor, bool) or not 0 <= self.valor <= MAXIMO:
            raise CampoInvalido(f"la cantidad {self.valor!r} no está entre 0 y {MAXIMO}")


@dataclass(frozen=True, slots=True)
class Ilegible:
    """Ni la letra ni el número se pueden leer."""


@dataclass(frozen=True, slots=True)
class SinDato:
    """Ni letra ni número: el renglón está en blanco."""


Campo = Numero | Ilegible | SinDato

ILEGIBLE: Final = Ilegible()
SIN_DATO: Final = SinDato()

_NUMEROS: Final = tuple(Numero(n) for n in range(1000))
"""Los de casi todo renglón, ya hechos: son inmutables, y hacer treinta por acta es una décima parte de la ingesta."""

_TEXTO_ILEGIBLE: Final = "ILEGIBLE"
_TEXTO_SIN_DATO: Final = "SIN DATO"


def valor(campo: Campo) -> int:
    """Votos que aporta el campo: el número, o cero si no se lee o no está."""
    return campo.valor if isinstance(campo, Numero) else 0


def a_texto(campo: Campo) -> str:
    """Forma publicada: dígitos, `ILEGIBLE` o `SIN DATO` (LEEME INE e IECM 2024)."""
    match campo:
        case Numero(n):
            return str(n)
        case Ilegible():
            return _TEXTO_ILEGIBLE
        case SinDato():
            return _TEXTO_SIN_DATO


def de_texto(texto: str) -> Campo:
    """Inversa de `a_texto`. Sólo dígitos ASCII: ni signos, ni espacios internos, ni cifras de otro alfabeto.

    Raises:
        CampoInvalido: si el texto no es ninguna de las tres formas.
    """
    limpio = texto.strip()
    if limpio == _TEXTO_ILEGIBLE:
        return ILEGIBLE
    if limpio == _TEXTO_SIN_DATO:
        return SIN_DATO
    if limpio.isascii() and limpio.isdigit() and len(limpio) <= len(str(MAXIMO)):
        return Numero(int(limpio))
    raise CampoInvalido(f"{texto[:40]!r} no es un número de hasta 5 cifras, ILEGIBLE ni SIN DATO")


def a_json(campo: Campo) -> int | str:
    """Forma dentro de un sobre: entero o la palabra que se publica."""
    return campo.valor if isinstance(campo, Numero) else a_texto(campo)


def de_json(dato: object) -> Campo:
    """Inversa de `a_json`, estricta: `True`, `"12"` o `12.0` se rechazan.

    Raises:
        CampoInvalido: si el dato no es un entero en rango ni una de las dos palabras.
    """
    # `type` y no `isinstance`: `True` es un entero para Python.
    if type(dato) is int:
        return _NUMEROS[dato] if 0 <= dato < len(_NUMEROS) else Numero(dato)
    if dato == _TEXTO_ILEGIBLE:
        return ILEGIBLE
    if dato == _TEXTO_SIN_DATO:
        return SIN_DATO
    raise CampoInvalido(f"{str(dato)[:40]!r} no es un campo de acta")
