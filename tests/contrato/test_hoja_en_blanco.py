"""La hoja en blanco del alistamiento, por el SANE de verdad: lo que se ensucia es el papel que entra al escáner."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.dispositivos.perfiles import entorno_sane, leer_perfiles, opciones_sane
from appliance.escaneo.escaner_sane import EscanerSane
from appliance.escaneo.puerto import Ajustes
from appliance.hoja_en_blanco import Blancura
from appliance.prueba_de_escaner import probar
from ensayo.mesa_de_pruebas.charola import Estorbo
from ensayo.mesa_de_pruebas.mesa import DISPOSITIVO, MesaDePruebas
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import bien, codigo
from tests.puesto_de_prueba import hoja_en_blanco, png

pytestmark = pytest.mark.skipif(
    shutil.which("scanimage") is None or not any(Path("/usr/lib").glob("*/sane/libsane-airscan.so*")),
    reason="necesita sane-utils y sane-airscan",
)

SIMULADO: Final = leer_perfiles(con_simulados=True).por_clave["simulado_escaner"]
AJUSTES: Final = Ajustes(DISPOSITIVO, tuple(opciones_sane(SIMULADO)), entorno=tuple(entorno_sane(SIMULADO).items()))
ANCHO: Final = 1700
ALTO: Final = 2200

Pixeles = NDArray[np.uint8]


class Prueba:
    """El escáner de la mesa y la carpeta del kiosco, que debe quedar como estaba."""

    def __init__(self, carpeta: Path) -> None:
        self.mesa = MesaDePruebas(carpeta / "mesa")
        self.carpeta = carpeta / "kiosco"
        self.carpeta.mkdir()

    def pasar(self, *hojas: bytes) -> Blancura | Rechazo:
        for hoja in hojas:
            self.mesa.meter_hoja(hoja)
        puestas = hojas or self.mesa.charola.hojas * (hoja_en_blanco(),)
        for _ in range(5):
            hecha = probar(lambda: (EscanerSane(self.mesa.sane, espacio_minimo=0), AJUSTES), self.carpeta)
            assert list(self.carpeta.iterdir()) == [], "la imagen de la prueba no se guarda"
            if not isinstance(hecha, Rechazo) or hecha.codigo != "HOJA_INCOMPLETA":
                break
            # Con la máquina ocupada airscan tira, a veces, la hoja que ya salió: se vuelve a poner, como se pide.
            for hoja in puestas:
                self.mesa.meter_hoja(hoja)
        return hecha


@pytest.fixture
def prueba(tmp_path: Path) -> Iterator[Prueba]:
    prueba = Prueba(tmp_path)
    yield prueba
    prueba.mesa.cerrar()


def papel(ensuciar: Callable[[Pixeles], None]) -> bytes:
    """Una hoja de papel de verdad (no es un blanco perfecto) con lo que se le haga."""
    hoja = np.random.default_rng(7).normal(244, 2, (ALTO, ANCHO, 3)).clip(0, 255).astype(np.uint8)
    ensuciar(hoja)
    return png(hoja)


def test_una_hoja_limpia_pasa(prueba: Prueba) -> None:
    assert bien(prueba.pasar(hoja_en_blanco())).limpia
    assert bien(prueba.pasar(papel(lambda _: None))).limpia


@pytest.mark.parametrize(("x", "ancho"), [(340, 3), (850, 6), (1530, 2)])
def test_una_raya_de_polvo_en_el_vidrio_se_halla_donde_esta(prueba: Prueba, x: int, ancho: int) -> None:
    def raya(hoja: Pixeles) -> None:
        hoja[:, x : x + ancho] = 120

    vista = bien(prueba.pasar(papel(raya)))
    assert not vista.limpia
    (donde,) = vista.rayas
    # Las centésimas son de la hoja sin sus orillas.
    assert abs(donde - 100 * x / ANCHO) <= 4


def test_una_mancha_se_halla_y_no_se_toma_por_raya(prueba: Prueba) -> None:
    def mancha(hoja: Pixeles) -> None:
        hoja[1000:1160, 400:560] = 90

    vista = bien(prueba.pasar(papel(mancha)))
    assert vista.rayas == ()
    assert vista.manchas
    assert not vista.limpia


def test_un_renglon_escrito_a_lo_ancho_no_es_una_raya_del_escaner(prueba: Prueba) -> None:
    def renglon(hoja: Pixeles) -> None:
        hoja[700:704, 200:1500] = 60

    assert bien(prueba.pasar(papel(renglon))).rayas == ()


def test_sin_papel_atascada_o_desenchufada_dice_cual(prueba: Prueba) -> None:
    assert codigo(prueba.pasar()) == "SIN_PAPEL"
    prueba.mesa.charola.fallar(Estorbo.ATASCO)
    assert codigo(prueba.pasar(hoja_en_blanco())) == "ATASCO"
    prueba.mesa.charola.despejar()
    prueba.mesa.pulsar("desenchufar")
    assert codigo(prueba.pasar()) in {"SIN_CORRIENTE", "SIN_ESCANER", "DESCONECTADO"}
    prueba.mesa.pulsar("enchufar")
    # La hoja que se atoró volvió a la charola: es la que pasa ahora.
    assert prueba.mesa.charola.hojas == 1
    vista = prueba.pasar()
    assert isinstance(vista, Blancura), f"{vista} {prueba.mesa.estado()}"
    assert vista.limpia
