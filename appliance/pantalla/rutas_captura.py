"""Tomar la siguiente acta, transcribirla, corregirla a ciegas y revisarla entre dos."""

from __future__ import annotations

from typing import Final, assert_never

from fastapi import FastAPI
from fastapi.responses import Response

from appliance.mesa import Espera
from appliance.pantalla.hoja import campos_de, renglones_de
from appliance.pantalla.hoja_en_pantalla import Hoja, leer_hoja, mostrar, quien_revisa, tecleado_de, vista_en
from appliance.pantalla.pagina import Aviso, Entrada, Pantalla, PideLectura, PideVerificacion, de_rechazo, persona_de
from appliance.pantalla.rutas_imagen import vista_de
from appliance.pantalla.rutas_practica import lecciones_de
from appliance.personas import Persona
from appliance.practica.calificacion import acabo_con
from appliance.recepcion import Hecha
from appliance.redigitalizacion import MOTIVOS_IMAGEN
from appliance.segunda_lectura import PorRevisar
from nucleo.acta import asentado_de_campos
from nucleo.captura import (
    Discrepante,
    EnRevision,
    Estado,
    PrimeraConcluida,
    SinActaDeclarada,
    SinCaptura,
    Tomada,
    Verificada,
)
from nucleo.concordancia import concordar
from nucleo.hechos import IdActa
from nucleo.problema import Rechazo

_NADA_QUE_HACER: Final = "espere a que llegue otra; lo que haya en la fila le toca a otra persona"


