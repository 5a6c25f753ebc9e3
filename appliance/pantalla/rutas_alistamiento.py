"""El informe de alistamiento: probar el escáner, hacerlo, verlo renglón por renglón e imprimirlo."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.alistamiento import Aparatos, Estado, Informe, informe, tirar_restos
from appliance.corriente import corriente
from appliance.documentos.informe_de_alistamiento import VEREDICTOS, pdf_de_informe
from appliance.pantalla.aviso_de_impreso import Documento, aviso_de
from appliance.pantalla.en_segundo_plano import EnSegundoPlano
from appliance.pantalla.pagina import Aviso, Pantalla, PideCoordinacion, de_rechazo, persona_de
from appliance.prueba_de_escaner import PruebaDeEscaner
from nucleo.problema import Rechazo

_RUTA: Final = "/coordinacion/alistamiento"
_INFORME: Final = Documento(
    "Informe", "impreso", "fírmelo y archívelo", "imprímalo en otro equipo, fírmelo y archívelo"
)
_SIGNOS: Final = {Estado.BIEN: "✔", Estado.ATENCION: "▲", Estado.MAL: "✖", Estado.NO_PROBADO: "○"}
_YA: Final = {"HX-Refresh": "true"}
_YA_SE_HACE: Final = Aviso(
    False,
    "El suyo no empezó: ya se está haciendo uno",
    "otra persona lo pidió antes, o se tocó dos veces; saldrá con el nombre de quien lo pidió primero",
    "espere a verlo; si lo quiere a su nombre, hágalo otra vez cuando termine",
)
_SIN_ESCANER: Final = Rechazo(
    "SIN_ESCANER",
    "Este puesto no tiene escáner",
    "no está conectado, o el kiosco se arrancó sin aparatos",
    "conéctelo, espere unos segundos y pruebe otra vez",
)


def agregar(app: FastAPI, p: Pantalla) -> None:
    hechos: list[Informe] = []
    """El último que se hizo desde que arrancó la pantalla; los anteriores están en PDF."""
    tirar_restos(p.kiosco.carpeta)
    digitalizadora = p.puesto.digitalizadora
    fuente = digitalizadora.escaner if digitalizadora is not None else (lambda: _SIN_ESCANER)
    prueba = PruebaDeEscaner(fuente, p.kiosco.carpeta)
    app.state.prueba_de_escaner = prueba
    # Escribe y asegura 4 MB, recorre la bitácora y lee el programa entero: más de lo que se espera con el dedo encima.
    haciendo = app.state.informe_de_alistamiento = EnSegundoPlano("informe")

    @app.get(_RUTA)
    def ver(e: PideCoordinacion) -> Response:
        tomado = haciendo.aviso(e.sesion.azar)
        dicho: dict[str, Any] = {} if tomado is None else {"aviso": tomado}
        return p.pagina(
            "alistamiento.html",
            e,
            **dicho,
            haciendo=haciendo.corriendo,
            titulo="Informe de alistamiento",
            informe=hechos[-1] if hechos else None,
            es_el_anterior=haciendo.tropezo,
            veredictos=VEREDICTOS,
            signos=_SIGNOS,
            estados=list(Estado),
            probando=prueba.corriendo,
            probada=prueba.resultado is not None,
        )

    @app.get(_RUTA + "/avance")
    def avance(e: PideCoordinacion) -> Response:
        # htmx pregunta; al terminar, la página entera se vuelve a pedir.
        return Response(status_code=204, headers={} if prueba.corriendo or haciendo.corriendo else _YA)

    @app.post(_RUTA + "/escaner")
    def probar(e: PideCoordinacion) -> Response:
        def accion() -> tuple[str, Aviso | None]:
            haciendo.olvidar()
            if digitalizadora is None:
                return _RUTA, de_rechazo(_SIN_ESCANER)
            negada = prueba.empezar()
            return _RUTA, de_rechazo(negada) if negada is not None else None

        return p.una_vez(e, accion)

    @app.post(_RUTA)
    def hacer(e: PideCoordinacion) -> Response:
        persona = persona_de(e)

        def hazlo() -> Aviso:
            ahora = p.ahora()
            nuevo = informe(p.kiosco, tuple(p.personas.values()), _aparatos(p, prueba), ahora)
            hechos[:] = [nuevo]
            pdf = pdf_de_informe(nuevo, p.kiosco.identidad, p.proceso, persona.nombre)
            impreso = p.imprenta.imprimir(pdf, "informe de alistamiento", ahora)
            with p.kiosco.almacen.transaccion() as t:
                detalle = f"{nuevo.veredicto.value}; " + ", ".join(f"{nuevo.cuenta(x)} {x.value}" for x in Estado)
                t.anotar(ahora, "informe_generado", persona=persona.clave, detalle=detalle)
            return aviso_de(impreso, _INFORME)

        def accion() -> tuple[str, Aviso | None]:
            return _RUTA, None if haciendo.empezar(hazlo, e.sesion.azar) else _YA_SE_HACE

        return p.una_vez(e, accion)


def _aparatos(p: Pantalla, prueba: PruebaDeEscaner) -> Aparatos:
    hoja = prueba.resultado
    if p.imprenta.impresora is None:
        return Aparatos(corriente(), hoja)
    estado = p.imprenta.impresora.estado()
    if isinstance(estado, Rechazo):
        return Aparatos(corriente(), hoja, estado)
    return Aparatos(corriente(), hoja, f"{estado.nombre}: {estado.palabras}", estado.lista)
