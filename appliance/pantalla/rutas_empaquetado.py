"""El empaquetado: qué va en la caja abierta, lo que falta por guardar, y la relación con QR al cerrarla."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.documentos.relacion_de_caja import pdf_de_relacion
from appliance.empaquetado import MOTIVOS_REABRIR, Caja, Empacador
from appliance.falla import Falla
from appliance.pantalla.acta_nombrada import actas_nombradas, en_palabras
from appliance.pantalla.aviso_de_impreso import Documento, aviso_de
from appliance.pantalla.pagina import (
    Aviso,
    Entrada,
    Pantalla,
    PideAcopio,
    PideCoordinacion,
    de_rechazo,
    persona_de,
)
from appliance.pantalla.rutas_coordinacion import nombre_de, p_local, tablero_de
from appliance.tablero import Ficha, Situacion
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

A_LA_VISTA: Final = 6
_RUTA: Final = "/empaquetado"


def agregar(app: FastAPI, p: Pantalla) -> None:
    tablero = tablero_de(app, p)
    empacador = Empacador(p.mesa)

    def pagina(
        e: Entrada, error: Aviso | None = None, elegir: list[IdActa] | None = None, forzar: IdActa | None = None
    ) -> Response:
        cajas = empacador.cajas()
        if isinstance(cajas, Rechazo):
            raise Falla(cajas.codigo, cajas.que, cajas.causa, cajas.siguiente)
        por_guardar, por_verificar = _faltan(list(tablero.retrato(p.ahora()).fichas))
        return p.pagina(
            "empaquetado.html",
            e,
            titulo="Empaquetado",
            abierta=cajas[-1],
            anteriores=cajas[:-1][::-1],
            reabre=persona_de(e).coordina,
            motivos=MOTIVOS_REABRIR,
            por_guardar=por_guardar[:A_LA_VISTA],
            faltan=len(por_guardar),
            por_verificar=por_verificar,
            total=sum(len(c.actas) for c in cajas),
            que=e.texto("que"),
            error=error,
            elegir=elegir or [],
            forzar=forzar,
            donde=lambda acta: en_palabras(p, acta),
            nombre=lambda clave: nombre_de(p, clave),
            local=p_local(p),
            codigo=422 if error else 200,
        )

    @app.get(_RUTA)
    def ver(e: PideAcopio) -> Response:
        return pagina(e)

    @app.post(_RUTA)
    def guardar(e: PideAcopio) -> Response:
        persona = persona_de(e)

        def accion() -> tuple[str, Aviso | None] | Response:
            actas = actas_nombradas(p, e.texto("que"))
            if isinstance(actas, Rechazo):
                return pagina(e, de_rechazo(actas))
            actas = [a for a in actas if e.texto("eleccion") in ("", a.eleccion)] or actas
            if len(actas) > 1:
                return pagina(e, elegir=actas)
            forzar = persona.coordina and e.texto("forzar") == "1"
            hecha = empacador.empacar(actas[0], persona.clave, sin_verificar=forzar)
            if isinstance(hecha, Rechazo):
                puede = hecha.codigo == "POR_VERIFICAR" and persona.coordina
                return pagina(e, de_rechazo(hecha), forzar=actas[0] if puede else None)
            donde = en_palabras(p, actas[0])
            if hecha.asiento is None:
                return _RUTA, Aviso(True, f"Ya estaba en la {hecha.caja}: {donde}", "", "siga con la siguiente")
            if hecha.antes:
                que = f"estaba en la {hecha.antes}: sáquela de ahí y vuelva a imprimir esa relación"
                return _RUTA, Aviso(True, f"En la {hecha.caja}: {donde}", que, "siga con la siguiente")
            return _RUTA, Aviso(True, f"En la {hecha.caja}: {donde}", "", "métala en la caja y siga con la siguiente")

        return p.una_vez(e, accion)

    @app.post(_RUTA + "/cerrar")
    def cerrar(e: PideAcopio) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            caja = empacador.cerrar_caja(persona, e.texto("abierta"))
            if isinstance(caja, Rechazo):
                return _RUTA, de_rechazo(caja)
            return _RUTA, _imprimir(p, caja, persona)

        return p.una_vez(e, accion)

    @app.post(_RUTA + "/reabrir")
    def reabrir(e: PideCoordinacion) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            if e.texto("motivo") not in MOTIVOS_REABRIR:
                return _RUTA, _FALTA_MOTIVO
            caja = empacador.reabrir_caja(persona, e.texto("caja"), e.texto("motivo"))
            if isinstance(caja, Rechazo):
                return _RUTA, de_rechazo(caja)
            siguiente = "rompa su relación impresa: al cerrarla otra vez saldrá una nueva"
            return _RUTA, Aviso(True, f"Se reabrió la {caja.nombre}", "quedó anotado quién y por qué", siguiente)

        return p.una_vez(e, accion)

    @app.post(_RUTA + "/relacion")
    def relacion(e: PideAcopio) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            cajas = empacador.cajas()
            if isinstance(cajas, Rechazo):
                return _RUTA, de_rechazo(cajas)
            caja = next((c for c in cajas if c.nombre == e.texto("caja") and c.actas), None)
            if caja is None:
                return _RUTA, Aviso(False, "Esa caja no tiene actas", "la página quedó de antes", "elija otra")
            return _RUTA, _imprimir(p, caja, persona)

        return p.una_vez(e, accion)


def _faltan(fichas: list[Ficha]) -> tuple[list[Ficha], int]:
    """Las verificadas que no están en ninguna caja (cotejadas primero), y cuántas acopiadas aún no se verifican."""
    en_duda = Situacion.IMAGEN_POR_CONFIRMAR
    sueltas = [f for f in fichas if f.verificada and not f.caja and f.situacion is not en_duda]
    sueltas.sort(key=lambda f: (f.situacion is not Situacion.POR_EMPACAR, f.desde))
    sin_verificar = sum(not f.verificada and not f.caja and f.situacion is not Situacion.SIN_ACTA for f in fichas)
    return sueltas, sin_verificar


_FALTA_MOTIVO: Final = Aviso(
    False, "No se reabrió: falta decir por qué", "quedó sin elegir", "toque «Reabrir» y elija el motivo"
)


def _imprimir(p: Pantalla, caja: Caja, persona: str) -> Aviso:
    ahora = p.ahora()
    pdf = pdf_de_relacion(caja, p.kiosco.identidad, p.proceso, ahora)
    impreso = p.imprenta.imprimir(pdf, f"relación {caja.nombre}", ahora)
    with p.kiosco.almacen.transaccion() as t:
        t.anotar(ahora, "relacion_impresa", persona=persona, detalle=f"{caja.nombre}: {len(caja.actas)} actas")
    nombre = f"Relación de la {caja.nombre}"
    return aviso_de(
        impreso,
        Documento(nombre, "impresa", "métala en la caja y séllela", "imprímala en otro equipo y métala en la caja"),
    )
