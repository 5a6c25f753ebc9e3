"""Lo que la mesa contesta cuando algo no procede, dicho a quien está frente a la pantalla."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from appliance.falla import Falla
from nucleo.hechos import Acopio, HechoInvalido, IdActa
from nucleo.problema import Rechazo

_P = ParamSpec("_P")
_R = TypeVar("_R")


def con_rechazo(funcion: Callable[_P, _R]) -> Callable[_P, _R | Rechazo]:
    """Devuelve como `Rechazo` las fallas físicas y lo que el centro no aceptaría."""

    @wraps(funcion)
    def envuelta(*args: _P.args, **kwargs: _P.kwargs) -> _R | Rechazo:
        try:
            return funcion(*args, **kwargs)
        except Falla as falla:
            return falla.rechazo
        except HechoInvalido as error:
            return forma(str(error))

    return envuelta


def forma(detalle: str) -> Rechazo:
    return Rechazo(
        "FORMA",
        f"No se guardó: {detalle}",
        "un dato quedó incompleto o con signos raros",
        "corríjalo y repita la acción",
    )


def sin_acopio(acta: IdActa) -> Rechazo:
    return Rechazo(
        "SIN_ACOPIO",
        f"El acta {acta} aún no está acopiada en este kiosco",
        "no se registró su llegada, o se registró en otro kiosco",
        "registre primero el acopio",
    )


def ya_acopiada(acta: IdActa, previo: Acopio) -> Rechazo:
    return Rechazo(
        "YA_ACOPIADA",
        f"El acta {acta} ya se acopió a las {previo.hora:%H:%M} ({previo.persona})",
        "llegó por dos caminos o se tecleó la clave de otra casilla",
        "compare la clave con el papel; si coincide, siga con la siguiente",
    )


def sin_imagen(acta: IdActa) -> Rechazo:
    return Rechazo(
        "SIN_IMAGEN",
        f"El acta {acta} aún no tiene imagen",
        "no se ha digitalizado",
        "digitalícela y tómela otra vez",
    )


def documento_sin_imagen() -> Rechazo:
    return Rechazo(
        "FORMA",
        "Falta la imagen del documento",
        "se declaró sin digitalizarlo, o se dieron imagen y huella a la vez",
        "digitalice el documento y declárelo otra vez",
    )


def ya_declarado(folio: str) -> Rechazo:
    return Rechazo(
        "YA_DECLARADO",
        f"Este documento ya se declaró fuera de catálogo con el folio {folio}",
        "se digitalizó la misma hoja dos veces",
        "siga con el siguiente documento",
    )


def fuera_de_catalogo(acta: IdActa) -> Rechazo:
    return Rechazo(
        "FUERA_DE_CATALOGO",
        f"La casilla {acta.casilla[:40]} no está en el catálogo aprobado",
        "se tecleó mal la clave o el acta es de otra entidad",
        "revise la clave en el papel; si el papel dice eso, declárelo fuera de catálogo",
    )


def sin_eleccion(acta: IdActa) -> Rechazo:
    return Rechazo(
        "SIN_ELECCION",
        f"La casilla {acta.casilla} no levanta acta de {acta.eleccion}",
        "se eligió otra elección",
        "elija la elección que dice el papel",
    )


def eleccion_desconocida(eleccion: str, conocidas: Sequence[str]) -> Rechazo:
    return Rechazo(
        "ELECCION_DESCONOCIDA",
        f"La elección {eleccion[:40]} no es de este proceso",
        "la pantalla quedó de otro proceso",
        f"elija una de {', '.join(conocidas)}",
    )


def fuera_de_operacion(hora: datetime, inicio: datetime, cierre: datetime) -> Rechazo:
    return Rechazo(
        "FUERA_DE_OPERACION",
        f"La hora de acopio {hora:%d/%m/%Y %H:%M} está fuera de la operación del PREP "
        f"({inicio:%d/%m/%Y %H:%M} a {cierre:%d/%m/%Y %H:%M})",
        "se tecleó mal la hora o el reloj del kiosco está mal",
        "escriba la hora estampada en el papel; si el reloj está mal, llame al área técnica",
    )


def no_la_tiene(acta: IdActa) -> Rechazo:
    return Rechazo(
        "NO_LA_TIENE",
        f"Usted no tiene abierta el acta {acta.casilla}",
        "ya la concluyó, la dejó, o pasó el plazo y la tomó otra persona",
        "regrese al inicio y tome la siguiente",
    )


def nadie_la_tiene(acta: IdActa) -> Rechazo:
    return Rechazo(
        "NADIE_LA_TIENE",
        f"Nadie tiene abierta el acta {acta.casilla}",
        "quien la tenía ya la concluyó o la soltó",
        "actualice el tablero",
    )


def renglon_imposible() -> Rechazo:
    return Rechazo(
        "RENGLON",
        "No se guardó ese renglón: no es un número de acta",
        "se tecleó algo muy largo o con signos raros",
        "borre el renglón y escriba sólo el número, o marque ILEGIBLE o SIN DATO",
    )


def renglones_ajenos(acta: IdActa) -> Rechazo:
    return Rechazo(
        "RENGLONES_AJENOS",
        f"No se guardó: ese renglón no es de los que le tocan del acta {acta.casilla}",
        "la página quedó de un momento anterior",
        "regrese al inicio y abra el acta otra vez",
    )


def imagen_cambio(acta: IdActa) -> Rechazo:
    return Rechazo(
        "IMAGEN_CAMBIO",
        f"La imagen del acta {acta.casilla} cambió mientras usted la leía. Mírela de nuevo",
        "se digitalizó mientras tanto, y la que llegó es la que vale",
        "lo que tecleó sigue aquí: compárelo, renglón por renglón, con la imagen nueva y mándelo otra vez",
    )


def imagen_por_confirmar(acta: IdActa) -> Rechazo:
    return Rechazo(
        "IMAGEN_POR_CONFIRMAR",
        f"La imagen del acta {acta.casilla} cambió después de leerse, y falta decidir si muestra lo mismo",
        "se digitalizó otra vez cuando ya tenía dos lecturas",
        "lleve el papel a coordinación: ahí dicen si la imagen nueva muestra lo mismo o se captura otra vez",
    )


def en_caja_cerrada(acta: IdActa, caja: str) -> Rechazo:
    return Rechazo(
        "EN_CAJA_CERRADA",
        f"El papel del acta {acta.casilla} está en la {caja[:20]}, que ya se cerró con su relación",
        "se guardó ahí, o se tecleó la clave de otra casilla",
        "compare la clave con su papel; si de veras hay que sacarla, coordinación reabre esa caja",
    )


def espera_otra_imagen(acta: IdActa) -> Rechazo:
    return Rechazo(
        "ESPERA_OTRA_IMAGEN",
        f"El acta {acta.casilla} está apartada hasta que se digitalice otra vez",
        "alguien dijo que su imagen no se ve bien",
        "digitalícela, o pida a coordinación que la regrese a la fila",
    )


def no_espera_imagen(acta: IdActa) -> Rechazo:
    return Rechazo(
        "NO_ESPERA_IMAGEN",
        f"El acta {acta.casilla} no está apartada",
        "ya llegó su imagen nueva o alguien más la regresó a la fila",
        "actualice el tablero",
    )


def lectura_de_otro_papel(acta: IdActa) -> Rechazo:
    return Rechazo(
        "PAPEL",
        f"La lectura que le falta al acta {acta.casilla} es de otro papel",
        "captura hace las primeras lecturas y verificación las demás",
        "tome la siguiente de la fila",
    )
