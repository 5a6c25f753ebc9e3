"""Entrar al kiosco en las pruebas como entra la gente: con su gafete y su NIP. Sirve a cualquier cliente HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from appliance.acceso import GAFETE_DE_PRACTICA, NIP_DE_PRACTICA

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Respuesta(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def status_code(self) -> int: ...
    @property
    def url(self) -> Any: ...


class Navegador(Protocol):
    """Un `httpx.Client` o un `TestClient` que sigue redirecciones y manda su origen."""

    def get(self, url: str, /) -> Any: ...
    def post(self, url: str, /, *, data: Mapping[str, Any]) -> Any: ...


def oculto(pagina: str, nombre: str) -> str:
    """El valor del primer campo con ese nombre."""
    hallado = re.search(rf'name="{nombre}" value="([^"]*)"', pagina)
    assert hallado is not None, pagina
    return html.unescape(hallado[1])


def presentar(navegador: Navegador, gafete: str) -> str:
    """Pasa el gafete por el lector; devuelve la página que resulta."""
    sello = oculto(navegador.get("/turno?otra=1").text, "sello")
    return str(navegador.post("/turno/gafete", data={"sello": sello, "gafete": gafete}).text)


def teclear_nip(navegador: Navegador, pagina: str, nip: str) -> Any:
    """Teclea el NIP en la página que lo pide; devuelve la respuesta."""
    campos = {n: oculto(pagina, n) for n in ("sello", "intento", "persona", "volver")}
    return navegador.post("/turno/nip", data=campos | {"nip": nip})


def entrar(navegador: Navegador, clave: str, *, gafete: str = "", nip: str = NIP_DE_PRACTICA) -> None:
    """Empieza el turno de esa persona en la estación del navegador. Sin `gafete`, es una de práctica."""
    pagina = presentar(navegador, gafete or f"{GAFETE_DE_PRACTICA}:{clave}")
    if 'action="/turno/nip"' not in pagina:
        # Es su propio turno: pasar otra vez el gafete no pide nada.
        assert 'action="/turno/terminar"' in pagina, pagina
        return
    respuesta = teclear_nip(navegador, pagina, nip)
    assert respuesta.status_code == 200, respuesta.text
    assert respuesta.url.path == "/", respuesta.text


def entrar_con_los_dedos(pagina: Page, casa: str, nombre: str) -> None:
    """En un Chromium: toca el nombre de esa persona de práctica, teclea su NIP y espera el inicio."""
    pagina.goto(casa + "/turno?otra=1")
    pagina.get_by_role("button", name=nombre, exact=True).tap()
    for cifra in NIP_DE_PRACTICA:
        pagina.locator(f'#teclado-nip [data-tecla="{cifra}"]').tap()
    pagina.locator("#forma-nip .principal").tap()
    pagina.wait_for_url(casa + "/")
