"""El tablero del CATD y lo que sólo coordinación puede hacer con un acta."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.encargos import PLAZO_ENCARGO
from appliance.falla import Falla
from appliance.pantalla.acta_nombrada import TIPOS, en_palabras, lugar
from appliance.pantalla.grafica import avance_por_hora
from appliance.pantalla.hoja import en_palabras as campo_en_palabras
from appliance.pantalla.hoja import renglones_de
from appliance.pantalla.linea_de_tiempo import pasos_de
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, PideCoordinacion, de_rechazo, persona_de
from appliance.redigitalizacion import MOTIVOS_IMAGEN, imagen_de
from appliance.tablero import Ficha, Situacion, Tablero
from nucleo.captura import Verificada, estado_de
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

POR_PAGINA: Final = 40

MOTIVOS_RECAPTURA: Final = {
    "otra": "se capturó la imagen de otra acta",
    "papel": "no coincide con el papel",
    "solicitud": "lo solicitó una representación de partido",
    "redigitalizada": "se digitalizó otra vez",
}
"""Por qué se recaptura. Son fijos: un motivo libre podría decirle un número a quien lee a ciegas."""


def agregar(app: FastAPI, p: Pantalla) -> None:
    tablero = tablero_de(app, p)

    @app.get("/coordinacion")
    def ver(e: PideCoordinacion, situacion: str = "", seccion: str = "", desde: int = 0) -> Response:
        ahora = p.ahora()
        retrato = tablero.retrato(ahora)
        elegida = next((s for s in Situacion if s.name == situacion), None)
        fichas = [f for f in retrato.fichas if elegida is None or f.situacion is elegida]
        if seccion.strip():
            fichas = [f for f in fichas if _seccion(p, f) == seccion.strip().lstrip("0")]
        desde = max(0, desde) if desde < len(fichas) else 0
        return p.pagina(
            "coordinacion.html",
            e,
            titulo="Coordinación",
            retrato=retrato,
            fichas=fichas[desde : desde + POR_PAGINA],
            cuantas=len(fichas),
            desde=desde,
            por_pagina=POR_PAGINA,
            elegida=elegida,
            seccion=seccion.strip()[:4],
            con_problemas=sum(bool(f.problemas) for f in retrato.fichas),
            grafica=avance_por_hora(retrato.avance),
            hace=lambda hora: hace(hora, ahora),
            donde=lambda acta: en_palabras(p, acta),
            local=p_local(p),
        )

    @app.get("/coordinacion/acta/{eleccion}/{casilla}")
    def detalle(eleccion: str, casilla: str, e: PideCoordinacion) -> Response:
        return _detalle(p, tablero, e, IdActa(eleccion, casilla))

    @app.post("/coordinacion/acta/{eleccion}/{casilla}/liberar")
    def liberar(eleccion: str, casilla: str, e: PideCoordinacion) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            hecha = p.mesa.liberar(acta, persona_de(e).clave)
            if isinstance(hecha, Rechazo):
                return _ruta(acta), de_rechazo(hecha)
            return _ruta(acta), Aviso(True, "Acta liberada", "volvió a la fila", "la tomará quien siga")

        return p.una_vez(e, accion)

    @app.post("/coordinacion/acta/{eleccion}/{casilla}/recaptura")
    def recapturar(eleccion: str, casilla: str, e: PideCoordinacion) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            motivo = MOTIVOS_RECAPTURA.get(e.texto("motivo"))
            if motivo is None:
                return _ruta(acta), _FALTA_MOTIVO
            hecha = p.mesa.pedir_recaptura(acta, persona_de(e).clave, motivo)
            if isinstance(hecha, Rechazo):
                return _ruta(acta), de_rechazo(hecha)
            que = "La vuelta anterior sigue publicada hasta que se verifique la nueva"
            return _ruta(acta), Aviso(True, "Se pidió volver a capturarla", "empieza en blanco, con dos lecturas", que)

        return p.una_vez(e, accion)

    @app.post("/coordinacion/acta/{eleccion}/{casilla}/redigitalizar")
    def redigitalizar(eleccion: str, casilla: str, e: PideCoordinacion) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            if e.texto("motivo") not in MOTIVOS_IMAGEN:
                return _ruta(acta), _FALTA_MOTIVO
            hecha = p.mesa.pedir_imagen(acta, persona_de(e).clave, e.texto("motivo"), e.texto("imagen"))
            if isinstance(hecha, Rechazo):
                return _ruta(acta), de_rechazo(hecha)
            que = "pásela otra vez por el escáner"
            return _ruta(acta), Aviso(True, "Se pidió otra imagen", "queda fuera de la fila hasta que llegue", que)

        return p.una_vez(e, accion)

    @app.post("/coordinacion/acta/{eleccion}/{casilla}/regresar")
    def regresar(eleccion: str, casilla: str, e: PideCoordinacion) -> Response:
        acta = IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            hecha = p.mesa.regresar_a_la_fila(acta, persona_de(e).clave)
            if isinstance(hecha, Rechazo):
                return _ruta(acta), de_rechazo(hecha)
            return _ruta(acta), Aviso(True, "Regresó a la fila con la imagen que tiene", "", "la tomará quien siga")

        return p.una_vez(e, accion)


def tablero_de(app: FastAPI, p: Pantalla) -> Tablero:
    """El tablero que comparten las pantallas de esta aplicación."""
    tablero = getattr(app.state, "tablero", None)
    if not isinstance(tablero, Tablero):
        tablero = app.state.tablero = Tablero(p.kiosco.almacen, PLAZO_ENCARGO)
    return tablero


def hace(hora: datetime, ahora: datetime) -> str:
    """Cuánto hace, en palabras cortas; una hora adelantada se dice como «ahora»."""
    minutos = int((ahora - hora).total_seconds() // 60)
    if minutos < 1:
        return "hace un momento"
    if minutos < 60:
        return f"hace {minutos} min"
    horas, resto = divmod(minutos, 60)
    return f"hace {horas} h {resto:02d} min" if horas < 24 else f"hace {horas // 24} días"


def p_local(p: Pantalla) -> object:
    """La función con que una plantilla pasa una hora al huso del proceso."""
    huso = p.ahora().tzinfo
    return lambda hora: hora.astimezone(huso)


def _detalle(p: Pantalla, tablero: Tablero, e: Entrada, acta: IdActa) -> Response:
    ahora = p.ahora()
    ficha = tablero.ficha(acta, ahora)
    if ficha is None:
        aviso = Aviso(
            False,
            f"Este kiosco no sabe nada del acta {acta.casilla[:40]}",
            "no se ha acopiado aquí, o se tecleó mal la dirección",
            "búsquela por su sección en «Faltan por llegar»",
        )
        return p.pagina("error.html", e, titulo="Aviso", aviso=aviso, codigo=404)
    historia = p.kiosco.almacen.hechos_de(acta)
    estado = estado_de(historia)
    lectura = []
    if isinstance(estado, Verificada):
        campos = estado.asentado.campos()
        lectura = [(r, campo_en_palabras(campos[r.clave])) for r in renglones_de(p.proceso, acta) if r.clave in campos]
    esperan = p.mesa.por_redigitalizar()
    if isinstance(esperan, Rechazo):
        raise Falla(esperan.codigo, esperan.que, esperan.causa, esperan.siguiente)
    return p.pagina(
        "coordinacion_acta.html",
        e,
        titulo=f"Acta {acta.casilla}",
        ficha=ficha,
        imagen=imagen_de(historia),
        acta=acta,
        casilla=p.proceso.casillas[acta.casilla],
        tipos=TIPOS,
        lugar=lugar(p, acta),
        eleccion=p.proceso.elecciones[acta.eleccion],
        pasos=pasos_de(p.kiosco.almacen, acta, lambda clave: nombre_de(p, clave), ahora.tzinfo),
        lectura=lectura,
        espera_imagen=next((x for x in esperan if x.acta == acta), None),
        motivos_recaptura=MOTIVOS_RECAPTURA,
        motivos_imagen=MOTIVOS_IMAGEN,
        hace=lambda hora: hace(hora, ahora),
        nombre=lambda clave: nombre_de(p, clave),
        local=p_local(p),
        se_recaptura=ficha.verificada or ficha.situacion in (Situacion.DISCREPANTE, Situacion.EN_REVISION),
    )


def nombre_de(p: Pantalla, clave: str) -> str:
    """El nombre de esa persona; si ya no está en la lista, su clave."""
    return p.personas[clave].nombre if clave in p.personas else clave


def _seccion(p: Pantalla, ficha: Ficha) -> str:
    casilla = p.proceso.casillas.get(ficha.acta.casilla)
    return str(casilla.seccion) if casilla else ""


def _ruta(acta: IdActa) -> str:
    return f"/coordinacion/acta/{acta.eleccion}/{acta.casilla}"


_FALTA_MOTIVO: Final = Aviso(False, "Falta el motivo", "quedó sin elegir", "elíjalo y vuelva a pedirla")
