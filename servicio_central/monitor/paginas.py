"""Arma las páginas de la sala: lo que todas llevan (quién está, el modo, la hora) y los tropiezos en palabras."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse

from nucleo.problema import Rechazo
from servicio_central.monitor.papeles import Papel
from servicio_central.monitor.pintor import entorno
from servicio_central.monitor.puerta import la_sala
from servicio_central.monitor.sesiones import Sesion


def pagina(
    peticion: Request,
    plantilla: str,
    sesion: Sesion | None = None,
    codigo: int = 200,
    rechazo: Rechazo | None = None,
    **contexto: object,
) -> HTMLResponse:
    """Una página de la sala; con `rechazo`, lo dice arriba."""
    proceso = la_sala(peticion).centro.vigia.proceso
    huso = ZoneInfo(proceso.huso)

    def hora(instante: datetime) -> str:
        return f"{instante.astimezone(huso):%H:%M:%S}"

    def fecha(instante: datetime) -> str:
        return f"{instante.astimezone(huso):%d/%m %H:%M:%S}"

    cuerpo = (
        entorno()
        .get_template(plantilla)
        .render(
            sesion=sesion,
            proceso=proceso,
            rechazo=rechazo,
            hora=hora,
            fecha=fecha,
            opera=sesion is not None and sesion.papel.alcanza(Papel.OPERADOR),
            ahora=la_sala(peticion).ahora(),
            supervisa=sesion is not None and sesion.papel.alcanza(Papel.SUPERVISOR),
            **contexto,
        )
    )
    return HTMLResponse(cuerpo, codigo)


def aviso(peticion: Request, rechazo: Rechazo, codigo: int, sesion: Sesion | None = None) -> HTMLResponse:
    """Una página que sólo dice por qué no."""
    return pagina(peticion, "aviso.html", sesion, codigo, rechazo)
