"""Enchufar y desenchufar con el kiosco corriendo: el programa de verdad bajo umockdev y un Chromium que lo mira.

El kiosco arranca como en un CATD, sin mesa de pruebas: lo que hay conectado se lo dice udev. Debajo, SANE es el de la
máquina con la configuración que la prueba le pone, y el lector es un pty con el nombre que udev le da.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from appliance.personas import Papel
from ensayo.mesa_de_pruebas.lector import LectorDeMesa
from ensayo.mesa_de_pruebas.mesa import MesaDePruebas
from ensayo.puertos import puerto_libre
from nucleo.definicion import cargar_proceso
from nucleo.hechos import IdActa
from tests.banco_aparte import ENVOLTURA, BancoAparte, se_puede
from tests.catd_de_prueba import NOCHE, Gente, Pieza, escribir_personas
from tests.foto import tomar
from tests.kiosco_de_prueba import carpeta_inscrita
from tests.puesto_de_prueba import acta_dibujada
from tests.turno_de_prueba import entrar

CHROMIUM: Final = "/usr/bin/chromium"
DORA: Final = Gente.nueva("digital-1", "Dora Digital", Papel.DIGITALIZACION, Papel.COORDINACION)
ESPERA_S: Final = 30.0

pytestmark = [
    pytest.mark.navegador,
    pytest.mark.skipif(not se_puede(), reason="falta el paquete umockdev; `./prep probar` lo instala"),
    pytest.mark.skipif(shutil.which("scanimage") is None, reason="falta sane-utils"),
]


class Puesto:
    """El kiosco corriendo, lo que tiene debajo y la página de quien lo usa."""

    def __init__(self, carpeta: Path, definicion: Path, banco: BancoAparte) -> None:
        self.banco = banco
        self.proceso = cargar_proceso(definicion)
        self.carpeta = carpeta_inscrita(carpeta / "kiosco", definicion)
        escribir_personas(self.carpeta, (DORA,))
        self.mesa = MesaDePruebas(carpeta / "mesa")
        self.sane_ve_algo(False)
        puerto = puerto_libre()
        self.casa = f"http://127.0.0.1:{puerto}"
        self.kiosco = Pieza(
            "appliance",
            carpeta / "kiosco.log",
            *("--carpeta", str(self.carpeta), "--puerto", str(puerto), "--reloj-de-ensayo", NOCHE),
        )
        self._ordenes = carpeta / "ordenes"
        self._poner_scanimage()
        self.cliente = httpx.Client(
            base_url=self.casa,
            headers={"origin": self.casa, "sec-fetch-site": "same-origin"},
            follow_redirects=True,
            trust_env=False,
            timeout=30,
        )
        self.tardo: list[str] = []

    def _poner_scanimage(self) -> None:
        # El de verdad, con otra configuración: en producción el kiosco usa /etc/sane.d, que aquí es de la máquina.
        self._ordenes.mkdir()
        orden = self._ordenes / "scanimage"
        orden.write_text(f'#!/bin/sh\nSANE_CONFIG_DIR="{self.mesa.sane}" exec "{shutil.which("scanimage")}" "$@"\n')
        orden.chmod(0o755)

    def sane_ve_algo(self, si: bool) -> None:
        """Como el escáner que ya despertó, o el que aún no."""
        (self.mesa.sane / "dll.conf").write_text("airscan\n" if si else "")

    def encender(self) -> None:
        camino = f"{self._ordenes}{os.pathsep}{os.environ['PATH']}"
        self.kiosco.levantar(ENVOLTURA, UMOCKDEV_DIR=str(self.banco.raiz), PATH=camino)
        self.hasta(self._contesta, "arrancar")
        entrar(self.cliente, DORA.clave, gafete=DORA.gafete, nip=DORA.nip)

    def _contesta(self) -> bool:
        assert self.kiosco.viva, self.kiosco.dicho()
        try:
            return self.cliente.get("/turno").status_code == 200
        except httpx.TransportError:
            return False

    def cerrar(self) -> None:
        self.cliente.close()
        self.kiosco.terminar()
        self.mesa.cerrar()

    def hasta(self, que: Callable[[], object], nombre: str) -> None:
        inicio = time.monotonic()
        while not que():
            assert time.monotonic() - inicio < ESPERA_S, f"{nombre}: nunca se dijo\n{self.kiosco.dicho()[-2000:]}"
            time.sleep(0.1)
        self.tardo.append(f"{nombre}: {time.monotonic() - inicio:.1f} s")

    def conectado(self) -> str:
        """Lo que la página de estado dice que está conectado."""
        hallado = re.search(r"Conectado ahora</th><td>(.*?)</td>", self.cliente.get("/coordinacion/estado").text)
        assert hallado is not None
        return hallado[1]

    def anotado(self, evento: str) -> list[str]:
        with closing(sqlite3.connect(f"file:{quote(str(self.carpeta))}/almacen.sqlite?mode=ro", uri=True)) as bd:
            filas = bd.execute("SELECT detalle FROM bitacora WHERE evento = ? ORDER BY renglon", (evento,))
            return [str(d) for (d,) in filas]


@pytest.fixture(scope="module")
def puesto(tmp_path_factory: pytest.TempPathFactory, datos: Path) -> Iterator[Puesto]:
    with BancoAparte() as banco:
        puesto = Puesto(tmp_path_factory.mktemp("enchufar"), datos / "oaxaca_2022", banco)
        try:
            puesto.encender()
            yield puesto
        finally:
            puesto.cerrar()
            print("\n" + "\n".join(puesto.tardo))


@pytest.fixture(scope="module")
def pagina(puesto: Puesto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with sync_playwright() as dramaturgo:
        navegador = dramaturgo.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        contexto = navegador.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
        contexto.add_cookies(
            [{"name": c.name, "value": c.value or "", "url": puesto.casa} for c in puesto.cliente.cookies.jar]
        )
        pagina = contexto.new_page()
        yield pagina
        navegador.close()


def fotografiar(pagina: Page, nombre: str) -> None:
    if "PREP_CAPTURAS" in os.environ:
        carpeta = Path(os.environ["PREP_CAPTURAS"])
        carpeta.mkdir(parents=True, exist_ok=True)
        tomar(pagina, carpeta / f"enchufar-{nombre}.png")


def test_el_escaner_se_enchufa_despierta_y_se_desenchufa_ante_la_pantalla(puesto: Puesto, pagina: Page) -> None:
    pagina.goto(puesto.casa + "/digitalizacion")
    falta, boton = pagina.locator(".sin-escaner"), pagina.locator("#mandar")
    expect(falta).to_be_visible()
    expect(boton).to_be_disabled()
    ruta = puesto.banco.escaner("fujitsu_fi_7160")
    expect(falta).to_contain_text("está conectado y aún no contesta")
    expect(boton).to_be_disabled()
    fotografiar(pagina, "despertando")
    puesto.sane_ve_algo(True)
    expect(pagina.locator(".escaner")).to_contain_text("Fujitsu fi-7160")
    expect(boton).to_be_enabled()
    fotografiar(pagina, "enchufado")
    pagina.goto(puesto.casa + "/coordinacion/estado")
    expect(pagina.locator("main table")).to_contain_text("Fujitsu fi-7160")
    fotografiar(pagina, "estado")
    pagina.goto(puesto.casa + "/digitalizacion")
    puesto.banco.baja(ruta)
    expect(falta).to_be_visible()
    expect(boton).to_be_disabled()
    puesto.sane_ve_algo(False)
    fotografiar(pagina, "desenchufado")
    assert puesto.anotado("dispositivo_conectado")[-1] == "escáner: Fujitsu fi-7160"
    assert puesto.anotado("dispositivo_desconectado")[-1] == "escáner: Fujitsu fi-7160"
    pagina.goto(puesto.casa + "/coordinacion/bitacora")
    expect(pagina.locator("main")).to_contain_text("Se desconectó un dispositivo")


APARATOS: Final[dict[str, tuple[str, Callable[[BancoAparte], str]]]] = {
    "lector de códigos": ("Zebra", lambda banco: banco.lector("zebra_ds2208", "serie")),
    "impresora": ("Brother", BancoAparte.impresora),
    "memoria USB": ("SanDisk", BancoAparte.memoria),
}


@pytest.mark.parametrize("aparato", APARATOS)
def test_cada_aparato_se_dice_al_enchufarlo_y_al_desenchufarlo(puesto: Puesto, aparato: str) -> None:
    nombre, enchufar = APARATOS[aparato]
    antes = len(puesto.anotado("dispositivo_conectado"))
    ruta = enchufar(puesto.banco)
    puesto.hasta(lambda: nombre in puesto.conectado(), f"{aparato}: se enchufa")
    puesto.hasta(lambda: len(puesto.anotado("dispositivo_conectado")) > antes, f"{aparato}: se anota")
    assert puesto.anotado("dispositivo_conectado")[-1].startswith(f"{aparato}: ")
    puesto.banco.baja(ruta)
    puesto.hasta(lambda: nombre not in puesto.conectado(), f"{aparato}: se desenchufa")
    puesto.hasta(
        lambda: puesto.anotado("dispositivo_desconectado")[-1].startswith(f"{aparato}: "), f"{aparato}: se anota"
    )


def test_se_pierden_los_avisos_del_nucleo_y_de_todos_modos_se_entera(puesto: Puesto, pagina: Page) -> None:
    pagina.goto(puesto.casa + "/digitalizacion")
    falta = pagina.locator(".sin-escaner")
    with puesto.banco.sordo():
        ruta = puesto.banco.escaner("fujitsu_fi_7160")
        expect(falta).to_contain_text("aún no contesta")
    puesto.banco.baja(ruta, avisar=False)
    expect(falta).not_to_contain_text("aún no contesta")
    assert puesto.conectado() == "nada que este kiosco reconozca"
    assert len(puesto.anotado("dispositivo_conectado")) == len(puesto.anotado("dispositivo_desconectado"))


def test_un_escaner_sin_perfil_dice_que_usa_el_generico_y_digitaliza(puesto: Puesto, pagina: Page) -> None:
    pagina.goto(puesto.casa + "/digitalizacion")
    puesto.sane_ve_algo(True)
    hoja = acta_dibujada(puesto.proceso, IdActa("GUB", "200003B0100"))
    for en_el_vidrio in (False, True):
        # Sin perfil no se sabe si toma de la charola o del vidrio.
        puesto.mesa.meter_hoja(hoja, en_el_vidrio=en_el_vidrio)
    ruta = puesto.banco.desconocido("dead", "beef", "ACME Escanomatic")
    dicho = pagina.locator(".escaner")
    expect(dicho).to_contain_text("ACME Escanomatic")
    expect(dicho).to_contain_text("sin perfil propio: se usa el genérico")
    fotografiar(pagina, "generico")
    pagina.get_by_role("button", name="Digitalizar hojas").tap()
    expect(pagina.locator(".dudosa")).to_contain_text("Sección 0003 Básica 1")
    fotografiar(pagina, "generico-digitalizada")
    puesto.banco.baja(ruta)
    expect(pagina.locator(".sin-escaner")).to_be_visible()
    puesto.sane_ve_algo(False)


def test_el_gafete_llega_por_el_lector_que_se_acaba_de_enchufar(puesto: Puesto) -> None:
    ruta = puesto.banco.lector("zebra_ds2208", "serie")
    nombre = next((puesto.banco.raiz / ruta.lstrip("/")).rglob("ttyACM*")).name
    linea = linea_de_udev(puesto.banco.raiz, nombre)
    try:

        def llego() -> bool:
            linea.leer(DORA.gafete)
            respuesta = puesto.cliente.get("/lector?pide=gafete")
            return respuesta.status_code == 200 and respuesta.json()["texto"] == DORA.gafete

        puesto.hasta(llego, "gafete leído")
        puesto.banco.baja(ruta)
    finally:
        linea.desconectar()
    puesto.hasta(lambda: "Zebra" not in puesto.conectado(), "lector desenchufado")
    assert puesto.kiosco.viva


def linea_de_udev(raiz: Path, nombre: str) -> LectorDeMesa:
    """Un lector que escribe en `/dev/nombre`, como lo ve quien corre bajo el envoltorio."""
    (raiz / "dev").mkdir(exist_ok=True)
    return LectorDeMesa(raiz / "dev" / nombre)
