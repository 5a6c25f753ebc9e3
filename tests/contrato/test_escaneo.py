"""Digitalizar con el SANE de verdad: debajo, el escáner eSCL de la mesa de pruebas o los aparatos de prueba de SANE."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import httpx
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from appliance.ajustes_del_puesto import leer_ajustes
from appliance.escaneo.escaner_sane import EscanerSane
from appliance.escaneo.lote import EstadoDeLote, LoteEnCurso
from appliance.escaneo.motivo import Motivo
from appliance.escaneo.puerto import Ajustes, FinDeLote, HojaLista
from appliance.falla import Falla
from ensayo.mesa_de_pruebas.charola import Estorbo
from ensayo.mesa_de_pruebas.mesa import DISPOSITIVO, BotonDesconocido, MesaDePruebas
from ensayo.mesa_de_pruebas.tablero import Tablero
from nucleo.problema import Rechazo

pytestmark = pytest.mark.skipif(
    shutil.which("scanimage") is None or not any(Path("/usr/lib").glob("*/sane/libsane-airscan.so*")),
    reason="necesita sane-utils y sane-airscan",
)

CARTA: Final = ("--source=ADF", "--mode=Color", "--resolution=200", "-l", "0", "-t", "0", "-x", "215.9", "-y", "279.4")
CHICA: Final = ("--source=ADF", "--mode=Color", "--resolution=100", "-l", "0", "-t", "0", "-x", "100", "-y", "100")
HABLADOR: Final = (("SANE_DEBUG_AIRSCAN", "1"),)
MUDO: Final = (("SANE_DEBUG_AIRSCAN", "0"),)
ESPERA_S: Final = 30.0

Pixeles = NDArray[np.uint8]


def hoja(semilla: int, alto: int = 394, ancho: int = 394) -> tuple[Pixeles, bytes]:
    """Puro ruido: no se comprime, así que tarda en viajar y un pedazo cambiado se nota."""
    pixeles = np.random.default_rng(semilla).integers(0, 256, (alto, ancho, 3), np.uint8)
    return pixeles, cv2.imencode(".png", pixeles)[1].tobytes()


CHICAS: Final = [hoja(n)[1] for n in range(4)]


@pytest.fixture
def mesa(tmp_path: Path) -> Iterator[MesaDePruebas]:
    mesa = MesaDePruebas(tmp_path / "mesa")
    try:
        yield mesa
    finally:
        mesa.cerrar()


@pytest.fixture
def escaner(mesa: MesaDePruebas) -> EscanerSane:
    return EscanerSane(mesa.sane, espacio_minimo=0)


@pytest.fixture
def carpeta(tmp_path: Path) -> Path:
    carpeta = tmp_path / "lote"
    carpeta.mkdir()
    return carpeta


def con_papel(mesa: MesaDePruebas, cuantas: int = 3) -> None:
    for png in CHICAS[:cuantas]:
        mesa.meter_hoja(png)


def chica(plazo_s: float = ESPERA_S, entorno: tuple[tuple[str, str], ...] = ()) -> Ajustes:
    return Ajustes(DISPOSITIVO, CHICA, plazo_s, entorno)


def lote(escaner: EscanerSane, ajustes: Ajustes, carpeta: Path) -> tuple[list[HojaLista], FinDeLote]:
    *hojas, fin = escaner.digitalizar(ajustes, carpeta)
    assert isinstance(fin, FinDeLote)
    listas = [h for h in hojas if isinstance(h, HojaLista)]
    assert len(listas) == len(hojas) == fin.hojas
    # Nada a medias queda con nombre de hoja, ni escondido.
    assert sorted(carpeta.iterdir()) == [h.ruta for h in listas]
    assert not scanimages()
    return listas, fin


def scanimages() -> list[psutil.Process]:
    vivos = []
    for hijo in psutil.Process().children(recursive=True):
        try:
            if hijo.name() == "scanimage" and hijo.status() != psutil.STATUS_ZOMBIE:
                vivos.append(hijo)
        except psutil.NoSuchProcess:
            continue
    return vivos


def esperar(que: Callable[[], object]) -> None:
    limite = time.monotonic() + ESPERA_S
    while not que():
        assert time.monotonic() < limite, "nunca pasó"
        time.sleep(0.01)


# ------------------------------------------------------------------------------------------ lo que entra es lo que sale


def test_cada_hoja_que_entra_sale_con_sus_mismos_pixeles(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path
) -> None:
    actas = [hoja(n, 2200, 1700) for n in range(2)]
    for _, png in actas:
        mesa.meter_hoja(png)
    listas, fin = lote(escaner, Ajustes(DISPOSITIVO, CARTA), carpeta)
    assert (fin.motivo, fin.falla, fin.a_medias) == (Motivo.SIN_PAPEL, None, 0)
    assert [h.numero for h in listas] == [1, 2]
    for lista, (pixeles, _) in zip(listas, actas, strict=True):
        leida = cv2.imread(str(lista.ruta))
        assert leida is not None
        assert np.array_equal(leida, pixeles)
        assert lista.ruta.stat().st_mode & 0o077 == 0
    assert mesa.charola.salieron == 2


def test_una_foto_jpeg_en_la_charola_se_digitaliza(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    jpeg = cv2.imencode(".jpg", hoja(1)[0])[1].tobytes()
    mesa.meter_hoja(jpeg)
    [lista], _ = lote(escaner, chica(), carpeta)
    leida = cv2.imread(str(lista.ruta))
    esperada = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert leida is not None
    assert esperada is not None
    assert np.array_equal(leida, esperada)


def test_la_cama_plana_da_una_hoja_y_no_la_misma_sin_fin(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path
) -> None:
    mesa.meter_hoja(CHICAS[0], en_el_vidrio=True)
    listas, fin = lote(escaner, Ajustes(DISPOSITIVO, ("--source=Flatbed", *CHICA[1:])), carpeta)
    assert (len(listas), fin.motivo, fin.falla) == (1, Motivo.COMPLETO, None)


def test_sin_decir_la_fuente_se_toma_una_sola(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    mesa.meter_hoja(CHICAS[0], en_el_vidrio=True)
    _, fin = lote(escaner, Ajustes(DISPOSITIVO, CHICA[1:]), carpeta)
    assert fin.hojas == 1


def test_otro_lote_en_la_misma_carpeta_no_pisa_lo_que_hay(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path
) -> None:
    (carpeta / "hoja-000007.pnm").write_bytes(b"de antes")
    con_papel(mesa, 1)
    [lista, fin] = list(escaner.digitalizar(chica(), carpeta))
    assert isinstance(lista, HojaLista)
    assert (lista.numero, fin) == (8, FinDeLote(1, Motivo.SIN_PAPEL, None))
    assert (carpeta / "hoja-000007.pnm").read_bytes() == b"de antes"


def test_la_hoja_siguiente_espera_a_que_se_registre_la_anterior(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path
) -> None:
    con_papel(mesa, 4)
    pasos = escaner.digitalizar(chica(), carpeta)
    assert isinstance(next(pasos), HojaLista)
    # airscan baja las que siguen por adelantado, pero scanimage está detenido: no hay otra hoja escrita ni a medias.
    esperar(lambda: mesa.charola.salieron > 1)
    assert [r.name for r in carpeta.rglob("*.*") if r.is_file()] == ["hoja-000001.pnm"]
    assert len(list(pasos)) == 4


def test_presentes_nombra_al_escaner(escaner: EscanerSane) -> None:
    assert escaner.presentes() == (DISPOSITIVO,)


# ---------------------------------------------------------------------------------------------------------- infortunios


@pytest.mark.parametrize(
    ("estorbo", "entorno", "motivo", "a_medias"),
    [
        (Estorbo.ATASCO, MUDO, Motivo.ATASCO, 1),
        (Estorbo.ATASCO, HABLADOR, Motivo.ATASCO, 1),
        (Estorbo.DOBLE_HOJA, HABLADOR, Motivo.DOBLE_HOJA, 2),
        # Sin su depuración, airscan sólo sabe decir «atasco».
        (Estorbo.DOBLE_HOJA, MUDO, Motivo.ATASCO, 1),
        (Estorbo.TAPA_ABIERTA, MUDO, Motivo.TAPA_ABIERTA, 0),
    ],
)
def test_algo_estorba_en_la_segunda_hoja(
    mesa: MesaDePruebas,
    escaner: EscanerSane,
    carpeta: Path,
    estorbo: Estorbo,
    entorno: tuple[tuple[str, str], ...],
    motivo: Motivo,
    a_medias: int,
) -> None:
    con_papel(mesa)
    mesa.charola.fallar(estorbo, despues_de=1)
    _, fin = lote(escaner, chica(entorno=entorno), carpeta)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (1, motivo, a_medias)
    assert fin.falla is not None
    assert fin.falla.codigo == motivo.value.upper()
    # Se despeja, se regresa el papel y el siguiente lote saca lo que faltó: entraron tres, salieron tres.
    mesa.pulsar("despejar")
    _, resto = lote_en_otra(escaner, chica(entorno=entorno), carpeta)
    assert resto == FinDeLote(2, Motivo.SIN_PAPEL, None)


def lote_en_otra(escaner: EscanerSane, ajustes: Ajustes, carpeta: Path) -> tuple[list[HojaLista], FinDeLote]:
    otra = carpeta.with_name(carpeta.name + "-otra")
    otra.mkdir()
    return lote(escaner, ajustes, otra)


def test_la_charola_esta_vacia(escaner: EscanerSane, carpeta: Path) -> None:
    _, fin = lote(escaner, chica(), carpeta)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (0, Motivo.SIN_PAPEL, 0)
    assert fin.falla is not None
    assert "charola" in fin.falla.siguiente


@pytest.mark.parametrize("entorno", [MUDO, HABLADOR])
def test_se_jala_el_cable_a_media_hoja(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path, entorno: tuple[tuple[str, str], ...]
) -> None:
    con_papel(mesa)
    mesa.pulsar("desenchufar_a_media_hoja")
    _, fin = lote(escaner, chica(entorno=entorno), carpeta)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (0, Motivo.DESCONECTADO, 1)
    assert "1 hoja pudo quedar a medio camino" in fin.cuentas
    mesa.pulsar("enchufar")
    mesa.pulsar("despejar")
    assert lote_en_otra(escaner, chica(), carpeta)[1] == FinDeLote(3, Motivo.SIN_PAPEL, None)


@pytest.mark.parametrize("entorno", [MUDO, HABLADOR])
def test_esta_apagado_y_se_dice_que_esta_apagado(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path, entorno: tuple[tuple[str, str], ...]
) -> None:
    """vxsuite #1549: «no se detecta el escáner» cuando lo que faltaba era la corriente."""
    con_papel(mesa, 1)
    mesa.pulsar("desenchufar")
    _, fin = lote(escaner, chica(entorno=entorno), carpeta)
    assert (fin.motivo, fin.a_medias) == (Motivo.SIN_CORRIENTE, 0)
    assert fin.falla is not None
    assert "corriente" in fin.falla.causa
    mesa.pulsar("enchufar")
    assert lote_en_otra(escaner, chica(), carpeta)[1].hojas == 1


