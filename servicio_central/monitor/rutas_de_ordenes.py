"""Órdenes y mochilas: la mesa viva, ordenarle algo a un CATD y autorizar lo delicado entre dos personas."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from nucleo.orden import Que
from nucleo.paquete import DefinicionFirmada
from nucleo.problema import Rechazo
from servicio_central import firma_de_definicion
from servicio_central.monitor import acciones, responder_de_dos, solicitudes
from servicio_central.monitor.acciones import ACCIONES, Accion, Tramite
from servicio_central.monitor.observador import Pantalla
from servicio_central.monitor.paginas import aviso, pagina
from servicio_central.monitor.pedidos import Pedido
from servicio_central.monitor.puerta import CAMINO, Confirma, Mira, Opera, la_sala
from servicio_central.monitor.responder_de_dos import RECHAZA, Contesta
from servicio_central.monitor.rutas_del_tablero import mientras_dure, oir
from servicio_central.monitor.sala import Sala
from servicio_central.monitor.sesiones import Sesion
from servicio_central.ordenes import Estado
from servicio_central.tropiezo import Tropiezo

rutas = APIRouter(prefix=CAMINO)

_NO_HAY = Rechazo("NO_HAY", "eso no existe", "el enlace es de otro centro, o cambió el padrón", "regrese al tablero")

_YA_SALIO: Final = Rechazo(
    "YA_SALIO",
    "no se puede rechazar: la orden ya se mandó",
    "otra persona la autorizó y la luz se fue antes de asentarlo",
    "autorícela para que quede asentado (no se manda otra); para deshacer lo que hizo, pida la contraria",
)


_VACIO: Final = Rechazo(
    "MENSAJE",
    "el mensaje está vacío y no se mandó nada",
    "se apretó antes de escribirlo",
    "escríbalo; si quiere quitar el que tenga el kiosco, marque la casilla",
)
_QUITA_Y_ESCRIBE: Final = Rechazo(
    "MENSAJE",
    "no se mandó nada: hay un mensaje escrito y está marcado quitar el que tenga",
    "se marcó la casilla sin querer",
    "deje sólo una de las dos cosas",
)


@rutas.get("/ordenes")
def mesa(peticion: Request, sesion: Mira) -> HTMLResponse:
    """Los pedidos por autorizar, la vida de cada orden y las mochilas."""
    sala = la_sala(peticion)
    version, pedazos = sala.observador.pagina(Pantalla.MESA)
    return pagina(
        peticion,
        "mesa.html",
        sesion,
        version=version,
        pedazos=pedazos,
        pulso=sala.observador.pulso(),
        respondidos=sala.pedidos.ultimos(sala.ahora())[:30],
    )


@rutas.get("/ordenes/vivo")
async def vivo(peticion: Request, sesion: Mira, desde: str = "") -> Response:
    """Los cambios de la mesa, mientras dure la sesión."""
    return await oir(peticion, la_sala(peticion).observador, desde, mientras_dure(peticion), Pantalla.MESA)


@rutas.get("/equipo/{equipo}/ordenar")
def botones(peticion: Request, sesion: Mira, equipo: str) -> HTMLResponse:
    """Todo lo que se le puede pedir a ese equipo, y qué hace falta para cada cosa."""
    return _botones(peticion, sesion, equipo)


def _botones(
    peticion: Request,
    sesion: Sesion,
    equipo: str,
    rechazo: Rechazo | None = None,
    escrito: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    sala = la_sala(peticion)
    inscrito = sala.centro.vigia.padron.equipos.get(equipo)
    if inscrito is None:
        return aviso(peticion, _NO_HAY, 404, sesion)
    firmada = firma_de_definicion.ultima(sala.centro.carpeta)
    return pagina(
        peticion,
        "ordenar.html",
        sesion,
        400 if rechazo else 200,
        rechazo,
        equipo=equipo,
        catd=inscrito.catd if inscrito.catd != equipo else "",
        vigente=inscrito.vigente,
        acciones=[a for a in ACCIONES.values() if inscrito.vigente],
        firmada=None if firmada is None else firmada[0],
        Tramite=Tramite,
        escrito={"accion": "", "texto": "", "desde": "", "motivo": ""} | dict(escrito),
    )


@rutas.post("/equipo/{equipo}/ordenar")
def ordenar(
    peticion: Request,
    sesion: Opera,
    equipo: str,
    accion: Annotated[str, Form(max_length=40)] = "",
    texto: Annotated[str, Form(max_length=2000)] = "",
    desde: Annotated[str, Form(max_length=20)] = "",
    motivo: Annotated[str, Form(max_length=2000)] = "",
    quitar: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """Manda lo directo; lo delicado queda pedido, a la espera de otra persona."""
    sala = la_sala(peticion)
    inscrito = sala.centro.vigia.padron.equipos.get(equipo)
    if inscrito is None:
        return aviso(peticion, _NO_HAY, 404, sesion)
    if not inscrito.vigente:
        mal = Rechazo("BAJA", f"{equipo} está de baja", "se dio de baja con la página abierta", "ya no recibe órdenes")
        return _botones(peticion, sesion, equipo, mal)
    pedida = ACCIONES.get(accion)
    if pedida is None:
        mal = Rechazo("ACCION", "falta escoger qué se le ordena", "el formulario llegó incompleto", "apriete un botón")
        return _botones(peticion, sesion, equipo, mal)
    if accion == "mensaje" and bool(quitar) is bool(texto.strip()):
        mal = _QUITA_Y_ESCRIBE if quitar else _VACIO
        return _botones(peticion, sesion, equipo, mal, {"accion": accion, "texto": texto})
    hecho = _pedir(sala, sesion, equipo, pedida, texto, desde, motivo)
    if isinstance(hecho, Rechazo):
        escrito = {"accion": accion, "texto": texto, "desde": desde, "motivo": motivo}
        return _botones(peticion, sesion, equipo, hecho, escrito)
    sala.observador.despertar()
    return RedirectResponse(hecho, 303)


def _pedir(
    sala: Sala, sesion: Sesion, equipo: str, accion: Accion, texto: str, desde: str, motivo: str
) -> str | Rechazo:
    """A dónde ir después."""
    que = acciones.armar(accion.clave, texto, desde)
    if isinstance(que, Rechazo):
        return que
    try:
        if accion.clave == "definicion":
            firmada = firma_de_definicion.ultima(sala.centro.carpeta)
            if firmada is None:
                return Rechazo(
                    "DEFINICION",
                    "en el centro no hay ninguna definición firmada por la autoridad",
                    "aún no se firma, o no se copió al centro",
                    "pídala con «Una definición nueva»: la firma la autoridad, fuera de línea",
                )
            # Con cuál: la segunda persona autoriza ésa, y no la que haya llegado entretanto.
            texto = _cual(firmada[0])
        if accion.tramite is Tramite.DIRECTA:
            assert que is not None
            if (mal := _ya_espera(sala, equipo, que)) is not None:
                return mal
            sala.centro.despacho.ordenar(sala.centro.vigia.padron, equipo, que, sesion.cuenta)
            return f"{CAMINO}/ordenes"
    except Tropiezo as tropiezo:
        return tropiezo.rechazo
    numero = sala.pedidos.pedir(equipo, accion, texto, desde, motivo, sesion.cuenta, sala.ahora())
    return numero if isinstance(numero, Rechazo) else f"{CAMINO}/ordenes/{numero}"


def _ya_espera(sala: Sala, equipo: str, que: Que) -> Rechazo | None:
    """Se manda una a la vez: diez iguales, apretadas de prisa, harían esperar a la que sí importa."""
    suyas = sala.centro.despacho.bandeja.de(equipo)
    ultima = max(suyas, key=lambda o: (o.hora, o.numero), default=None)
    if ultima is None or ultima.que != que or ultima.estado(sala.ahora()) is not Estado.ESPERA:
        return None
    return Rechazo(
        "YA_ESPERA",
        f"eso mismo ya lo ordenó {ultima.quien} y {equipo} todavía no contesta",
        "se apretó dos veces, o el kiosco no oye",
        "vea en qué va en Órdenes; no hace falta repetirla",
    )


@rutas.get("/ordenes/{numero}")
def uno(peticion: Request, sesion: Mira, numero: int) -> HTMLResponse:
    """Un pedido: quién, por qué y quién lo autorizó."""
    return _uno(peticion, sesion, numero)


def _uno(
    peticion: Request, sesion: Sesion, numero: int, rechazo: Rechazo | None = None, nota: str = ""
) -> HTMLResponse:
    pedido = la_sala(peticion).pedidos.uno(numero)
    if pedido is None:
        return aviso(peticion, _NO_HAY, 404, sesion)
    autoridad = pedido.accion.tramite is Tramite.AUTORIDAD
    return pagina(
        peticion,
        "pedido.html",
        sesion,
        400 if rechazo else 200,
        rechazo,
        p=pedido,
        palabras=la_sala(peticion).pedidos.palabras,
        nota=nota,
        autoridad=autoridad,
        orden=solicitudes.orden_de(pedido) if autoridad else "",
    )


@rutas.post("/ordenes/{numero}")
def responder(peticion: Request, sesion: Confirma, numero: int, dicho: Contesta) -> Response:
    """La segunda persona autoriza, con un código nuevo, o rechaza."""
    sala = la_sala(peticion)
    with sala.pedidos.turno:
        pedido = sala.pedidos.uno(numero)
        if pedido is None or not dicho.se_entiende(sala.pedidos):
            return aviso(peticion, _NO_HAY, 404, sesion)
        if dicho.respuesta == RECHAZA and pedido.respuesta is None and _ya_salio(sala, pedido):
            mal: Rechazo | None = _YA_SALIO
        else:
            para = f"pedido {numero}: {pedido.que}"
            mal = responder_de_dos.responder(
                peticion, sesion, sala.pedidos, pedido, dicho, para, lambda p: _encolar(sala, p)
            )
    if mal is not None:
        return _uno(peticion, sesion, numero, mal, dicho.nota)
    sala.observador.despertar()
    return RedirectResponse(f"{CAMINO}/ordenes/{numero}", 303)


def _encolar(sala: Sala, pedido: Pedido) -> Rechazo | None:
    if pedido.accion.tramite is Tramite.AUTORIDAD:
        return None
    centro, quien = sala.centro, pedido.firmas
    try:
        # Se fue la luz después de encolar y antes de asentarlo: ya salió, no se manda otra.
        if _ya_salio(sala, pedido):
            return None
        if pedido.accion.clave == "definicion":
            firmada = firma_de_definicion.ultima(centro.carpeta)
            if firmada is not None and pedido.texto != _cual(firmada[0]):
                return Rechazo(
                    "OTRA_DEFINICION",
                    f"se pidió la {pedido.texto or 'que hubiera'} y en el centro ya está la {_cual(firmada[0])}",
                    "la autoridad firmó otra después de que se pidió",
                    "rechácelo y pida la nueva",
                )
            centro.despacho.repartir_definicion(centro.vigia.padron, [pedido.equipo], quien)
            return None
        que = acciones.armar(pedido.accion.clave, pedido.texto, pedido.desde)
        if que is None or isinstance(que, Rechazo):
            return que or _NO_HAY
        centro.despacho.ordenar(centro.vigia.padron, pedido.equipo, que, quien)
    except Tropiezo as tropiezo:
        return tropiezo.rechazo
    return None


def _cual(firmada: DefinicionFirmada) -> str:
    return f"versión {firmada.version}, {firmada.huella[:12]}"


def _ya_salio(sala: Sala, pedido: Pedido) -> bool:
    # Los números de pedido vuelven a empezar si `operacion.sqlite` se pierde; las órdenes de antes no son de éste.
    marca, desde = f"(pedido {pedido.numero})", pedido.hora.replace(microsecond=0)
    suyas = sala.centro.despacho.bandeja.de(pedido.equipo)
    return any(o.quien.endswith(marca) and o.hora >= desde for o in suyas)


@rutas.get("/ordenes/{numero}/solicitud.txt")
def solicitud(peticion: Request, sesion: Mira, numero: int) -> Response:
    """La solicitud autorizada, para llevarla a la autoridad."""
    centro = la_sala(peticion).centro
    pedido = la_sala(peticion).pedidos.uno(numero)
    if pedido is None or pedido.accion.tramite is not Tramite.AUTORIDAD or not pedido.aceptado:
        return aviso(peticion, _NO_HAY, 404, sesion)
    return PlainTextResponse(
        solicitudes.texto(pedido, centro.vigia.padron, centro.vigia.proceso.huso),
        headers={"Content-Disposition": f'attachment; filename="solicitud-{numero}.txt"'},
    )
