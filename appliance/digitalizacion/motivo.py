"""Por qué una hoja no se asignó sola: lo que se le dice a la persona y lo que puede hacer con ella.

Un solo lugar para las palabras y las salidas de cada motivo: la pantalla sólo las muestra, y el servidor sólo admite
las acciones que aquí están.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Accion(Enum):
    """Lo que una persona puede decidir de una hoja dudosa. El valor es el que viaja en el formulario."""

    IDENTIFICAR = "identificar"
    ACEPTAR = "aceptar"
    REPETIR = "repetir"
    ACOPIAR = "acopiar"
    SUSTITUIR = "sustituir"
    CONSERVAR = "conservar"
    REINTENTAR = "reintentar"
    FUERA = "fuera"
    DESCARTAR = "descartar"


class Motivo(Enum):
    """El valor es el que se guarda en la columna `motivo`."""

    SIN_CODIGO = "SIN_CODIGO"
    CODIGO_ROTO = "CODIGO_ROTO"
    CODIGO_AJENO = "CODIGO_AJENO"
    CODIGO_DE_OTRA_ELECCION = "CODIGO_DE_OTRA_ELECCION"
    CASILLA_DESCONOCIDA = "CASILLA_DESCONOCIDA"
    TIPO_DE_ACTA = "TIPO_DE_ACTA"
    FIRMA_INVALIDA = "FIRMA_INVALIDA"
    VARIOS_CODIGOS = "VARIOS_CODIGOS"
    NO_ES_EL_ANVERSO = "NO_ES_EL_ANVERSO"
    CALIDAD = "CALIDAD"
    SIN_ACOPIO = "SIN_ACOPIO"
    YA_DIGITALIZADA = "YA_DIGITALIZADA"
    IMAGEN_DANADA = "IMAGEN_DANADA"
    SIN_ARCHIVO = "SIN_ARCHIVO"
    SIN_DUENO = "SIN_DUENO"
    NO_SE_ASENTO = "NO_SE_ASENTO"


@dataclass(frozen=True, slots=True)
class Explicacion:
    """`que`, `causa` y `siguiente` como en un `Rechazo`; `acciones`, la primera es la que conviene."""

    que: str
    causa: str
    siguiente: str
    acciones: tuple[Accion, ...]


_POR_IDENTIFICAR: Final = (Accion.IDENTIFICAR, Accion.REPETIR, Accion.FUERA, Accion.DESCARTAR)

EXPLICACIONES: Final = {
    Motivo.SIN_CODIGO: Explicacion(
        "No se halló código en esta hoja",
        "le falta la etiqueta, o está manchada, doblada o cortada",
        "si la imagen se lee bien, diga usted de qué casilla es",
        _POR_IDENTIFICAR,
    ),
    Motivo.CODIGO_ROTO: Explicacion(
        "El código de esta hoja se leyó mal",
        "la etiqueta está rayada o mal impresa",
        "diga usted de qué casilla es, comparando con la imagen",
        _POR_IDENTIFICAR,
    ),
    Motivo.CODIGO_AJENO: Explicacion(
        "El código de esta hoja no es el de un acta",
        "es otro documento, o trae pegada otra etiqueta",
        "mire la imagen: si es un acta, diga de qué casilla es; si no, descártela",
        _POR_IDENTIFICAR,
    ),
    Motivo.CODIGO_DE_OTRA_ELECCION: Explicacion(
        "El código dice una elección que aquí no se cuenta",
        "el acta es de otra elección y llegó en esta bolsa",
        "mire qué elección dice el papel; si es otra, descártela y entregue el papel a coordinación",
        (Accion.DESCARTAR, Accion.IDENTIFICAR, Accion.REPETIR, Accion.FUERA),
    ),
    Motivo.CASILLA_DESCONOCIDA: Explicacion(
        "El código dice una casilla que no está en el catálogo",
        "el acta es de otra entidad, o su casilla se aprobó después",
        "mire la casilla en la imagen: si la encuentra aquí, elíjala; si no, coordinación la declara fuera de catálogo",
        _POR_IDENTIFICAR,
    ),
    Motivo.TIPO_DE_ACTA: Explicacion(
        "El código dice un tipo de acta que no corresponde a esa casilla",
        "se usó el acta de otro tipo de casilla",
        "compare con la imagen y diga usted de qué casilla es",
        _POR_IDENTIFICAR,
    ),
    Motivo.FIRMA_INVALIDA: Explicacion(
        "El código de esta hoja trae una firma que no es buena",
        "la etiqueta se alteró o es de otro proceso",
        "avise a coordinación; si el papel es bueno, diga usted de qué casilla es",
        _POR_IDENTIFICAR,
    ),
    Motivo.VARIOS_CODIGOS: Explicacion(
        "Esta hoja trae códigos de dos actas distintas",
        "pasaron dos hojas juntas, o le pegaron la etiqueta de otra",
        "mire el papel: si son dos hojas, sepárelas y páselas otra vez; si es una, diga de qué casilla es",
        (Accion.REPETIR, Accion.IDENTIFICAR, Accion.FUERA, Accion.DESCARTAR),
    ),
    Motivo.NO_ES_EL_ANVERSO: Explicacion(
        "Esto no parece el frente de un acta",
        "la hoja entró al revés, en blanco o muy maltratada, o es otro documento",
        "voltee la hoja y pásela otra vez",
        (Accion.REPETIR, Accion.ACEPTAR, Accion.IDENTIFICAR, Accion.FUERA, Accion.DESCARTAR),
    ),
    Motivo.CALIDAD: Explicacion(
        "La imagen no quedó bien",
        "la hoja se movió, está arrugada o el cristal está sucio",
        "pásela otra vez; si el papel así está, acéptela",
        (Accion.REPETIR, Accion.ACEPTAR, Accion.DESCARTAR),
    ),
    Motivo.SIN_ACOPIO: Explicacion(
        "El acta de esta hoja no está acopiada",
        "se pasó por el escáner antes de registrar que llegó",
        "acópiela ahora con la hora estampada en el papel",
        (Accion.ACOPIAR, Accion.IDENTIFICAR, Accion.DESCARTAR),
    ),
    Motivo.YA_DIGITALIZADA: Explicacion(
        "El acta de esta hoja ya tiene imagen",
        "la hoja se pasó dos veces, o llegó otra copia de la misma acta",
        "conserve la que ya está, o sustitúyala si ésta se ve mejor",
        (Accion.CONSERVAR, Accion.SUSTITUIR, Accion.IDENTIFICAR),
    ),
    Motivo.IMAGEN_DANADA: Explicacion(
        "La imagen de esta hoja no se pudo abrir",
        "el escáner o la memoria entregó un archivo dañado",
        "intente otra vez; si vuelve a fallar, pase de nuevo la hoja",
        (Accion.REINTENTAR, Accion.REPETIR, Accion.DESCARTAR),
    ),
    Motivo.SIN_ARCHIVO: Explicacion(
        "Se perdió el archivo de esta hoja antes de guardarlo",
        "se apagó el equipo o el disco falló mientras se digitalizaba",
        "busque el papel y páselo otra vez",
        (Accion.REPETIR, Accion.DESCARTAR),
    ),
    Motivo.SIN_DUENO: Explicacion(
        "Se halló esta imagen y no se sabe quién la digitalizó",
        "el equipo se apagó justo cuando entraba",
        "mire la imagen: si la hoja no está ya en la lista, acéptela; si ya está, descártela",
        (Accion.ACEPTAR, Accion.IDENTIFICAR, Accion.DESCARTAR),
    ),
    Motivo.NO_SE_ASENTO: Explicacion(
        "Esta hoja no se pudo asentar",
        "un dato no corresponde al catálogo",
        "diga usted de qué casilla es o descártela",
        _POR_IDENTIFICAR,
    ),
}
"""Todo motivo tiene su explicación: lo exige una prueba."""


def motivo_de(codigo: str) -> Motivo | None:
    """El motivo de ese código guardado, o `None`."""
    return next((m for m in Motivo if m.value == codigo), None)
