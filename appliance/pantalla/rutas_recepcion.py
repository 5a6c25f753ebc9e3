"""Registrar el acopio de un acta y declarar que un paquete llegó sin ella."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, Pide, de_rechazo, persona_de
from nucleo.acta import MotivoSinActa, Origen
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

MOTIVOS: Final = {
    MotivoSinActa.PAQUETE_NO_ENTREGADO: "El paquete no se entregó",
    MotivoSinActa.CASILLA_NO_INSTALADA: "La casilla no se instaló",
    MotivoSinActa.PAQUETE_SIN_BOLSA: "El paquete llegó sin la bolsa PREP",
    MotivoSinActa.CONTINGENCIA_URNA_ELECTRONICA: "Contingencia de urna electrónica",
}


def agregar(app: FastAPI, p: Pantalla) -> None:
    def formulario_acopio(e: Entrada, error: Aviso | None = None) -> Response:
        datos = {
            "casilla": e.texto("casilla"),
            "eleccion": e.texto("eleccion"),
            "hora": e.texto("hora") or f"{p.ahora():%H:%M}",
        }
        return p.pagina(
            "acopio.html", e, titulo="Registrar acopio", datos=datos, error=error, codigo=422 if error else 200
        )

    @app.get("/acopio")
    def acopio(e: Pide) -> Response:
        persona_de(e)
        return formulario_acopio(e)

    @app.post("/acopio")
    def acopiar(e: Pide) -> Response:
        def accion() -> tuple[str, Aviso | None] | Response:
            hora = hora_estampada(e.texto("hora"), p.ahora())
            if hora is None:
                return formulario_acopio(
                    e,
                    Aviso(False, "La hora no se entiende", "falta un dígito o los dos puntos", "escríbala como 20:35"),
                )
            acta = IdActa(e.texto("eleccion"), clave_tecleada(e.texto("casilla")))
            hecha = p.mesa.acopiar(acta, persona=persona_de(e).clave, origen=Origen.CATD, hora=hora)
            if isinstance(hecha, Rechazo):
                return formulario_acopio(e, de_rechazo(hecha))
            casilla = p.proceso.casillas[acta.casilla]
            donde = casilla.municipio_nombre or casilla.distrito_nombre
            detalle = f"sección {casilla.seccion}, {donde}, a las {hora:%H:%M}"
            return "/acopio", Aviso(True, f"Acopiada {acta.casilla} ({detalle})", "", "compare la clave con el papel")

        return p.una_vez(e, accion)

    def formulario_sin_acta(e: Entrada, error: Aviso | None = None) -> Response:
        datos = {n: e.texto(n) for n in ("casilla", "eleccion", "motivo", "confirma")}
        propia = persona_de(e).clave
        quienes = [x for x in p.personas.values() if x.coordina and x.clave != propia]
        return p.pagina(
            "sin_acta.html",
            e,
            titulo="Declarar sin acta",
            datos=datos,
            error=error,
            motivos=[(m.value, texto) for m, texto in MOTIVOS.items()],
            coordinan=quienes,
            codigo=422 if error else 200,
        )

    @app.get("/sin-acta")
    def sin_acta(e: Pide) -> Response:
        return formulario_sin_acta(e)

    @app.post("/sin-acta")
    def declarar(e: Pide) -> Response:
        def accion() -> tuple[str, Aviso | None] | Response:
            motivo = next((m for m in MotivoSinActa if str(m.value) == e.texto("motivo")), None)
            confirma = p.personas.get(e.texto("confirma"))
            if motivo is None or confirma is None or not confirma.coordina:
                falta = "el motivo" if motivo is None else "quién confirma por coordinación"
                return formulario_sin_acta(
                    e, Aviso(False, f"Falta {falta}", "quedó sin elegir", "elíjalo y vuelva a declarar")
                )
            acta = IdActa(e.texto("eleccion"), clave_tecleada(e.texto("casilla")))
            hecha = p.mesa.declarar_sin_acta(acta, persona_de(e).clave, confirma.clave, motivo)
            if isinstance(hecha, Rechazo):
                return formulario_sin_acta(e, de_rechazo(hecha))
            return "/", Aviso(True, f"{acta.casilla} quedó declarada sin acta", MOTIVOS[motivo], "si aparece, acópiela")

        return p.una_vez(e, accion)


def clave_tecleada(texto: str) -> str:
    """La clave como va en el catálogo: mayúsculas y sin los espacios o guiones con que la separa la vista."""
    return "".join(c for c in texto.upper() if c not in " -")[:40]


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
