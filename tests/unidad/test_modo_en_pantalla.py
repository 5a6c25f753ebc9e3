"""Cambiar de modo desde la pantalla: sólo coordinación, sólo confirmando, y nunca con el almacén abierto."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from appliance.aparato import Aparato
from appliance.arranque import Kiosco, abrir_kiosco
from appliance.modo import cambiar, resolver
from appliance.pantalla.app import crear_app
from appliance.reloj import RelojFijado
from nucleo.acta import Origen
from nucleo.hechos import IdActa
from nucleo.modos import CAPACITACION, SIMULACRO
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import bien, carpeta_inscrita
from tests.pantallas_de_prueba import PUERTO
from tests.persona_por_http import PersonaPorHttp, sin_marcas
from tests.turno_de_prueba import entrar

NOCHE = datetime.fromisoformat("2022-06-05T20:14:00-05:00")
OAXACA = Path(__file__).resolve().parents[2] / "datos" / "oaxaca_2022"


class Pantallas:
    """Las pantallas de un aparato de varios modos, y si se pidió cerrarlas."""

    def __init__(self, carpeta: Path) -> None:
        self.aparato = Aparato(carpeta)
        self.cerradas = 0
        self.kiosco: Kiosco
        self.abrir()

    def abrir(self) -> None:
        carpeta = resolver(self.aparato.carpeta)
        self.kiosco = abrir_kiosco(carpeta, RelojFijado(NOCHE) if carpeta.name == SIMULACRO else None)
        self.aparato.abierto(self._detener)
        self.app = crear_app(self.kiosco, PUERTO, aparato=self.aparato)

    def _detener(self) -> None:
        self.cerradas += 1

    def reabrir(self) -> None:
        """Lo que hace la orden `kiosco` cuando las pantallas se cierran."""
        self.kiosco.almacen.desconectar()
        self.aparato.cumplir()
        self.abrir()

    def persona(self, clave: str | None) -> PersonaPorHttp:
        casa = f"http://127.0.0.1:{PUERTO}"
        cliente: Any = TestClient(self.app, base_url=casa, headers={"origin": casa, "sec-fetch-site": "same-origin"})
        if clave is not None:
            entrar(cliente, clave)
        return PersonaPorHttp(cliente)


@pytest.fixture
def pantallas(tmp_path: Path) -> Iterator[Pantallas]:
    aparato = tmp_path / "aparato"
    carpeta_inscrita(aparato / SIMULACRO, OAXACA)
    assert cambiar(aparato, SIMULACRO, "PASAR A SIMULACRO") == aparato / SIMULACRO
    abiertas = Pantallas(aparato)
    yield abiertas
    abiertas.kiosco.almacen.desconectar()


def test_coordinacion_ve_que_se_borra_y_a_que_modos_puede_pasar(pantallas: Pantallas) -> None:
    coordina = pantallas.persona("coordinacion")
    dicho = sin_marcas(coordina.ver("/modo"))
    assert "modo SIMULACRO" in dicho
    assert "Se borra todo lo de simulacro" in dicho
    assert "no está inscrito para oficial" in dicho
    assert "/modo" in coordina.ver("/")


def test_quien_captura_no_llega_a_cambiar_de_modo(pantallas: Pantallas) -> None:
    captura = pantallas.persona("capturista-1")
    assert 'href="/modo"' not in captura.ver("/")
    for ruta in ("/modo", "/modo/capacitacion"):
        captura.ver(ruta)
        assert captura.ultima.status_code == 403
    captura.con(captura.ver("/"), "/modo/capacitacion", confirmacion="BORRAR SIMULACRO")
    assert (captura.ultima.status_code, pantallas.cerradas) == (403, 0)


def test_sin_escribir_la_confirmacion_no_se_cambia_nada(pantallas: Pantallas) -> None:
    coordina = pantallas.persona("coordinacion")
    pagina = coordina.mandar("/modo/capacitacion", "/modo/capacitacion", confirmacion="sí")
    assert coordina.ultima.status_code == 422
    assert "BORRAR SIMULACRO" in pagina
    assert (pantallas.cerradas, pantallas.aparato.por_cambiar) == (0, False)
    assert (pantallas.aparato.carpeta / SIMULACRO).exists()


def test_al_confirmar_se_cierra_se_borra_y_se_abre_en_la_carpeta_nueva(pantallas: Pantallas) -> None:
    coordina = pantallas.persona("coordinacion")
    antes = pantallas.aparato.arranque
    pagina = coordina.mandar("/modo/capacitacion", "/modo/capacitacion", confirmacion="borrar simulacro")
    assert "Cambiando de modo" in pagina
    assert f'data-arranque="{antes}"' in pagina
    assert pantallas.cerradas == 0, "la página de espera todavía no se carga"
    assert coordina.cliente.get("/modo/arranque").json() == {"arranque": antes}
    assert pantallas.cerradas == 1
    assert (pantallas.aparato.carpeta / SIMULACRO).exists(), "nada se borra mientras las pantallas sigan abiertas"
    pantallas.reabrir()
    assert not (pantallas.aparato.carpeta / SIMULACRO).exists()
    nadie = pantallas.persona(None)
    assert nadie.cliente.get("/modo/arranque").json()["arranque"] not in ("", antes)
    assert "modo CAPACITACIÓN" in sin_marcas(nadie.ver("/modo/espera"))
    assert pantallas.kiosco.identidad.modo == CAPACITACION


def test_si_al_cerrar_ya_no_se_puede_sigue_en_su_modo_y_lo_dice(pantallas: Pantallas) -> None:
    coordina = pantallas.persona("coordinacion")
    coordina.mandar("/modo/capacitacion", "/modo/capacitacion", confirmacion="BORRAR SIMULACRO")
    # Entre el toque y el cierre alguien acopió: hay un sobre que el centro no tiene.
    bien(pantallas.kiosco.mesa.acopiar(IdActa("GUB", "200002B0100"), persona="a", origen=Origen.CATD))
    pantallas.reabrir()
    assert pantallas.kiosco.identidad.modo == SIMULACRO
    assert isinstance(pantallas.aparato.tropiezo, Rechazo)
    nadie = pantallas.persona(None)
    assert "sin acuse del centro" in sin_marcas(nadie.ver("/modo/espera"))


def test_un_modo_que_no_existe_o_sin_inscribir_se_niega_con_palabras(pantallas: Pantallas) -> None:
    coordina = pantallas.persona("coordinacion")
    for ruta in ("/modo/oficial", "/modo/otro"):
        dicho = sin_marcas(coordina.ver(ruta))
        assert coordina.ultima.status_code == 409
        assert "Siguiente paso" in dicho
        coordina.con(coordina.ver("/"), ruta, confirmacion="PASAR A OFICIAL")
        assert coordina.ultima.status_code == 409
    assert pantallas.cerradas == 0


def test_un_kiosco_de_un_solo_modo_no_tiene_esa_pantalla(tmp_path: Path) -> None:
    kiosco = abrir_kiosco(carpeta_inscrita(tmp_path / "k", OAXACA))
    casa = f"http://127.0.0.1:{PUERTO}"
    cliente: Any = TestClient(crear_app(kiosco, PUERTO), base_url=casa, headers={"origin": casa})
    entrar(cliente, "coordinacion")
    assert cliente.get("/modo").status_code == 404
    assert 'href="/modo"' not in cliente.get("/").text
    kiosco.almacen.desconectar()


def test_en_capacitacion_la_practica_va_primero_y_se_ofrece_a_quien_no_la_ha_hecho(pantallas: Pantallas) -> None:
    assert pantallas.persona("capturista-1").cliente.get("/practica").status_code == 404
    coordina = pantallas.persona("coordinacion")
    coordina.mandar("/modo/capacitacion", "/modo/capacitacion", confirmacion="BORRAR SIMULACRO")
    pantallas.reabrir()
    nueva = pantallas.persona("capturista-1")
    inicio = nueva.ver("/")
    assert "Empiece por la práctica guiada" in sin_marcas(inicio)
    assert inicio.index('href="/practica"') < inicio.index('href="/acopio"')
    nueva.mandar("/practica", "/practica/empezar")
    assert "Empiece por la práctica guiada" not in sin_marcas(nueva.ver("/"))


def test_el_aparato_se_borra_por_fuera_y_la_orden_lo_dice(tmp_path: Path) -> None:
    aparato = tmp_path / "aparato"
    carpeta_inscrita(aparato / SIMULACRO, OAXACA)
    cambiar(aparato, SIMULACRO, "PASAR A SIMULACRO")
    abierto = Aparato(aparato)
    assert not isinstance(abierto.pedir(CAPACITACION, "BORRAR SIMULACRO", "c"), Rechazo)
    shutil.rmtree(aparato / SIMULACRO)
    assert abierto.cumplir() is not None
    assert resolver(aparato) == aparato / CAPACITACION
