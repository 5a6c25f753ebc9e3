"""Reparte en una hoja carta los renglones de una elección: de la definición del proceso a un `Formato`.

No imita el papel de nadie: es un acta propia con los apartados del dominio §5. Hasta veinte renglones van en una
columna; más, en dos.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from nucleo.casilla import Casilla
from nucleo.eleccion import Eleccion
from nucleo.formato import REGION_DEL_CODIGO, Caja, Formato

ANCHO_MM: Final = 216.0
ALTO_MM: Final = 279.0
MARGEN_MM: Final = 8.0

ETIQUETA: Final = Caja(110, 11, 98, 40)
"""Aquí caben un QR de 30 mm y un Code 128 de 54 mm, los dos con su zona blanca, y la clave legible."""
IDENTIFICACION: Final = Caja(8, 24, 98, 27)
ENCABEZADO: Final = Caja(8, 9, 98, 14)
FIRMAS: Final = Caja(8, 239, 200, 28)

_PRIMERO_Y: Final = 58.0
_ULTIMO_Y: Final = 229.0
_TITULO_MM: Final = 5.0
"""Franja con el nombre de cada apartado, sobre sus renglones."""
_CALLE_MM: Final = 4.0
_EN_UNA_COLUMNA: Final = 20
_MAXIMO_RENGLON_MM: Final = 9.0
_MINIMO_RENGLON_MM: Final = 5.2
"""Con menos no se escribe una cifra a mano."""
DIGITOS: Final = 3
ANTES: Final = ("BOLETAS_SOBRANTES", "PERSONAS_VOTARON", "REPRESENTANTES_VOTARON", "VOTOS_SACADOS")
"""Apartados 2, 3, 4 y 7, en el orden de `Asentado.campos()`."""


class NoCabe(ValueError):
    """La elección tiene más renglones de los que se pueden escribir en una hoja carta."""


def variantes(eleccion: Eleccion, casillas: Iterable[Casilla]) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Juegos de renglones distintos que existen en esas casillas → divisiones (distritos o municipios) que los usan."""
    donde: dict[tuple[str, ...], set[int]] = {}
    for casilla in casillas:
        opciones = tuple(o.clave for o in eleccion.opciones_de(casilla))
        donde.setdefault(opciones, set()).add(eleccion.division(casilla) or 0)
    return {opciones: tuple(sorted(divisiones)) for opciones, divisiones in donde.items()}


def trazar(eleccion: str, opciones: Sequence[str], clave: str) -> Formato:
    """El formato con esos renglones, para la elección de esa clave.

    Raises:
        NoCabe: si cada renglón quedaría de menos de 5.2 mm.
    """
    votos = (*opciones, "TOTAL_ASENTADO")
    columnas = 1 if len(votos) + len(ANTES) <= _EN_UNA_COLUMNA else 2
    filas_antes, filas_votos = -(-len(ANTES) // columnas), -(-len(votos) // columnas)
    libre = _ULTIMO_Y - _PRIMERO_Y - 2 * _TITULO_MM
    alto = min(_MAXIMO_RENGLON_MM, int(libre * 10 / (filas_antes + filas_votos)) / 10)
    if alto < _MINIMO_RENGLON_MM:
        raise NoCabe(
            f"{eleccion} tiene {len(opciones)} renglones y en una hoja carta caben a lo más 55: "
            "su acta necesita una hoja mayor, con su propio formato"
        )
    primero_antes = _PRIMERO_Y + _TITULO_MM
    primero_votos = primero_antes + filas_antes * alto + _TITULO_MM
    renglones = {
        **_repartir(ANTES, filas_antes, columnas, primero_antes, alto),
        **_repartir(votos, filas_votos, columnas, primero_votos, alto),
    }
    resultados = Caja(MARGEN_MM, primero_votos, ANCHO_MM - 2 * MARGEN_MM, _mm(filas_votos * alto))
    return Formato(
        clave=clave,
        eleccion=eleccion,
        ancho_mm=ANCHO_MM,
        alto_mm=ALTO_MM,
        imagen=f"{clave}.png",
        casillas={k: _numero(franja) for k, franja in renglones.items()},
        regiones={
            REGION_DEL_CODIGO: ETIQUETA,
            "encabezado": ENCABEZADO,
            "identificacion": IDENTIFICACION,
            "resultados": resultados,
            "firmas": FIRMAS,
        },
        renglones=renglones,
    )


def ancho_digito(franja: Caja) -> float:
    """Ancho de cada casilla de dígito, en mm."""
    return 10.0 if franja.ancho > ANCHO_MM / 2 else 8.5


def ancho_rotulo(franja: Caja) -> float:
    """Cuánto ocupa el rótulo, en mm; lo demás hasta el número es para la letra."""
    return 66.0 if franja.ancho > ANCHO_MM / 2 else 36.0


def _numero(franja: Caja) -> Caja:
    ancho = ancho_digito(franja) * DIGITOS
    return Caja(_mm(franja.x + franja.ancho - ancho - 3), _mm(franja.y + 0.5), ancho, _mm(franja.alto - 1))


def _repartir(claves: Sequence[str], filas: int, columnas: int, y: float, alto: float) -> dict[str, Caja]:
    """Por columnas: se llena la primera de arriba abajo y luego la otra."""
    ancho = (ANCHO_MM - 2 * MARGEN_MM - (columnas - 1) * _CALLE_MM) / columnas
    cajas = {}
    for i, clave in enumerate(claves):
        columna, fila = divmod(i, filas)
        cajas[clave] = Caja(_mm(MARGEN_MM + columna * (ancho + _CALLE_MM)), _mm(y + fila * alto), ancho, alto)
    return cajas


def _mm(n: float) -> float:
    return round(n, 2)
