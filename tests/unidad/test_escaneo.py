"""Lo que la digitalización lee de fuera: nombres, opciones, lo que dice scanimage y la hoja misma."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.escaneo.avance import Avance
from appliance.escaneo.hoja_completa import esta_entera, hacer_durable, tamano_debido
from appliance.escaneo.motivo import Desenlace, Motivo, hojas_a_medias, motivo_de, palabras
from appliance.escaneo.orden import nombre_valido, orden_de_lote, una_hoja
from appliance.escaneo.proceso import correr
from appliance.escaneo.puerto import Ajustes, FinDeLote
from nucleo.problema import Rechazo

NUESTRAS: Final = ("scanimage", "--device-name=", "--format=pnm", "--progress", "--batch=h%06d.pnm", "--batch-prompt")
ENCABEZADO: Final = b"P6\n# SANE data follows\n4 2\n255\n"
BAJADA: Final = (
    "Mesa: HTTP GET http://127.0.0.1:4/eSCL/ScanJobs/9f/NextDocument: got response headers (200)\n"
    "Mesa: HTTP GET http://127.0.0.1:4/eSCL/ScanJobs/9f/NextDocument: 200 OK\n"
    "Mesa: HTTP GET http://127.0.0.1:4/eSCL/ScanJobs/9f/NextDocument: OK\n"
)
"""Lo que dice airscan de cada hoja que baja."""


# ------------------------------------------------------------------------------------------ nombres y opciones de fuera


@given(
    st.text() | st.text("-=:ab \n\0%", max_size=30) | st.sampled_from(["-h", "--help", "-d x", "--batch", "-", "--"])
)
def test_un_nombre_de_escaner_nunca_llega_a_ser_una_opcion(nombre: str) -> None:
    orden = orden_de_lote(Ajustes(nombre, ()))
    assert nombre_valido(nombre) is isinstance(orden, list)
    if isinstance(orden, list):
        assert orden == [*NUESTRAS[:1], f"--device-name={nombre}", *NUESTRAS[2:], "--batch-count=1"]
        assert nombre[0] != "-"
        assert "\0" not in nombre
        os.fsencode(nombre)


@pytest.mark.parametrize(
    "nombre",
    [
        "fujitsu:fi-7160:12345",
        "airscan:e0:Mesa de pruebas",
        "epsonds:libusb:001:004",
        "test",
        "brother5:bus1;dev3",
        "pnm:0",
    ],
)
def test_los_nombres_que_da_sane_sirven(nombre: str) -> None:
    assert nombre_valido(nombre)


@given(
    st.lists(
        st.text(max_size=20)
        | st.sampled_from(["-x", "-l", "-o", "-d", "-b", "10", "215.9", "--mode=Color", "--out=/etc/x", "--dev=otro"])
        | st.from_regex(r"\A--[a-z-]{1,14}(=.{0,9})?\Z"),
        max_size=6,
    )
)
def test_las_opciones_de_un_perfil_no_eligen_dispositivo_ni_archivo(opciones: list[str]) -> None:
    orden = orden_de_lote(Ajustes("test:0", tuple(opciones)))
    if isinstance(orden, Rechazo):
        assert orden.codigo == "AJUSTES"
        return
    assert orden[-len(opciones) :] == opciones or not opciones
    medida = False
    for opcion in opciones:
        if medida:
            assert opcion.lstrip("-").replace(".", "").isdecimal()
            medida = False
        elif opcion in ("-l", "-t", "-x", "-y"):
            medida = True
        else:
            nombre = opcion.partition("=")[0]
            assert nombre.startswith("--")
            for propia in (
                "--device-name",
                "--output-file",
                "--batch",
                "--format",
                "--help",
                "--icc-profile",
                "--test",
            ):
                assert not propia.startswith(nombre)


@pytest.mark.parametrize(
    "variable", [("LD_PRELOAD", "1"), ("SANE_CONFIG_DIR", "1"), ("SANE_DEBUG_X", "1;x"), ("A=B", "1")]
)
def test_un_perfil_no_mete_otras_variables(variable: tuple[str, str]) -> None:
    orden = orden_de_lote(Ajustes("test:0", (), entorno=(variable,)))
    assert isinstance(orden, Rechazo)
    assert isinstance(orden_de_lote(Ajustes("test:0", (), entorno=(("SANE_DEBUG_FUJITSU", "5"),))), list)


@pytest.mark.parametrize(
    ("opciones", "una"),
    [
        (("--source=ADF",), False),
        (("--source=ADF Duplex",), False),
        (("--source=Automatic Document Feeder(left aligned)",), False),
        (("--source=Flatbed",), True),
        (("--source=ADF", "--source=Flatbed"), True),
        (("--mode=Color",), True),
        ((), True),
    ],
)
def test_solo_con_alimentador_se_toma_un_lote(opciones: tuple[str, ...], una: bool) -> None:
    assert una_hoja(Ajustes("test:0", opciones)) is una
    assert una_hoja(Ajustes("test:0", opciones, una_hoja=not una)) is not una


# ------------------------------------------------------------------------------------------------ lo que dice scanimage


@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"Scanning page 1\n", b"Press <RETURN> to continue.\n"])))
def test_un_controlador_parlanchin_no_llena_la_memoria_ni_tumba_a_nadie(trozos: list[bytes]) -> None:
    avance = Avance()
    for n, trozo in enumerate(trozos):
        (avance.salida if n % 3 == 0 else avance.errores)(trozo * 40)
    avance.cerrar()
    assert len(avance.dicho) < 40_000
    motivo_de(Desenlace(1, avance.dicho, len(trozos), avance.pagina_abierta, avance.avanzo))


@given(st.integers(1, 9))
def test_el_aviso_partido_en_pedazos_se_entiende_igual(corte: int) -> None:
    dicho = b"Place document no. 2 on the scanner.\nPress <RETURN> to continue.\nPress Ctrl + D to terminate.\n"
    avance = Avance()
    for desde in range(0, len(dicho), corte):
        avance.errores(dicho[desde : desde + corte])
    assert avance.espera
    avance.pedida()
    assert (avance.espera, avance.pagina_abierta, avance.avanzo) == (False, True, False)
    avance.errores(b"Scanning page 2\nProgress: 0.0%\rProgress: 0.5%\r")
    assert avance.avanzo


def test_parlotear_sin_avanzar_no_cuenta_como_avance() -> None:
    avance = Avance()
    avance.errores(b"Scanning page 1\nProgress: 3.0%\r")
    marca = avance.marca
    avance.errores(b"[fujitsu] esperando\n" * 50 + b"Progress: 3.0%\r" * 50)
    assert avance.marca == marca
    avance.errores(b"Progress: 3.1%\r")
    assert avance.marca != marca


@pytest.mark.parametrize(
    ("salida", "dicho", "hojas", "abierta", "avanzo", "motivo"),
    [
        (
            6,
            "Medium error: double feed\nscanimage: sane_read: Document feeder jammed",
            3,
            True,
            True,
            Motivo.DOBLE_HOJA,
        ),
        (
            6,
            "Hardware error: multi-feed\nscanimage: sane_start: Document feeder jammed",
            0,
            True,
            False,
            Motivo.DOBLE_HOJA,
        ),
        (6, "scanimage: sane_read: Document feeder jammed", 3, True, True, Motivo.ATASCO),
        (9, "scanimage: sane_start: Error during device I/O", 4, True, False, Motivo.DESCONECTADO),
        (9, "scanimage: sane_start: Error during device I/O", 0, True, False, Motivo.DESCONECTADO),
        (1, "scanimage: open of device x:y failed: Error during device I/O", 0, False, False, Motivo.SIN_CORRIENTE),
        (1, "scanimage: open of device x:y failed: Invalid argument", 0, False, False, Motivo.SIN_ESCANER),
        (1, "scanimage: open of device x:y failed: Device busy", 0, False, False, Motivo.OCUPADO),
        (3, "scanimage: sane_start: Device busy", 0, True, False, Motivo.OCUPADO),
        (1, "scanimage: no SANE devices found", 0, False, False, Motivo.SIN_ESCANER),
        (0, "scanimage: sane_start: Document feeder out of documents", 4, True, False, Motivo.SIN_PAPEL),
        (7, BAJADA + "scanimage: sane_start: Document feeder out of documents", 0, True, False, Motivo.HOJA_INCOMPLETA),
        (7, BAJADA + "scanimage: sane_start: Document feeder out of documents", 1, True, False, Motivo.SIN_PAPEL),
        (6, BAJADA + "scanimage: sane_start: Document feeder jammed", 0, True, False, Motivo.ATASCO),
        (-11, "", 0, True, True, Motivo.CONTROLADOR_MUERTO),
        (-9, "scanimage: sane_start: Document feeder jammed", 0, True, True, Motivo.CONTROLADOR_MUERTO),
        (127, "", 0, False, False, Motivo.DESCONOCIDO),
    ],
)
def test_el_motivo_sale_de_lo_que_dijo_y_de_en_que_iba(
    salida: int, dicho: str, hojas: int, abierta: bool, avanzo: bool, motivo: Motivo
) -> None:
    assert motivo_de(Desenlace(salida, dicho, hojas, abierta, avanzo)) is motivo


@pytest.mark.parametrize("motivo", [m for m in Motivo if m is not Motivo.COMPLETO])
def test_cada_motivo_tiene_sus_propias_palabras(motivo: Motivo) -> None:
    rechazo = palabras(motivo)
    assert rechazo.codigo == motivo.value.upper()
    assert all(len(p) > 5 for p in (rechazo.que, rechazo.causa, rechazo.siguiente))
    otras = [palabras(m).que for m in Motivo if m not in (motivo, Motivo.COMPLETO)]
    assert rechazo.que not in otras


@pytest.mark.parametrize("cuantas", [1, 3])
def test_el_controlador_tira_las_hojas_que_ya_salieron_y_se_manda_a_buscarlas(cuantas: int) -> None:
    dicho = BAJADA * cuantas + "scanimage: sane_start: Document feeder out of documents"
    fin = Desenlace(7, dicho, pagina_abierta=True)
    assert hojas_a_medias(motivo_de(fin), fin) == cuantas
    assert "busque la última hoja" in palabras(motivo_de(fin)).siguiente


@given(st.sampled_from(Motivo), st.integers(0, 3), st.booleans(), st.booleans(), st.booleans())
def test_el_papel_que_se_perdio_de_vista_se_cuenta(
    motivo: Motivo, hojas: int, abierta: bool, avanzo: bool, una: bool
) -> None:
    medias = hojas_a_medias(motivo, Desenlace(9, "", hojas, abierta, avanzo, una))
    assert 0 <= medias <= 2
    cuentas = FinDeLote(hojas, motivo, None, medias).cuentas
    assert str(hojas) in cuentas
    assert ("a medio camino" in cuentas) is (medias > 0)
    if motivo in (Motivo.SIN_PAPEL, Motivo.COMPLETO):
        assert medias == 0
    if motivo in (Motivo.ATASCO, Motivo.TIEMPO, Motivo.DESCONECTADO) and abierta:
        assert medias == 1


# -------------------------------------------------------------------------------------------------------------- la hoja


@given(st.integers(0, 23))
def test_una_hoja_cortada_en_cualquier_byte_no_es_una_hoja(
    tmp_path_factory: pytest.TempPathFactory, hasta: int
) -> None:
    ruta = tmp_path_factory.mktemp("hoja") / "h.pnm"
    ruta.write_bytes((ENCABEZADO + bytes(24))[: len(ENCABEZADO) + hasta])
    assert not esta_entera(ruta)
    ruta.write_bytes(ENCABEZADO + bytes(24))
    assert esta_entera(ruta)
    ruta.write_bytes(ENCABEZADO + bytes(25))
    assert not esta_entera(ruta)


@given(st.binary(max_size=80) | st.from_regex(rb"\AP[1-7][ \n#]{0,3}\d{0,8}\s\d{0,8}\s\d{0,7}\s"))
def test_un_encabezado_cualquiera_no_tumba_a_nadie(encabezado: bytes) -> None:
    debido = tamano_debido(encabezado)
    assert debido is None or debido > 0


@pytest.mark.parametrize(
    ("encabezado", "pixeles"),
    [(b"P4\n9 2\n", 4), (b"P5\n9 2\n255\n", 18), (b"P6 9 2 65535 ", 108), (b"P5\n# x\n9 2\n# y\n255\n", 18)],
)
def test_cada_clase_de_pnm_mide_lo_que_dice(encabezado: bytes, pixeles: int) -> None:
    assert tamano_debido(encabezado) == len(encabezado) + pixeles


def test_una_hoja_que_es_un_enlace_no_se_sigue(tmp_path: Path) -> None:
    secreto = tmp_path / "secreto"
    secreto.write_bytes(ENCABEZADO + bytes(24))
    enlace = tmp_path / "h.pnm"
    enlace.symlink_to(secreto)
    with pytest.raises(OSError, match="symbolic"):
        esta_entera(enlace)
    with pytest.raises(OSError, match="symbolic"):
        hacer_durable(enlace, tmp_path / "hoja.pnm")


def test_nunca_se_pisa_una_hoja(tmp_path: Path) -> None:
    nueva, vieja = tmp_path / "a", tmp_path / "b"
    nueva.write_bytes(b"nueva")
    vieja.write_bytes(b"vieja")
    with pytest.raises(FileExistsError):
        hacer_durable(nueva, vieja)
    assert vieja.read_bytes() == b"vieja"
    hacer_durable(nueva, tmp_path / "c")
    assert [r.name for r in sorted(tmp_path.iterdir())] == ["b", "c"]


# ----------------------------------------------------------------------------------------------------------- el proceso


def test_al_que_no_se_va_se_le_mata(tmp_path: Path) -> None:
    """Ni sordo a SIGTERM, ni con un hijo que tenga abiertos sus tubos."""
    entorno = {"PATH": os.environ["PATH"]}
    sordo = ["sh", "-c", "trap '' TERM; echo hola; sleep 60 & sleep 60"]
    assert correr(sordo, tmp_path, entorno, 0.3) is None
    assert correr(["sh", "-c", "echo hola; echo $PATH$HOME; exit 3"], tmp_path, {"PATH": "/bin"}, 10) == (
        3,
        b"hola\n/bin\n",
    )