@pytest.mark.parametrize("nombre", ["airscan:e0:Otro", "fujitsu:fi-7160:1", ""])
def test_no_hay_tal_escaner(escaner: EscanerSane, carpeta: Path, nombre: str) -> None:
    _, fin = lote(escaner, Ajustes(nombre, CHICA), carpeta)
    assert (fin.motivo, fin.a_medias) == (Motivo.SIN_ESCANER, 0)


def test_el_controlador_se_cuelga_a_media_hoja(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa)
    mesa.escaner.segundos_por_hoja = 0.5
    pasos = escaner.digitalizar(chica(plazo_s=1), carpeta)
    assert isinstance(next(pasos), HojaLista)
    mesa.pulsar("colgar")
    *antes, fin = pasos
    assert isinstance(fin, FinDeLote)
    assert (fin.motivo, fin.hojas, fin.a_medias) == (Motivo.TIEMPO, 1 + len(antes), 1)
    assert not scanimages()
    mesa.pulsar("soltar")


def test_el_controlador_se_cuelga_al_abrir(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa, 1)
    mesa.pulsar("colgar")
    _, fin = lote(escaner, chica(plazo_s=0.5), carpeta)
    assert (fin.motivo, fin.a_medias) == (Motivo.TIEMPO, 0)
    mesa.pulsar("soltar")


