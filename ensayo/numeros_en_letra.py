"""Una cantidad escrita con letra, como la escribe la mesa de casilla."""

from __future__ import annotations

from typing import Final

_CENTENAS: Final = (
    *("ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos"),
    *("seiscientos", "setecientos", "ochocientos", "novecientos"),
)
_DECENAS: Final = ("treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_HASTA_VEINTINUEVE: Final = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    *("diez", "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve"),
    *("veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro"),
    *("veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve"),
)


def en_letra(n: int) -> str:
    """`315` → «trescientos quince». De 0 a 999 999."""
    if n >= 1000:
        miles, resto = divmod(n, 1000)
        # «veintiún mil», «treinta y un mil»: ante «mil» se pierde la o final.
        antes = en_letra(miles).removesuffix("o") if miles % 10 == 1 and miles % 100 != 11 else en_letra(miles)
        antes = antes.replace("veintiun", "veintiún")
        return " ".join(p for p in ("" if miles == 1 else antes, "mil", en_letra(resto) if resto else "") if p)
    if n == 100:
        return "cien"
    if n > 100:
        centenas, resto = divmod(n, 100)
        return _CENTENAS[centenas - 1] + (f" {en_letra(resto)}" if resto else "")
    if n < 30:
        return _HASTA_VEINTINUEVE[n]
    decenas, unidades = divmod(n, 10)
    return _DECENAS[decenas - 3] + (f" y {_HASTA_VEINTINUEVE[unidades]}" if unidades else "")
