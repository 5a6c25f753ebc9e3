"""Lo que sale de los perfiles (reglas, fichas, firmware), el inventario y `./prep catd`, en sus peores días."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catd import main
from appliance.catd.registro import SUBORDENES
from appliance.dispositivos import durable, fichas, firmware, reglas
from appliance.dispositivos.bus import Bus, Dispositivo
from appliance.dispositivos.inventario import Diferencia, Foto, Inventario
from appliance.dispositivos.perfil import Clase, Perfil
from appliance.dispositivos.perfiles import leer_perfiles
from appliance.falla import Falla
from nucleo.problema import Rechazo
from tests.conftest import RAIZ
from tests.disco_lleno import disco_lleno

PERFILES: Final = leer_perfiles()
CON_SIMULADOS: Final = leer_perfiles(con_simulados=True)
BLOB: Final = b"firmware de prueba, no es de nadie\n" * 2_000
HUELLA: Final = hashlib.sha256(BLOB).hexdigest()
ESPERA_S: Final = 20.0


def con_huella(sha256: str = HUELLA) -> Perfil:
    """El S1300i como quedaría cuando el instituto fije la SHA-256."""
    perfil = PERFILES.por_clave["fujitsu_s1300i"]
    return dataclasses.replace(perfil, firmware=dataclasses.replace(perfil.firmware, sha256=sha256))


def rechazado(hecho: object) -> Rechazo:
    assert isinstance(hecho, Rechazo), hecho
    assert hecho.que
    assert hecho.causa
    assert hecho.siguiente
    return hecho


# --- reglas udev


def test_cada_numero_usb_esta_en_una_sola_regla() -> None:
    hallados = re.findall(r'idVendor}=="(\w{4})", ATTRS?{idProduct}=="(\w{4})"', reglas.generar(PERFILES))
    esperados = [(n.vid, n.pid) for p in PERFILES.todos for n in p.usb]
    assert sorted(hallados) == sorted(esperados)
    assert len(set(hallados)) == len(hallados)


def test_cada_regla_da_permiso_al_grupo_y_a_nadie_mas() -> None:
    texto = reglas.generar(PERFILES, "kiosco")
    for regla in [r for r in texto.splitlines() if "PREP_CLASE" in r]:
        assert 'MODE="0660", GROUP="kiosco"' in regla
    assert "uaccess" not in texto
    assert not re.search(r'MODE="0?66[4-7]"', texto)
    assert "RUN" not in texto


def test_la_regla_del_generico_no_tapa_a_las_propias() -> None:
    lineas = [r for r in reglas.generar(PERFILES).splitlines() if "PREP_PERFIL" in r]
    assert 'ENV{PREP_PERFIL}=="", ENV{libsane_matched}=="yes"' in lineas[-1]
    assert sum("libsane_matched" in r for r in lineas) == 1


def test_un_lector_teclado_no_escribe_en_la_pantalla() -> None:
    for regla in reglas.generar(PERFILES).splitlines():
        if 'KERNEL=="event*"' in regla:
            assert 'ENV{LIBINPUT_IGNORE_DEVICE}="1"' in regla
        if 'SUBSYSTEM=="tty"' in regla:
            assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in regla


def test_las_reglas_no_mencionan_simulados_aunque_se_hayan_leido() -> None:
    assert "simulado" not in reglas.generar(CON_SIMULADOS)
    assert reglas.generar(CON_SIMULADOS) == reglas.generar(PERFILES)


def test_cada_regla_tiene_la_forma_que_udev_lee() -> None:
    par = r'[A-Z]+(\{\w+\})?(==|!=|=)"[^"]*"'
    for regla in reglas.generar(PERFILES).splitlines():
        assert not regla or regla.startswith("#") or re.fullmatch(rf"{par}(, {par})*", regla), regla


def test_udev_acepta_las_reglas() -> None:
    """En Debian 13 lo dice `udevadm verify`; en Debian 12 no existe y no se puede objetar."""
    assert reglas.verificar(reglas.generar(PERFILES)) is None


def test_udevadm_que_objeta_se_oye(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doble = tmp_path / "udevadm"
    resumen, queja = "1 udev rules files have been checked.", "$3:1 Invalid key 'FOO'."
    doble.write_text(f'#!/bin/sh\necho "{resumen}"\necho "{queja}" >&2\nexit 1\n', "utf-8")
    doble.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Invalid key" in rechazado(reglas.verificar("FOO\n")).causa


@given(st.text(max_size=40))
def test_ningun_nombre_de_grupo_se_cuela_en_las_reglas(grupo: str) -> None:
    try:
        texto = reglas.generar(PERFILES, grupo)
    except Falla:
        return
    assert set(re.findall(r'GROUP="(.*?)"', texto)) == {grupo}
    assert re.fullmatch(r"[a-z0-9_-]+", grupo)


# --- fichas


def test_la_documentacion_es_la_que_sale_de_los_perfiles() -> None:
    escrita = (RAIZ / "docs" / "dispositivos.md").read_text("utf-8")
    assert escrita == fichas.generar(PERFILES), "corra `./prep catd fichas --salida docs/dispositivos.md`"


def test_una_ficha_solo_trae_las_fallas_que_ese_modelo_afina() -> None:
    por_titulo = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", fichas.generar(PERFILES), re.MULTILINE))
    assert "`sin_escaner`" in por_titulo["Brother ADS-2700W"]
    assert "`ajustes`" not in por_titulo["Brother ADS-2700W"]
    assert "`atasco`" not in por_titulo["Fujitsu fi-7160"]
    assert por_titulo["Fallas y sus palabras"].count("\n| `") == len(PERFILES.fallas_comunes)


def test_las_fichas_dicen_lo_que_no_se_pudo_verificar() -> None:
    texto = fichas.generar(CON_SIMULADOS)
    dudosos = sum(not n.verificado for p in PERFILES.todos for n in p.usb)
    dudosos += sum(not p.sane.verificado for p in PERFILES.todos if p.sane)
    assert dudosos
    assert texto.count("**sin verificar**") == dudosos
    assert "simulado" not in texto.lower().replace("los simulados", "")


# --- firmware


@pytest.fixture
def raiz(tmp_path: Path) -> Path:
    carpeta = tmp_path / "raiz"
    carpeta.mkdir()
    return carpeta


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    ruta = tmp_path / "1300i_0D12.nal"
    ruta.write_bytes(BLOB)
    return ruta


def test_el_firmware_bueno_queda_donde_lo_busca_el_controlador(raiz: Path, blob: Path) -> None:
    perfil = con_huella()
    assert rechazado(firmware.revisar(perfil, raiz)).codigo == "FIRMWARE_AUSENTE"
    hecho = firmware.instalar(perfil, blob, raiz)
    assert isinstance(hecho, firmware.Instalado)
    assert not hecho.repetido
    assert hecho.destino == raiz / "usr/share/sane/epjitsu/1300i_0D12.nal"
    assert hecho.destino.read_bytes() == BLOB
    assert hecho.destino.stat().st_mode & 0o777 == 0o644
    assert firmware.revisar(perfil, raiz) is None
    otra_vez = firmware.instalar(perfil, blob, raiz)
    assert isinstance(otra_vez, firmware.Instalado)
    assert otra_vez.repetido


@pytest.mark.parametrize(
    "dano", [b"", BLOB[:-1], BLOB + b"\0", b"\0" + BLOB[1:]], ids=["vacio", "truncado", "largo", "otro"]
)
def test_un_firmware_que_no_es_el_del_perfil_no_toca_al_instalado(raiz: Path, blob: Path, dano: bytes) -> None:
    assert isinstance(firmware.instalar(con_huella(), blob, raiz), firmware.Instalado)
    blob.write_bytes(dano)
    assert rechazado(firmware.instalar(con_huella(), blob, raiz)).codigo == "FIRMWARE_RECHAZADO"
    assert firmware.revisar(con_huella(), raiz) is None


def test_sin_huella_en_el_perfil_no_se_instala_nada(raiz: Path, blob: Path) -> None:
    assert rechazado(firmware.instalar(con_huella(""), blob, raiz)).codigo == "FIRMWARE_SIN_HUELLA"
    assert list(raiz.iterdir()) == []
    assert isinstance(firmware.instalar(con_huella(), blob, raiz), firmware.Instalado)
    assert rechazado(firmware.revisar(con_huella(""), raiz)).codigo == "FIRMWARE_SIN_HUELLA"


def test_el_firmware_instalado_se_pudrio(raiz: Path, blob: Path) -> None:
    hecho = firmware.instalar(con_huella(), blob, raiz)
    assert isinstance(hecho, firmware.Instalado)
    hecho.destino.write_bytes(BLOB[:-5])
    assert rechazado(firmware.revisar(con_huella(), raiz)).codigo == "FIRMWARE_DISTINTO"
    reparado = firmware.instalar(con_huella(), blob, raiz)
    assert isinstance(reparado, firmware.Instalado)
    assert not reparado.repetido
    assert firmware.revisar(con_huella(), raiz) is None


def test_un_modelo_que_no_carga_firmware_no_recibe_ninguno(raiz: Path, blob: Path) -> None:
    fujitsu = PERFILES.por_clave["fujitsu_fi_7160"]
    assert firmware.revisar(fujitsu, raiz) is None
    assert rechazado(firmware.instalar(fujitsu, blob, raiz)).codigo == "FIRMWARE_DE_MAS"


def test_un_enlace_simbolico_no_saca_el_firmware_de_la_raiz(raiz: Path, blob: Path, tmp_path: Path) -> None:
    fuera = tmp_path / "fuera"
    fuera.mkdir()
    (raiz / "usr/share").mkdir(parents=True)
    (raiz / "usr/share/sane").symlink_to(fuera)
    assert rechazado(firmware.instalar(con_huella(), blob, raiz)).codigo == "RUTA"
    assert list(fuera.iterdir()) == []


def test_un_enlace_en_el_lugar_del_firmware_se_reemplaza_y_no_se_sigue(raiz: Path, blob: Path, tmp_path: Path) -> None:
    ajeno = tmp_path / "ajeno"
    ajeno.write_text("no me toques", "utf-8")
    destino = raiz / "usr/share/sane/epjitsu/1300i_0D12.nal"
    destino.parent.mkdir(parents=True)
    destino.symlink_to(ajeno)
    assert isinstance(firmware.instalar(con_huella(), blob, raiz), firmware.Instalado)
    assert ajeno.read_text("utf-8") == "no me toques"
    assert not destino.is_symlink()


def _tuberia(ruta: Path) -> None:
    os.mkfifo(ruta)


def _enorme(ruta: Path) -> None:
    ruta.touch()
    os.truncate(ruta, firmware.MAXIMO_BYTES + 1)


@pytest.mark.parametrize(
    "poner", [Path.mkdir, _tuberia, _enorme, lambda _: None], ids=["carpeta", "tuberia", "enorme", "nada"]
)
def test_lo_que_dieron_no_es_un_archivo_de_firmware(raiz: Path, tmp_path: Path, poner: Callable[[Path], None]) -> None:
    ruta = tmp_path / "raro.nal"
    poner(ruta)
    assert rechazado(firmware.instalar(con_huella(), ruta, raiz)).codigo == "FIRMWARE_ILEGIBLE"


def test_se_llena_el_disco_a_medio_firmware(raiz: Path, blob: Path) -> None:
    with disco_lleno(len(BLOB) // 2):
        assert rechazado(firmware.instalar(con_huella(), blob, raiz)).codigo == "DISCO_LLENO"
    assert list((raiz / "usr/share/sane/epjitsu").iterdir()) == [], "quedó algo a medias"


def test_se_llena_el_disco_y_el_firmware_anterior_sigue(raiz: Path, blob: Path) -> None:
    hecho = firmware.instalar(con_huella(), blob, raiz)
    assert isinstance(hecho, firmware.Instalado)
    nuevo = BLOB[::-1]
    blob.write_bytes(nuevo)
    with disco_lleno(len(BLOB) // 2):
        rechazado(firmware.instalar(con_huella(hashlib.sha256(nuevo).hexdigest()), blob, raiz))
    assert hecho.destino.read_bytes() == BLOB


@pytest.mark.parametrize("que", ["instalar", "revisar"])
def test_la_carpeta_del_firmware_es_de_otra_cuenta(raiz: Path, blob: Path, que: str) -> None:
    """Corre como `nobody`: a root ningún permiso lo detiene."""
    if os.geteuid() != 0:
        pytest.skip("sólo root puede volverse otra cuenta")
    guion = (
        "import os, sys, dataclasses\n"
        "from pathlib import Path\n"
        "from appliance.dispositivos import firmware\n"
        "from appliance.dispositivos.perfiles import leer_perfiles\n"
        "p = leer_perfiles().por_clave['fujitsu_s1300i']\n"
        f"p = dataclasses.replace(p, firmware=dataclasses.replace(p.firmware, sha256={HUELLA!r}))\n"
        "r = Path(sys.argv[1])\n"
        "os.setgid(65534); os.setuid(65534)\n"
        f"print({'firmware.instalar(p, Path(sys.argv[2]), r)' if que == 'instalar' else 'firmware.revisar(p, r)'})\n"
    )
    carpeta = raiz / "usr/share/sane/epjitsu"
    carpeta.mkdir(parents=True)
    carpeta.chmod(0o700)
    for padre in [raiz, *raiz.parents]:
        # Sólo las de pytest, que son 0700 y aquí no vienen al caso.
        if padre.stat().st_uid == 0 and "pytest" in str(padre):
            padre.chmod(0o755)
    orden = [sys.executable, "-c", guion, str(raiz), str(blob)]
    ambiente = {**os.environ, "PYTHONPATH": str(RAIZ), "PYTHONDONTWRITEBYTECODE": "1"}
    hecho = subprocess.run(orden, env=ambiente, capture_output=True, text=True, timeout=60, check=False)
    assert "Causa probable" in hecho.stdout, hecho.stdout + hecho.stderr
    assert "esta cuenta" in hecho.stdout
    assert list(carpeta.iterdir()) == []


def test_la_version_del_aparato_se_compara_solo_si_el_instituto_la_fijo() -> None:
    perfil = PERFILES.por_clave["fujitsu_fi_7160"]
    fijado = dataclasses.replace(perfil, firmware=dataclasses.replace(perfil.firmware, version="0102"))
    assert firmware.revisar_version(perfil, "0999") is None
    assert firmware.revisar_version(fijado, "0102") is None
    assert firmware.revisar_version(fijado, "") is None
    assert rechazado(firmware.revisar_version(fijado, "0103")).codigo == "VERSION_DISTINTA"


def test_no_hay_donde_escribir(tmp_path: Path) -> None:
    assert rechazado(durable.escribir(tmp_path / "nada" / "x", b"x")).codigo == "DISCO"


# --- inventario


class BusDeMentira:
    """Un bus que contesta lo que se le diga; un `Exception` en la lista es un fallo al mirar."""

    def __init__(self, *respuestas: tuple[Dispositivo, ...] | Exception) -> None:
        self.respuestas = list(respuestas)
        self.despierta = threading.Event()
        self.sordo = False

    def presentes(self) -> tuple[Dispositivo, ...]:
        respuesta = self.respuestas.pop(0) if len(self.respuestas) > 1 else self.respuestas[0]
        if isinstance(respuesta, Exception):
            raise respuesta
        return respuesta

    def cambios(self, espera_s: float) -> bool:
        if self.sordo:
            raise OSError("sin netlink")
        llego = self.despierta.wait(espera_s)
        self.despierta.clear()
        return llego

    def aviso(self) -> Rechazo | None:
        return None


def escaner(serie: str = "1", nodo: str = "/dev/bus/usb/001/002") -> Dispositivo:
    return Dispositivo(Clase.ESCANER, "Fujitsu fi-7160", "fujitsu_fi_7160", "04c5", "132e", serie, nodo, "/sys/1-1")


def test_el_inventario_anuncia_solo_lo_que_cambia() -> None:
    cambios: list[Diferencia] = []
    inventario = Inventario(BusDeMentira((), (escaner(),), (escaner(),), ()), cambios.append)
    assert inventario.foto() == Foto()
    for _ in range(4):
        inventario.revisar()
    assert cambios == [Diferencia(altas=(escaner(),)), Diferencia(bajas=(escaner(),))]


def test_no_poder_mirar_no_es_que_lo_desconectaran() -> None:
    cambios: list[Diferencia] = []
    bus = BusDeMentira((escaner(),), OSError("se cayó /sys"), RuntimeError("quién sabe"), (escaner(),))
    inventario = Inventario(bus, cambios.append)
    inventario.revisar()
    for _ in range(2):
        assert not inventario.revisar()
        foto = inventario.foto()
        assert foto.dispositivos == ()
        assert rechazado(foto.aviso).codigo == "SIN_UDEV"
    inventario.revisar()
    assert inventario.foto().de(Clase.ESCANER) == (escaner(),)
    assert inventario.foto().aviso is None
    assert cambios == [Diferencia(altas=(escaner(),))]


def test_quien_recibe_el_aviso_falla_y_el_inventario_sigue(capsys: pytest.CaptureFixture[str]) -> None:
    def avisar(_: Diferencia) -> None:
        raise RuntimeError("bitácora llena")

    inventario = Inventario(BusDeMentira((escaner(),), ()), avisar)
    inventario.revisar()
    inventario.revisar()
    assert inventario.foto().dispositivos == ()
    assert "bitácora llena" in capsys.readouterr().err


@pytest.mark.parametrize("sordo", [False, True], ids=["no_llega_ningun_aviso", "no_se_oyen_los_avisos"])
def test_sin_avisos_la_foto_se_pone_al_dia_sola(sordo: bool) -> None:
    llego = threading.Event()
    bus: BusDeMentira = BusDeMentira((), (escaner(),))
    bus.sordo = sordo
    como_bus: Bus = bus
    inventario = Inventario(como_bus, lambda _: llego.set(), cada_s=0.05)
    inventario.iniciar()
    try:
        assert llego.wait(ESPERA_S)
    finally:
        inventario.detener()


def test_detener_no_espera_la_vuelta_completa_y_se_puede_volver_a_iniciar() -> None:
    inventario = Inventario(BusDeMentira(()), lambda _: None, cada_s=3600)
    inventario.detener()
    for _ in range(2):
        inventario.iniciar()
        inventario.iniciar()
        inventario.detener()
    assert "inventario" not in {h.name for h in threading.enumerate()}


# --- ./prep catd


def test_las_subordenes_no_se_repiten_y_dicen_que_hacen() -> None:
    nombres = [s.nombre for s in SUBORDENES]
    assert len(nombres) == len(set(nombres))
    assert all(s.descripcion for s in SUBORDENES)


@pytest.mark.parametrize("mal", [[], ["nada"], ["reglas", "--que"], ["firmware", "--perfil"]], ids=str)
def test_usarla_mal_sale_con_dos(mal: list[str]) -> None:
    with pytest.raises(SystemExit) as salida:
        main(mal)
    assert salida.value.code == 2


def test_las_reglas_se_escriben_enteras(tmp_path: Path) -> None:
    salida = tmp_path / reglas.NOMBRE
    assert main(["reglas", "--salida", str(salida), "--grupo", "kiosco"]) == 0
    assert salida.read_text("utf-8") == reglas.generar(PERFILES, "kiosco")
    assert main(["reglas", "--salida", str(tmp_path / "nada" / "x")]) == 1


def test_la_orden_instala_el_firmware_que_el_instituto_fijo(
    tmp_path: Path, raiz: Path, blob: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    perfiles = tmp_path / "perfiles"
    perfiles.mkdir()
    for origen in (RAIZ / "firmware_scanners").glob("*.toml"):
        texto = origen.read_text("utf-8")
        (perfiles / origen.name).write_text(texto.replace('sha256 = ""', f'sha256 = "{HUELLA}"'), "utf-8")
    comun = ["firmware", "--perfiles", str(perfiles), "--raiz", str(raiz), "--perfil", "fujitsu_s1300i"]
    assert main(comun) == 1
    assert main([*comun, "--instalar", str(blob)]) == 0
    assert main(comun) == 0
    blob.write_bytes(b"otra cosa")
    assert main([*comun, "--instalar", str(blob)]) == 1
    dicho = capsys.readouterr()
    assert "es el del perfil" in dicho.out
    assert "no es el firmware del Fujitsu ScanSnap S1300i" in dicho.err


@pytest.mark.parametrize(
    "mal",
    [
        ["firmware", "--instalar", "/nada"],
        ["firmware", "--perfil", "no_hay"],
        ["firmware", "--perfil", "simulado_escaner"],
        ["firmware", "--perfil", "fujitsu_s1300i", "--instalar", "/nada"],
        ["dispositivos", "--perfiles", "/nada"],
        ["reglas", "--grupo", 'x", RUN+="/bin/sh'],
    ],
    ids=" ".join,
)
def test_lo_que_no_procede_se_dice_y_sale_con_uno(mal: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(mal) == 1
    assert "Siguiente paso" in capsys.readouterr().err


def test_dispositivos_en_json_lo_lee_otro_programa(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dispositivos", "--json"]) in (0, 1)
    dato = json.loads(capsys.readouterr().out)
    assert set(dato) == {"dispositivos", "faltantes"}