def test_matan_al_controlador_a_media_hoja(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa)
    mesa.escaner.segundos_por_hoja = 20
    salieron: list[HojaLista | FinDeLote] = []
    hilo = threading.Thread(target=lambda: salieron.extend(escaner.digitalizar(chica(), carpeta)))
    hilo.start()
    esperar(lambda: mesa.charola.hojas < 3)
    [victima] = scanimages()
    os.kill(victima.pid, signal.SIGKILL)
    hilo.join(ESPERA_S)
    mesa.escaner.segundos_por_hoja = 0
    [fin] = salieron
    assert isinstance(fin, FinDeLote)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (0, Motivo.CONTROLADOR_MUERTO, 1)
    assert list(carpeta.iterdir()) == []


def test_quien_digitalizaba_se_fue_a_medio_lote(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa)
    pasos = escaner.digitalizar(chica(), carpeta)
    primera = next(pasos)
    assert isinstance(primera, HojaLista)
    pasos.close()  # type: ignore[attr-defined]
    assert not scanimages()
    assert list(carpeta.iterdir()) == [primera.ruta]
    assert lote_en_otra(escaner, chica(), carpeta)[1].motivo is Motivo.SIN_PAPEL


def test_muere_el_kiosco_y_el_controlador_suelta_al_escaner(mesa: MesaDePruebas, carpeta: Path) -> None:
    con_papel(mesa)
    mesa.escaner.segundos_por_hoja = 30
    guion = (
        "import sys; from pathlib import Path\n"
        "from appliance.escaneo.escaner_sane import EscanerSane\n"
        "from appliance.escaneo.puerto import Ajustes\n"
        "list(EscanerSane(Path(sys.argv[1]), espacio_minimo=0).digitalizar("
        "Ajustes(sys.argv[2], tuple(sys.argv[4:])), Path(sys.argv[3])))\n"
    )
    orden = [sys.executable, "-c", guion, str(mesa.sane), DISPOSITIVO, str(carpeta), *CHICA]
    with subprocess.Popen(orden, cwd=Path(__file__).parents[2]) as kiosco:
        esperar(lambda: mesa.charola.hojas < 3)
        [hijo] = scanimages()
        kiosco.kill()
        kiosco.wait(ESPERA_S)
    try:
        hijo.wait(ESPERA_S)
    finally:
        mesa.escaner.segundos_por_hoja = 0
    assert not [r for r in carpeta.iterdir() if not r.name.startswith(".")]


