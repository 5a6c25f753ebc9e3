"""El lector del puesto, de lo que ve udev a la página: se lee un gafete de la mesa de pruebas y alguien entra."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from appliance.arranque import Kiosco
from appliance.dispositivos.bus import Dispositivo
from appliance.dispositivos.inventario import Foto
from appliance.dispositivos.perfil import Clase, ModoDeLector
from appliance.dispositivos.perfiles import leer_perfiles
from appliance.lector_del_puesto import LectorDelPuesto
from appliance.pantalla.app import crear_app
from appliance.personas import Papel
from appliance.puesto import Puesto
from ensayo.mesa_de_pruebas.lector import LectorDeMesa
from nucleo.codigo_qr import codigo_de
from tests.catd_de_prueba import Gente, escribir_personas
from tests.contrato.test_lector import tecleo
from tests.kiosco_de_prueba import A1, PROCESO, abrir_mesa, identidad
from tests.pantallas_de_prueba import PUERTO
from tests.turno_de_prueba import oculto, presentar, teclear_nip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PERFILES: Final = leer_perfiles()
ZEBRA: Final = PERFILES.por_clave["zebra_ds2208"]
ANA: Final = Gente.nueva("acopio-1", "Ana Acopio", Papel.ACOPIO)
BETO: Final = Gente.nueva("captura-1", "Beto Captura", Papel.CAPTURA)
CASA: Final = f"http://127.0.0.1:{PUERTO}"
ESPERA_S: Final = 15.0
REPITE_S: Final = 1.2


def visto(modo: ModoDeLector, nodo: Path | str) -> Dispositivo:
    """Un lector como lo describe `BusUdev`."""
    numero = next(i for i in ZEBRA.usb if i.modo is modo)
    return Dispositivo(Clase.LECTOR, ZEBRA.nombre, ZEBRA.clave, numero.vid, numero.pid, "S1", str(nodo), "/sys/1")


class Puerta:
    """El kiosco con su lector, y la estación frente a él."""

    def __init__(self, carpeta: Path, *, fijo: str = "") -> None:
        self.conectados: tuple[Dispositivo, ...] = ()
        escribir_personas(carpeta, (ANA, BETO))
        mesa = abrir_mesa(carpeta)
        self.lector = LectorDelPuesto(PERFILES, lambda: Foto(self.conectados), fijo=fijo)
        kiosco = Kiosco(mesa, mesa.almacen, PROCESO, identidad(), mesa.reloj, carpeta)
        app = crear_app(kiosco, PUERTO, Puesto(lector=self.lector.tomar))
        self.navegador = TestClient(app, base_url=CASA, headers={"origin": CASA, "sec-fetch-site": "same-origin"})
        self.lector.empezar()

    def oido(self, mandar: Callable[[], object], pide: str = "") -> Any:
        """Lo que contesta `/lector`. Como una persona, repite la lectura si nadie la oyó."""
        limite = time.monotonic() + ESPERA_S
        repetir = 0.0
        while True:
            if time.monotonic() >= repetir:
                repetir = time.monotonic() + REPITE_S
                with contextlib.suppress(OSError):
                    mandar()
            respuesta = self.navegador.get("/lector" + pide)
            if respuesta.status_code == 200:
                return respuesta.json()
            assert time.monotonic() < limite, "el kiosco nunca oyó al lector"
            time.sleep(0.05)


@pytest.fixture
def puerta(tmp_path: Path) -> Iterator[Puerta]:
    puerta = Puerta(tmp_path)
    yield puerta
    puerta.lector.terminar()


@pytest.fixture
def mesa(tmp_path: Path) -> Iterator[LectorDeMesa]:
    mesa = LectorDeMesa(tmp_path / "ttyACM0")
    yield mesa
    mesa.desconectar()


def test_el_gafete_leido_llega_a_la_pagina_y_entra_a_turno(puerta: Puerta, mesa: LectorDeMesa) -> None:
    puerta.conectados = (visto(ModoDeLector.SERIE, mesa.enlace),)
    leido = puerta.oido(lambda: mesa.leer(ANA.gafete), "?pide=gafete")
    assert leido == {"texto": ANA.gafete, "clase": "gafete"}
    pagina = presentar(puerta.navegador, leido["texto"])
    respuesta = teclear_nip(puerta.navegador, pagina, ANA.nip)
    assert respuesta.url.path == "/"
    assert "Ana Acopio" in respuesta.text


def test_un_gafete_que_la_pagina_no_pidio_no_se_ensena(puerta: Puerta, mesa: LectorDeMesa) -> None:
    puerta.conectados = (visto(ModoDeLector.SERIE, mesa.enlace),)
    leido = puerta.oido(lambda: mesa.leer(BETO.gafete))
    assert leido == {"texto": "", "clase": "gafete", "persona": BETO.clave, "nombre": BETO.nombre, "propio": False}
    assert BETO.gafete not in str(leido)


def test_se_desconecta_a_media_noche_y_vuelve_en_otra_linea(puerta: Puerta, mesa: LectorDeMesa) -> None:
    codigo = codigo_de(PROCESO.casillas[A1.casilla], PROCESO.elecciones["GUB"])
    puerta.conectados = (visto(ModoDeLector.SERIE, mesa.enlace),)
    assert puerta.oido(lambda: mesa.leer("uno"))["texto"] == "uno"
    mesa.desconectar()
    puerta.conectados = ()
    assert puerta.navegador.get("/lector").status_code == 204
    mesa.conectar()
    puerta.conectados = (visto(ModoDeLector.SERIE, mesa.enlace),)
    assert puerta.oido(lambda: mesa.leer(codigo)) == {"texto": codigo, "clase": "acta"}


def test_el_de_la_mesa_de_pruebas_se_abre_sin_udev_y_tambien_vuelve(tmp_path: Path, mesa: LectorDeMesa) -> None:
    puerta = Puerta(tmp_path, fijo=str(mesa.enlace))
    try:
        assert puerta.oido(lambda: mesa.leer("antes"))["texto"] == "antes"
        mesa.desconectar()
        mesa.conectar()
        assert puerta.oido(lambda: mesa.leer("despues"))["texto"] == "despues"
    finally:
        puerta.lector.terminar()


def test_en_modo_teclado_se_abre_como_teclado(puerta: Puerta, tmp_path: Path) -> None:
    nodo = tmp_path / "event7"
    os.mkfifo(nodo)
    extremo = os.open(nodo, os.O_RDWR)
    try:
        puerta.conectados = (visto(ModoDeLector.TECLADO, nodo),)
        # Un solo código: en un FIFO lo que se escribe espera a que lo abran.
        os.write(extremo, b"".join(map(tecleo, "200001B0100\r")))
        assert puerta.oido(lambda: None)["texto"] == "200001B0100"
    finally:
        os.close(extremo)


def test_un_lector_al_que_el_sistema_no_le_dio_nodo_no_estorba_al_otro(puerta: Puerta, mesa: LectorDeMesa) -> None:
    puerta.conectados = (visto(ModoDeLector.SERIE, ""), visto(ModoDeLector.SERIE, mesa.enlace))
    assert puerta.oido(lambda: mesa.leer("hola"))["texto"] == "hola"


def test_un_lector_que_no_se_deja_abrir_no_tumba_a_nadie(
    puerta: Puerta, mesa: LectorDeMesa, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no-es-un-tty").write_text("")
    puerta.conectados = (visto(ModoDeLector.SERIE, tmp_path / "no-es-un-tty"),)
    limite = time.monotonic() + ESPERA_S
    dicho = ""
    while "no es una línea serie" not in dicho:
        assert time.monotonic() < limite
        time.sleep(0.05)
        dicho += capfd.readouterr().err
    puerta.conectados = (visto(ModoDeLector.SERIE, mesa.enlace),)
    assert puerta.oido(lambda: mesa.leer("hola"))["texto"] == "hola"


def test_lo_leido_que_no_es_un_gafete_no_abre_la_puerta(puerta: Puerta, mesa: LectorDeMesa) -> None:
    puerta.conectados = (visto(ModoDeLector.SERIE, mesa.enlace),)
    leido = puerta.oido(lambda: mesa.leer("PREPG:no-es"), "?pide=gafete")
    pagina = presentar(puerta.navegador, str(leido["texto"]))
    assert 'action="/turno/nip"' not in pagina
    assert oculto(pagina, "sello")
