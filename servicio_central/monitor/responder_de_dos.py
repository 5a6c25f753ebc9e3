"""Lo que hace la segunda persona en la pantalla: acepta, con un código nuevo, o rechaza y dice por qué."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Form, Request

from nucleo.problema import Rechazo
from servicio_central.monitor.dos_personas import DosPersonas, T
from servicio_central.monitor.puerta import ip_de, la_sala
from servicio_central.monitor.sesiones import Sesion

RECHAZA: Final = "rechaza"


@dataclass(frozen=True, slots=True)
class Contestado:
    """El formulario de `de_dos.html`. `respuesta` es `RECHAZA` o lo que diga `Palabras.acepta`."""

    respuesta: str
    nota: str
    codigo: str

    def se_entiende(self, asunto: DosPersonas[T]) -> bool:
        return self.respuesta in (asunto.palabras.acepta, RECHAZA)


def _contestado(
    respuesta: Annotated[str, Form(max_length=10)] = "",
    nota: Annotated[str, Form(max_length=2000)] = "",
    codigo: Annotated[str, Form(max_length=20)] = "",
) -> Contestado:
    return Contestado(respuesta, nota, codigo)


Contesta = Annotated[Contestado, Depends(_contestado)]


def responder(
    peticion: Request,
    sesion: Sesion,
    asunto: DosPersonas[T],
    pedido: T,
    dicho: Contestado,
    para: str,
    hacer: Callable[[T], Rechazo | None] = lambda _: None,
) -> Rechazo | None:
    """Gasta el código y asienta la respuesta. Quien llama tiene `asunto.turno` desde antes de leer el pedido.

    Args:
        para: qué se autorizó, para los accesos.
        hacer: como en `DosPersonas.responder`.
    """
    sala, acepta = la_sala(peticion), dicho.respuesta != RECHAZA
    mal = asunto.objecion(dicho.nota, acepta=acepta) or asunto.no_procede(pedido, sesion.cuenta, sala.ahora())
    # El código no se gasta en lo que de todos modos no procede.
    if mal is None and acepta:
        mal = sala.sesiones.confirmar(sesion, dicho.codigo, ip_de(peticion), para)
    return mal or asunto.responder(pedido.numero, sesion.cuenta, dicho.nota, sala.ahora(), acepta=acepta, hacer=hacer)
