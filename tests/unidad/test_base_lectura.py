"""Leer las bases de cualquier año y decir con claridad por qué una no se puede leer."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from nucleo.base_oficial import celdas, fechas, paquetes, vocabularios
from nucleo.base_oficial.celdas import Marca
from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import leer_csv
from nucleo.base_oficial.paquetes import Archivo, bases
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero
from tests.unidad.bases_de_otros_anios import (
    CDMX_2024,
    INE_2012,
    MUESTRAS,
    PUEBLA_2019,
    TAMAULIPAS_2023,
    Muestra,
)

QROO = "quintana_roo_2019/20190603_0547_PREP_DIP_QROO.zip"
OAXACA = "oaxaca_2022/cortes/20220606_0000_PREP_GUB_OAX.zip"


def _zip(archivos: dict[str, bytes], compresion: int = zipfile.ZIP_DEFLATED) -> bytes:
    salida = io.BytesIO()
    with zipfile.ZipFile(salida, "w", compresion) as paquete:
        for nombre, contenido in archivos.items():
            paquete.writestr(nombre, contenido)
    return salida.getvalue()


def _tar_gz(archivos: dict[str, bytes]) -> bytes:
    salida = io.BytesIO()
    with tarfile.open(fileobj=salida, mode="w:gz") as paquete:
        for nombre, contenido in archivos.items():
            ficha = tarfile.TarInfo(nombre)
            ficha.size = len(contenido)
            paquete.addfile(ficha, io.BytesIO(contenido))
    return salida.getvalue()


@pytest.mark.parametrize("muestra", MUESTRAS, ids=lambda m: m.nombre)
def test_cada_instituto_escribe_a_su_manera(muestra: Muestra) -> None:
    base = leer_csv(muestra.contenido, muestra.nombre)
    columna, valor, separador = muestra.primero
    primero = base.renglones[0]
    assert tuple(base.columnas[lugar] for lugar in base.votos) == muestra.votos
    assert base.valor(primero, "CLAVE_CASILLA") == muestra.clave
    assert base.valor(primero, columna) == valor
    assert base.dialecto.separador == separador
    assert base.corte is not None
    assert base.tipo_eleccion


def test_renglones_terminados_solo_en_cr_con_bom() -> None:
    dialecto = leer_csv(TAMAULIPAS_2023.contenido).dialecto
    assert (dialecto.fin_de_linea, dialecto.bom, dialecto.codificacion) == ("CR", True, "utf-8")
    assert dialecto.adornos == ("'x'",)
    assert "con BOM" in dialecto.describir()


def test_acentos_de_windows_y_de_latin_1() -> None:
    puebla = leer_csv(PUEBLA_2019.contenido)
    assert puebla.dialecto.codificacion == "cp1252"
    assert puebla.tipo_eleccion == "GUBERNATURA – ELECCIÓN EXTRAORDINARIA"
    ine = leer_csv(INE_2012.contenido)
    assert ine.dialecto.codificacion == "latin-1"
    assert "María" in ine.valor(ine.renglones[0], "OBSERVACIONES")


def test_miles_con_coma_y_porcentajes_con_apostrofo_y_signo() -> None:
    resumen = leer_csv(PUEBLA_2019.contenido).resumen
    assert celdas.entero(resumen["ACTAS_ESPERADAS"]) == 7547
    assert celdas.entero(resumen["LISTA_NOMINAL_ACTAS_CONTABILIZADAS"]) == 4_500_100
    assert resumen["PORCENTAJE_ACTAS_CAPTURADAS"] == "99.5627"


def test_resumen_de_seis_datos_de_2012() -> None:
    resumen = leer_csv(INE_2012.contenido).resumen
    assert len(resumen) == 6
    assert resumen["ACTAS_POR_CAPTURAR"] == "0"
    assert resumen["PORCENTAJE_PARTICIPACION_CIUDADANA"] == "63.1428"


def test_la_linea_en_blanco_viene_hecha_de_tabuladores() -> None:
    base = leer_csv(CDMX_2024.contenido)
    assert base.resumen["ACTAS_ESPERADAS"] == "2"
    assert base.tipo_eleccion == "JEFATURA DE GOBIERNO"
    assert base.corte == datetime(2024, 5, 12, 14, tzinfo=timezone(timedelta(hours=-6)))


def test_na_es_nueva_alianza_y_no_un_valor_nulo(datos: Path) -> None:
    base = leer_csv(bases((datos / OAXACA).read_bytes(), "o.zip")[0].contenido)
    assert "NA" in [base.columnas[lugar] for lugar in base.votos]
    tercero = base.renglones[2]
    assert base.celdas_de_votos(tercero)["NA"] == "0"
    assert "NA" in {base.columnas[lugar] for lugar in leer_csv(INE_2012.contenido).votos} | {"NA"}


def test_el_primer_renglon_de_quintana_roo_es_una_instruccion_de_excel(datos: Path) -> None:
    base = leer_csv(bases((datos / QROO).read_bytes(), "q.zip")[0].contenido)
    assert base.dialecto.linea_sep
    assert base.tipo_eleccion == "DIPUTACIONES LOCALES"
    assert base.corte == datetime(2019, 6, 3, 10, 47, tzinfo=UTC)
    assert base.valor(base.renglones[0], "CLAVE_CASILLA") == "230085B0100"
    assert len(base.renglones) == 2136
    assert len(base.resumen) == 13


@pytest.mark.parametrize(
    ("celda", "dato"),
    [
        ("12", Numero(12)),
        ("'0012", Numero(12)),
        ("1,007", Numero(1007)),
        ('="7"', Numero(7)),
        ("ILEGIBLE", ILEGIBLE),
        ("Ilegible", ILEGIBLE),
        ("Sin dato", SIN_DATO),
        ("Sin Acta", Marca.SIN_ACTA),
        ("-", Marca.NO_EXISTE),
        ("", Marca.VACIA),
        ("N/A", Marca.NO_APLICA),
        ("NA", Marca.DESCONOCIDA),
        ("-5", Marca.DESCONOCIDA),
        ("1,07", Marca.DESCONOCIDA),
        ("١٢", Marca.DESCONOCIDA),
        ("100000", Marca.DESCONOCIDA),
        ("9" * 5000, Marca.DESCONOCIDA),
    ],
)
def test_lo_que_puede_traer_una_celda_de_votos(celda: str, dato: object) -> None:
    assert celdas.campo(celda) == dato


@pytest.mark.parametrize(
    ("texto", "codigos"),
    [
        ("", set()),
        ("-", set()),
        ("--", set()),
        ("[]", set()),
        ("EXCEDE LISTA NOMINAL. ALGUN CAMPO ILEGIBLE O SIN DATO", {"EXCEDE", "ALGUN"}),
        ("ALGUN DATO ILEGIBLE O SIN DATO", {"ALGUN"}),
        ("['Ilegible', 'Sin dato']", {"ALGUN"}),
        ("['Excede Lista Nominal', 'Sin dato']", {"EXCEDE", "ALGUN"}),
        ("['Todos los campos vacíos']", {"TODOS"}),
        ("Todos los campos vacio", {"TODOS"}),
        ("TODOS ILEGIBLES O SIN DATO", {"TODOS"}),
        ("SIN ACTA POR PAQUETE ENTREGADO SIN SOBRE", {"SIN_ACTA_PAQUETE_SIN_BOLSA"}),
        ("Sin Acta(3)", {"SIN_ACTA_PAQUETE_SIN_BOLSA"}),
        ("Sin acta(2)", {"SIN_ACTA_CASILLA_NO_INSTALADA"}),
        ("Sin Acta", {"SIN_ACTA_SIN_MOTIVO"}),
        ("Identificación forzada", set()),
        ("No identificadas - Fuera del catálogo", {"FUERA"}),
    ],
)
def test_cada_instituto_nombra_distinto_la_misma_inconsistencia(texto: str, codigos: set[str]) -> None:
    leido = vocabularios.interpretar(texto)
    assert not leido.desconocido
    assert len(leido.codigos) == len(codigos)
    assert all(any(c.startswith(inicio) for c in leido.codigos) for inicio in codigos)


def test_una_observacion_que_nadie_habia_escrito() -> None:
    assert vocabularios.interpretar("Acta mojada. Sin dato").desconocido == "ACTA MOJADA"


@pytest.mark.parametrize(
    "texto",
    ["31/02/2022 10:00", "5 de junio", "2022-06-05", "05/06/2022 25:00", "", "99/99/9999 99:99 (UTC-99)"],
)
def test_una_fecha_que_no_existe(texto: str) -> None:
    assert fechas.leer(texto) is None


def test_zip_dentro_de_zip_y_tar_gz(datos: Path) -> None:
    dentro = (datos / QROO).read_bytes()
    (anidada,) = bases(_zip({"LEEME.txt": b"hola", "dip.zip": dentro}), "estatal.zip")
    assert anidada.nombre == "estatal.zip/dip.zip/QROO_DIP_LOC_2019.csv"
    (del_tar,) = bases(_tar_gz({"2012/presidente.txt": INE_2012.contenido, "LEEME": b"hola"}), "p.tar.gz")
    assert leer_csv(del_tar.contenido).renglones
    (del_gz,) = bases(gzip.compress(INE_2012.contenido), "presidente.csv.gz")
    assert del_gz == Archivo("presidente.csv", INE_2012.contenido)


def test_las_candidaturas_no_se_confunden_con_resultados(datos: Path) -> None:
    for paquete in sorted((datos / "campeche_2021").glob("*.zip")):
        (unica,) = bases(paquete.read_bytes(), paquete.name)
        assert "CANDIDATURA" not in unica.nombre


def test_un_paquete_preparado_para_inundar_la_memoria(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paquetes, "MAXIMO_BYTES", 1_000_000)
    bomba = _zip({"a.csv": b"0" * 2_000_000})
    assert len(bomba) < 10_000
    for contenido in (bomba, gzip.compress(b"0" * 2_000_000), _zip({"b.zip": bomba, "c.zip": bomba})):
        with pytest.raises(BaseIlegible, match="descomprimido pasa de"):
            bases(contenido, "bomba.zip")


def test_un_paquete_con_demasiados_archivos_o_demasiado_hondo() -> None:
    with pytest.raises(BaseIlegible, match="trae más de"):
        bases(_zip({f"{i}.txt": b"" for i in range(paquetes.MAXIMO_ARCHIVOS + 1)}), "muchos.zip")
    hondo = b"fondo"
    for _ in range(paquetes.MAXIMA_PROFUNDIDAD + 1):
        hondo = _zip({"x.zip": hondo})
    with pytest.raises(BaseIlegible, match="uno dentro de otro"):
        bases(hondo, "hondo.zip")


def test_la_descarga_se_corto_a_la_mitad(datos: Path) -> None:
    entero = (datos / QROO).read_bytes()
    with pytest.raises(BaseIlegible, match="no se puede abrir"):
        bases(entero[: len(entero) // 2], "cortado.zip")
    csv = bases(entero, "q.zip")[0].contenido
    with pytest.raises(BaseIlegible) as error:
        leer_csv(csv[:100_000], "cortado.csv")
    assert error.value.problema.linea > 6
    assert "se cortó" in error.value.problema.causa
    assert "Siguiente paso" in str(error.value)


@pytest.mark.parametrize(
    ("contenido", "dice"),
    [
        (b"", "nombres de columna"),
        (b"<html><body>404</body></html>", "nombres de columna"),
        (b"a,b,c\n1,2,3\n", "nombres de columna"),
        ("CLAVE_CASILLA,SECCION".encode("utf-16"), "no es un texto CSV"),
        (b"PAN\0PRI", "no es un texto CSV"),
    ],
)
def test_lo_que_llego_no_es_una_base(contenido: bytes, dice: str) -> None:
    with pytest.raises(BaseIlegible, match=dice):
        leer_csv(contenido, "raro.csv")


@pytest.mark.parametrize(
    ("antes", "despues", "columna"),
    [
        (b",PAN,MC,", b",PAN,PAN,", "PAN"),
        (b",PAN,MC,", b",PAN,pan,", "pan"),
        (b",MECANISMO_TRASLADO,", b",CONTABILIZADA,", "CONTABILIZADA"),
        (b'"TOTAL_VOTOS_S_CS"', b'"TOTAL_VOTOS_C_CS"', "TOTAL_VOTOS_C_CS"),
    ],
)
def test_una_columna_dos_veces_y_gana_la_que_nadie_ve(antes: bytes, despues: bytes, columna: str) -> None:
    with pytest.raises(BaseIlegible, match=f"la columna {columna} está dos veces"):
        leer_csv(CDMX_2024.contenido.replace(antes, despues))


def test_el_distrito_local_y_el_federal_caben_en_la_misma_base() -> None:
    ambos = CDMX_2024.contenido.replace(b",MECANISMO_TRASLADO,", b",ID_DISTRITO_FEDERAL,")
    assert leer_csv(ambos).renglones


def test_un_renglon_sin_fin_se_rechaza_antes_de_separarlo() -> None:
    with pytest.raises(BaseIlegible, match="línea 1: la línea mide más de 64 KB"):
        leer_csv(b"0," * 1_000_000)
    with pytest.raises(BaseIlegible, match="línea 8: la línea mide más de 64 KB"):
        leer_csv(CDMX_2024.contenido + b"," * 100_000)
    with pytest.raises(BaseIlegible, match="línea 8: hay 10001 columnas"):
        leer_csv(CDMX_2024.contenido + b"," * 10_000)


def test_el_limite_admite_una_eleccion_nacional_y_lo_dice() -> None:
    assert 2 * 60_000_000 < paquetes.MAXIMO_BYTES < 200_000_000
    with pytest.raises(BaseIlegible, match="128 MB y una elección nacional ronda 60"):
        bases(_zip({"a.csv": b"0" * (paquetes.MAXIMO_BYTES + 1)}), "bomba.zip")


def test_el_paquete_solo_trae_imagenes() -> None:
    with pytest.raises(BaseIlegible, match="ninguna base"):
        bases(_zip({"acta.jpg": b"\xff\xd8\xff", "LEEME.txt": b"hola"}), "imagenes.zip")


def test_una_coma_de_mas_en_un_nombre_descuadra_su_renglon() -> None:
    roto = CDMX_2024.contenido.replace(b"GUSTAVO A. MADERO", b"GUSTAVO, A. MADERO")
    with pytest.raises(BaseIlegible, match="línea 7") as error:
        leer_csv(roto, "cdmx.csv")
    assert "separador sin comillas" in error.value.problema.causa
