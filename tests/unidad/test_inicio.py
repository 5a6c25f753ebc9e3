"""El inicio: un solo botón azul, y es lo que esa persona debe hacer ahora."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from appliance.arranque import abrir_kiosco
from appliance.modo import crear_capacitacion
from appliance.pantalla.acta_nombrada import TIPOS
from appliance.pantalla.app import crear_app
from appliance.pantalla.que_sigue import Pendiente, que_sigue
from appliance.personas import Papel, Persona
from appliance.reloj import RelojDeEnsayo
from nucleo.acta import Origen
from nucleo.casilla import TIPOS as LETRAS
from nucleo.hechos import IdActa
from tests.kiosco_de_prueba import A1, bien, carpeta_inscrita
from tests.persona_por_http import PersonaPorHttp
from tests.turno_de_prueba import entrar

DATOS = Path(__file__).resolve().parents[2] / "datos"
CASA = "http://127.0.0.1:8080"
REVISION = IdActa("GUB", "200002B0100")


def _persona(*papeles: Papel) -> Persona:
    return Persona("x", "X", frozenset(papeles))


@pytest.mark.parametrize(
    ("papeles", "pendiente", "ruta"),
    [
        ((Papel.CAPTURA,), Pendiente(), "/siguiente"),
        ((Papel.CAPTURA,), Pendiente(3), "/siguiente"),
        ((Papel.ACOPIO,), Pendiente(sin_imagen=4, verificadas=9), "/acopio"),
        ((Papel.DIGITALIZACION,), Pendiente(), "/digitalizacion"),
        ((Papel.ACOPIO, Papel.DIGITALIZACION), Pendiente(), "/acopio"),
        ((Papel.ACOPIO, Papel.DIGITALIZACION), Pendiente(sin_imagen=1), "/digitalizacion"),
        ((Papel.VERIFICACION,), Pendiente(2, [REVISION], verificadas=5), "/siguiente"),
        ((Papel.VERIFICACION,), Pendiente(0, [REVISION], verificadas=5), "/revision/GUB/200002B0100"),
        ((Papel.VERIFICACION,), Pendiente(verificadas=5), "/cotejo"),
        ((Papel.VERIFICACION,), Pendiente(), "/siguiente"),
        ((Papel.COORDINACION,), Pendiente(0, [REVISION]), "/coordinacion"),
    ],
)
def test_lo_que_le_toca_ahora_segun_su_papel_y_lo_pendiente(
    papeles: tuple[Papel, ...], pendiente: Pendiente, ruta: str
) -> None:
    assert que_sigue(_persona(*papeles), pendiente) == ruta
    assert que_sigue(_persona(*papeles), pendiente, sin_practica=True) == "/practica"


def test_nunca_hay_dos_botones_azules_en_el_inicio(tmp_path: Path) -> None:
    reloj = RelojDeEnsayo(datetime.fromisoformat("2022-06-05T20:14:00-05:00"))
    kiosco = abrir_kiosco(carpeta_inscrita(tmp_path / "k", DATOS / "oaxaca_2022"), reloj)
    cliente: Any = TestClient(crear_app(kiosco, 8080), base_url=CASA, headers={"origin": CASA})
    azules = []
    for quien in ("capturista-1", "coordinacion"):
        entrar(cliente, quien)
        azules.append(_azules(PersonaPorHttp(cliente).ver("/")))
    bien(kiosco.mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    azules.append(_azules(PersonaPorHttp(cliente).ver("/")))
    kiosco.almacen.desconectar()
    assert [len(x) for x in azules] == [1, 1, 1]
    assert ["Acopio" in azules[0][0], "Coordinación" in azules[1][0], "Siguiente acta" in azules[2][0]] == [True] * 3


def test_en_capacitacion_el_azul_es_la_practica_y_despues_la_siguiente_acta(tmp_path: Path) -> None:
    kiosco = abrir_kiosco(crear_capacitacion(tmp_path, DATOS / "capacitacion", "catd-01"))
    cliente: Any = TestClient(crear_app(kiosco, 8080), base_url=CASA, headers={"origin": CASA})
    entrar(cliente, "capturista-1")
    nueva = PersonaPorHttp(cliente)
    (antes,) = _azules(nueva.ver("/"))
    nueva.mandar("/practica", "/practica/empezar")
    (despues,) = _azules(nueva.ver("/"))
    kiosco.almacen.desconectar()
    assert ("Empiece por la práctica guiada" in antes, "Siguiente acta" in despues) == (True, True)


def test_toda_casilla_tiene_su_palabra() -> None:
    assert "".join(TIPOS) == LETRAS


def _azules(pagina: str) -> list[str]:
    return re.findall(r'class="[^"]*\bprincipal\b[^"]*"[^>]*>([^<]*)<', pagina)
