"""El bus de udev de verdad, con aparatos que se enchufan y desenchufan en un banco de umockdev.

umockdev necesita interponerse desde que el proceso arranca: fuera de él, este archivo se corre a sí mismo bajo
`umockdev-wrapper` y exige que todo haya pasado.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from appliance.catd import dispositivos as orden
from appliance.dispositivos.bus import Bus, Dispositivo
from appliance.dispositivos.bus_udev import BusUdev
from appliance.dispositivos.inventario import Diferencia, Inventario
from appliance.dispositivos.perfil import Clase, IdUsb, Perfil
from appliance.dispositivos.perfiles import leer_perfiles
from tests.banco_de_udev import Banco, bajo_el_envoltorio

RAIZ: Final = Path(__file__).resolve().parents[2]
PERFILES: Final = leer_perfiles()
ESCANERES: Final = [p for p in PERFILES.todos if p.clase is Clase.ESCANER and p.usb]
LECTORES: Final = [(p, n) for p in PERFILES.todos if p.clase is Clase.LECTOR for n in p.usb]
FUJITSU: Final = PERFILES.por_clave["fujitsu_fi_7160"]
ESPERA_S: Final = 20.0

dentro = pytest.mark.skipif(not bajo_el_envoltorio(), reason="la corre test_todo_bajo_umockdev")


@pytest.mark.skipif(bajo_el_envoltorio(), reason="ya se está bajo umockdev")
def test_todo_bajo_umockdev() -> None:
    envoltorio = shutil.which("umockdev-wrapper")
    if envoltorio is None:
        pytest.skip("falta el paquete umockdev; `./prep probar` lo instala")
    pytest_aqui = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", str(Path(__file__))]
    hecho = subprocess.run(
        [envoltorio, *pytest_aqui], cwd=RAIZ, capture_output=True, text=True, timeout=300, check=False
    )
    salida = hecho.stdout + hecho.stderr
    assert hecho.returncode == 0, salida
    pasaron = re.search(r"(\d+) passed, 1 skipped", salida)
    assert pasaron is not None, salida
    assert int(pasaron[1]) >= len(ESCANERES) + len(LECTORES), salida


@pytest.fixture
def banco() -> Iterator[Banco]:
    with Banco() as banco:
        yield banco


@pytest.fixture
def bus(banco: Banco) -> BusUdev:
    return BusUdev(PERFILES)


def unico(bus: Bus) -> Dispositivo:
    (dispositivo,) = bus.presentes()
    return dispositivo


@dentro
@pytest.mark.parametrize("perfil", ESCANERES, ids=lambda p: p.clave)
def test_se_enchufa_y_se_desenchufa_cada_escaner(banco: Banco, bus: BusUdev, perfil: Perfil) -> None:
    assert bus.presentes() == ()
    ruta = banco.escaner(perfil)
    visto = unico(bus)
    assert (visto.clase, visto.perfil, visto.nombre) == (Clase.ESCANER, perfil.clave, perfil.nombre)
    assert (visto.nodo, visto.serie, visto.version) == ("/dev/bus/usb/001/001", "S000001", "0100")
    assert visto.ruta.startswith("/sys/")
    assert not visto.generico
    banco.baja(ruta)
    assert bus.presentes() == ()


@dentro
@pytest.mark.parametrize(("perfil", "numero"), LECTORES, ids=str)
def test_se_enchufa_cada_lector_en_cada_modo(banco: Banco, bus: BusUdev, perfil: Perfil, numero: IdUsb) -> None:
    banco.lector(perfil, numero)
    visto = unico(bus)
    assert (visto.clase, visto.perfil) == (Clase.LECTOR, perfil.clave)
    assert visto.nodo == ("/dev/ttyACM1" if numero.modo == "serie" else "/dev/input/event3")


@dentro
def test_un_lector_conectado_al_que_el_sistema_no_le_dio_nodo(banco: Banco, bus: BusUdev) -> None:
    perfil, numero = LECTORES[0]
    banco.usb(numero.vid, numero.pid, perfil.nombre)
    visto = unico(bus)
    assert visto.nodo == ""
    faltan = {r.codigo for r in orden.faltantes((visto,), PERFILES)}
    assert "SIN_NODO" in faltan
    assert "SIN_LECTOR" not in faltan


@dentro
def test_un_escaner_desconocido_trabaja_con_el_generico_y_lo_dice(banco: Banco, bus: BusUdev) -> None:
    banco.usb("dead", "beef", "ACME Escanomatic", libsane_matched="yes")
    visto = unico(bus)
    assert visto.generico
    assert "ACME Escanomatic" in visto.nombre
    assert "genérico" in visto.nombre


@dentro
def test_un_teclado_comun_no_es_un_lector(banco: Banco, bus: BusUdev) -> None:
    raiz = banco.usb("046d", "c31c", "Logitech Teclado")
    banco.alta("input", "event9", raiz, {}, {"DEVNAME": "/dev/input/event9", "ID_INPUT_KEYBOARD": "1"})
    assert bus.presentes() == ()


@dentro
def test_impresora_camara_y_memoria(banco: Banco, bus: BusUdev) -> None:
    rutas = [banco.impresora(), banco.camara(), banco.memoria()]
    vistos = {d.clase: d for d in bus.presentes()}
    assert set(vistos) == {Clase.IMPRESORA, Clase.CAMARA, Clase.USB}
    assert vistos[Clase.IMPRESORA].nodo == "/dev/usb/lp1"
    assert vistos[Clase.CAMARA].nodo == "/dev/video0"
    memoria = vistos[Clase.USB]
    assert (memoria.nodo, memoria.extraible) == ("/dev/sdb", True)
    (particion,) = memoria.particiones
    assert (particion.nodo, particion.sistema, particion.bytes) == ("/dev/sdb1", "vfat", 31264768 * 512)
    assert "\x1b" not in particion.etiqueta
    for ruta in rutas:
        # Los avisos se leen: con la cola llena, el umockdev de Debian 13 aborta.
        bus.cambios(0.0)
        banco.baja(ruta)
    assert bus.presentes() == ()


@dentro
def test_se_borra_la_particion_de_una_memoria_que_ya_se_habia_visto(banco: Banco, bus: BusUdev) -> None:
    banco.memoria()
    antes = unico(bus)
    banco.baja(f"{antes.ruta}/sdb1", avisar=False)
    assert len(antes.particiones) == 1
    assert unico(bus).particiones == ()


@dentro
def test_un_disco_duro_por_usb_no_se_anuncia_como_memoria_que_se_retira(banco: Banco, bus: BusUdev) -> None:
    banco.memoria(extraible="0")
    assert not unico(bus).extraible


@dentro
def test_una_multifuncional_es_dos_aparatos(banco: Banco, bus: BusUdev) -> None:
    banco.usb("03f0", "1717", "HP LaserJet", libsane_matched="yes", ID_USB_INTERFACES=":070102:ffcc00:")
    assert [d.clase for d in bus.presentes()] == [Clase.ESCANER, Clase.IMPRESORA]


@dentro
def test_un_aparato_con_nombre_malintencionado_no_llega_a_la_pantalla(banco: Banco, bus: BusUdev) -> None:
    banco.usb("dead", "beef", "<script>alert(1)</script> \x1b[2J\n" + "A" * 500, libsane_matched="yes")
    visto = unico(bus)
    assert not set("<>\x1b\n") & set(visto.nombre)
    assert len(visto.nombre) < 300


@dentro
def test_se_pierden_todos_los_avisos_y_la_foto_sigue_siendo_verdad(banco: Banco, bus: BusUdev) -> None:
    inventario = Inventario(bus, lambda _: None)
    inventario.revisar()
    ruta = banco.escaner(FUJITSU)
    while bus.cambios(0.1):
        pass  # se tiran los avisos: el inventario nunca los ve
    inventario.revisar()
    assert [d.perfil for d in inventario.foto().dispositivos] == [FUJITSU.clave]
    banco.baja(ruta, avisar=False)
    inventario.revisar()
    assert inventario.foto().dispositivos == ()


@dentro
def test_un_aviso_de_baja_que_miente_no_quita_al_escaner(banco: Banco, bus: BusUdev) -> None:
    ruta = banco.escaner(FUJITSU)
    banco.aviso(ruta, "remove")
    assert [d.perfil for d in bus.presentes()] == [FUJITSU.clave]


@dentro
def test_enchufar_despierta_al_inventario_sin_esperar_su_vuelta(banco: Banco, bus: BusUdev) -> None:
    llego = threading.Event()
    cambios: list[Diferencia] = []

    def avisar(diferencia: Diferencia) -> None:
        cambios.append(diferencia)
        llego.set()

    # Con una hora de vuelta, sólo un aviso del núcleo puede despertarlo.
    inventario = Inventario(bus, avisar, cada_s=3600)
    inventario.iniciar()
    ruta = banco.escaner(FUJITSU)
    assert llego.wait(ESPERA_S)
    assert [d.perfil for d in cambios[0].altas] == [FUJITSU.clave]
    llego.clear()
    banco.baja(ruta)
    assert llego.wait(ESPERA_S)
    inventario.detener()
    assert [d.perfil for d in cambios[-1].bajas] == [FUJITSU.clave]


@dentro
def test_al_arrancar_ya_estaba_enchufado(banco: Banco) -> None:
    banco.escaner(FUJITSU)
    cambios: list[Diferencia] = []
    inventario = Inventario(BusUdev(PERFILES), cambios.append, cada_s=0.05)
    inventario.iniciar()
    inventario.detener()
    assert [d.perfil for c in cambios for d in c.altas] == [FUJITSU.clave]


@dentro
def test_se_cambia_el_escaner_por_otro_igual_entre_dos_fotos(banco: Banco, bus: BusUdev) -> None:
    inventario = Inventario(bus, lambda _: None)
    ruta = banco.escaner(FUJITSU)
    inventario.revisar()
    banco.baja(ruta, avisar=False)
    banco.escaner(FUJITSU)
    diferencia = inventario.revisar()
    assert len(diferencia.altas) == len(diferencia.bajas) == 1


@dentro
def test_la_orden_dice_lo_que_hay_y_lo_que_falta(banco: Banco, capsys: pytest.CaptureFixture[str]) -> None:
    from appliance.catd import main

    banco.escaner(PERFILES.por_clave["fujitsu_s1300i"])
    assert main(["dispositivos"]) == 1
    dicho = capsys.readouterr().out
    assert "perfil fujitsu_s1300i" in dicho
    assert "1300i_0D12.nal" in dicho
    assert "No se ve ningún lector" in dicho
