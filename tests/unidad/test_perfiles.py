"""Los perfiles: los que hay son válidos, los mal escritos se explican y lo genérico no tapa a lo específico."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.dispositivos.esquema import ESTADOS
from appliance.dispositivos.lectura import leer_fallas, leer_perfil
from appliance.dispositivos.perfil import Clase, FallaConocida, ModoDeLector, Perfil
from appliance.dispositivos.perfiles import (
    CARPETA,
    MODO_DE_ACTA,
    PerfilesInvalidos,
    entorno_sane,
    explicar,
    explicar_lote,
    leer_perfiles,
    modo_del_lector,
    opciones_sane,
    reconocer,
)
from appliance.escaneo.opciones import opcion_prohibida
from appliance.falla import Falla
from nucleo.problema_archivo import Problema

PERFILES: Final = leer_perfiles(con_simulados=True)
ESCANERES: Final = [p for p in PERFILES.todos if p.clase is Clase.ESCANER]
FUJITSU: Final = PERFILES.por_clave["fujitsu_fi_7160"]
TOML_FUJITSU: Final = (CARPETA / "fujitsu_fi_7160.toml").read_text("utf-8")
TOML_ZEBRA: Final = (CARPETA / "zebra_ds2208.toml").read_text("utf-8")
TOML_S1300I: Final = (CARPETA / "fujitsu_s1300i.toml").read_text("utf-8")
TOML_FALLAS: Final = (CARPETA / "fallas.toml").read_text("utf-8")
ATASCO, SIN_HOJAS, TAPA, FALLO_DE_ES = (ESTADOS.index(e) for e in ("JAMMED", "NO_DOCS", "COVER_OPEN", "IO_ERROR"))
MOTIVOS: Final = {
    *("sin_papel", "cancelado", "atasco", "doble_hoja", "tapa_abierta", "desconectado", "sin_corriente"),
    *("ocupado", "tiempo", "sin_escaner", "desconocido"),
}
"""Con los que termina un lote: cada uno necesita sus palabras."""


def clave(perfil: Perfil) -> str:
    return perfil.clave


def comunes() -> tuple[FallaConocida, ...]:
    leidas = leer_fallas(TOML_FALLAS.encode(), "fallas.toml")
    assert isinstance(leidas, tuple)
    return leidas


def defectos(toml: str, nombre: str) -> list[Problema]:
    leido = leer_perfil(toml.encode(), nombre, comunes())
    assert isinstance(leido, list), "se aceptó un perfil mal escrito"
    return leido


def test_hay_perfiles_de_las_marcas_que_se_compran() -> None:
    reales = [p for p in PERFILES.todos if not p.simulado and p.usb]
    assert len(reales) >= 8
    assert {"Fujitsu", "Ricoh", "Canon", "Epson", "Brother", "Kodak", "Zebra", "Honeywell"} <= {p.marca for p in reales}


@pytest.mark.parametrize("perfil", PERFILES.todos, ids=clave)
def test_cada_dato_dice_de_donde_salio(perfil: Perfil) -> None:
    fuentes = [i.fuente for i in perfil.usb] + ([perfil.sane.fuente] if perfil.sane else [])
    assert all(fuentes)
    assert perfil.pasos


@pytest.mark.parametrize("perfil", ESCANERES, ids=clave)
def test_todo_escaner_sabe_digitalizar_un_acta(perfil: Perfil) -> None:
    opciones = opciones_sane(perfil)
    assert "--resolution=200" in opciones
    assert any(o.startswith("--mode=") and "Color" in o for o in opciones)
    assert not any("Duplex" in o for o in opciones)


@pytest.mark.parametrize("perfil", ESCANERES, ids=clave)
def test_cada_motivo_de_un_lote_tiene_palabras_en_cada_escaner(perfil: Perfil) -> None:
    por_clave = {f.clave: f for f in perfil.fallas}
    assert set(por_clave) >= MOTIVOS
    for falla in por_clave.values():
        assert falla.que
        assert falla.causa
        assert falla.siguiente


def test_el_firmware_de_los_escaneres_que_lo_cargan_esta_donde_lo_busca_su_controlador() -> None:
    firmware = PERFILES.por_clave["fujitsu_s1300i"].firmware
    assert firmware.destino == f"/usr/share/sane/epjitsu/{firmware.archivo}"
    assert firmware.sha256 == "", "sólo el instituto, con el archivo en la mano, puede fijarla"


def test_en_produccion_no_hay_aparatos_de_mentira() -> None:
    produccion = leer_perfiles()
    assert not [p for p in produccion.todos if p.simulado]
    assert {p.clave for p in PERFILES.todos if p.simulado} == {"simulado_escaner", "simulado_lector"}


# --- buscar


@pytest.mark.parametrize("perfil", [p for p in PERFILES.todos if p.usb], ids=clave)
def test_un_aparato_conocido_se_reconoce_aunque_udev_escriba_en_mayusculas(perfil: Perfil) -> None:
    for numero in perfil.usb:
        assert PERFILES.perfil_de(numero.vid.upper(), numero.pid.upper()) is perfil
        assert PERFILES.perfil_de(numero.vid, numero.pid, {"libsane_matched": "yes"}) is perfil, "lo tapó el genérico"


def test_un_escaner_sin_perfil_usa_el_generico_y_otra_cosa_no() -> None:
    assert PERFILES.perfil_de("dead", "beef", {"libsane_matched": "yes"}) is PERFILES.generico
    assert PERFILES.perfil_de("dead", "beef", {"libsane_matched": "no"}) is None
    assert PERFILES.perfil_de("dead", "beef") is None


def test_un_lector_que_cambio_de_modo_es_el_mismo_modelo() -> None:
    zebra = PERFILES.por_clave["zebra_ds2208"]
    modos = {str(n.modo) for n in zebra.usb}
    assert modos == {"teclado", "serie"}
    numero = modo_del_lector(zebra, "05E0", "1701")
    assert numero is not None
    assert numero.modo is ModoDeLector.SERIE
    assert modo_del_lector(zebra, "05e0", "ffff") is None
    assert modo_del_lector(FUJITSU, "04c5", "132e") is None


def test_el_nombre_de_sane_que_no_dice_el_modelo_no_se_adivina() -> None:
    assert PERFILES.perfil_de_sane("fujitsu:fi-7160:1234567") is FUJITSU
    assert PERFILES.perfil_de_sane("canon_dr:libusb:001:004") is PERFILES.generico
    assert PERFILES.perfil_de_sane("pixma:04A91234") is PERFILES.generico


# --- explicar


def test_la_doble_hoja_no_la_tapa_el_atasco() -> None:
    """El fujitsu da el mismo estado para las dos; vxsuite #5143."""
    dicho = "[fujitsu] Medium error: double feed\nscanimage: sane_start: Document feeder jammed"
    assert explicar(FUJITSU, ATASCO, dicho).codigo == "DOBLE_HOJA"
    assert explicar(FUJITSU, ATASCO, "scanimage: sane_start: Document feeder jammed").codigo == "ATASCO"