def agregar(app: FastAPI, p: Pantalla) -> None:
    vista = vista_de(app, p)
    lecciones = lecciones_de(p)

    def otra_vez(e: Entrada, leida: Hoja, codigo: int, sin_guardar: Rechazo | None = None) -> Response:
        """La hoja como la persona la tenía, con lo que se le había señalado; si su imagen ya es otra, lo dice."""
        persona = persona_de(e).clave
        hoja = leida.con_imagen(vista.de(leida.acta))
        senalados, borrador = p.mesa.senalados(leida.acta, persona), p.mesa.borrador(leida.acta, persona)
        if not isinstance(senalados, Rechazo):
            hoja = hoja.con_senalados(senalados)
        cambio = p.mesa.cambio_de_imagen(leida.acta, e.texto("imagen") or None)
        if cambio:
            # Aunque el disco no haya admitido el borrador: todo lo que trae la página se leyó en la otra.
            hoja = hoja.todo_por_releer()
        elif not isinstance(borrador, Rechazo):
            hoja = hoja.con_leidos(borrador)
        return mostrar(p, e, hoja, codigo=409 if cambio else codigo, sin_guardar=cambio or sin_guardar)

    @app.post("/siguiente")
    def siguiente(e: PideLectura) -> Response:
        persona = persona_de(e)

        def accion() -> tuple[str, Aviso | None]:
            acta = p.mesa.tomar_siguiente(persona.clave, persona.papeles)
            match acta:
                case Rechazo():
                    return "/", de_rechazo(acta)
                case None:
                    return "/", _nada_que_hacer(p.mesa.espera())
                case IdActa():
                    vista.adelantar([acta])
                    return _ruta(acta), None

        return p.una_vez(e, accion)

    @app.get("/acta/{eleccion}/{casilla}")
    def hoja(eleccion: str, casilla: str, e: PideLectura) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)
        estado = p.mesa.abierta(acta, persona.clave)
        if isinstance(estado, Rechazo):
            return _tropiezo(p, e, de_rechazo(estado))
        borrador = p.mesa.borrador(acta, persona.clave)
        senalados = p.mesa.senalados(acta, persona.clave)
        if isinstance(borrador, Rechazo):
            return _tropiezo(p, e, de_rechazo(borrador))
        if isinstance(senalados, Rechazo):
            return _tropiezo(p, e, de_rechazo(senalados))
        proximas = p.mesa.proximas(persona.clave, persona.papeles)
        vista.adelantar([acta, *(() if isinstance(proximas, Rechazo) else (a for a in proximas if a != acta))])
        abierta = Hoja(acta, renglones_de(p.proceso, acta), imagen=vista.de(acta))
        if isinstance(estado.libre, Discrepante):
            abierta = abierta.solo(estado.libre.campos, "correccion")
        return mostrar(p, e, abierta.con_borrador(borrador).con_senalados(senalados))

    @app.post("/acta/{eleccion}/{casilla}")
    def concluir(eleccion: str, casilla: str, e: PideLectura) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None] | Response:
            leida = leer_hoja(p, e, acta, "correccion" if e.texto("clase") == "correccion" else "captura")
            vista_ahi = vista_en(e)
            if isinstance(leida, Rechazo) or isinstance(vista_ahi, Rechazo):
                p.mesa.guardar_renglones(acta, persona.clave, _para_borrador(p, e, acta), e.texto("imagen") or None)
            if isinstance(leida, Rechazo):
                return "/", de_rechazo(leida)
            if isinstance(vista_ahi, Rechazo):
                return "/", de_rechazo(vista_ahi)
            campos = campos_de(leida.tecleado)
            if campos is None:
                # Lo que falta se corrige en la misma página, pero lo demás ya no se pierde si se va la luz.
                p.mesa.guardar_renglones(acta, persona.clave, tecleado_de(e, leida), vista_ahi)
                abierta = p.mesa.abierta(acta, persona.clave)
                if isinstance(abierta, Rechazo):
                    return "/", de_rechazo(abierta)
                return otra_vez(e, leida, 422)
            hecha = (
                p.mesa.corregir(acta, persona.clave, campos, imagen=vista_ahi)
                if leida.clase == "correccion"
                else p.mesa.concluir(
                    acta,
                    persona.clave,
                    asentado_de_campos(campos),
                    imagen=vista_ahi,
                    revisada=e.texto("revisada") == "1",
                )
            )
            if isinstance(hecha, PorRevisar):
                return otra_vez(e, leida, 409)
            if isinstance(hecha, Rechazo) and hecha.codigo == "IMAGEN_CAMBIO":
                p.mesa.guardar_renglones(acta, persona.clave, tecleado_de(e, leida), vista_ahi)
            if isinstance(hecha, Rechazo) and _sigue_valiendo(p.mesa.abierta(acta, persona.clave), leida):
                # Si el disco no admitió la hoja tampoco admitió su borrador: lo tecleado sólo está en esta página.
                return otra_vez(e, leida, 409, hecha)
            if isinstance(hecha, Hecha) and acabo_con(p.kiosco.almacen, lecciones, persona.clave, acta):
                return "/practica", Aviso(True, "Leyó todas las actas de muestra", "", "mire su calificación")
            return "/", _de_hecha(acta, hecha)

        return p.una_vez(e, accion)

    @app.post("/acta/{eleccion}/{casilla}/pausar")
    def pausar(eleccion: str, casilla: str, e: PideLectura) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            hasta = p.mesa.pausar(acta, persona.clave, _para_borrador(p, e, acta), e.texto("imagen") or None)
            if isinstance(hasta, Rechazo):
                return "/", de_rechazo(hasta)
            return "/", Aviso(
                True,
                f"Acta {casilla} en pausa: lo tecleado está guardado",
                f"queda reservada para usted hasta las {hasta:%H:%M}",
                "para continuar donde iba, toque «Siguiente acta»",
            )

        return p.una_vez(e, accion)

    @app.post("/acta/{eleccion}/{casilla}/imagen-mala")
    def imagen_mala(eleccion: str, casilla: str, e: PideLectura) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None]:
            mirada = e.texto("imagen")
            guardada = p.mesa.guardar_renglones(acta, persona.clave, _para_borrador(p, e, acta), mirada or None)
            pedida = (
                guardada
                if isinstance(guardada, Rechazo)
                else p.mesa.pedir_imagen(acta, persona.clave, e.texto("motivo"), mirada)
            )
            if isinstance(pedida, Rechazo) and pedida.codigo == "IMAGEN_CAMBIO":
                return _ruta(acta), de_rechazo(pedida)
            if isinstance(pedida, Rechazo):
                return "/", de_rechazo(pedida)
            return "/", Aviso(
                True,
                f"Se pidió otra imagen del acta {casilla}",
                f"motivo: {MOTIVOS_IMAGEN[pedida.motivo].lower()}. Lo que usted tecleó quedó guardado",
                "tome la siguiente; ésta vuelve a la fila cuando se digitalice otra vez",
            )

        return p.una_vez(e, accion)

    @app.get("/revision/{eleccion}/{casilla}")
    def revision(eleccion: str, casilla: str, e: PideVerificacion) -> Response:
        acta = IdActa(eleccion, casilla)
        estado = p.mesa.estado(acta)
        if isinstance(estado, Rechazo):
            return _tropiezo(p, e, de_rechazo(estado))
        if not isinstance(estado, EnRevision):
            return _tropiezo(p, e, _situacion(acta, estado))
        completa = Hoja(acta, renglones_de(p.proceso, acta), imagen=vista.de(acta))
        return mostrar(p, e, completa.solo(estado.campos, "revision"))

    @app.post("/revision/{eleccion}/{casilla}")
    def decidir(eleccion: str, casilla: str, e: PideVerificacion) -> Response:
        persona, acta = persona_de(e), IdActa(eleccion, casilla)

        def accion() -> tuple[str, Aviso | None] | Response:
            leida = leer_hoja(p, e, acta, "revision")
            vista_ahi = vista_en(e)
            if isinstance(leida, Rechazo):
                return "/", de_rechazo(leida)
            if isinstance(vista_ahi, Rechazo):
                return "/", de_rechazo(vista_ahi)
            hoja = leida.con_imagen(vista.de(acta))
            if cambio := p.mesa.cambio_de_imagen(acta, vista_ahi):
                return mostrar(p, e, hoja.todo_por_releer(), codigo=409, sin_guardar=cambio)
            campos = campos_de(leida.tecleado)
            # Con un renglón por corregir no se gasta el NIP: lo volvería a teclear en cada vuelta.
            otra = quien_revisa(p, e) if campos is not None else None
            if campos is None or not isinstance(otra, Persona):
                rechazo = otra if isinstance(otra, Rechazo) else None
                return mostrar(p, e, hoja, codigo=422, sin_confirmar=rechazo)
            hecha = p.mesa.revisar(acta, (persona.clave, otra.clave), campos, imagen=vista_ahi)
            estado = p.mesa.estado(acta)
            if isinstance(hecha, Rechazo) and isinstance(estado, EnRevision) and set(estado.campos) == set(campos):
                if hecha.codigo == "IMAGEN_CAMBIO":
                    hoja = leida.con_imagen(vista.de(acta)).todo_por_releer()
                return mostrar(p, e, hoja, codigo=409, sin_guardar=hecha)
            return "/", _de_hecha(acta, hecha)

        return p.una_vez(e, accion)