# ---------------------------------------------------------------------------------------------------------------- disco


@pytest.fixture
def disquito(tmp_path: Path) -> Iterator[Path]:
    """Un disco donde cabe una hoja chica (455 KiB), pero no dos."""
    punto = tmp_path / "disquito"
    punto.mkdir()
    montado = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(punto)], capture_output=True, check=False
    )
    if montado.returncode:
        pytest.skip("no se pudo montar un tmpfs")
    try:
        yield punto
    finally:
        subprocess.run(["umount", "-l", str(punto)], check=True)


def test_se_llena_el_disco_a_media_hoja(mesa: MesaDePruebas, escaner: EscanerSane, disquito: Path) -> None:
    """`scanimage` no lo nota: da por buena la hoja cortada."""
    con_papel(mesa)
    vigila = EscanerSane(mesa.sane, espacio_minimo=4096)
    listas, fin = lote(vigila, chica(), disquito)
    assert (len(listas), fin.motivo) == (1, Motivo.DISCO_LLENO)
    assert fin.a_medias >= 1
    assert listas[0].ruta.stat().st_size > 400_000


def test_el_sistema_no_deja_escribir_mas(mesa: MesaDePruebas, carpeta: Path) -> None:
    con_papel(mesa)
    _, fin = lote(EscanerSane(mesa.sane, espacio_minimo=0, tope_hoja=100_000), chica(), carpeta)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (0, Motivo.DISCO_LLENO, 1)


