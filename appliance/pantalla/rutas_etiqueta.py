"""Imprimir la etiqueta de un acta acopiada, y ver el PDF de lo impreso."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance import etiquetas
from appliance.documentos.etiqueta import DatosDeEtiqueta, etiqueta
from appliance.pantalla.aviso_de_impreso import Documento, aviso_de
from appliance.pantalla.pagina import Aviso, Pantalla, PideAcopio, PidePersona, de_rechazo, persona_de
from nucleo.etiqueta import legible, texto_code128, texto_qr
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo


def agregar(app: FastAPI, p: Pantalla) -> None:
    @app.post("/acopio/{eleccion}/{casilla}/etiqueta")
    def imprimir(eleccion: str, casilla: str, e: PideAcopio) -> Response:
        acta, persona = IdActa(eleccion, casilla), persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            acopio = p.mesa.acopio_de(acta)
            if isinstance(acopio, Rechazo):
                return "/acopio", de_rechazo(acopio)
            destino = f"/acopio/{eleccion}/{casilla}/hecho"
            nueva = etiquetas.emitir(p.kiosco.almacen, acta, persona, p.ahora())
            pdf = etiqueta(
                DatosDeEtiqueta(
                    p.proceso.casillas[casilla],
                    p.proceso.elecciones[eleccion],
                    texto_qr(nueva),
                    texto_code128(nueva),
                    legible(nueva),
                    acopio.hora.astimezone(p.ahora().tzinfo),
                    p.kiosco.identidad.catd,
                    p.kiosco.identidad.modo,
                )
            )
            impreso = p.imprenta.imprimir(pdf, f"etiqueta {eleccion} {casilla}", p.ahora())
            with p.kiosco.almacen.transaccion() as t:
                evento = "impresion_fallida" if impreso.porque else "etiqueta_impresa"
                detalle = impreso.porque.codigo if impreso.porque else impreso.impresora or "PDF"
                t.anotar(p.ahora(), evento, persona=persona, acta=str(acta), detalle=detalle)
            return destino, aviso_de(impreso, _ETIQUETA)

        return p.una_vez(e, accion)

    @app.get("/impreso/{archivo}")
    def impreso(archivo: str, e: PidePersona) -> Response:
        pdf = p.imprenta.leer(archivo)
        if pdf is None:
            aviso = Aviso(False, "Ese documento no está", "es de antes o de otro kiosco", "imprímalo otra vez")
            return p.pagina("error.html", e, titulo="Aviso", aviso=aviso, codigo=404)
        return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": "inline"})


_ETIQUETA: Final = Documento("Etiqueta", "impresa", "péguela donde dice «código»", "escriba la clave a mano")