def _para_borrador(p: Pantalla, e: Entrada, acta: IdActa) -> dict[str, str]:
    """Lo que traía la hoja al dejarla; si llegó sin renglones, nada nuevo que guardar."""
    leida = leer_hoja(p, e, acta, "parcial")
    return {} if isinstance(leida, Rechazo) else tecleado_de(e, leida)


def _sigue_valiendo(abierta: Tomada | Rechazo, leida: Hoja) -> bool:
    """Si la persona aún tiene el acta y lo tecleado es lo que se le pide en ella."""
    if isinstance(abierta, Rechazo):
        return False
    if isinstance(abierta.libre, Discrepante):
        return leida.clase == "correccion" and {r.clave for r in leida.renglones} == set(abierta.libre.campos)
    return leida.clase == "captura"


def _tropiezo(p: Pantalla, e: Entrada, aviso: Aviso) -> Response:
    return p.pagina("error.html", e, titulo="Aviso", aviso=aviso, codigo=409)


def _nada_que_hacer(espera: Espera | Rechazo) -> Aviso:
    titulo = "Por ahora no hay actas para usted"
    if isinstance(espera, Rechazo) or not (espera.sin_imagen or espera.por_redigitalizar):
        return Aviso(True, titulo, "", _NADA_QUE_HACER)
    partes = []
    if espera.sin_imagen:
        partes.append(concordar(espera.sin_imagen, "acta espera su imagen", "actas esperan su imagen"))
    if espera.por_redigitalizar:
        partes.append(concordar(espera.por_redigitalizar, "acta espera otra imagen", "actas esperan otra imagen"))
    return Aviso(True, titulo, " y ".join(partes), "avise a digitalización: en cuanto lleguen, le tocan")


def _de_hecha(acta: IdActa, hecha: Hecha | Rechazo) -> Aviso:
    return de_rechazo(hecha) if isinstance(hecha, Rechazo) else _situacion(acta, hecha.estado)


def _situacion(acta: IdActa, estado: Estado) -> Aviso:
    """Qué sigue, sin decir nunca qué leyó otra persona."""
    c = acta.casilla
    match estado:
        case Verificada():
            return Aviso(
                True, f"Acta {c} VERIFICADA", "cada renglón tiene el acuerdo de dos personas", "tome la siguiente"
            )
        case PrimeraConcluida():
            return Aviso(True, f"Acta {c} guardada", "", "ahora la leerá otra persona, sin ver esta captura")
        case Discrepante():
            return Aviso(
                True,
                f"Acta {c} guardada",
                "otra persona leyó distinto algún renglón",
                "lo leerá una tercera, sin ver ninguna",
            )
        case EnRevision():
            return Aviso(
                True, f"Acta {c} guardada", "aún hay renglones sin acuerdo", "avise: la revisan dos personas juntas"
            )
        case SinActaDeclarada():
            return Aviso(True, f"{c} quedó declarada sin acta", "", "tome la siguiente")
        case SinCaptura() | Tomada():
            return Aviso(True, f"El acta {c} está en la fila", "", "tome la siguiente")
        case _:
            assert_never(estado)


def _ruta(acta: IdActa) -> str:
    return f"/acta/{acta.eleccion}/{acta.casilla}"
