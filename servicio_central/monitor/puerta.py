"""La puerta de la sala: quién pide, desde dónde, si su papel alcanza y si el formulario lo dio la propia sala."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request

from servicio_central.monitor.papeles import Papel
from servicio_central.monitor.sala import Sala
from servicio_central.monitor.sesiones import Sesion, misma_forma

GALLETA: Final = "sala"
CAMINO: Final = "/operacion"


class SinSesion(Exception):
    """Nadie ha entrado desde ese navegador, o su sesión ya venció."""


class NoAlcanza(Exception):
    """El papel de esa cuenta no deja hacer eso."""

    def __init__(self, sesion: Sesion, minimo: Papel) -> None:
        self.sesion, self.minimo = sesion, minimo


class Ajeno(Exception):
    """El formulario no salió de una página de la sala, o es de otra sesión."""


def la_sala(peticion: Request) -> Sala:
    """La de esta aplicación."""
    sala = peticion.app.state.sala
    assert isinstance(sala, Sala)
    return sala


def ip_de(peticion: Request) -> str:
    """De dónde viene. Detrás de nginx, lo último de `X-Forwarded-For`: lo de antes lo pudo escribir cualquiera."""
    directa = peticion.client.host if peticion.client else ""
    try:
        if ipaddress.ip_address(directa).is_loopback:
            return str(ipaddress.ip_address(peticion.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()))
    except ValueError:
        pass
    return directa


def exigir_origen(peticion: Request) -> None:
    """Que el POST venga de una página nuestra. `Sec-Fetch-Site` lo pone el navegador y una página no lo puede fingir.

    Raises:
        Ajeno: si viene de otro sitio, o no dice de dónde.
    """
    sitio = peticion.headers.get("sec-fetch-site")
    if sitio is not None:
        if sitio != "same-origin":
            raise Ajeno
        return
    origen = urlsplit(peticion.headers.get("origin", "")).netloc
    if not origen or origen != peticion.headers.get("host"):
        raise Ajeno


def exige(minimo: Papel) -> Callable[[Request], Sesion]:
    """Dependencia de una página: alguien con ese papel o más."""

    def sesion_de(peticion: Request) -> Sesion:
        return _sesion(peticion, minimo)

    sesion_de.minimo = minimo  # type: ignore[attr-defined]
    return sesion_de


def exige_al_hacer(minimo: Papel) -> Callable[..., Sesion]:
    """Dependencia de lo que cambia algo: además, que el formulario sea de esa sesión."""

    def sesion_de(peticion: Request, forma: Annotated[str, Form(max_length=200)] = "") -> Sesion:
        exigir_origen(peticion)
        sesion = _sesion(peticion, minimo)
        if not misma_forma(sesion, forma):
            raise Ajeno
        return sesion

    sesion_de.minimo = minimo  # type: ignore[attr-defined]
    return sesion_de


def _sesion(peticion: Request, minimo: Papel) -> Sesion:
    sala = la_sala(peticion)
    sesion = sala.sesiones.reconocer(peticion.cookies.get(GALLETA, ""))
    if sesion is None:
        raise SinSesion
    if not sesion.papel.alcanza(minimo):
        sala.sesiones.negar(sesion, ip_de(peticion), f"{peticion.method} {peticion.url.path}")
        raise NoAlcanza(sesion, minimo)
    return sesion


Mira = Annotated[Sesion, Depends(exige(Papel.VISTA))]
Supervisa = Annotated[Sesion, Depends(exige(Papel.SUPERVISOR))]
Opera = Annotated[Sesion, Depends(exige_al_hacer(Papel.OPERADOR))]
Confirma = Annotated[Sesion, Depends(exige_al_hacer(Papel.SUPERVISOR))]
Sale = Annotated[Sesion, Depends(exige_al_hacer(Papel.VISTA))]