def test_sin_lugar_en_el_disco_no_se_toma_papel(mesa: MesaDePruebas, carpeta: Path) -> None:
    con_papel(mesa)
    _, fin = lote(EscanerSane(mesa.sane, espacio_minimo=2**60), chica(), carpeta)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (0, Motivo.DISCO_LLENO, 0)
    assert mesa.charola.hojas == 3


def test_la_carpeta_ya_no_esta(escaner: EscanerSane, tmp_path: Path) -> None:
    [fin] = list(escaner.digitalizar(chica(), tmp_path / "no está"))
    assert isinstance(fin, FinDeLote)
    assert fin.falla is not None
    assert fin.falla.codigo == "DISCO"


def test_no_esta_instalado_scanimage(mesa: MesaDePruebas, carpeta: Path) -> None:
    escaner = EscanerSane(mesa.sane, orden="scanimage-que-no-existe")
    presentes = escaner.presentes()
    assert isinstance(presentes, Rechazo)
    assert presentes.codigo == "SIN_SANE"
    assert lote(escaner, chica(), carpeta)[1].falla == presentes


# ---------------------------------------------------------------------------------------------- las palabras del perfil


def test_el_perfil_del_modelo_pone_las_palabras(mesa: MesaDePruebas, carpeta: Path) -> None:
    suyas = Rechazo("ATASCO", "Se trabó el fi-7160", "grapa", "suba la palanca verde")
    pedidas: list[tuple[Motivo, int, str]] = []

    def explica(motivo: Motivo, estado: int, dicho: str) -> Rechazo | None:
        pedidas.append((motivo, estado, dicho))
        return suyas if motivo is Motivo.ATASCO else None

    escaner = EscanerSane(mesa.sane, explicador=explica, espacio_minimo=0)
    con_papel(mesa)
    mesa.pulsar("atascar")
    assert lote(escaner, chica(), carpeta)[1].falla == suyas
    [(motivo, estado, dicho)] = pedidas
    assert (motivo, estado) == (Motivo.ATASCO, 6)
    assert "jammed" in dicho


# --------------------------------------------------------------------------------- los aparatos de prueba que trae SANE


@pytest.fixture
def pnm(tmp_path: Path) -> tuple[EscanerSane, str]:
    configuracion = tmp_path / "sane-pnm"
    configuracion.mkdir()
    (configuracion / "dll.conf").write_text("pnm\ntest\n")
    imagen = tmp_path / "acta.ppm"
    imagen.write_bytes(b"P6\n300 300\n255\n" + bytes(range(256)) * 1054 + bytes(176))
    return EscanerSane(configuracion, espacio_minimo=0), f"--filename={imagen}"


@pytest.mark.parametrize(
    ("estado", "motivo", "a_medias"),
    [
        ("jammed", Motivo.ATASCO, 1),
        ("nodocs", Motivo.SIN_PAPEL, 0),
        ("coveropen", Motivo.TAPA_ABIERTA, 1),
        ("ioerror", Motivo.DESCONECTADO, 1),
        ("nomem", Motivo.SIN_MEMORIA, 1),
        ("accessdenied", Motivo.SIN_PERMISO, 0),
    ],
)
def test_cada_estado_de_sane_tiene_su_motivo(
    pnm: tuple[EscanerSane, str], carpeta: Path, estado: str, motivo: Motivo, a_medias: int
) -> None:
    escaner, archivo = pnm
    _, fin = lote(escaner, Ajustes("pnm:0", (archivo, "--status=yes", f"--status-{estado}=yes")), carpeta)
    assert (fin.hojas, fin.motivo, fin.a_medias) == (0, motivo, a_medias)
    assert fin.falla is not None


def test_el_aparato_pnm_da_su_hoja(pnm: tuple[EscanerSane, str], carpeta: Path, tmp_path: Path) -> None:
    escaner, archivo = pnm
    [lista], fin = lote(escaner, Ajustes("pnm:0", (archivo,)), carpeta)
    assert fin.motivo is Motivo.COMPLETO
    assert lista.ruta.read_bytes()[-270_000:] == (tmp_path / "acta.ppm").read_bytes()[-270_000:]
    presentes = escaner.presentes()
    assert isinstance(presentes, tuple)
    assert {"pnm:0", "test:0"} <= set(presentes)


