"""El testigo que va por lo publicado en vez de esperar a que se lo manden: para quien no puede abrir un puerto."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from auditoria.verificar.lector import REGISTRO, Lector, NoSePuede
from auditoria.verificar.registro import PUNTO
from nucleo.publicacion.mentira import Mentira
from nucleo.transparencia.arbol import PruebaInvalida
from nucleo.transparencia.arbol_de_baldosas import ArbolDeBaldosas
from nucleo.transparencia.baldosas import BaldosaInvalida
from nucleo.transparencia.nota import LlaveDeRegistro, NotaInvalida
from nucleo.transparencia.punto import abrir_punto
from vigilancia import durable
from vigilancia.testigo import Testigo

COFIRMAS: Final = "cofirmas"
"""Carpeta donde queda cada una, por su número de hojas."""


def sondear(testigo: Testigo, registro: LlaveDeRegistro, origen: Lector, carpeta: Path) -> tuple[int, bytes] | None:
    """Va por el punto de control y lo cofirma si continúa lo visto, con todas sus hojas nuevas a la vista.

    Returns:
        Cuántas hojas tiene y el renglón de la cofirma, que también queda en `cofirmas/`; `None` si no hay nada nuevo.

    Raises:
        Mentira: si retrocedió, se bifurcó o sus baldosas no cuadran. NoSePuede: si no se pudo leer. OSError: si no se
        pudo guardar, y entonces no hay cofirma.
    """
    try:
        datos = origen.leer(PUNTO)
    except FileNotFoundError as error:
        raise NoSePuede(f"en {origen.lugar} no hay {PUNTO}") from error
    visto = testigo.visto
    try:
        punto = abrir_punto(datos, registro).punto
        if punto.tamano < visto.tamano:
            raise PruebaInvalida(f"tiene {punto.tamano} hojas y ya había visto {visto.tamano}: retrocedió")
        if (punto.tamano, punto.raiz) == (visto.tamano, visto.raiz) and visto.nota:
            return None
        arbol = ArbolDeBaldosas(punto.tamano, punto.raiz, lambda ruta: origen.leer(f"{REGISTRO}/{ruta}"))
        arbol.comprobar_todo(visto.tamano)
        respuesta = testigo.cofirmar(visto.tamano, arbol.consistencia(visto.tamano), datos)
        if respuesta.codigo != 200:
            raise PruebaInvalida("no continúa lo que este testigo ya vio: hay dos historias")
    except (NotaInvalida, BaldosaInvalida, PruebaInvalida) as error:
        raise Mentira(
            PUNTO,
            str(error),
            f"algo que continúe las {visto.tamano} hojas que este testigo ya vio",
            f"No se cofirma. Guarde los dos puntos de control: el visto está en {carpeta}.",
        ) from error
    (carpeta / COFIRMAS).mkdir(exist_ok=True, mode=0o755)
    durable.escribir(carpeta / COFIRMAS / f"{punto.tamano}", respuesta.cuerpo)
    return punto.tamano, respuesta.cuerpo
