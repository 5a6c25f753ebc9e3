"""Las pantallas de un kiosco de prueba, sin servidor: las mismas rutas y guardias, y un navegador sin JavaScript."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from appliance.arranque import Kiosco
from appliance.mesa import Mesa
from appliance.pantalla.app import crear_app
from appliance.puesto import SIN_APARATOS, Puesto
from tests.kiosco_de_prueba import PROCESO, identidad
from tests.turno_de_prueba import entrar, oculto

with warnings.catch_warnings():
    # Starlette prefiere otra versión de httpx; a estas pruebas les da igual.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PUERTO: Final = 8080


def pantallas(mesa: Mesa, carpeta: Path, persona: str, puesto: Puesto = SIN_APARATOS) -> TestClient:
    """Un navegador con esa persona ya identificada."""
    kiosco = Kiosco(mesa, mesa.almacen, PROCESO, identidad(), mesa.reloj, carpeta)
    casa = f"http://127.0.0.1:{PUERTO}"
    cabeceras = {"origin": casa, "sec-fetch-site": "same-origin"}
    navegador = TestClient(crear_app(kiosco, PUERTO, puesto), base_url=casa, headers=cabeceras)
    entrar(navegador, persona)
    return navegador


def mandar(navegador: TestClient, desde: str, ruta: str, **campos: str) -> str:
    """Manda un formulario de la página `desde` a `ruta` y devuelve la página que resulta."""
    pagina = navegador.get(desde).text
    nombres = ("sello", "intento", "visto", "abierta", "imagen")
    sellos = {n: oculto(pagina, n) for n in nombres if f'name="{n}"' in pagina}
    return str(navegador.post(ruta, data=sellos | campos).text)
