"""El lanzador `prep` en máquinas que no ayudan: otro sistema, sin red, sin permiso, a medias o de a dos.

Casi todo corre el guion de verdad, en una copia mínima del proyecto con candados vacíos: así el ambiente se
crea de veras y la red no hace falta.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

RAIZ = Path(__file__).resolve().parents[2]
CANDADOS = ("requisitos.lock", "requisitos-kiosco.lock", "requisitos-dev.lock")
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=43\n'
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'
KIOSCO = """import json, os, sys
print(json.__name__, os.getcwd(), *sys.argv[1:])
sys.exit(len(sys.argv) - 1)
"""
ENLACE = """import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(41))
print("listo", flush=True)
time.sleep(60)
"""
HERRAMIENTA = """import os, sys
print(*sys.argv)
sys.exit(5 if os.environ["FALLA"] == sys.argv[0] else 0)
"""
Texto = pytest.CaptureFixture[str]


def copia_minima(carpeta: Path) -> Path:
    (carpeta / "appliance").mkdir(parents=True)
    shutil.copy2(RAIZ / "prep", carpeta)
    (carpeta / "appliance" / "__main__.py").write_text(KIOSCO)
    (carpeta / "appliance" / "enlace.py").write_text(ENLACE)
    for candado in CANDADOS:
        (carpeta / candado).write_text("# nada que instalar\n")
    return carpeta


@pytest.fixture
def taller(tmp_path: Path) -> Path:
    return copia_minima(tmp_path / "taller")


@pytest.fixture(scope="module")
def taller_preparado(tmp_path_factory: pytest.TempPathFactory) -> Path:
    carpeta = copia_minima(tmp_path_factory.mktemp("preparado") / "taller")
    modulo = cargar(carpeta)
    modulo.preparar(modulo.ORDENES["revisar"])
    return carpeta


def lanzar(carpeta: Path, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, carpeta / "prep", *args],
        cwd=cwd or carpeta,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def cargar(carpeta: Path) -> ModuleType:
    cargador = SourceFileLoader("prep_en_prueba", str(carpeta / "prep"))
    receta = importlib.util.spec_from_loader(cargador.name, cargador)
    assert receta is not None
    modulo = importlib.util.module_from_spec(receta)
    cargador.exec_module(modulo)
    return modulo


def orden_falsa(carpeta: Path, nombre: str, cuerpo: str) -> Path:
    """Un programa que anota cómo lo llamaron en `llamadas` y luego hace `cuerpo`."""
    carpeta.mkdir(exist_ok=True)
    archivo = carpeta / nombre
    bitacora = carpeta / "llamadas"
    archivo.write_text(f'#!/bin/sh\necho "{nombre} $* [$DEBIAN_FRONTEND]" >>"{bitacora}"\n{cuerpo}\n')
    archivo.chmod(0o755)
    return bitacora


def candado_de(carpeta: Path, huella: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Un candado que pide el paquete `acta`, y un pip que sólo puede buscarlo en `carpeta`."""
    for ajuste, valor in (("NO_INDEX", "1"), ("FIND_LINKS", str(carpeta)), ("CONFIG_FILE", os.devnull)):
        monkeypatch.setenv(f"PIP_{ajuste}", valor)
    candado = carpeta / "acta.lock"
    candado.write_text(f"acta==1.0 --hash=sha256:{huella}\n")
    return candado


def en_una_sola_frase(texto: str, *partes: str) -> None:
    renglones = texto.strip().splitlines()
    assert "Traceback" not in texto
    assert renglones[-1].startswith("prep: ")
    for parte in partes:
        assert parte in renglones[-1]