def test_el_controlador_del_fujitsu_corre_diciendo_lo_que_distingue_la_doble_hoja() -> None:
    assert entorno_sane(FUJITSU) == {"SANE_DEBUG_FUJITSU": "5"}
    assert entorno_sane(PERFILES.por_clave["zebra_ds2208"]) == {}


@pytest.mark.parametrize(
    ("estado", "dicho", "esperada"),
    [
        (ATASCO, "", "atasco"),
        (ATASCO, "Medium error: paper jam", "atasco"),
        (TAPA, "Scanner cover is open", "tapa_abierta"),
        (FALLO_DE_ES, "Medium error: cover open", "tapa_abierta"),
        (SIN_HOJAS, "Document feeder out of documents", "sin_papel"),
        (FALLO_DE_ES, "Error during device I/O", "desconectado"),
        (FALLO_DE_ES, "HTTP: Connection refused", "sin_corriente"),
        (ESTADOS.index("DEVICE_BUSY"), "", "ocupado"),
        (ESTADOS.index("ACCESS_DENIED"), "", "sin_permiso"),
        (ESTADOS.index("NO_MEM"), "", "sin_memoria"),
        (ESTADOS.index("CANCELLED"), "", "cancelado"),
        (1, "scanimage: open of device fujitsu:fi-7160:1 failed: Invalid argument", "sin_escaner"),
        (1, "scanimage: no SANE devices found", "sin_escaner"),
        (1, "scanimage: setting of option --source failed (Invalid argument)", "ajustes"),
        (FALLO_DE_ES, "operation timed out", "tiempo"),
        (4, "", "desconocido"),
        (-9, "\x00\xff quién sabe", "desconocido"),
    ],
)
def test_cada_infortunio_tiene_sus_palabras(estado: int, dicho: str, esperada: str) -> None:
    assert reconocer(FUJITSU, estado, dicho).clave == esperada


