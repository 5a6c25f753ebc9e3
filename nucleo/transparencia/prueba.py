"""La prueba que cabe en un archivo (C2SP tlog-proof v1): que una hoja está en el registro, comprobable sin red.

Lleva el índice de la hoja, su camino a la raíz y el punto de control con sus firmas. La hoja va aparte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nucleo.transparencia.arbol import PruebaInvalida, comprobar_inclusion, huella_de_hoja
from nucleo.transparencia.cofirma import LlaveDeTestigo
from nucleo.transparencia.nota import (
    MAXIMO_NOTA,
    LlaveDeRegistro,
    Nota,
    NotaInvalida,
    a_base64,
    de_base64,
    leer_nota,
)
from nucleo.transparencia.punto import PuntoFirmado, abrir_punto, leer_natural, leer_punto

MAXIMO_PRUEBA: Final = MAXIMO_NOTA + 2**16
"""Bytes: una nota, un camino y los datos de más."""

_VERSION: Final = "c2sp.org/tlog-proof@v1"
_DE_MAS: Final = "extra "
_INDICE: Final = "index "
_MAXIMO_CAMINO: Final = 63


@dataclass(frozen=True, slots=True)
class Prueba:
    """Una prueba todavía sin comprobar."""

    indice: int
    camino: tuple[bytes, ...]
    """De la hermana de la hoja a la hija de la raíz."""
    nota: Nota
    """El punto de control, con sus firmas."""
    de_mas: bytes | None = None
    """Lo que cada quien quiera agregar. Nadie lo firma: no se le cree."""

    def a_bytes(self) -> bytes:
        """El archivo `.tlog-proof`, exacto."""
        renglones = [_VERSION]
        if self.de_mas is not None:
            renglones.append(f"{_DE_MAS}{a_base64(self.de_mas)}")
        renglones += f"{_INDICE}{self.indice}", *map(a_base64, self.camino)
        return "".join(f"{r}\n" for r in renglones).encode() + b"\n" + self.nota.a_bytes()


def leer_prueba(datos: bytes) -> Prueba:
    """La prueba que llegó de fuera, sin comprobar nada más que su forma.

    Raises:
        PruebaInvalida: si no tiene exactamente la forma de la norma.
    """
    if len(datos) > MAXIMO_PRUEBA:
        raise PruebaInvalida(f"la prueba mide {len(datos)} bytes y el tope es {MAXIMO_PRUEBA}")
    encabezado, vacio, nota = datos.partition(b"\n\n")
    renglones = encabezado.decode("ascii", "replace").split("\n")
    if not vacio or renglones.pop(0) != _VERSION:
        raise PruebaInvalida(f"no es una prueba «{_VERSION}»")
    try:
        de_mas = None
        if renglones and renglones[0].startswith(_DE_MAS):
            de_mas = de_base64(renglones.pop(0).removeprefix(_DE_MAS))
        if not renglones or not renglones[0].startswith(_INDICE):
            raise PruebaInvalida("la prueba no dice el índice de la hoja")
        indice = leer_natural(renglones.pop(0).removeprefix(_INDICE))
        if len(renglones) > _MAXIMO_CAMINO:
            raise PruebaInvalida(f"el camino trae {len(renglones)} huellas y no hay árbol tan alto")
        prueba = Prueba(indice, tuple(map(de_base64, renglones)), leer_nota(nota), de_mas)
        leer_punto(prueba.nota.texto)
        return prueba
    except NotaInvalida as error:
        raise PruebaInvalida(str(error)) from error


def comprobar_prueba(
    prueba: Prueba,
    hoja: bytes,
    registro: LlaveDeRegistro,
    testigos: Iterable[LlaveDeTestigo] = (),
    quorum: int = 0,
) -> PuntoFirmado:
    """Que esa hoja está en el registro, según un punto de control que él firma y al menos `quorum` testigos cofirman.

    Raises:
        PruebaInvalida: con la causa.
    """
    conocidos = tuple(testigos)
    try:
        firmado = abrir_punto(prueba.nota.a_bytes(), registro, conocidos)
    except NotaInvalida as error:
        raise PruebaInvalida(f"el punto de control de la prueba no vale: {error}") from error
    # Por llave y no por nombre: quien tenga dos nombres no es dos testigos, y el registro no es testigo de sí mismo.
    cofirman = len({llave.publica for llave in firmado.firmas} - {registro.publica})
    if cofirman < quorum:
        raise PruebaInvalida(f"la cofirman {cofirman} testigos conocidos y se piden {quorum}")
    huella = huella_de_hoja(hoja)
    comprobar_inclusion(huella, prueba.indice, firmado.punto.tamano, firmado.punto.raiz, prueba.camino)
    return firmado
