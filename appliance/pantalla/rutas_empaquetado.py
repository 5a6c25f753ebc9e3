"""El empaquetado: qué va en la caja abierta, lo que falta por guardar, y la relación con QR al cerrarla."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.documentos.relacion_de_caja import nombre_de_relacion, pdf_de_relacion
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
        e: Entrada,
        error: Aviso | None = None,
        elegir: list[IdActa] | None = None,
        forzar: IdActa | None = None,
        accion: str = _RUTA,
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
            que=e.texto("que") if accion == _RUTA else "",
            error=error,
            elegir=elegir or [],
            elegida=accion,
            relacion=lambda caja: _de_su_relacion(p, caja),
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
            actas = _nombradas(p, e)
            if isinstance(actas, Rechazo):
                return pagina(e, de_rechazo(actas))
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
                que = f"estaba en la {hecha.antes}: sáquela de ahí{la_de(hecha.antes)}"
                return _RUTA, Aviso(True, f"En la {hecha.caja}: {donde}", que, "siga con la siguiente")
            return _RUTA, Aviso(True, f"En la {hecha.caja}: {donde}", "", "métala en la caja y siga con la siguiente")

        return p.una_vez(e, accion)

    @app.post(_RUTA + "/sacar")
    def sacar(e: PideAcopio) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None] | Response:
            actas = _nombradas(p, e)
            if isinstance(actas, Rechazo):
                return _RUTA, de_rechazo(actas)
            if len(actas) > 1:
                return pagina(e, elegir=actas, accion=_RUTA + "/sacar")
            hecha = empacador.sacar(actas[0], persona)
            if isinstance(hecha, Rechazo):
                return _RUTA, de_rechazo(hecha)
            que = f"ya no está en ninguna caja{la_de(hecha.antes)}"
            siguiente = "saque el papel; cuando se pueda, guárdelo otra vez"
            return _RUTA, Aviso(True, f"Salió de la {hecha.antes}: {en_palabras(p, actas[0])}", que, siguiente)

        return p.una_vez(e, accion)

    def la_de(nombre: str) -> str:
        cajas = empacador.cajas()
        caja = None if isinstance(cajas, Rechazo) else next((c for c in cajas if c.nombre == nombre), None)
        return f"; {_de_su_relacion(p, caja)}" if caja is not None and caja.reabierta else ""

    @app.post(_RUTA + "/cerrar")
    def cerrar(e: PideAcopio) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            caja = empacador.cerrar_caja(persona, e.texto("abierta"), e.texto("visto"))
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
            siguiente = "destruya su relación impresa; para quitar un acta, «Sacar un acta de su caja»"
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
            if caja.cerrada is None:
                return _RUTA, _SIN_CERRAR
            return _RUTA, _imprimir(p, caja, persona)

        return p.una_vez(e, accion)


def _faltan(fichas: list[Ficha]) -> tuple[list[Ficha], int]:
    """Las verificadas que no están en ninguna caja (cotejadas primero), y cuántas acopiadas aún no se verifican."""
    en_duda = Situacion.IMAGEN_POR_CONFIRMAR
    sueltas = [f for f in fichas if f.verificada and not f.caja and f.situacion is not en_duda]
    sueltas.sort(key=lambda f: (f.situacion is not Situacion.POR_EMPACAR, f.desde))
    sin_verificar = sum(not f.verificada and not f.caja and f.situacion is not Situacion.SIN_ACTA for f in fichas)
    return sueltas, sin_verificar


def _nombradas(p: Pantalla, e: Entrada) -> list[IdActa] | Rechazo:
    actas = actas_nombradas(p, e.texto("que"))
    if isinstance(actas, Rechazo):
        return actas
    return [a for a in actas if e.texto("eleccion") in ("", a.eleccion)] or actas


def _de_su_relacion(p: Pantalla, caja: Caja) -> str:
    """Qué se hace con la relación que anda por ahí de una caja reabierta."""
    if caja.anterior is None:
        return ""
    de_las = f"su relación de las {caja.anterior.astimezone(p.ahora().tzinfo):%H:%M}"
    if not caja.actas:
        return f"quedó vacía: destruya {de_las}"
    return f"{de_las} ya no vale: destrúyala; al cerrar la caja otra vez saldrá la relación {caja.relacion}"


_SIN_CERRAR: Final = Aviso(
    False,
    "Esa caja no está cerrada: no tiene relación que valga",
    "coordinación la reabrió, y la página quedó de antes",
    "ciérrela otra vez y saldrá la nueva",
)
_FALTA_MOTIVO: Final = Aviso(
    False, "No se reabrió: falta decir por qué", "quedó sin elegir", "toque «Reabrir» y elija el motivo"
)


def _imprimir(p: Pantalla, caja: Caja, persona: str) -> Aviso:
    ahora = p.ahora()
    pdf = pdf_de_relacion(caja, p.kiosco.identidad, p.proceso, ahora)
    impreso = p.imprenta.imprimir(pdf, f"relación {caja.nombre}", ahora)
    detalle = f"{caja.nombre}: {len(caja.actas)} actas, relación {caja.relacion}"
    with p.kiosco.almacen.transaccion() as t:
        t.anotar(ahora, "relacion_impresa", persona=persona, detalle=detalle)
    nombre = nombre_de_relacion(caja, p.proceso)
    return aviso_de(
        impreso,
        Documento(nombre, "impresa", "métala en la caja y séllela", "imprímala en otro equipo y métala en la caja"),
    )
