"""Lo común a todas las páginas: quién pide, qué se le avisa y cómo se contesta a un segundo toque."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from threading import Lock
from typing import Annotated, Final, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData

from appliance.ambito import leer_ambito
from appliance.arranque import Kiosco
from appliance.esperadas import Esperadas
from appliance.impresion.imprenta import Imprenta
from appliance.pantalla.barra import enlace_de
from appliance.pantalla.sesion import GALLETA, Sesion, Sesiones
from appliance.personas import NOMBRES, Papel, Persona
from appliance.puesto import Puesto
from nucleo.problema import Rechazo

_T = TypeVar("_T")

_MEMORIA: Final = 200
"""Formularios ya atendidos que se recuerdan, para contestar igual a su segundo toque."""


class PaginaVencida(Exception):
    """El formulario no trae el sello de esta sesión."""


class SinPersona(Exception):
    """Hace falta identificarse antes."""


class PapelAjeno(Exception):
    """La persona no tiene ninguno de los papeles de esa pantalla."""

    def __init__(self, persona: Persona, papeles: tuple[Papel, ...]) -> None:
        self.persona = persona
        self.papeles = papeles
        super().__init__(" o ".join(NOMBRES[papel] for papel in papeles))


@dataclass(frozen=True, slots=True)
class Aviso:
    """Lo que se dice después de una acción; se queda hasta la siguiente."""

    bueno: bool
    titulo: str
    causa: str = ""
    siguiente: str = ""
    ver: str = ""
    """Ruta de un documento que conviene tener a un toque."""


@dataclass(frozen=True)
class Entrada:
    """Una petición ya identificada."""

    sesion: Sesion
    persona: Persona | None
    campos: Mapping[str, list[str]]
    ruta: str = ""

    def texto(self, nombre: str) -> str:
        valores = self.campos.get(nombre, [])
        return valores[0].strip() if valores else ""


def de_rechazo(rechazo: Rechazo) -> Aviso:
    return Aviso(False, rechazo.que, rechazo.causa, rechazo.siguiente)


class Pantalla:
    """Lo que comparten las rutas."""

    def __init__(self, kiosco: Kiosco, personas: tuple[Persona, ...], secreto: bytes, puesto: Puesto) -> None:
        self.kiosco = kiosco
        self.puesto = puesto
        self.mesa = kiosco.mesa
        self.proceso = kiosco.proceso
        self.personas = {p.clave: p for p in personas}
        self.sesiones = Sesiones(secreto)
        self.esperadas = Esperadas(kiosco.almacen, kiosco.proceso, leer_ambito(kiosco.carpeta, kiosco.proceso))
        self.imprenta = Imprenta(kiosco.carpeta / "impresos", puesto.impresora)
        self._huso = ZoneInfo(kiosco.proceso.huso)
        self._plantillas = Environment(
            loader=FileSystemLoader(str(files("appliance.pantalla") / "plantillas")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._avisos: OrderedDict[str, Aviso] = OrderedDict()
        self._atendidos: OrderedDict[str, str] = OrderedDict()
        self._turno = Lock()

    async def entrada(self, peticion: Request) -> Entrada:
        """Identifica la petición y, si escribe, exige el sello. Raises: PaginaVencida."""
        sesion = self.sesiones.leer(peticion.cookies.get(GALLETA))
        campos: dict[str, list[str]] = {}
        if peticion.method == "POST":
            formulario: FormData = await peticion.form(max_fields=2000, max_files=0)
            for nombre, valor in formulario.multi_items():
                campos.setdefault(nombre, []).append(str(valor))
            sello = campos.get("sello", [""])[0]
            if sesion is None or not self.sesiones.vale(sesion, sello):
                raise PaginaVencida
        sesion = sesion or self.sesiones.nueva()
        return Entrada(sesion, self.personas.get(sesion.persona), campos, peticion.url.path)

    def pagina(self, plantilla: str, entrada: Entrada, *, codigo: int = 200, **datos: object) -> HTMLResponse:
        """Una página completa, con su barra."""
        contexto = {
            "titulo": "",
            "aviso": self._avisos.get(entrada.sesion.azar + entrada.ruta) if codigo == 200 else None,
            "persona": entrada.persona,
            "sello": self.sesiones.sello(entrada.sesion),
            "intento": secrets.token_hex(8),
            "proceso": self.proceso,
            **self.barra(),
            **datos,
        }
        respuesta = HTMLResponse(self._plantillas.get_template(plantilla).render(contexto), status_code=codigo)
        self.recordar(respuesta, entrada.sesion)
        return respuesta

    def ahora(self) -> datetime:
        """La hora que ve la gente: la del huso del proceso, esté la máquina en el que esté."""
        return self.kiosco.reloj.ahora().astimezone(self._huso)

    def barra(self) -> dict[str, object]:
        """Los datos de la barra en este momento. Raises: Falla."""
        ahora = self.ahora()
        enlace = enlace_de(self.kiosco.almacen.resumen(), datetime.now(UTC), ahora)
        return {
            "catd": self.kiosco.identidad.catd,
            "modo": self.kiosco.identidad.modo,
            "ahora": ahora,
            "enlace": enlace,
        }

    def trozo(self, plantilla: str, **datos: object) -> HTMLResponse:
        return HTMLResponse(self._plantillas.get_template(plantilla).render(datos))

    def una_vez(self, entrada: Entrada, accion: Callable[[], tuple[str, Aviso | None] | Response]) -> Response:
        """Corre la acción y redirige. El mismo formulario mandado dos veces sólo la corre una."""
        intento = entrada.texto("intento")
        with self._turno:
            if intento in self._atendidos:
                return RedirectResponse(self._atendidos[intento], status_code=303)
            # Lo dicho por la acción anterior se quita al empezar otra: un «guardada» viejo junto a un error confunde.
            for ruta in [r for r in self._avisos if r.startswith(entrada.sesion.azar)]:
                del self._avisos[ruta]
            resultado = accion()
            if isinstance(resultado, Response):
                return resultado
            destino, aviso = resultado
            if intento:
                _guardar(self._atendidos, intento, destino)
            if aviso is not None:
                _guardar(self._avisos, entrada.sesion.azar + destino, aviso)
        return RedirectResponse(destino, status_code=303)

    def recordar(self, respuesta: Response, sesion: Sesion) -> None:
        respuesta.set_cookie(GALLETA, self.sesiones.escribir(sesion), httponly=True, samesite="strict", path="/")


async def _entrada(peticion: Request) -> Entrada:
    pantalla: Pantalla = peticion.app.state.pantalla
    return await pantalla.entrada(peticion)


Pide = Annotated[Entrada, Depends(_entrada)]
"""Una petición identificada, como la piden las rutas abiertas a cualquiera (entrar, la barra, el lector)."""


def persona_de(entrada: Entrada) -> Persona:
    """Quien está frente a la pantalla. Raises: SinPersona."""
    if entrada.persona is None:
        raise SinPersona
    return entrada.persona


class ExigePapel:
    """Dependencia que sólo deja pasar a quien tiene alguno de esos papeles; sin papeles, a cualquier identificada."""

    def __init__(self, *papeles: Papel) -> None:
        self.papeles = papeles

    async def __call__(self, peticion: Request) -> Entrada:
        """Raises: SinPersona, PapelAjeno, PaginaVencida."""
        entrada = await _entrada(peticion)
        persona = persona_de(entrada)
        if self.papeles and not persona.puede(*self.papeles):
            raise PapelAjeno(persona, self.papeles)
        return entrada


PidePersona = Annotated[Entrada, Depends(ExigePapel())]
PideAcopio = Annotated[Entrada, Depends(ExigePapel(Papel.ACOPIO, Papel.COORDINACION))]
PideDigitalizacion = Annotated[Entrada, Depends(ExigePapel(Papel.DIGITALIZACION, Papel.COORDINACION))]
PideLectura = Annotated[Entrada, Depends(ExigePapel(Papel.CAPTURA, Papel.VERIFICACION))]
PideVerificacion = Annotated[Entrada, Depends(ExigePapel(Papel.VERIFICACION, Papel.COORDINACION))]
PideCoordinacion = Annotated[Entrada, Depends(ExigePapel(Papel.COORDINACION))]


def _guardar(memoria: OrderedDict[str, _T], llave: str, valor: _T) -> None:
    memoria[llave] = valor
    while len(memoria) > _MEMORIA:
        memoria.popitem(last=False)