def test_un_modelo_afina_la_causa_y_toma_lo_demas_de_las_comunes() -> None:
    s1300i = explicar(PERFILES.por_clave["fujitsu_s1300i"], FALLO_DE_ES, "")
    comun = explicar(FUJITSU, FALLO_DE_ES, "")
    assert s1300i.que == comun.que
    assert s1300i.causa != comun.causa
    assert s1300i.siguiente != comun.siguiente


def test_una_falla_propia_y_nueva_se_busca_antes_que_las_comunes() -> None:
    palabras = 'que = "Hay una grapa"\ncausa = "no se quitó"\nsiguiente = "quítela"\n'
    propia = f'\n[[fallas]]\nclave = "grapa"\ndice = "staple"\n{palabras}'
    perfil = leer_perfil((TOML_FUJITSU + propia).encode(), "fujitsu_fi_7160.toml", comunes())
    assert isinstance(perfil, Perfil)
    assert explicar(perfil, ATASCO, "double feed; staple detected").codigo == "GRAPA"
    assert explicar(perfil, ATASCO, "").codigo == "ATASCO"


def test_el_motivo_de_quien_vio_el_lote_manda_salvo_ante_lo_que_no_distingue() -> None:
    s1300i = PERFILES.por_clave["fujitsu_s1300i"]
    cortado = explicar_lote(s1300i, "desconectado", FALLO_DE_ES, "connection refused", MOTIVOS)
    assert cortado is not None
    assert cortado.codigo == "DESCONECTADO", "el motivo ya contaba en qué iba el lote"
    sin_firmware = explicar_lote(s1300i, "sin_escaner", 1, "load_fw: firmware not loaded", MOTIVOS)
    assert sin_firmware is not None
    assert sin_firmware.codigo == "SIN_FIRMWARE"
    assert explicar_lote(s1300i, "disco_lleno", FALLO_DE_ES, "", MOTIVOS) is None


def test_un_controlador_que_escribe_sin_fin_no_detiene_la_explicacion() -> None:
    assert explicar(FUJITSU, ATASCO, "x" * 5_000_000 + " double feed").codigo == "DOBLE_HOJA"


@given(estado=st.integers(-300, 300), dicho=st.text(max_size=300))
def test_siempre_hay_tres_frases(estado: int, dicho: str) -> None:
    for perfil in (FUJITSU, PERFILES.generico, PERFILES.por_clave["zebra_ds2208"]):
        rechazo = explicar(perfil, estado, dicho)
        assert rechazo.que
        assert rechazo.causa
        assert rechazo.siguiente


def test_pedir_un_modo_que_el_escaner_no_tiene_se_explica() -> None:
    with pytest.raises(Falla, match="adf_carta"):
        opciones_sane(FUJITSU, "dos_caras")
    with pytest.raises(Falla, match="no es un escáner"):
        opciones_sane(PERFILES.por_clave["zebra_ds2208"], MODO_DE_ACTA)


