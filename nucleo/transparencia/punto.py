"""El punto de control (C2SP tlog-checkpoint): la nota que dice cuántas hojas tiene el registro y cuál es su raíz."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nucleo.transparencia.arbol import MAXIMO_TAMANO, RAIZ_VACIA, TAMANO_HUELLA
from nucleo.transparencia.nota import (
    Firma,
    FirmanteDeNotas,
    LlaveDeRegistro,
    LlavePublica,
    Nota,
    NotaInvalida,
    a_base64,
    comprobar_nota,
    de_base64,
    exigir_texto,
    leer_nota,
)

_NATURAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Punto:
    """Un registro (`origen`) con tantas hojas y esa raíz.

    Raises:
        NotaInvalida: si dice algo imposible.
    """

    origen: str
    tamano: int
    raiz: bytes
    extensiones: tuple[str, ...] = ()
    """Renglones de más: se leen y se firman sin interpretarlos. Aquí no se escribe ninguno."""

    def __post_init__(self) -> None:
        if any(not renglon or "\n" in renglon for renglon in (self.origen, *self.extensiones)):
            raise NotaInvalida("el punto de control trae un renglón vacío o partido")
        exigir_texto(f"{''.join((self.origen, *self.extensiones))}\n")
        if not 0 <= self.tamano <= MAXIMO_TAMANO or len(self.raiz) != TAMANO_HUELLA:
            raise NotaInvalida("el tamaño o la raíz del punto de control no son posibles")
        if not self.tamano and self.raiz != RAIZ_VACIA:
            raise NotaInvalida("un registro de cero hojas no tiene esa raíz")

    @property
    def texto(self) -> str:
        """Lo que se firma."""
        return "".join(f"{r}\n" for r in (self.origen, str(self.tamano), a_base64(self.raiz), *self.extensiones))


def leer_punto(texto: str) -> Punto:
    """El punto que dice el texto de una nota.

    Raises:
        NotaInvalida: si no tiene exactamente la forma de la norma.
    """
    renglones = texto.split("\n")
    if len(renglones) < 4 or renglones.pop():
        raise NotaInvalida("el punto de control no tiene al menos tres renglones")
    origen, tamano, raiz, *extensiones = renglones
    return Punto(origen, leer_natural(tamano), de_base64(raiz), tuple(extensiones))


def leer_natural(texto: str) -> int:
    """Un entero de 0 a 2**63 - 1 en decimal ASCII y sin ceros de más. Raises: NotaInvalida."""
    if _NATURAL.fullmatch(texto) is None or (numero := int(texto)) > MAXIMO_TAMANO:
        raise NotaInvalida(f"«{texto[:24]}» no es un número de hojas")
    return numero


def firmar_punto(punto: Punto, firmante: FirmanteDeNotas) -> Nota:
    """El punto firmado por su registro.

    Raises:
        NotaInvalida: si el firmante no se llama como el registro.
    """
    if punto.origen != firmante.nombre:
        raise NotaInvalida(f"el registro se llama {punto.origen[:80]} y firma {firmante.nombre[:80]}")
    return Nota(punto.texto, (firmante.firmar(punto.texto),))


@dataclass(frozen=True, slots=True)
class PuntoFirmado:
    """Un punto de control cuya firma ya se comprobó."""

    punto: Punto
    nota: Nota
    firmas: dict[LlavePublica, Firma]
    """Las que se comprobaron: la del registro siempre; de los testigos conocidos, las que haya."""


def abrir_punto(datos: bytes, registro: LlaveDeRegistro, testigos: Iterable[LlavePublica] = ()) -> PuntoFirmado:
    """El punto de control que llegó de fuera, si lo firma su registro.

    Raises:
        NotaInvalida: con la causa; también si la firma de un testigo conocido es mala.
    """
    nota = leer_nota(datos)
    firmas = comprobar_nota(nota, (registro, *testigos))
    if registro not in firmas:
        raise NotaInvalida(f"el punto de control no lo firma {registro.nombre}")
    punto = leer_punto(nota.texto)
    if punto.origen != registro.nombre:
        raise NotaInvalida(f"es de otro registro, {punto.origen[:80]}, y se esperaba el de {registro.nombre}")
    return PuntoFirmado(punto, nota, firmas)
