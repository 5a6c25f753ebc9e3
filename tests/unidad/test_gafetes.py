"""Los gafetes y los NIP: que no se repartan dos veces, que no se adivinen y que una lista mala se explique."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import string
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance import gafete, nip
from appliance.catd import main
from appliance.credenciales import a_toml, preparar
from appliance.documentos.gafetes import pdf_de_gafetes, pdf_de_nips
from appliance.falla import Falla
from appliance.gafete import Gafete, leer_gafete, nuevo_azar, texto_qr
from appliance.lista_en_csv import Inscrita, leer_csv
from appliance.personas import (
    ListaDePersonas,
    ListaInvalida,
    Papel,
    Persona,
    leer_lista,
    leer_personas,
    lista_de_toml,
)

RAIZ: Final = Path(__file__).resolve().parents[2]
CSV: Final = "clave,nombre,papeles\nana,Ana López,captura\nbeto,Beto Ruiz,verificación captura\n"
CATD: Final = "catd-01"
RESUMEN: Final = nip.resumir("482915")
HUELLA: Final = "a" * 64
UNA: Final = f'''[[personas]]
clave = "ana"
nombre = "Ana"
papeles = ["captura"]
nip = "{RESUMEN}"
gafete = "{HUELLA}"
'''


def hacer(carpeta: Path, csv: str = CSV, *mas: str) -> int:
    (carpeta / "lista.csv").write_text(csv, "utf-8")
    return main(
        ["gafetes", "--catd", CATD, "--lista", str(carpeta / "lista.csv"), "--salida", str(carpeta / "s"), *mas]
    )


def personas(carpeta: Path) -> dict[str, Persona]:
    return {p.clave: p for p in leer_lista(carpeta / "s" / "personas.toml", CATD).personas}


def textos_de(pdf: bytes, carpeta: Path) -> list[bytes]:
    """Lo escrito en cada página, según `pdftotext`."""
    ruta = carpeta / "hoja.pdf"
    ruta.write_bytes(pdf)
    dicho = subprocess.run(["pdftotext", "-layout", str(ruta), "-"], capture_output=True, check=True).stdout
    return dicho.split(b"\f")[:-1]


# ----------------------------------------------------------------------------------------------------------------- NIP


@pytest.mark.parametrize(
    "malo",
    [
        *("000000", "111111", "123456", "654321", "012345", "890123", "987654", "135791"),
        *("121212", "123123", "112233", "998877", "123321", "100001", "010101"),
        *("150985", "091585", "850915", "241231", "290200"),
    ],
)
def test_un_nip_que_se_prueba_primero_no_se_da(malo: str) -> None:
    assert nip.trivial(malo)


def test_los_nip_que_se_dan_no_son_triviales_y_casi_no_se_repiten() -> None:
    dados = [nip.nuevo() for _ in range(500)]
    assert all(nip.bien_formado(x) and not nip.trivial(x) for x in dados)
    assert len(set(dados)) > 490


def test_quedan_nip_suficientes_para_que_quitar_los_triviales_no_ayude_a_adivinar() -> None:
    assert sum(nip.trivial(f"{n:06d}") for n in range(0, 1_000_000, 37)) < 0.15 * 1_000_000 / 37


def test_el_resumen_no_trae_el_nip_y_dos_iguales_no_se_parecen() -> None:
    otro = nip.resumir("482915")
    assert otro != RESUMEN
    assert "482915" not in RESUMEN
    assert nip.es_el_de("482915", RESUMEN)
    assert nip.es_el_de("482915", otro)
    assert not nip.es_el_de("482916", RESUMEN)


@pytest.mark.parametrize("malo", ["", "12345", "1234567", "12345a", "１２３４５６"])
def test_no_se_resume_lo_que_no_es_un_nip(malo: str) -> None:
    with pytest.raises(ValueError, match="seis números"):
        nip.resumir(malo)


@pytest.mark.parametrize(
    "malo",
    [
        "",
        "482915",
        RESUMEN.replace("scrypt", "md5"),
        RESUMEN.replace("$14$", "$4$"),
        RESUMEN.replace("$14$", "$40$"),
        RESUMEN.replace("$8$", "$9$"),
        RESUMEN[:-8],
        RESUMEN + "$",
        RESUMEN.replace("=", "*"),
        RESUMEN.replace("$14$", "$014$"),
    ],
    # La sal es al azar: con ella en el nombre, cada proceso que reparte pruebas vería otras.
    ids=("vacio", "el_nip", "md5", "barato", "caro", "bloque", "corto", "de_mas", "otro_alfabeto", "cero_delante"),
)
def test_un_resumen_retocado_no_se_acepta_ni_agota_la_memoria(malo: str) -> None:
    with pytest.raises(nip.ResumenInvalido):
        nip.exigir_resumen(malo)


@given(st.text(max_size=120))
def test_cualquier_texto_como_resumen_se_rechaza_sin_tronar(texto: str) -> None:
    with pytest.raises(nip.ResumenInvalido):
        nip.exigir_resumen(texto)


# -------------------------------------------------------------------------------------------------------------- gafete


claves = st.from_regex(re.compile(r"[a-z0-9][a-z0-9\-]{0,39}"), fullmatch=True)


@given(claves)
def test_todo_gafete_que_se_hace_se_lee_igual(clave: str) -> None:
    suyo = Gafete(clave, nuevo_azar())
    assert leer_gafete(texto_qr(suyo)) == suyo
    assert gafete.es_el_de(suyo, gafete.resumir(suyo.azar))


@given(claves, st.data())
def test_un_signo_cambiado_casi_nunca_pasa_y_nunca_abre(clave: str, datos: st.DataObject) -> None:
    suyo = Gafete(clave, nuevo_azar())
    texto = texto_qr(suyo)
    lugar = datos.draw(st.integers(0, len(texto) - 1))
    signo = datos.draw(st.sampled_from(string.ascii_letters + string.digits + ":-Ñ'"))
    leido = leer_gafete(texto[:lugar] + signo + texto[lugar + 1 :])
    if leido is not None and leido != suyo:
        assert leido.clave != clave or not gafete.es_el_de(leido, gafete.resumir(suyo.azar))


@given(st.text(max_size=400))
def test_cualquier_texto_leido_se_juzga_sin_tronar(texto: str) -> None:
    leido = leer_gafete(texto)
    assert leido is None or leer_gafete(texto_qr(leido)) == leido


# ---------------------------------------------------------------------------------------------------------------- lista


def test_una_lista_bien_hecha_se_lee() -> None:
    lista = lista_de_toml(f'catd = "{CATD}"\ninactividad_minutos = 5\n' + UNA, CATD)
    assert lista.personas == (Persona("ana", "Ana", frozenset({Papel.CAPTURA}), RESUMEN, HUELLA),)
    assert lista.inactividad.total_seconds() == 300


@pytest.mark.parametrize(
    ("texto", "dice"),
    [
        ("personas = 3", "debe traer una lista"),
        ("personas = []", "debe traer una lista"),
        ("[[personas", "no es TOML"),
        ("otra = 1\n" + UNA, "no se conoce la llave"),
        ('catd = "catd-99"\n' + UNA, "es del CATD catd-99"),
        ("catd = 3\n" + UNA, "no es la clave de un CATD"),
        ("inactividad_minutos = 0\n" + UNA, "inactividad_minutos"),
        ("inactividad_minutos = true\n" + UNA, "inactividad_minutos"),
        ("inactividad_minutos = 600\n" + UNA, "inactividad_minutos"),
        (UNA + UNA, "misma clave"),
        (UNA.replace('"ana"', '"Ana"'), "minúsculas"),
        (UNA.replace('"ana"', '"../ana"'), "minúsculas"),
        (UNA.replace('"Ana"', '""'), "nombre"),
        (UNA.replace('"Ana"', '"A\\nna"'), "nombre"),
        (UNA.replace('"Ana"', f'"{"a" * 61}"'), "nombre"),
        (UNA.replace('["captura"]', '"captura"'), "papeles"),
        (UNA.replace('["captura"]', "[]"), "papeles"),
        (UNA.replace('["captura"]', '["captura", "captura"]'), "se repiten"),
        (UNA.replace('["captura"]', '["jefa"]'), "no es un papel"),
        (UNA.replace('["captura"]', "[3]"), "papeles"),
        (UNA.replace(RESUMEN, "482915"), "NIP"),
        (UNA.replace(RESUMEN, ""), "NIP"),
        (UNA.replace(f'"{RESUMEN}"', "482915"), "no es un texto"),
        (UNA.replace(HUELLA, "A" * 64), "gafete"),
        (UNA.replace(HUELLA, ""), "gafete"),
        (UNA + 'papel = "coordinacion"\n', "y nada más"),
        (UNA.replace(f'gafete = "{HUELLA}"\n', ""), "y nada más"),
        ("personas = [1]", "y nada más"),
        ("a = " + "[" * 5000, "no es TOML"),
    ],
)
def test_una_lista_mal_hecha_se_explica(tmp_path: Path, texto: str, dice: str) -> None:
    with pytest.raises(ListaInvalida, match=dice):
        lista_de_toml(texto, CATD)
    (tmp_path / "personas.toml").write_text(texto)
    for modo in ("simulacro", "oficial"):
        with pytest.raises(Falla, match=r"personas\.toml no sirve") as falla:
            leer_personas(tmp_path, modo, CATD)
        assert falla.value.rechazo.codigo == "PERSONAS"


def test_una_lista_que_no_es_texto_o_es_enorme_se_explica(tmp_path: Path) -> None:
    for contenido in (b"\xff\xfe\x00", b"#" * 2_000_000):
        (tmp_path / "personas.toml").write_bytes(contenido)
        with pytest.raises(Falla, match="no sirve"):
            leer_personas(tmp_path, "simulacro")


_piezas: Any = st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.lists(st.text(max_size=12), max_size=3))


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(["clave", "nombre", "papeles", "nip", "gafete", "x"]), _piezas))
def test_cualquier_persona_mal_escrita_se_rechaza_sin_tronar(dato: dict[str, object]) -> None:
    renglones = "\n".join(f"{llave} = {_de_toml(valor)}" for llave, valor in dato.items())
    with pytest.raises(ListaInvalida):
        lista_de_toml(f"[[personas]]\n{renglones}\n")


def _de_toml(valor: object) -> str:
    if isinstance(valor, bool):
        return str(valor).lower()
    if isinstance(valor, list):
        return "[" + ", ".join(map(_de_toml, valor)) + "]"
    return str(valor) if isinstance(valor, int) else '"' + "".join(f"\\U{ord(c):08x}" for c in str(valor)) + '"'


# ------------------------------------------------------------------------------------------------------------------ CSV


def test_el_csv_de_una_hoja_de_calculo_se_lee(tmp_path: Path) -> None:
    texto = '\ufeffClave,Nombre,Papeles\r\n\r\nana,"López, Ana",Captura\r\nbeto,Beto,VERIFICACIÓN;captura\r\n,,\r\n'
    (tmp_path / "l.csv").write_bytes(texto.encode())
    assert leer_csv(tmp_path / "l.csv") == (
        Inscrita("ana", "López, Ana", frozenset({Papel.CAPTURA})),
        Inscrita("beto", "Beto", frozenset({Papel.CAPTURA, Papel.VERIFICACION})),
    )


@pytest.mark.parametrize(
    ("csv", "renglon", "dice"),
    [
        ("", 0, "no trae a nadie"),
        ("clave,nombre,papeles\n", 1, "no trae a nadie"),
        ("ana,Ana,captura\n", 1, "encabezado"),
        ("clave;nombre;papeles\n", 1, "encabezado"),
        (CSV + "ana,Otra,captura\n", 4, "se repite"),
        (CSV + "Ana,Otra,captura\n", 4, "minúsculas"),
        (CSV + "eva,,captura\n", 4, "nombre"),
        (CSV + "eva,Eva\n", 4, "tiene 2 celdas"),
        (CSV + "eva,Eva,jefa\n", 4, "no es un papel"),
        (CSV + "eva,Eva,\n", 4, "faltan"),
        (CSV + "eva,Eva,captura;captura\n", 4, "se repiten"),
        (CSV + 'eva,"Eva,captura\n', 4, "no es CSV"),
    ],
)
def test_un_csv_malo_dice_archivo_renglon_y_causa_y_no_hace_nada(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], csv: str, renglon: int, dice: str
) -> None:
    assert hacer(tmp_path, csv) == 1
    dicho = capsys.readouterr().err
    assert dice in dicho
    assert "lista.csv" in dicho
    assert f"renglón {renglon}" in dicho or not renglon
    assert "Causa probable" in dicho
    assert not (tmp_path / "s").exists()


def test_un_csv_que_no_esta_o_no_es_utf8_se_explica(tmp_path: Path) -> None:
    with pytest.raises(Falla, match="no se puede leer"):
        leer_csv(tmp_path / "no.csv")
    (tmp_path / "l.csv").write_bytes("clave,nombre,papeles\nana,Peña,captura\n".encode("latin-1"))
    with pytest.raises(Falla, match="UTF-8"):
        leer_csv(tmp_path / "l.csv")


@settings(max_examples=150)
@given(st.text(alphabet=st.sampled_from('clavenombrepapeles,;"\n\r\0 ñÁ1-'), max_size=80))
def test_cualquier_csv_se_juzga_sin_tronar(tmp_path_factory: pytest.TempPathFactory, texto: str) -> None:
    ruta = tmp_path_factory.getbasetemp() / "azar.csv"
    ruta.write_text("clave,nombre,papeles\n" + texto, "utf-8", newline="")
    with contextlib.suppress(Falla):
        assert leer_csv(ruta)


# ---------------------------------------------------------------------------------------------------------------- orden


def test_la_tanda_queda_solo_para_su_dueno_y_no_trae_secretos(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hacer(tmp_path) == 0
    dichos = capsys.readouterr().out
    archivos = sorted((tmp_path / "s").iterdir())
    assert [a.name for a in archivos] == ["gafetes-01.pdf", "nips-01.pdf", "personas.toml"]
    assert all(stat.S_IMODE(a.stat().st_mode) == 0o600 for a in archivos)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700
    toml = (tmp_path / "s" / "personas.toml").read_text()
    gafetes, nips = (textos_de((tmp_path / "s" / f"{n}-01.pdf").read_bytes(), tmp_path) for n in ("gafetes", "nips"))
    numeros = re.findall(rb"\b\d{3} \d{3}\b", nips[0])
    assert len(numeros) == 2
    for numero in (n.replace(b" ", b"").decode() for n in numeros):
        assert numero not in toml + dichos
        assert numero.encode() not in gafetes[0].replace(b" ", b"")
    for azar in re.findall(rb"PREPG1:[a-z]+:([A-Z2-7]{16})", gafetes[0]):
        assert azar.decode() not in toml + dichos
        assert azar not in nips[0]


def test_el_qr_impreso_abre_con_el_nip_de_su_sobre(tmp_path: Path) -> None:
    assert hacer(tmp_path, CSV, "--modo", "simulacro") == 0
    hoja = tmp_path / "s" / "gafetes-01.pdf"
    subprocess.run(["pdftoppm", "-r", "150", "-png", str(hoja), str(tmp_path / "g")], check=True)
    imagen = Image.open(io.BytesIO(next(tmp_path.glob("g-*.png")).read_bytes()))
    leidos = {g.clave: g for c in zxingcpp.read_barcodes(imagen) if (g := leer_gafete(c.text)) is not None}
    lista = personas(tmp_path)
    assert leidos.keys() == lista.keys()
    assert all(gafete.es_el_de(g, lista[clave].gafete) for clave, g in leidos.items())
    pagina = textos_de((tmp_path / "s" / "nips-01.pdf").read_bytes(), tmp_path)[0].decode()
    for clave, nombre in (("ana", "Ana López"), ("beto", "Beto Ruiz")):
        numero = re.search(rf"{nombre}.*?(\d{{3}}) (\d{{3}})", pagina, re.DOTALL)
        assert numero is not None
        assert nip.es_el_de(numero[1] + numero[2], lista[clave].nip)
    assert "SIMULACRO" in textos_de(hoja.read_bytes(), tmp_path)[0].decode()


def test_repetirla_no_cambia_a_quien_ya_tiene_gafete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hacer(tmp_path) == 0
    antes = (tmp_path / "s" / "personas.toml").read_bytes()
    assert hacer(tmp_path) == 0
    assert "Nada que cambiar" in capsys.readouterr().out
    assert (tmp_path / "s" / "personas.toml").read_bytes() == antes
    previas = personas(tmp_path)
    assert hacer(tmp_path, CSV + "eva,Eva,acopio\n") == 0
    despues = personas(tmp_path)
    assert {c: despues[c] for c in previas} == previas
    assert b"Eva" in textos_de((tmp_path / "s" / "gafetes-02.pdf").read_bytes(), tmp_path)[0]
    assert b"Beto" not in textos_de((tmp_path / "s" / "gafetes-02.pdf").read_bytes(), tmp_path)[0]
    assert (tmp_path / "s" / "gafetes-01.pdf").exists(), "la hoja que quizá no se ha impreso sigue ahí"


def test_se_pierde_un_gafete_y_se_renueva_solo_el_suyo(tmp_path: Path) -> None:
    assert hacer(tmp_path) == 0
    antes = personas(tmp_path)
    assert hacer(tmp_path, CSV, "--renovar", "ana") == 0
    despues = personas(tmp_path)
    assert despues["beto"] == antes["beto"]
    assert despues["ana"].gafete != antes["ana"].gafete
    assert despues["ana"].nip != antes["ana"].nip
    assert hacer(tmp_path, CSV, "--renovar", "nadie") == 1
    assert personas(tmp_path) == despues


def test_quien_sale_del_csv_no_desaparece_sin_decirlo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hacer(tmp_path) == 0
    solo_ana = CSV.replace("beto,Beto Ruiz,verificación captura\n", "").replace("captura", "captura acopio")
    assert hacer(tmp_path, solo_ana) == 0
    dicho = capsys.readouterr().out
    assert "beto: ya no está en el CSV y sigue inscrita" in dicho
    assert "ana: cambió su nombre o sus papeles" in dicho
    assert personas(tmp_path)["ana"].papeles == {Papel.CAPTURA, Papel.ACOPIO}
    assert hacer(tmp_path, CSV, "--baja", "beto") == 1, "sigue en el CSV"
    assert hacer(tmp_path, solo_ana, "--baja", "nadie") == 1
    assert hacer(tmp_path, solo_ana, "--baja", "beto") == 0
    assert personas(tmp_path).keys() == {"ana"}


@pytest.mark.parametrize("previa", ["[[personas", 'catd = "catd-99"\n' + UNA])
def test_la_lista_que_ya_habia_y_no_se_entiende_no_se_pisa(tmp_path: Path, previa: str) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "personas.toml").write_text(previa)
    assert hacer(tmp_path) == 1
    assert (tmp_path / "s" / "personas.toml").read_text() == previa
    assert list((tmp_path / "s").glob("*.pdf")) == []


def test_el_disco_no_admite_las_hojas_y_no_quedan_gafetes_que_nadie_acepta(tmp_path: Path) -> None:
    (tmp_path / "lista.csv").write_text(CSV, "utf-8")
    orden = ["appliance.catd", "gafetes", "--catd", CATD, "--lista", str(tmp_path / "lista.csv")]
    sin_espacio = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); "
    sin_espacio += "sys.argv = sys.argv[1:]; runpy.run_module('appliance.catd', run_name='__main__')"
    hecho = subprocess.run(
        [sys.executable, "-B", "-c", sin_espacio, *orden, "--salida", str(tmp_path / "s")],
        capture_output=True,
        text=True,
        check=False,
        cwd=RAIZ,
    )
    assert hecho.returncode == 1
    assert "el disco está lleno" in hecho.stderr
    assert "Traceback" not in hecho.stderr
    assert list((tmp_path / "s").iterdir()) == []


def test_la_carpeta_de_salida_y_las_de_arriba_no_estan_y_nacen_privadas(tmp_path: Path) -> None:
    assert hacer(tmp_path, CSV, "--salida", str(tmp_path / "gafetes" / "catd-01")) == 0
    for carpeta in (tmp_path / "gafetes", tmp_path / "gafetes" / "catd-01"):
        assert carpeta.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "gafetes" / "catd-01" / "personas.toml").is_file()


def test_la_carpeta_de_salida_no_es_carpeta_y_no_se_toca(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s").write_text("no es una carpeta")
    assert hacer(tmp_path) == 1
    assert "Siguiente paso" in capsys.readouterr().err
    assert (tmp_path / "s").read_text() == "no es una carpeta"


def test_revisar_dice_si_una_lista_sirve_para_ese_catd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hacer(tmp_path) == 0
    ruta = str(tmp_path / "s" / "personas.toml")
    assert main(["gafetes", "--catd", CATD, "--revisar", ruta]) == 0
    assert "bien; 2 personas" in capsys.readouterr().out
    assert main(["gafetes", "--catd", "catd-02", "--revisar", ruta]) == 1
    assert "es del CATD catd-01" in capsys.readouterr().err
    assert main(["gafetes", "--catd", CATD, "--revisar", ruta + "x"]) == 1
    assert main(["gafetes", "--catd", "Mal", "--revisar", ruta]) == 1


def test_sin_decir_donde_dejarlos_no_se_hace_nada(tmp_path: Path) -> None:
    (tmp_path / "lista.csv").write_text(CSV, "utf-8")
    assert main(["gafetes", "--catd", CATD, "--lista", str(tmp_path / "lista.csv")]) == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(claves, st.text(min_size=1, max_size=60)), min_size=1, max_size=3, unique_by=lambda x: x[0]))
def test_toda_lista_que_se_escribe_se_vuelve_a_leer_igual(gente: Sequence[tuple[str, str]]) -> None:
    inscritas = [
        Inscrita(clave, nombre, frozenset(Papel)) for clave, nombre in gente if nombre.isprintable() and nombre.strip()
    ]
    inscritas = [Inscrita(i.clave, i.nombre.strip(), i.papeles) for i in inscritas]
    if not inscritas:
        return
    lista = ListaDePersonas(tuple(Persona(i.clave, i.nombre, i.papeles, RESUMEN, HUELLA) for i in inscritas), catd=CATD)
    assert lista_de_toml(a_toml(lista), CATD) == lista


def test_las_hojas_caben_con_muchas_personas_y_nombres_largos(tmp_path: Path) -> None:
    nombre = "María Guadalupe de los Ángeles Hernández Gutiérrez de Velasco"[:60].strip()
    gente = [Inscrita(f"persona-con-una-clave-bastante-larga-{i:02d}", nombre, frozenset(Papel)) for i in range(9)]
    tanda = preparar(None, gente, CATD)
    assert len({c.nip for c in tanda.nuevas}) == len(gente)
    ahora = datetime(2026, 6, 1, tzinfo=UTC)
    hojas = textos_de(pdf_de_gafetes(tanda.nuevas, CATD, "oficial", ahora), tmp_path)
    assert len(hojas) == 2
    assert hojas[0].decode().count("Velasc") == 8
    assert len(textos_de(pdf_de_nips(tanda.nuevas, CATD, ahora), tmp_path)) == 3