# --- perfiles mal escritos


@pytest.mark.parametrize(
    ("viejo", "nuevo", "se_dice"),
    [
        ('clase = "escaner"', 'clase = "scanner"', "clase"),
        ('clase = "escaner"', 'clase = "lector"', "[sane] sobra"),
        ('clave = "fujitsu_fi_7160"', 'clave = "Fujitsu"', "clave"),
        ('clave = "fujitsu_fi_7160"', 'clave = "otro"', "su clave es otro"),
        ('marca = "Fujitsu"', "marca = 7", "marca"),
        ('marca = "Fujitsu"', "", "falta «marca»"),
        ('modelo = "fi-7160"', 'modelo = "fi-7160"\nvendedor = "yo"', "vendedor"),
        ('modelo = "fi-7160"', 'modelo = "fi-7160"\nsimulado = true', "[[usb]]"),
        ('modelo = "fi-7160"', 'modelo = "fi-7160"\nsimulado = "sí"', "simulado"),
        ('vid = "04c5"', 'vid = "04C5"', "vid"),
        ('vid = "04c5"', 'vid = "0x04c5"', "vid"),
        ('pid = "132e"', "pid = 132", "pid"),
        ('pid = "132e"', 'pid = "132e"\nmodo = "serie"', "modo"),
        ('verificado = true\nfuente = "usb.ids', 'verificado = 1\nfuente = "usb.ids', "verificado"),
        ("[[usb]]", "[usb]", "usb"),
        ('backend = "fujitsu"', 'backend = "fujitsu; rm"', "backend"),
        ('origen = "debian"', 'origen = "internet"', "origen"),
        (r"'fujitsu:fi-7160:\d+'", "'fujitsu:('", "expresión regular"),
        (r"'fujitsu:fi-7160:\d+'", "'.*'", "coincide con cualquier cosa"),
        ('SANE_DEBUG_FUJITSU = "5"', 'LD_PRELOAD = "/tmp/mal.so"', "LD_PRELOAD"),
        ('SANE_DEBUG_FUJITSU = "5"', 'SANE_DEBUG_FUJITSU = "cinco"', "SANE_DEBUG_FUJITSU"),
        ('"--mode=Color"', '"--output-file=/etc/passwd"', "no puede llevar la opción"),
        ('"--mode=Color"', '"--out=acta"', "no puede llevar la opción"),
        ('"--mode=Color"', '"-d"', "no puede llevar la opción"),
        ('"--mode=Color"', '"--mode=Color\\n--batch"', "no puede llevar la opción"),
        ('"--mode=Color"', "200", "no es una lista de textos"),
        ('"-x", "215.9"', '"-x"', "no puede llevar la opción"),
        ("adf_carta = [", "carta = [", "falta el modo adf_carta"),
        ('version = ""', 'version = "1.0"', "version"),
        ('version = ""', 'version = ""\narchivo = "f.nal"', "a medias"),
        ("pasos = [", "pasos = [3,", "pasos"),
        ("[diagnostico]", '[[fallas]]\nclave = "grapa"\n[diagnostico]', "falta «que»"),
        ("[diagnostico]", '[[fallas]]\nclave = "atasco"\nestados = ["ATORADO"]\n[diagnostico]', "ATORADO"),
        ("[diagnostico]", '[[fallas]]\nclave = "atasco"\ndice = "("\n[diagnostico]', "expresión regular"),
        ("[diagnostico]", '[[fallas]]\nclave = "atasco"\ncausa = "con punto."\n[diagnostico]', "causa"),
        ("[diagnostico]", '[[fallas]]\nclave = "atasco"\n[[fallas]]\nclave = "atasco"\n[diagnostico]', "dos veces"),
        ("[sane]", "[sane", "TOML"),
    ],
)
def test_un_perfil_mal_escrito_dice_donde_y_por_que(viejo: str, nuevo: str, se_dice: str) -> None:
    assert viejo in TOML_FUJITSU
    hallados = defectos(TOML_FUJITSU.replace(viejo, nuevo, 1), "fujitsu_fi_7160.toml")
    assert any(se_dice in str(p) for p in hallados), [str(p) for p in hallados]
    for problema in hallados:
        assert problema.archivo == "fujitsu_fi_7160.toml"
        assert problema.linea >= 1
        assert problema.causa
        assert problema.siguiente


