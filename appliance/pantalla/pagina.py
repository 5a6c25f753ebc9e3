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
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from appliance.acceso import Acceso, cuenta_en
from appliance.ambito import leer_ambito
from appliance.aparato import Aparato
from appliance.arranque import Kiosco
from appliance.esperadas import Esperadas
from appliance.impresion.imprenta import Imprenta
from appliance.pantalla.barra import datos_de_la_barra
from appliance.pantalla.presentados import Presentados
from appliance.pantalla.sesion import DURA_S, GALLETA, Sesion, Sesiones
from appliance.personas import NOMBRES, ListaDePersonas, Papel, Persona
from appliance.puesto import Puesto
from appliance.turnos import Turno, Turnos
from nucleo.problema import Rechazo

_T = TypeVar("_T")

_MEMORIA: Final = 200
"""Formularios ya atendidos que se recuerdan, para contestar igual a su segundo toque."""


class PaginaVencida(Exception):
    """El formulario no trae el sello de esta sesión."""


class SinPersona(Exception):
    """Hace falta entrar con gafete y NIP, o desbloquear la pantalla."""


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
    """Quien tiene el turno de esta estación, si su pantalla no está bloqueada."""
    campos: Mapping[str, list[str]]
    ruta: str = ""
    turno: Turno | None = None
    """El turno de esta estación, también si está bloqueado."""

    def texto(self, nombre: str) -> str:
        valores = self.campos.get(nombre, [])
        return valores[0].strip() if valores else ""


def de_rechazo(rechazo: Rechazo) -> Aviso:
    return Aviso(False, rechazo.que, rechazo.causa, rechazo.siguiente)