@pytest.fixture
def sin_paquete(taller: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Un Debian, como root, al que le falta el paquete que pide la orden `kiosco`; sus órdenes son falsas."""
    modulo = cargar(taller)
    kiosco = modulo.ORDENES["kiosco"]
    falta = modulo.Paquete("mosquitto", ("no/existe/*",))
    modulo.ORDENES["kiosco"] = kiosco._replace(paquetes=(falta,))
    (tmp_path / "os-release").write_text(DEBIAN)
    monkeypatch.setattr(modulo, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(modulo, "SYSTEMD", tmp_path / "sin-systemd")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", f"{tmp_path / 'ordenes'}:/usr/bin:/bin")
    monkeypatch.delenv("DEBIAN_FRONTEND", raising=False)
    orden_falsa(tmp_path / "ordenes", "systemctl", "exit 0")
    orden_falsa(tmp_path / "ordenes", "apt-get", 'case "$*" in *install*) echo "E: Sin red"; exit 100;; esac')
    return modulo


# --- Lo que ve quien no sabe por dónde empezar -----------------------------------------------------------


def test_sin_orden_se_ven_todas_con_un_renglon_cada_una() -> None:
    hecho = lanzar(RAIZ)
    assert hecho.returncode == 0
    listadas = re.findall(r"^  ([\w-]+)  +(\S.*)$", hecho.stdout, re.MULTILINE)
    assert [nombre for nombre, _ in listadas] == list(cargar(RAIZ).ORDENES)
    assert len({descripcion for _, descripcion in listadas}) == len(listadas)


@pytest.mark.parametrize(("tecleado", "parecida"), [("nada", ""), ("jornda", "./prep jornada")])
def test_una_orden_mal_tecleada_manda_a_la_lista(tecleado: str, parecida: str, capsys: Texto) -> None:
    assert cargar(RAIZ).main([tecleado]) == 2
    dicho = capsys.readouterr().err
    en_una_sola_frase(dicho, f"«{tecleado}»", "`./prep` a secas las lista todas", parecida)
    assert ("quiso decir" in dicho) == bool(parecida)


def test_ninguna_orden_apunta_a_un_modulo_que_no_existe() -> None:
    modulos = [orden.modulo for orden in cargar(RAIZ).ORDENES.values() if orden.modulo]
    rutas = [RAIZ.joinpath(*modulo.split(".")) for modulo in modulos]
    assert [r for r in rutas if not (r.with_suffix(".py").exists() or (r / "__main__.py").exists())] == []


def test_orden_mal_escrita_recibe_una_sugerencia() -> None:
    hecho = lanzar(RAIZ, "audtar")
    assert hecho.returncode == 2
    en_una_sola_frase(hecho.stderr, "«audtar»", "./prep auditar")


def test_orden_sin_parecido_remite_a_la_lista() -> None:
    hecho = lanzar(RAIZ, "xyzw")
    assert hecho.returncode == 2
    en_una_sola_frase(hecho.stderr, "«xyzw»", "`./prep`")


# --- Máquinas que no sirven ------------------------------------------------------------------------------


def test_python_viejo_recibe_una_frase_clara() -> None:
    fingir = "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv[:] = ['prep', 'auditar']"
    correr = f"{fingir}; runpy.run_path({str(RAIZ / 'prep')!r}, run_name='__main__')"
    hecho = subprocess.run([sys.executable, "-c", correr], capture_output=True, text=True, check=False)
    assert hecho.returncode == 3
    en_una_sola_frase(hecho.stderr, "este Python es 3.9", "3.11", "Debian 12")


def test_otro_sistema_operativo_recibe_una_frase_clara(sin_paquete: ModuleType, capsys: Texto) -> None:
    sin_paquete.OS_RELEASE.write_text(FEDORA)
    assert sin_paquete.main(["kiosco"]) == 3
    en_una_sola_frase(capsys.readouterr().err, "no es Debian", "mosquitto", "a mano")


def test_sistema_sin_os_release_recibe_una_frase_clara(sin_paquete: ModuleType, capsys: Texto) -> None:
    sin_paquete.OS_RELEASE.unlink()
    assert sin_paquete.main(["kiosco"]) == 3
    en_una_sola_frase(capsys.readouterr().err, "no es Debian", "mosquitto")


@pytest.mark.parametrize(
    ("texto", "esperado"),
    [
        (DEBIAN, True),
        ('ID="debian"\n', True),
        (FEDORA, False),
        ("ID=ubuntu\nID_LIKE=debian\n", False),
        ("", False),
    ],
)
def test_una_derivada_no_se_confunde_con_debian(texto: str, esperado: bool) -> None:
    assert cargar(RAIZ).es_debian(texto) is esperado


def test_sin_root_ni_sudo_dice_que_orden_correr(
    sin_paquete: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Texto,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path / "ordenes"))
    assert sin_paquete.main(["kiosco"]) == 3
    en_una_sola_frase(capsys.readouterr().err, "permiso", "apt-get install --no-install-recommends mosquitto")
    assert not (tmp_path / "ordenes" / "llamadas").exists()


def test_sudo_que_pide_contrasena_no_detiene_esperando_a_nadie(
    sin_paquete: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Texto,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    llamadas = orden_falsa(tmp_path / "ordenes", "sudo", "exit 1")
    assert sin_paquete.main(["kiosco"]) == 3
    en_una_sola_frase(capsys.readouterr().err, "permiso", "contraseña")
    assert llamadas.read_text().splitlines() == ["sudo -n true []"]


def test_carpeta_de_solo_lectura_recibe_una_frase_clara(
    taller: Path, monkeypatch: pytest.MonkeyPatch, capsys: Texto
) -> None:
    modulo = cargar(taller)
    monkeypatch.setattr(modulo, "VENV", Path("/proc/prep/.venv"))  # Ahí ni root puede escribir.
    monkeypatch.setattr(modulo, "PYTHON", Path("/proc/prep/.venv/bin/python"))
    assert modulo.main(["kiosco"]) == 3
    en_una_sola_frase(capsys.readouterr().err, "no se pudo crear /proc/prep/.venv", "sólo lectura")


def test_copia_sin_candado_recibe_una_frase_clara(taller: Path) -> None:
    (taller / "requisitos.lock").unlink()
    hecho = lanzar(taller, "kiosco")
    assert hecho.returncode == 3
    en_una_sola_frase(hecho.stderr, "requisitos.lock", "incompleta")


# --- Instalar de Debian ----------------------------------------------------------------------------------


def test_sin_red_apt_recibe_una_frase_clara(sin_paquete: ModuleType, capsys: Texto, tmp_path: Path) -> None:
    assert sin_paquete.main(["kiosco"]) == 3
    dicho = capsys.readouterr().err
    en_una_sola_frase(dicho, "«E: Sin red»", "no hay red", "apt-get install --no-install-recommends mosquitto")
    assert dicho.startswith("prep: instalo de Debian: mosquitto\n"), "lo anuncia antes de hacerlo"
    actualizar, instalar = (tmp_path / "ordenes" / "llamadas").read_text().splitlines()
    assert actualizar == "apt-get -qq update [noninteractive]"
    assert instalar.endswith("install -y --no-install-recommends mosquitto [noninteractive]")


@pytest.mark.parametrize("cuerpo", ["exit 0", "exit 100"])
def test_instalar_mosquitto_no_deja_un_broker_en_el_puerto_1883(
    sin_paquete: ModuleType, tmp_path: Path, cuerpo: str
) -> None:
    sin_paquete.SYSTEMD.mkdir()
    llamadas = orden_falsa(tmp_path / "ordenes", "apt-get", cuerpo)
    try:
        sin_paquete.instalar_de_debian(["mosquitto"])
    except sin_paquete.Tropiezo:
        assert cuerpo == "exit 100"
    quien_y_que = [re.sub(r" -\S+| \S+=\S+", "", r).split()[:2] for r in llamadas.read_text().splitlines()]
    assert quien_y_que == [
        ["apt-get", "update"],
        ["systemctl", "mask"],
        ["apt-get", "install"],
        ["systemctl", "unmask"],
        ["systemctl", "disable"],
    ]


def test_el_mosquitto_que_ya_estaba_no_se_toca(sin_paquete: ModuleType, tmp_path: Path) -> None:
    sin_paquete.SYSTEMD.mkdir()
    llamadas = orden_falsa(tmp_path / "ordenes", "apt-get", "exit 0")
    sin_paquete.instalar_de_debian(["chromium"])
    assert "systemctl" not in llamadas.read_text()


def test_auditar_no_pide_nada_a_debian() -> None:
    auditar = cargar(RAIZ).ORDENES["auditar"]
    assert auditar.paquetes == ()
    assert [candado.name for candado in auditar.candados] == ["requisitos.lock"]


# --- El ambiente de Python -------------------------------------------------------------------------------


@pytest.mark.parametrize("infortunio", ["se fue la luz antes del sello", "Python desaparecido", "es un archivo"])
def test_ambiente_a_medias_se_rehace_solo(taller: Path, infortunio: str) -> None:
    ambiente = taller / ".venv"
    if infortunio == "es un archivo":
        ambiente.write_text("")
        hecho = lanzar(taller, "kiosco")
        assert hecho.returncode == 3
        en_una_sola_frase(hecho.stderr, "borre .venv")
        return
    (ambiente / "bin").mkdir(parents=True)
    (ambiente / "bin" / "python").symlink_to("/no/hay/python3.11")
    if infortunio == "Python desaparecido":
        huella = hashlib.sha256((taller / "requisitos.lock").read_bytes()).hexdigest()
        (ambiente / "requisitos.lock.instalado").write_text(f"{huella}\n/no/hay/python3.11\n")
    hecho = lanzar(taller, "kiosco")
    assert hecho.returncode == 0, hecho.stderr
    assert hecho.stdout.startswith("json ")


def test_el_ambiente_de_otra_copia_no_se_vacia_por_un_enlace(taller: Path, tmp_path: Path) -> None:
    ajeno = tmp_path / "ajeno"
    (ajeno / "bin").mkdir(parents=True)
    (ajeno / "bin" / "algo").write_text("de otra copia")
    (taller / ".venv").symlink_to(ajeno)
    hecho = lanzar(taller, "kiosco")
    assert hecho.returncode == 3
    en_una_sola_frase(hecho.stderr, "es un enlace")
    assert (ajeno / "bin" / "algo").read_text() == "de otra copia"


def test_el_sello_caduca_si_cambia_el_candado_o_el_python(taller_preparado: Path) -> None:
    modulo = cargar(taller_preparado)
    candado = modulo.CORRER
    assert modulo.esta_instalado(candado)
    vigente = modulo.archivo_de_sello(candado).read_text()
    huella, python = vigente.splitlines()
    assert huella == hashlib.sha256(candado.read_bytes()).hexdigest()
    assert python == str((taller_preparado / ".venv" / "bin" / "python").resolve())
    for caduco in (f"otra{huella}\n{python}\n", f"{huella}\n/usr/bin/python2.7\n", ""):
        modulo.archivo_de_sello(candado).write_text(caduco)
        assert not modulo.esta_instalado(candado)
    modulo.archivo_de_sello(candado).write_text(vigente)


def test_dos_prep_a_la_vez_hacen_un_solo_ambiente(taller: Path) -> None:
    procesos = [
        subprocess.Popen(
            [sys.executable, taller / "prep", "kiosco"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    dichos = [proceso.communicate(timeout=120) for proceso in procesos]
    assert [proceso.returncode for proceso in procesos] == [0, 0], dichos
    assert all(salida.startswith("json ") for salida, _ in dichos)
    assert sum("creo el ambiente" in errores for _, errores in dichos) == 1


def test_sin_red_pip_recibe_una_frase_clara(
    taller_preparado: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modulo = cargar(taller_preparado)
    candado = candado_de(tmp_path, "0" * 64, monkeypatch)
    with pytest.raises(modulo.Tropiezo, match=r"acta\.lock.*acta==1\.0.*no hay red.*pip install --require"):
        modulo.instalar_candado(candado)
    assert not modulo.esta_instalado(candado)


def test_paquete_alterado_en_el_camino_no_se_instala(
    taller_preparado: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rueda = tmp_path / "acta-1.0-py3-none-any.whl"
    with zipfile.ZipFile(rueda, "w") as zip_:
        ficha = "acta-1.0.dist-info"
        zip_.writestr("acta.py", "")
        zip_.writestr(f"{ficha}/METADATA", "Metadata-Version: 2.1\nName: acta\nVersion: 1.0\n")
        zip_.writestr(f"{ficha}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        zip_.writestr(f"{ficha}/RECORD", "")
    modulo = cargar(taller_preparado)
    with pytest.raises(modulo.Tropiezo, match="no tiene la huella"):
        modulo.instalar_candado(candado_de(tmp_path, "0" * 64, monkeypatch))
    assert list(modulo.VENV.rglob("acta.py")) == []
    buena = candado_de(tmp_path, hashlib.sha256(rueda.read_bytes()).hexdigest(), monkeypatch)
    modulo.instalar_candado(buena)
    assert modulo.esta_instalado(buena)
    assert len(list(modulo.VENV.rglob("acta.py"))) == 1


# --- Ya preparado: correr la orden sin estorbar ----------------------------------------------------------


def test_preparado_arranca_en_menos_de_un_segundo_y_en_silencio(taller_preparado: Path) -> None:
    inicio = time.monotonic()
    hecho = lanzar(taller_preparado, "kiosco")
    assert time.monotonic() - inicio < 1
    assert (hecho.returncode, hecho.stderr) == (0, "")


def test_salida_y_argumentos_pasan_tal_cual(taller_preparado: Path, tmp_path: Path) -> None:
    hecho = lanzar(taller_preparado, "kiosco", "--uno", "dos tres", cwd=tmp_path)
    assert hecho.returncode == 2
    assert hecho.stdout == f"json {tmp_path} --uno dos tres\n"


def test_un_json_py_en_la_carpeta_auditada_no_suplanta_al_de_python(taller_preparado: Path, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('suplantado')\n")
    (tmp_path / "appliance.py").write_text("raise SystemExit('suplantado')\n")
    hecho = lanzar(taller_preparado, "kiosco", cwd=tmp_path)
    assert (hecho.returncode, hecho.stdout) == (0, f"json {tmp_path}\n")


def test_un_usuario_sin_usr_sbin_en_su_camino_encuentra_mosquitto(
    taller_preparado: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (taller_preparado / "servicio_central").mkdir()
    (taller_preparado / "servicio_central" / "inscripcion.py").write_text("import os; print(os.get_exec_path())")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    hecho = lanzar(taller_preparado, "inscribir")
    assert hecho.stdout == "['/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin']\n"


def test_la_senal_de_apagado_llega_al_proceso_y_no_al_lanzador(taller_preparado: Path) -> None:
    orden = [sys.executable, str(taller_preparado / "prep"), "enlace"]
    with subprocess.Popen(orden, stdout=subprocess.PIPE, text=True) as proceso:
        assert proceso.stdout is not None
        assert proceso.stdout.readline() == "listo\n"
        proceso.send_signal(signal.SIGTERM)
        assert proceso.wait(timeout=20) == 41


@pytest.mark.parametrize(
    ("falla", "args", "corridos"),
    [
        ("", (), ["ruff.py check", "ruff.py format", "mypy.py --strict", "pytest.py"]),
        ("ruff", (), ["ruff.py check"]),
        ("mypy", (), ["ruff.py check", "ruff.py format", "mypy.py --strict"]),
        ("pytest", ("-k", "algo"), ["pytest.py -k algo"]),
    ],
)
def test_probar_se_detiene_en_el_primer_paso_que_falla(
    taller_preparado: Path,
    monkeypatch: pytest.MonkeyPatch,
    falla: str,
    args: tuple[str, ...],
    corridos: list[str],
) -> None:
    for herramienta in ("ruff", "mypy", "pytest"):
        (taller_preparado / f"{herramienta}.py").write_text(HERRAMIENTA)
    monkeypatch.setenv("FALLA", str(taller_preparado / f"{falla}.py"))
    hecho = lanzar(taller_preparado, "probar", *args)
    assert hecho.returncode == (5 if falla else 0)
    renglones = [r.removeprefix(f"{taller_preparado}/") for r in hecho.stdout.splitlines() if r[0] == "/"]
    assert len(renglones) == len(corridos)
    assert all(corrido.startswith(esperado) for corrido, esperado in zip(renglones, corridos, strict=True))


# --- Lo que se instala -----------------------------------------------------------------------------------


@pytest.mark.parametrize("candado", CANDADOS)
def test_el_candado_fija_huellas_y_no_delata_de_donde_bajo(candado: str) -> None:
    texto = (RAIZ / candado).read_text()
    assert not re.search(r"://|^-|\bfile:|/opt/|/root/", texto, re.MULTILINE)
    paquetes = re.split(r"^(?=[a-z])", texto, flags=re.MULTILINE)[1:]
    assert len(paquetes) > 10
    assert [p.split()[0] for p in paquetes if "==" not in p or "--hash=sha256:" not in p] == []


def test_htmx_esta_donde_dice_requisitos() -> None:
    dicho = re.search(r'files\("(\w+)"\) / "(\S+)"', (RAIZ / "requisitos.in").read_text())
    assert dicho is not None
    archivo = importlib.resources.files(dicho[1]) / dicho[2]
    assert "htmx" in archivo.read_text(encoding="utf-8")[:500]