@pytest.mark.parametrize(
    ("viejo", "nuevo", "se_dice"),
    [
        ('modo = "teclado"\nverificado', "verificado", "modo"),
        ('modo = "teclado"\nverificado', 'modo = "bluetooth"\nverificado', "modo"),
        ('sufijo = "CR"', 'sufijo = "ENTER"', "sufijo"),
        ('pid = "1701"', 'pid = "1200"', "dos veces"),
        ("[lector]", "[sane]", "falta"),
    ],
)
def test_un_perfil_de_lector_mal_escrito(viejo: str, nuevo: str, se_dice: str) -> None:
    assert viejo in TOML_ZEBRA
    hallados = defectos(TOML_ZEBRA.replace(viejo, nuevo, 1), "zebra_ds2208.toml")
    assert any(se_dice in str(p) for p in hallados), [str(p) for p in hallados]


@pytest.mark.parametrize(
    ("viejo", "nuevo", "se_dice"),
    [
        ("/usr/share/sane/epjitsu/1300i_0D12.nal", "/etc/cron.d/1300i_0D12.nal", "destino"),
        ("/usr/share/sane/epjitsu/1300i_0D12.nal", "/usr/share/sane/../../../etc/1300i_0D12.nal", "destino"),
        ("/usr/share/sane/epjitsu/1300i_0D12.nal", "/usr/share/sane/epjitsu/otro.nal", "no termina en"),
        ('archivo = "1300i_0D12.nal"', 'archivo = "../1300i_0D12.nal"', "archivo"),
        ('archivo = "1300i_0D12.nal"', "", "a medias"),
        ('sha256 = ""', 'sha256 = "abc"', "sha256"),
        ('sha256 = ""', "", "a medias"),
    ],
)
def test_un_firmware_mal_escrito_no_puede_apuntar_fuera_de_sane(viejo: str, nuevo: str, se_dice: str) -> None:
    i = TOML_S1300I.index(viejo)
    hallados = defectos(TOML_S1300I[:i] + nuevo + TOML_S1300I[i + len(viejo) :], "fujitsu_s1300i.toml")
    assert any(se_dice in str(p) for p in hallados), [str(p) for p in hallados]


@pytest.mark.parametrize(
    "opcion",
    ["--help", "-h", "--device-name=x", "--dev=x", "-o", "--batch", "--b", "-n", "", "--", "-x1", "215.9", "\x00"],
)
def test_un_perfil_no_elige_el_aparato_ni_el_archivo(opcion: str) -> None:
    assert opcion_prohibida("", opcion)


# --- la carpeta


@pytest.fixture
def carpeta(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CARPETA, tmp_path / "perfiles"))


def test_dos_perfiles_reclaman_el_mismo_aparato(carpeta: Path) -> None:
    copia = TOML_FUJITSU.replace("fujitsu_fi_7160", "fujitsu_copia")
    (carpeta / "fujitsu_copia.toml").write_text(copia, "utf-8")
    with pytest.raises(PerfilesInvalidos, match="04c5:132e ya es de fujitsu_copia"):
        leer_perfiles(carpeta)


