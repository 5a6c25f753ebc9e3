"""Declarar que no hay acta: una persona lo dice y coordinación lo confirma con su gafete y su NIP."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.pantalla.acta_nombrada import clave_tecleada
from appliance.pantalla.confirmacion import confirmar, quienes_confirman
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, PideAcopio, de_rechazo, persona_de
from appliance.personas import Papel
from nucleo.acta import MotivoSinActa
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

MOTIVOS: Final = {
    MotivoSinActa.PAQUETE_NO_ENTREGADO: "El paquete no se entregó",
    MotivoSinActa.CASILLA_NO_INSTALADA: "La casilla no se instaló",
    MotivoSinActa.PAQUETE_SIN_BOLSA: "El paquete llegó sin la bolsa PREP",
}
"""Las tres causas del LEEME. La cuarta, contingencia de urna electrónica, es de las actas de urna electrónica."""
_CON_URNA: Final = {
    **MOTIVOS,
    MotivoSinActa.CONTINGENCIA_URNA_ELECTRONICA: "Contingencia de urna electrónica",
}


def agregar(app: FastAPI, p: Pantalla) -> None:
    motivos = _CON_URNA if any("UE" in e.tipo_acta for e in p.proceso.elecciones.values()) else MOTIVOS

    def formulario(e: Entrada, error: Aviso | None = None, **puesto: str) -> Response:
        datos = {n: e.texto(n) or puesto.get(n, "") for n in ("casilla", "eleccion", "motivo", "confirma")}
        return p.pagina(
            "sin_acta.html",
            e,
            titulo="Declarar sin acta",
            datos=datos,
            error=error,
            motivos=[(m.value, texto) for m, texto in motivos.items()],
            coordinan=quienes_confirman(p, e, Papel.COORDINACION),
            codigo=422 if error else 200,
        )

    @app.get("/sin-acta")
    def sin_acta(e: PideAcopio, eleccion: str = "", casilla: str = "") -> Response:
        return formulario(e, eleccion=eleccion[:40], casilla=casilla[:40])

    @app.post("/sin-acta")
    def declarar(e: PideAcopio) -> Response:
        def accion() -> tuple[str, Aviso | None] | Response:
            motivo = next((m for m in motivos if str(m.value) == e.texto("motivo")), None)
            if motivo is None:
                return formulario(e, Aviso(False, "Falta el motivo", "quedó sin elegir", "elíjalo y vuelva a declarar"))
            confirma = confirmar(p, e, Papel.COORDINACION)
            if isinstance(confirma, Rechazo):
                return formulario(e, de_rechazo(confirma))
            acta = IdActa(e.texto("eleccion"), clave_tecleada(e.texto("casilla")))
            hecha = p.mesa.declarar_sin_acta(acta, persona_de(e).clave, confirma.clave, motivo)
            if isinstance(hecha, Rechazo):
                return formulario(e, de_rechazo(hecha))
            return "/", Aviso(True, f"{acta.casilla} quedó declarada sin acta", motivos[motivo], "si aparece, acópiela")

        return p.una_vez(e, accion)
