"""Cuál es el escáner del puesto: lo que ve udev, el nombre que le da SANE, su perfil y con qué opciones se usa."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from appliance.dispositivos.bus import Dispositivo
from appliance.dispositivos.inventario import Diferencia, Foto
from appliance.dispositivos.perfil import Clase, Perfil
from appliance.dispositivos.perfiles import entorno_sane, leer_perfiles, opciones_sane
from appliance.escaneo.escaner_sane import Explicador
from appliance.escaneo.motivo import Motivo
from appliance.escaneo.orden import orden_de_lote
from appliance.escaneo.puerto import Ajustes, FinDeLote, HojaLista
from appliance.escaner_del_puesto import EscanerDelPuesto
from nucleo.problema import Rechazo

PERFILES: Final = leer_perfiles(con_simulados=True)
ESCANERES: Final = [p for p in PERFILES.todos if p.clase is Clase.ESCANER and p.usb]
NOMBRES: Final = {
    "fujitsu_fi_7160": "fujitsu:fi-7160:1234",
    "ricoh_fi_8170": "fujitsu:fi-8170:1234",
    "fujitsu_s1300i": "epjitsu:libusb:001:004",
}
IMPRESORA_DE_RED: Final = "airscan:e0:Multifuncional del vecino"
ESPERA_S: Final = 10.0


def enchufado(perfil: str, ruta: str = "/sys/1") -> Dispositivo:
    """Como lo describe `BusUdev`."""
    suyo = PERFILES.por_clave[perfil]
    if perfil == "generico":
        nombre = "escáner ACME Escanomatic (sin perfil propio: se usa el genérico)"
        return Dispositivo(Clase.ESCANER, nombre, perfil, "dead", "beef", "S1", "/dev/bus/usb/001/001", ruta)
    numero = suyo.usb[0]
    return Dispositivo(Clase.ESCANER, suyo.nombre, perfil, numero.vid, numero.pid, "S1", "/dev/bus/usb/001/001", ruta)


class Sane:
    """Lo que contestaría SANE. Un doble del puerto: qué hay conectado lo dice la prueba."""

    def __init__(self) -> None:
        self.ve: tuple[str, ...] | Rechazo = ()
        self.preguntas = 0
        self.sigue = threading.Event()
        self.sigue.set()
        self.explicador: Explicador | None = None

    def presentes(self) -> tuple[str, ...] | Rechazo:
        self.preguntas += 1
        self.sigue.wait(ESPERA_S)
        return self.ve

    def digitalizar(self, ajustes: Ajustes, carpeta: Path) -> Iterator[HojaLista | FinDeLote]:
        yield FinDeLote(0, Motivo.SIN_PAPEL, None)

    def cancelar(self) -> None:
        """Aquí no hay lote."""


class Banco:
    def __init__(self, fijo: str = "", insiste_s: float = 0.02) -> None:
        self.sane = Sane()
        self.vistos: tuple[Dispositivo, ...] = ()
        self.aviso: Rechazo | None = None
        self.escaner = EscanerDelPuesto(
            self._fabrica, PERFILES, lambda: Foto(self.vistos, self.aviso), fijo=fijo, insiste_s=insiste_s
        )

    def _fabrica(self, palabras: Explicador) -> Sane:
        self.sane.explicador = palabras
        return self.sane

    def enchufar(self, *vistos: Dispositivo) -> None:
        antes, self.vistos = self.vistos, vistos
        altas = tuple(v for v in vistos if v not in antes)
        self.escaner.cambio(Diferencia(altas, tuple(v for v in antes if v not in vistos)))

    def ajustes(self) -> Ajustes:
        """Los de ahora; espera a que SANE termine de contestar."""
        esperar(lambda: not isinstance(self.escaner.fuente(), Rechazo))
        fuente = self.escaner.fuente()
        assert not isinstance(fuente, Rechazo)
        return fuente[1]

    def rechazo(self) -> str:
        fuente = self.escaner.fuente()
        assert isinstance(fuente, Rechazo)
        return fuente.codigo


def esperar(que: Callable[[], object]) -> None:
    limite = time.monotonic() + ESPERA_S
    while not que():
        assert time.monotonic() < limite, "nunca pasó"
        time.sleep(0.005)


@pytest.fixture
def banco() -> Banco:
    return Banco()


@pytest.mark.parametrize("clave", NOMBRES)
def test_del_cable_a_la_orden_cada_modelo_lleva_lo_suyo(banco: Banco, clave: str) -> None:
    perfil = PERFILES.por_clave[clave]
    banco.sane.ve = (IMPRESORA_DE_RED, NOMBRES[clave])
    banco.enchufar(enchufado(clave))
    ajustes = banco.ajustes()
    assert ajustes.dispositivo == NOMBRES[clave]
    assert list(ajustes.opciones) == opciones_sane(perfil)
    assert dict(ajustes.entorno) == entorno_sane(perfil)
    assert banco.escaner.nombre() == perfil.nombre
    assert banco.escaner.hay()


@pytest.mark.parametrize("perfil", ESCANERES, ids=lambda p: p.clave)
def test_lo_que_pide_cada_perfil_lo_admite_la_orden(perfil: Perfil) -> None:
    ajustes = Ajustes("test:0", tuple(opciones_sane(perfil)), entorno=tuple(entorno_sane(perfil).items()))
    assert isinstance(orden_de_lote(ajustes), list)


def test_sin_nada_conectado_se_dice_y_si_udev_no_deja_ver_se_dice_eso(banco: Banco) -> None:
    assert (banco.rechazo(), banco.escaner.nombre(), banco.escaner.hay()) == ("SIN_ESCANER", "", False)
    banco.aviso = Rechazo("SIN_UDEV", "No se puede saber qué aparatos hay", "udev no contesta", "reinicie")
    assert banco.rechazo() == "SIN_UDEV"


def test_recien_encendido_sane_aun_no_lo_ve_y_se_le_insiste(banco: Banco) -> None:
    banco.enchufar(enchufado("fujitsu_fi_7160"))
    assert banco.rechazo() == "ESCANER_DESPERTANDO"
    esperar(lambda: banco.rechazo() == "ESCANER_DESPERTANDO" and banco.sane.preguntas >= 2)
    banco.sane.ve = (NOMBRES["fujitsu_fi_7160"],)
    # Nadie vuelve a enchufar nada: se entera porque insiste.
    assert banco.ajustes().dispositivo == NOMBRES["fujitsu_fi_7160"]
    cuantas = banco.sane.preguntas
    for _ in range(20):
        banco.ajustes()
    assert banco.sane.preguntas == cuantas, "ya contestó: no se le pregunta más"


def test_sane_no_contesta_a_tiempo_y_despues_si(banco: Banco) -> None:
    banco.sane.ve = Rechazo("TIEMPO", "No se pudo saber qué escáneres hay", "uno está trabado", "apáguelo")
    banco.enchufar(enchufado("fujitsu_fi_7160"))
    esperar(lambda: banco.rechazo() == "TIEMPO")
    banco.sane.ve = (NOMBRES["fujitsu_fi_7160"],)
    assert banco.ajustes().dispositivo == NOMBRES["fujitsu_fi_7160"]


def test_preguntar_a_sane_no_detiene_a_la_pantalla(banco: Banco) -> None:
    banco.sane.sigue.clear()
    banco.enchufar(enchufado("fujitsu_fi_7160"))
    for _ in range(50):
        assert banco.rechazo() == "ESCANER_DESPERTANDO"
    assert banco.sane.preguntas <= 1, "mientras no conteste no se encima otra pregunta"
    banco.sane.sigue.set()


def test_se_desenchufa_y_se_enchufa_otro_modelo(banco: Banco) -> None:
    banco.sane.ve = (NOMBRES["fujitsu_fi_7160"],)
    banco.enchufar(enchufado("fujitsu_fi_7160"))
    assert banco.ajustes().dispositivo == NOMBRES["fujitsu_fi_7160"]
    banco.sane.ve = ()
    banco.enchufar()
    assert banco.rechazo() == "SIN_ESCANER"
    banco.sane.ve = (NOMBRES["ricoh_fi_8170"],)
    banco.enchufar(enchufado("ricoh_fi_8170", "/sys/2"))
    assert banco.ajustes().dispositivo == NOMBRES["ricoh_fi_8170"]
    assert "8170" in banco.escaner.nombre()


def test_un_escaner_sin_perfil_trabaja_con_el_generico_y_lo_dice_una_vez(banco: Banco) -> None:
    banco.sane.ve = ("acme:libusb:001:009",)
    banco.enchufar(enchufado("generico"))
    assert list(banco.ajustes().opciones) == opciones_sane(PERFILES.generico)
    assert banco.escaner.nombre().count("genérico") == 1
    assert "ACME" in banco.escaner.nombre()


def test_sane_lo_llama_de_un_modo_que_su_perfil_no_espera(banco: Banco) -> None:
    banco.sane.ve = ("escl:https://127.0.0.1:60000",)
    banco.enchufar(enchufado("fujitsu_fi_7160"))
    assert list(banco.ajustes().opciones) == opciones_sane(PERFILES.generico)
    assert banco.escaner.nombre() == "Fujitsu fi-7160 (con el perfil genérico)"


def test_un_desconocido_no_le_quita_el_nombre_al_que_tiene_perfil(banco: Banco) -> None:
    banco.sane.ve = (NOMBRES["fujitsu_fi_7160"],)
    banco.enchufar(enchufado("generico", "/sys/0"), enchufado("fujitsu_fi_7160", "/sys/1"))
    assert list(banco.ajustes().opciones) == opciones_sane(PERFILES.por_clave["fujitsu_fi_7160"])
    assert banco.escaner.nombre() == "Fujitsu fi-7160"


def test_un_lector_que_se_enchufa_no_hace_preguntar_por_el_escaner(banco: Banco) -> None:
    lector = replace(enchufado("fujitsu_fi_7160"), clase=Clase.LECTOR, perfil="zebra_ds2208")
    banco.enchufar(lector)
    assert banco.sane.preguntas == 0
    assert not banco.escaner.hay()


def test_el_de_la_mesa_de_pruebas_no_pasa_por_udev() -> None:
    banco = Banco(fijo="airscan:e0:Mesa de pruebas")
    simulado = PERFILES.por_clave["simulado_escaner"]
    assert banco.ajustes().dispositivo == "airscan:e0:Mesa de pruebas"
    assert list(banco.ajustes().opciones) == opciones_sane(simulado)
    assert banco.escaner.nombre() == simulado.nombre
    assert banco.sane.preguntas == 0


def test_le_falta_el_firmware_y_no_se_dice_que_no_hay_escaner(banco: Banco) -> None:
    banco.sane.ve = (NOMBRES["fujitsu_s1300i"],)
    banco.enchufar(enchufado("fujitsu_s1300i"))
    banco.ajustes()
    assert banco.sane.explicador is not None
    dicha = banco.sane.explicador(
        Motivo.SIN_ESCANER, 1, "load_fw: firmware not loaded\nscanimage: open of device failed"
    )
    assert dicha is not None
    assert dicha.codigo == "SIN_FIRMWARE"
    atasco = banco.sane.explicador(Motivo.ATASCO, 6, "scanimage: sane_read: Document feeder jammed")
    assert atasco is not None
    assert atasco.codigo == "ATASCO"
    assert banco.sane.explicador(Motivo.DISCO_LLENO, 0, "") is None, "eso lo explica la casa"