@pytest.mark.parametrize(("falta", "se_dice"), [("fallas.toml", "fallas.toml"), ("generico.toml", "genérico")])
def test_a_la_carpeta_le_falta_un_archivo(carpeta: Path, falta: str, se_dice: str) -> None:
    (carpeta / falta).unlink()
    with pytest.raises(PerfilesInvalidos, match=se_dice) as dicho:
        leer_perfiles(carpeta)
    assert len(dicho.value.problemas) == 1, "una causa, un mensaje"


def test_la_carpeta_no_existe(tmp_path: Path) -> None:
    with pytest.raises(PerfilesInvalidos, match=r"fallas\.toml"):
        leer_perfiles(tmp_path / "nada")


def test_un_perfil_ilegible_no_es_una_traza(carpeta: Path) -> None:
    (carpeta / "raro.toml").mkdir()
    with pytest.raises(PerfilesInvalidos, match=r"raro\.toml"):
        leer_perfiles(carpeta)


def test_se_dicen_todos_los_defectos_y_no_solo_el_primero(carpeta: Path) -> None:
    for nombre in ("fujitsu_fi_7160.toml", "zebra_ds2208.toml"):
        ruta = carpeta / nombre
        ruta.write_text(re.sub(r'marca = "\w+"', "marca = 3", ruta.read_text("utf-8")), "utf-8")
    with pytest.raises(PerfilesInvalidos, match="y 1 más") as dicho:
        leer_perfiles(carpeta)
    assert {p.archivo for p in dicho.value.problemas} == {"fujitsu_fi_7160.toml", "zebra_ds2208.toml"}


@pytest.mark.parametrize(
    ("viejo", "nuevo"),
    [
        ('clave = "desconocido"', 'clave = "desconocido"\nestados = ["INVAL"]'),
        ("[[fallas]]", "[fallas]"),
        ("que =", "qué ="),
    ],
)
def test_las_fallas_comunes_mal_escritas(viejo: str, nuevo: str) -> None:
    assert isinstance(leer_fallas(TOML_FALLAS.replace(viejo, nuevo).encode(), "fallas.toml"), list)


# --- cualquier cosa

_VALORES: Final = st.recursive(
    st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.floats(allow_nan=False)),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text("abc_", min_size=1, max_size=5), v, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=400))
def test_bytes_cualesquiera_no_rompen_al_lector(basura: bytes) -> None:
    for leido in (leer_perfil(basura, "x.toml", comunes()), leer_fallas(basura, "fallas.toml")):
        assert isinstance(leido, list)
        assert leido


@settings(max_examples=150)
@given(datos=st.data())
def test_un_perfil_bueno_con_un_pedazo_cambiado_se_lee_o_se_explica(datos: st.DataObject) -> None:
    toml = datos.draw(st.sampled_from([TOML_FUJITSU, TOML_ZEBRA, TOML_S1300I]))
    i = datos.draw(st.integers(0, len(toml) - 1))
    j = datos.draw(st.integers(i, min(len(toml), i + 30)))
    leido = leer_perfil((toml[:i] + datos.draw(st.text(max_size=10)) + toml[j:]).encode(), "x.toml", comunes())
    assert isinstance(leido, Perfil) or all(p.que and p.causa and p.siguiente for p in leido)


@given(
    llave=st.sampled_from(
        ["clave", "clase", "marca", "simulado", "usb", "sane", "lector", "firmware", "diagnostico", "fallas"]
    ),
    valor=_VALORES,
)
def test_un_valor_de_otro_tipo_en_cualquier_llave_se_explica(llave: str, valor: object) -> None:
    toml = f"{llave} = {_toml(valor)}\n"
    assert isinstance(leer_perfil(toml.encode("utf-8", "replace"), "x.toml", comunes()), list)


def _toml(valor: object) -> str:
    match valor:
        case bool():
            return str(valor).lower()
        case str():
            return "'" + "".join(c for c in valor if c.isprintable() and c != "'") + "'"
        case list():
            return "[" + ", ".join(map(_toml, valor)) + "]"
        case dict():
            return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in valor.items()) + "}"
        case _:
            return repr(valor)
