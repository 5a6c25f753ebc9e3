"""La mochila USB y el recibo de un acta: lo que sale del kiosco en mano."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.copia_en_curso import CopiaEnCurso
from appliance.documentos.comprobante_de_mochila import pdf_de_comprobante
from appliance.documentos.recibo import pdf_de_recibo, recibo_de
from appliance.llave import LlaveDeArchivo
from appliance.memorias import memoria_en, memorias
from appliance.mochila import Comprobante, Mochila, sello_de
from appliance.pantalla.aviso_de_impreso import Documento, aviso_de
from appliance.pantalla.pagina import Aviso, Pantalla, PideAcopio, PideCoordinacion, de_rechazo, persona_de
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

_RUTA: Final = "/coordinacion/mochila"
_RECIBO: Final = Documento(
    "Recibo", "impreso", "fírmenlo los dos y entréguelo", "imprímalo en otro equipo, o que le tomen una foto"
)


def agregar(app: FastAPI, p: Pantalla) -> None:
    copia = CopiaEnCurso(p.kiosco.almacen)
    app.state.copia_en_curso = copia
    app.state.raices_de_memorias = p.puesto.memorias

    @app.get(_RUTA)
    def ver(e: PideCoordinacion) -> Response:
        return p.pagina(
            "mochila.html",
            e,
            titulo="Mochila USB",
            memorias=memorias(app.state.raices_de_memorias),
            resumen=p.kiosco.almacen.resumen(),
            copiando=copia.corriendo,
            hecha=copia.resultado if isinstance(copia.resultado, Comprobante) else None,
            fallida=copia.resultado if isinstance(copia.resultado, Rechazo) else None,
            impreso=copia.impreso,
        )

    @app.get(_RUTA + "/avance")
    def avance(e: PideCoordinacion) -> Response:
        # htmx pregunta; al terminar, la página entera se vuelve a pedir.
        return Response(status_code=204, headers={} if copia.corriendo else {"HX-Refresh": "true"})

    @app.post(_RUTA)
    def copiar(e: PideCoordinacion) -> Response:
        persona = persona_de(e).clave

        def accion() -> tuple[str, Aviso | None]:
            memoria = memoria_en(e.texto("memoria"), app.state.raices_de_memorias)
            if isinstance(memoria, Rechazo):
                return _RUTA, de_rechazo(memoria)
            mochila = _mochila(p)
            negada = copia.empezar(
                lambda: mochila.exportar(memoria, p.ahora()), lambda h: _imprimir(p, h), persona, p.ahora
            )
            return _RUTA, de_rechazo(negada) if negada is not None else None

        return p.una_vez(e, accion)

    @app.post("/recibo/{eleccion}/{casilla}")
    def recibo(eleccion: str, casilla: str, e: PideAcopio) -> Response:
        acta, persona = IdActa(eleccion, casilla), persona_de(e)
        destino = f"/coordinacion/acta/{eleccion}/{casilla}"
        if not persona.coordina:
            destino = f"/acopio/{eleccion}/{casilla}/hecho"

        def accion() -> tuple[str, Aviso | None]:
            if isinstance(ajena := p.mesa.renglones(acta), Rechazo):
                return "/", de_rechazo(ajena)
            datos = recibo_de(p.kiosco.almacen, acta, p.kiosco.identidad, p.proceso)
            if isinstance(datos, Rechazo):
                return destino, de_rechazo(datos)
            ahora = p.ahora()
            pdf = pdf_de_recibo(datos, p.kiosco.identidad, p.proceso, ahora)
            impreso = p.imprenta.imprimir(pdf, f"recibo {eleccion} {casilla}", ahora)
            with p.kiosco.almacen.transaccion() as t:
                detalle = f"imagen {datos.imagen[:16]}, hoja {datos.huella[:16]}"
                t.anotar(ahora, "recibo_impreso", persona=persona.clave, acta=str(acta), detalle=detalle)
            return destino, aviso_de(impreso, _RECIBO)

        return p.una_vez(e, accion)


def _mochila(p: Pantalla) -> Mochila:
    llave = LlaveDeArchivo(p.kiosco.carpeta / "llave.pem", p.kiosco.identidad.equipo)
    sello = sello_de(p.kiosco.carpeta)
    modo = p.kiosco.identidad.modo
    return Mochila(p.kiosco.almacen, p.mesa.imagenes, llave, llave.publica(), p.proceso.clave, modo, sello)


def _imprimir(p: Pantalla, hecha: Comprobante) -> str:
    ahora = p.ahora()
    pdf = pdf_de_comprobante(hecha, p.kiosco.identidad, p.proceso, ahora)
    return f"/impreso/{p.imprenta.imprimir(pdf, 'comprobante de mochila', ahora).archivo}"