def test_un_ajuste_que_el_modelo_no_conoce(pnm: tuple[EscanerSane, str], carpeta: Path) -> None:
    _, fin = lote(pnm[0], Ajustes("test:0", ("--no-hay-tal=3",)), carpeta)
    assert (fin.motivo, fin.a_medias) == (Motivo.OPCION_NO_ADMITIDA, 0)


# -------------------------------------------------------------------------------------------------------------- el lote


def terminado(lote: LoteEnCurso) -> EstadoDeLote:
    assert lote.esperar(ESPERA_S)
    return lote.estado()


def test_una_falla_se_queda_hasta_que_alguien_la_reconoce(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path
) -> None:
    """vxsuite #5680."""
    en_curso = LoteEnCurso(escaner)
    con_papel(mesa)
    mesa.charola.fallar(Estorbo.ATASCO, despues_de=1)
    assert en_curso.empezar(chica(), carpeta) is None
    estado = terminado(en_curso)
    assert (len(estado.hojas), estado.motivo) == (1, Motivo.ATASCO)
    mesa.pulsar("despejar")
    otra_vez = en_curso.empezar(chica(), carpeta)
    assert otra_vez is not None
    assert otra_vez.codigo == "FALLA_SIN_RECONOCER"
    assert "Se atascó" in otra_vez.que
    assert en_curso.reconocer() == estado.falla
    assert en_curso.reconocer() is None
    assert en_curso.empezar(chica(), carpeta) is None
    assert terminado(en_curso).falla is None
    assert len(list(carpeta.glob("hoja-*.pnm"))) == 3


def test_dos_lotes_a_la_vez_se_rechazan_con_palabras(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa, 1)
    mesa.escaner.segundos_por_hoja = 1
    en_curso = LoteEnCurso(escaner)
    assert en_curso.empezar(chica(), carpeta) is None
    otro = en_curso.empezar(chica(), carpeta)
    assert otro is not None
    assert otro.codigo == "LOTE_EN_CURSO"
    esperar(scanimages)
    # Otra pantalla, con su propio lote sobre el mismo escáner.
    [fin] = list(escaner.digitalizar(chica(), carpeta))
    assert isinstance(fin, FinDeLote)
    assert fin.motivo is Motivo.OCUPADO
    assert terminado(en_curso).fin == FinDeLote(1, Motivo.SIN_PAPEL, None)


def test_se_cancela_a_media_hoja(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa)
    mesa.escaner.segundos_por_hoja = 20
    en_curso = LoteEnCurso(escaner)
    en_curso.empezar(chica(), carpeta)
    esperar(lambda: mesa.charola.hojas < 3)
    en_curso.cancelar()
    estado = terminado(en_curso)
    mesa.escaner.segundos_por_hoja = 0
    assert estado.fin is not None
    assert (estado.fin.hojas, estado.motivo, estado.fin.a_medias) == (0, Motivo.CANCELADO, 1)
    assert estado.falla is not None
    assert not scanimages()
    assert list(carpeta.iterdir()) == []