class Pantalla:
    """Lo que comparten las rutas."""

    def __init__(
        self, kiosco: Kiosco, lista: ListaDePersonas, secreto: bytes, puesto: Puesto, aparato: Aparato | None = None
    ) -> None:
        self.kiosco = kiosco
        self.puesto = puesto
        self.aparato = aparato
        self.mesa = kiosco.mesa
        self.proceso = kiosco.proceso
        self.personas = {p.clave: p for p in lista.personas}
        self.sesiones = Sesiones(secreto)
        self.acceso = Acceso(kiosco.almacen, kiosco.reloj, lista.personas)
        self.turnos = Turnos(kiosco.almacen, kiosco.reloj, lista.inactividad)
        self.presentados = Presentados()
        self.esperadas = Esperadas(kiosco.mesa.fila, kiosco.proceso, leer_ambito(kiosco.carpeta, kiosco.proceso))
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
        self._memoria = Lock()
        # Uno por estación, mientras se usa: una impresora que tarda no detiene las capturas de las demás.
        self._candados: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    async def entrada(self, peticion: Request) -> Entrada:
        """Identifica la petición y, si escribe, exige el sello. Raises: PaginaVencida, Falla."""
        estacion = self.sesiones.leer(peticion.cookies.get(GALLETA))
        sesion, turno = await run_in_threadpool(self._quien, estacion)
        campos: dict[str, list[str]] = {}
        if peticion.method == "POST":
            for nombre, valor in await _formulario(peticion):
                campos.setdefault(nombre, []).append(valor)
            sello = campos.get("sello", [""])[0]
            if estacion is None or not self.sesiones.vale(sesion, sello):
                raise PaginaVencida
        persona = self.personas.get(turno.persona) if turno is not None and not turno.bloqueado else None
        return Entrada(sesion, persona, campos, peticion.url.path, turno)

    def de_aviso(self, peticion: Request) -> Entrada:
        """Lo que hace falta para decirle algo a quien sea, sin leer su formulario. Raises: Falla."""
        sesion, turno = self._quien(self.sesiones.leer(peticion.cookies.get(GALLETA)))
        persona = self.personas.get(turno.persona) if turno is not None and not turno.bloqueado else None
        return Entrada(sesion, persona, {}, turno=turno)

    def comprobar_nip(self, persona: Persona, entrada: Entrada) -> Rechazo | None:
        """`None` si el `nip` del formulario es el suyo; si no, cuenta la falla donde fue. Raises: Falla."""
        sesion = entrada.sesion
        presentado = self.presentados.en(sesion.azar) == persona.clave
        desde = cuenta_en(persona.clave, sesion.persona, gafete=presentado)
        intento = f"{sesion.azar} {numero}" if (numero := entrada.texto("intento")) else ""
        rechazo = self.acceso.comprobar_nip(persona, entrada.texto("nip"), desde=desde, intento=intento)
        if rechazo is None and presentado:
            self.presentados.olvidar(sesion.azar)
        return rechazo

    def _quien(self, estacion: str | None) -> tuple[Sesion, Turno | None]:
        if estacion is None:
            return self.sesiones.nueva(), None
        turno = self.turnos.de(estacion)
        # Quien ya no está en la lista no tiene turno, aunque lo haya dejado abierto.
        if turno is not None and turno.persona not in self.personas:
            self.turnos.cerrar(estacion, "ya no está en la lista de personas")
            turno = None
        return Sesion(estacion, turno.persona if turno else ""), turno

    def pagina(self, plantilla: str, entrada: Entrada, *, codigo: int = 200, **datos: object) -> HTMLResponse:
        """Una página completa, con su barra."""
        contexto = {
            "titulo": "",
            "aviso": self._avisos.get(entrada.sesion.azar + entrada.ruta) if codigo == 200 else None,
            "intento": secrets.token_hex(8),
            "proceso": self.proceso,
            "con_lector": self.puesto.lector is not None,
            **self.barra(entrada),
            **datos,
        }
        respuesta = HTMLResponse(self._plantillas.get_template(plantilla).render(contexto), status_code=codigo)
        self.recordar(respuesta, entrada.sesion)
        return respuesta

    def ahora(self) -> datetime:
        """La hora que ve la gente: la del huso del proceso, esté la máquina en el que esté."""
        return self.kiosco.reloj.ahora().astimezone(self._huso)

    def barra(self, entrada: Entrada) -> dict[str, object]:
        """Los datos de la barra en este momento. Raises: Falla."""
        return {
            **datos_de_la_barra(self.kiosco, datetime.now(UTC), self.ahora()),
            "persona": entrada.persona,
            "del_turno": self.personas.get(entrada.sesion.persona),
            "sello": self.sesiones.sello(entrada.sesion),
        }

    def trozo(self, plantilla: str, **datos: object) -> HTMLResponse:
        return HTMLResponse(self._plantillas.get_template(plantilla).render(datos))

    def una_vez(self, entrada: Entrada, accion: Callable[[], tuple[str, Aviso | None] | Response]) -> Response:
        """Corre la acción y redirige. El mismo formulario mandado dos veces sólo la corre una.

        El mismo es el de la misma estación, persona y ruta: un número repetido no contesta lo que hizo otra persona.

        Raises:
            PaginaVencida, SinPersona: si mientras esperaba su turno relevaron a la persona o se bloqueó su pantalla.
            Falla: si no se pudo saber.
        """
        sesion, intento = entrada.sesion, entrada.texto("intento")
        llave = "\n".join((sesion.azar, sesion.persona, entrada.ruta, intento))
        with self._memoria:
            candado = self._candados.setdefault(sesion.azar, Lock())
        with candado:
            with self._memoria:
                hecho = self._atendidos.get(llave) if intento else None
            if hecho is not None:
                return RedirectResponse(hecho, status_code=303)
            self._exigir_el_mismo_turno(entrada)
            # Lo dicho por la acción anterior se quita al empezar otra: un «guardada» viejo junto a un error confunde.
            with self._memoria:
                for ruta in [r for r in self._avisos if r.startswith(sesion.azar)]:
                    del self._avisos[ruta]
            resultado = accion()
            if isinstance(resultado, Response):
                return resultado
            destino, aviso = resultado
            with self._memoria:
                if intento:
                    _guardar(self._atendidos, llave, destino)
                if aviso is not None:
                    _guardar(self._avisos, sesion.azar + destino, aviso)
        return RedirectResponse(destino, status_code=303)

    def _exigir_el_mismo_turno(self, entrada: Entrada) -> None:
        turno = self.turnos.de(entrada.sesion.azar)
        if (turno.persona if turno is not None else "") != entrada.sesion.persona:
            raise PaginaVencida
        if entrada.persona is not None and turno is not None and turno.bloqueado:
            raise SinPersona

    def recordar(self, respuesta: Response, sesion: Sesion) -> None:
        galleta = self.sesiones.escribir(sesion)
        respuesta.set_cookie(GALLETA, galleta, max_age=DURA_S, httponly=True, samesite="strict", path="/")


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


async def _formulario(peticion: Request) -> list[tuple[str, str]]:
    """Los campos del formulario. Raises: HTTPException 400, si no se entiende."""
    try:
        leido: FormData = await peticion.form(max_fields=2000, max_files=0)
    except UnicodeError as error:
        raise HTTPException(400) from error
    # Un juego de caracteres raro puede traer medios signos que ni el disco ni la página admiten.
    return [(nombre, str(valor).encode("utf-8", "replace").decode()) for nombre, valor in leido.multi_items()]


class ExigePapel:
    """Dependencia que sólo deja pasar a quien tiene alguno de esos papeles; sin papeles, a cualquier identificada."""

    def __init__(self, *papeles: Papel) -> None:
        self.papeles = papeles

    async def __call__(self, peticion: Request) -> Entrada:
        """Raises: SinPersona, PapelAjeno, PaginaVencida."""
        entrada = await _entrada(peticion)
        persona = persona_de(entrada)
        if entrada.turno is not None and _la_hizo_alguien(peticion):
            await run_in_threadpool(peticion.app.state.pantalla.turnos.usar, entrada.turno)
        if self.papeles and not persona.puede(*self.papeles):
            raise PapelAjeno(persona, self.papeles)
        return entrada


def _la_hizo_alguien(peticion: Request) -> bool:
    # Lo que una página pide sola (un trozo que se refresca, una imagen) no prueba que haya alguien enfrente.
    if peticion.method == "POST":
        return True
    destino = peticion.headers.get("sec-fetch-dest", "document")
    return destino == "document" and "hx-request" not in peticion.headers


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
