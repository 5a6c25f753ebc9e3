"""Registrar que llegó una bolsa: por lector, por clave o por sección, y con un paso para comparar contra el papel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.esperadas import Esperada, Situacion
from appliance.pantalla.acta_nombrada import TIPOS, actas_nombradas
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, PideAcopio, de_rechazo, persona_de
from nucleo.acta import MECANISMOS_TRASLADO, TIPOS_DOCUMENTO, Origen
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

TRASLADOS: Final = {
    "": "Sin mecanismo de traslado",
    "D": "Dispositivo de apoyo",
    "F": "Centro de recepción fijo",
    "I": "Centro de recepción itinerante",
}
DOCUMENTOS: Final = {
    "ACTA PREP": "Acta PREP (la de la bolsa)",
    "RPP": "Copia de una representación de partido",
    "CC": "Copia del consejo",
    "PPC": "Cartel publicado en la casilla",
    "ACTA VMRE": "Acta de voto en el extranjero",
    "ACTA VA": "Acta de voto anticipado",
    "ACTA VPPP": "Acta de prisión preventiva",
    "ACTA UE": "Acta de urna electrónica",
}


def agregar(app: FastAPI, p: Pantalla) -> None:
    def buscar(e: Entrada, error: Aviso | None = None, candidatas: list[Esperada] | None = None) -> Response:
        datos = {"que": e.texto("que")}
        return p.pagina(
            "acopio.html",
            e,
            titulo="Acopio",
            datos=datos,
            error=error,
            candidatas=candidatas or [],
            tipos=TIPOS,
            codigo=422 if error else 200,
        )

    @app.get("/acopio")
    def acopio(e: PideAcopio) -> Response:
        return buscar(e)

    @app.post("/acopio/buscar")
    def buscar_que(e: PideAcopio) -> Response:
        que = e.texto("que")
        if que.isascii() and que.isdigit() and len(que) <= 4:
            candidatas = p.esperadas.de_seccion(int(que))
            if not candidatas:
                return buscar(e, _sin_seccion(que))
            return buscar(e, candidatas=candidatas)
        actas = actas_nombradas(p, que)
        if isinstance(actas, Rechazo):
            return buscar(e, de_rechazo(actas))
        if len(actas) > 1:
            conocidas = p.esperadas.de_seccion(p.proceso.casillas[actas[0].casilla].seccion)
            return buscar(e, candidatas=[x for x in conocidas if x.acta in actas])
        return confirmar(e, actas[0])

    def confirmar(e: Entrada, acta: IdActa, error: Aviso | None = None) -> Response:
        casilla = p.proceso.casillas.get(acta.casilla)
        eleccion = p.proceso.elecciones.get(acta.eleccion)
        if casilla is None or eleccion is None:
            return buscar(e, _NO_ESTA)
        datos = {
            "hora": e.texto("hora") or f"{p.ahora():%H:%M}",
            "origen": e.texto("origen") or Origen.CATD.value,
            "documento": e.texto("documento") or TIPOS_DOCUMENTO[0],
            "traslado": e.texto("traslado"),
        }
        return p.pagina(
            "acopio_confirmar.html",
            e,
            titulo="¿Es la de su papel?",
            acta=acta,
            casilla=casilla,
            eleccion=eleccion,
            situacion=next((x.situacion for x in p.esperadas.de_seccion(casilla.seccion) if x.acta == acta), None),
            Situacion=Situacion,
            datos=datos,
            error=error,
            tipos=TIPOS,
            traslados=TRASLADOS,
            documentos=DOCUMENTOS,
            origenes=Origen,
            codigo=422 if error else 200,
        )

    @app.get("/acopio/{eleccion}/{casilla}")
    def confirmar_esta(eleccion: str, casilla: str, e: PideAcopio) -> Response:
        return confirmar(e, IdActa(eleccion, casilla))

    @app.post("/acopio/{eleccion}/{casilla}")
    def acopiar(eleccion: str, casilla: str, e: PideAcopio) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None] | Response:
            hora = hora_estampada(e.texto("hora"), p.ahora())
            origen = next((o for o in Origen if o.value == e.texto("origen")), None)
            documento, traslado = e.texto("documento"), e.texto("traslado")
            if hora is None:
                return confirmar(e, acta, _HORA)
            if origen is None or documento not in TIPOS_DOCUMENTO or traslado not in MECANISMOS_TRASLADO:
                return confirmar(e, acta, _ELIJA)
            hecha = p.mesa.acopiar(
                acta,
                persona=persona_de(e).clave,
                origen=origen,
                tipo_documento=documento,
                mecanismo_traslado=traslado,
                hora=hora,
            )
            if isinstance(hecha, Rechazo):
                return confirmar(e, acta, de_rechazo(hecha))
            return f"/acopio/{eleccion}/{casilla}/hecho", None

        return p.una_vez(e, accion)

    @app.get("/acopio/{eleccion}/{casilla}/hecho")
    def hecho(eleccion: str, casilla: str, e: PideAcopio) -> Response:
        acta = IdActa(eleccion, casilla)
        acopio = p.mesa.acopio_de(acta)
        if isinstance(acopio, Rechazo):
            return buscar(e, de_rechazo(acopio))
        return p.pagina(
            "acopio_hecho.html",
            e,
            titulo="Acopio registrado",
            acta=acta,
            casilla=p.proceso.casillas[casilla],
            eleccion=p.proceso.elecciones[eleccion],
            acopio=acopio,
            hora=acopio.hora.astimezone(p.ahora().tzinfo),
            tipos=TIPOS,
            documentos=DOCUMENTOS,
        )


_NO_ESTA: Final = Aviso(
    False, "Esa casilla no está en el catálogo aprobado", "se tecleó mal", "busque por sección, con los cuatro números"
)
_HORA: Final = Aviso(False, "La hora no se entiende", "falta un dígito o los dos puntos", "escríbala como 20:35")
_ELIJA: Final = Aviso(False, "Falta elegir de dónde vino o qué documento es", "quedó sin elegir", "elíjalo y registre")


def _sin_seccion(seccion: str) -> Aviso:
    return Aviso(
        False,
        f"No se espera ninguna casilla de la sección {seccion} en este CATD",
        "se tecleó mal o el paquete es de otro CATD",
        "revise el número en el papel; si es de otro CATD, teclee la clave completa o avise a coordinación",
    )


def hora_estampada(texto: str, ahora: datetime) -> datetime | None:
    """La hora `HH:MM` más reciente que no pase de ahora por más de media hora; `None` si no se entiende.

    La noche cruza la medianoche: a las 00:20, «23:50» es de ayer.
    """
    partes = texto.split(":")
    if len(partes) != 2 or not all(x.isascii() and x.isdigit() and len(x) <= 2 for x in partes):
        return None
    hora, minuto = map(int, partes)
    if hora > 23 or minuto > 59:
        return None
    estampada = ahora.replace(hour=hora, minute=minuto, second=0, microsecond=0)
    return estampada - timedelta(days=1) if estampada > ahora + timedelta(minutes=30) else estampada