def test_se_cancela_antes_de_que_empiece(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    con_papel(mesa)
    mesa.escaner.segundos_por_hoja = 5
    en_curso = LoteEnCurso(escaner)
    en_curso.empezar(chica(), carpeta)
    en_curso.cancelar()
    assert terminado(en_curso).motivo is Motivo.CANCELADO
    # Y lo cancelado no cancela al que sigue.
    en_curso.reconocer()
    mesa.pulsar("vaciar")
    mesa.escaner.segundos_por_hoja = 0
    con_papel(mesa, 1)
    en_curso.cancelar()
    assert en_curso.empezar(chica(), carpeta) is None
    assert terminado(en_curso).fin == FinDeLote(1, Motivo.SIN_PAPEL, None)


@pytest.mark.parametrize("error", [Falla("DISCO_LLENO", "No se guardó", "x", "y"), KeyError("defecto")])
def test_no_se_pudo_registrar_la_hoja_y_el_lote_se_detiene(
    mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path, error: Exception
) -> None:
    con_papel(mesa, 4)
    dicho: list[str] = []
    fines: list[FinDeLote] = []

    def registrar(_: HojaLista) -> None:
        raise error

    en_curso = LoteEnCurso(escaner, al_hoja=registrar, al_fin=fines.append, decir=dicho.append)
    en_curso.empezar(chica(), carpeta)
    estado = terminado(en_curso)
    assert estado.falla is not None
    assert estado.falla.codigo == ("DISCO_LLENO" if isinstance(error, Falla) else "DEFECTO")
    assert [f.falla for f in fines] == [estado.falla]
    assert len(list(carpeta.glob("hoja-*.pnm"))) == len(estado.hojas) == 1
    assert bool(dicho) == (not isinstance(error, Falla))


def test_mientras_hay_lote_no_se_molesta_al_escaner(mesa: MesaDePruebas, escaner: EscanerSane, carpeta: Path) -> None:
    assert escaner.presentes() == (DISPOSITIVO,)
    con_papel(mesa, 1)
    pasos = escaner.digitalizar(chica(), carpeta)
    next(pasos)
    mesa.pulsar("desenchufar")
    assert escaner.presentes() == (DISPOSITIVO,)
    pasos.close()  # type: ignore[attr-defined]


# -------------------------------------------------------------------------------------------------------------- la mesa


def test_el_tablero_aprieta_los_mismos_botones(mesa: MesaDePruebas) -> None:
    tablero = Tablero(mesa)
    try:
        with httpx.Client(base_url=tablero.url) as cliente:
            pagina = cliente.get("")
            assert pagina.status_code == 200
            assert all(f'data-boton="{b}"' in pagina.text for b in mesa.botones)
            assert cliente.post("hoja", content=CHICAS[0]).json()["hojas"] == 1
            assert cliente.post("vidrio", content=CHICAS[0]).json()["vidrio"] is True
            assert cliente.post("boton/abrir_tapa").json()["estorbo"] == "tapa_abierta"
            assert cliente.post("boton/despejar").json()["estorbo"] == ""
            assert cliente.post("boton/no_hay").status_code == 400
            assert cliente.post("hoja", content=b"no es imagen").status_code == 400
            assert cliente.get("estado").json() == mesa.estado()
            sin_ficha = tablero.url.replace(tablero.ficha, "x")
            assert cliente.post(f"{sin_ficha}boton/abrir_tapa").status_code == 404
            assert mesa.estado()["estorbo"] == ""
    finally:
        tablero.cerrar()


def test_la_mesa_se_arranca_sola_y_un_kiosco_la_usa(tmp_path: Path, carpeta: Path) -> None:
    imagen = tmp_path / "acta.png"
    imagen.write_bytes(CHICAS[0])
    orden = [sys.executable, "-m", "ensayo.mesa_de_pruebas", "--carpeta", str(tmp_path / "m"), "--segundos-por-hoja=0"]
    with subprocess.Popen([*orden, str(imagen)], cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL) as proceso:
        try:
            archivo = tmp_path / "m" / "mesa.json"
            esperar(archivo.exists)
            anunciada = leer_ajustes(tmp_path, "simulacro", archivo).mesa
            assert anunciada is not None
            escaner = EscanerSane(anunciada.sane_config_dir, espacio_minimo=0)
            assert lote(escaner, Ajustes(anunciada.escaner, CHICA), carpeta)[1].hojas == 1
            assert httpx.get(json.loads(archivo.read_bytes())["tablero"] + "estado").json()["salieron"] == 1
            assert Path(anunciada.lector).exists()
        finally:
            proceso.terminate()
        assert proceso.wait(ESPERA_S) == 0
    assert not archivo.exists()


def test_la_mesa_no_acepta_lo_que_no_es_papel(mesa: MesaDePruebas) -> None:
    for basura in (b"", b"GIF89a", b"\xff\xd8\xff" + bytes(100)):
        with pytest.raises(BotonDesconocido):
            mesa.meter_hoja(basura)
    assert mesa.charola.hojas == 0
