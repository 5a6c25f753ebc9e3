"""Escribir la base de un corte: la misma siempre, completa desde el primero y de ida y vuelta."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.acta import (
    SIN_PROCEDENCIA,
    Acta,
    ActaFueraDeCatalogo,
    ActaPendiente,
    ActaSinActa,
    ActaVerificada,
    MotivoSinActa,
)
from nucleo.base_oficial import columnas, leeme
from nucleo.base_oficial.escritura import (
    ActasImposibles,
    encabezado,
    escribir_candidaturas,
    escribir_csv,
    escribir_zip,
    ordenar,
)
from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import leer_csv
from nucleo.base_oficial.modelo import a_modelo
from nucleo.base_oficial.paquetes import bases
from nucleo.campo import ILEGIBLE, SIN_DATO, Campo, Numero
from nucleo.definicion import cargar_proceso
from nucleo.eleccion import Vocabulario
from nucleo.inconsistencias import CATALOGO
from tests.unidad.actas_de_prueba import CASILLAS, INICIO, asentado_con, de_eleccion, proceso_raro

PROCESO = proceso_raro()
CORTE = datetime(2024, 6, 3, 3, 20, 37, tzinfo=UTC)
BASICA, ESPECIAL = CASILLAS[0], CASILLAS[3]


def _renglones(clave: str, *actas: Acta) -> list[Mapping[str, str]]:
    texto = escribir_csv(PROCESO, clave, actas, CORTE, ultimo_corte=False).decode()
    return list(csv.DictReader(io.StringIO(texto.split("\n\n", 1)[1])))


def _renglon(clave: str, acta: ActaPendiente | ActaSinActa | ActaVerificada) -> Mapping[str, str]:
    return next(r for r in _renglones(clave, acta) if r["CLAVE_CASILLA"] == acta.casilla.clave)


@given(st.data(), st.sampled_from(sorted(PROCESO.elecciones)), st.booleans())
def test_leer_lo_que_escribimos_devuelve_las_mismas_actas(datos: st.DataObject, clave: str, ultimo: bool) -> None:
    actas = datos.draw(de_eleccion(PROCESO, clave))
    base = leer_csv(escribir_csv(PROCESO, clave, actas, CORTE, ultimo))
    assert a_modelo(base, PROCESO, clave) == ordenar(actas, PROCESO, clave)
    assert base.corte == CORTE.replace(second=0)
    assert base.dialecto.describir() == "separado por coma, utf-8, renglones con LF"


@given(st.data())
@settings(max_examples=30)
def test_las_palabras_de_otro_instituto_tambien_van_y_vuelven(datos: st.DataObject) -> None:
    textos = {codigo: f"Motivo {lugar}, según el OPL" for lugar, codigo in enumerate(CATALOGO)}
    proceso = proceso_raro(vocabulario=Vocabulario(textos, sin_observacion="--", excede_prevalece=True))
    actas = datos.draw(de_eleccion(proceso, "DIP_LOC"))
    base = leer_csv(escribir_csv(proceso, "DIP_LOC", actas, CORTE, ultimo_corte=True))
    assert a_modelo(base, proceso, "DIP_LOC") == ordenar(actas, proceso, "DIP_LOC")


def test_oaxaca_real_va_y_vuelve(datos: Path) -> None:
    proceso = cargar_proceso(datos / "oaxaca_2022")
    paquete = datos / "oaxaca_2022" / "cortes" / "20220605_2120_PREP_GUB_OAX.zip"
    original = leer_csv(bases(paquete.read_bytes(), paquete.name)[0].contenido)
    actas = a_modelo(original, proceso, "GUB")
    assert original.corte is not None
    nombre, zip_ = escribir_zip(proceso, "GUB", actas, original.corte, ultimo_corte=False)
    assert nombre == paquete.name
    nuestra = leer_csv(bases(zip_, nombre)[0].contenido)
    assert a_modelo(nuestra, proceso, "GUB") == ordenar(actas, proceso, "GUB")
    for columna in ("CLAVE_CASILLA", "CLAVE_ACTA", "OBSERVACIONES", "CODIGO_INTEGRIDAD", "FECHA_HORA_CAPTURA"):
        publicado = [original.valor(r, columna) for r in original.renglones if original.valor(r, "SECCION")]
        escrito = [nuestra.valor(r, columna) for r in nuestra.renglones if nuestra.valor(r, "SECCION")]
        distintos = [(a, b) for a, b in zip(publicado, escrito, strict=True) if a != b]
        if columna == "OBSERVACIONES":
            # Las dos actas en blanco que el instituto sumó con otra observación.
            assert distintos == [("ALGUN CAMPO ILEGIBLE O SIN DATO", "TODOS ILEGIBLES O SIN DATO")] * 2
        else:
            assert set(distintos) <= {("-", "N/A"), ("N/A", "-")}, columna


@given(st.data())
@settings(max_examples=20)
def test_el_orden_en_que_llegan_las_actas_no_cambia_un_byte(datos: st.DataObject) -> None:
    actas = datos.draw(de_eleccion(PROCESO, "GUB"))
    revueltas = datos.draw(st.permutations(actas))
    assert escribir_zip(PROCESO, "GUB", actas, CORTE, False) == escribir_zip(PROCESO, "GUB", revueltas, CORTE, False)


def test_otra_maquina_tiene_que_sacar_exactamente_este_zip() -> None:
    """La huella se fijó una vez; si cambia sin querer, un difusor no podría comprobar el corte de ayer."""
    acta = ActaVerificada(
        BASICA, asentado_con(dict.fromkeys(PROCESO.elecciones["GUB"].por_clave, Numero(7))), SIN_PROCEDENCIA
    )
    nombre, contenido = escribir_zip(PROCESO, "GUB", [acta], CORTE, ultimo_corte=False)
    assert nombre == "20240602_2120_PREP_GUB_OAX.zip"
    with zipfile.ZipFile(io.BytesIO(contenido)) as paquete:
        fichas = paquete.infolist()
        assert [f.filename for f in fichas] == [
            "OAX_GUB_2024.csv",
            "OAX_GUB_CANDIDATURAS_2024.csv",
            "LEEME.txt",
        ]
        assert {f.date_time for f in fichas} == {(2024, 6, 2, 21, 20, 36)}
        assert {f.create_system for f in fichas} == {3}
        csv_ = paquete.read("OAX_GUB_2024.csv")
    assert hashlib.sha256(csv_).hexdigest() == HUELLA_CSV


HUELLA_CSV = "446bbd030a5d603c0c40ed9f2b079f4f88762ce50d3f6cb8c42290a669470e18"


def test_el_primer_corte_ya_trae_todas_las_esperadas() -> None:
    renglones = _renglones("GUB")
    assert [r["TIPO_CASILLA"] for r in renglones] == list("MAPBCES")
    for r in renglones:
        assert r["CONTABILIZADA"] == r["OBSERVACIONES"] == r["PAN"] == r["TOTAL_VOTOS_CALCULADO"] == ""
    assert [r["LISTA_NOMINAL"] for r in renglones] == ["700", "90", "40", "500", "499", "73", "0"]
    assert [r["REPRESENTANTES_PP_CI"] for r in renglones] == ["N/A"] * 3 + ["8"] * 4


def test_la_mesa_del_extranjero_no_tiene_distrito_ni_seccion() -> None:
    mesa = _renglones("GUB")[0]
    for columna in ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL", "SECCION", "ID_CASILLA", "REPRESENTANTES_PP_CI"):
        assert mesa[columna] == "N/A"
    assert (mesa["CLAVE_CASILLA"], mesa["UBICACION_CASILLA"]) == ("200000M0100", "1")


def test_una_casilla_sin_acta_conserva_su_lista_nominal() -> None:
    r = _renglon("DIP_LOC", ActaSinActa(BASICA, MotivoSinActa.CASILLA_NO_INSTALADA))
    assert (r["LISTA_NOMINAL"], r["CONTABILIZADA"]) == ("500", "0")
    assert r["OBSERVACIONES"] == "SIN ACTA POR CASILLA NO INSTALADA"
    assert {r[c] for c in ("PAN", "PAN_PRI", "NULOS", "TOTAL_VOTOS_SACADOS", "TOTAL_VOTOS_CALCULADO")} == {"SIN ACTA"}
    assert r["CI_1"] == "-"
    finales = ("CODIGO_INTEGRIDAD", "FECHA_HORA_ACOPIO", "FECHA_HORA_VERIFICACION", "ORIGEN", "TIPO_DOCUMENTO")
    assert {r[c] for c in finales} == {"N/A"}


def test_el_acta_que_excede_muestra_sus_votos_aunque_no_sumen() -> None:
    votos: dict[str, Campo] = dict.fromkeys(PROCESO.elecciones["GUB"].por_clave, SIN_DATO)
    votos |= {"PAN": Numero(900), "PRI": ILEGIBLE}
    r = _renglon("GUB", ActaVerificada(BASICA, asentado_con(votos, Numero(90)), SIN_PROCEDENCIA))
    assert (r["PAN"], r["PRI"], r["NA"], r["NULOS"]) == ("900", "ILEGIBLE", "SIN DATO", "SIN DATO")
    assert (r["TOTAL_VOTOS_ASENTADO"], r["TOTAL_VOTOS_CALCULADO"], r["CONTABILIZADA"]) == ("90", "900", "0")
    assert r["OBSERVACIONES"] == "EXCEDE LISTA NOMINAL. ALGUN CAMPO ILEGIBLE O SIN DATO"


def test_lo_que_nadie_pudo_identificar_va_al_final_y_sin_votos() -> None:
    procedencia = replace(SIN_PROCEDENCIA, imagen="ab" * 32, acopio=INICIO + timedelta(hours=1))
    renglones = _renglones("AYUN", ActaFueraDeCatalogo("z", procedencia), ActaFueraDeCatalogo("a", procedencia))
    for r in renglones[-2:]:
        assert (r["CLAVE_CASILLA"], r["CLAVE_ACTA"], r["UBICACION_CASILLA"], r["CONTABILIZADA"]) == ("-", "-", "3", "2")
        assert (r["CODIGO_INTEGRIDAD"], r["FECHA_HORA_ACOPIO"]) == ("ab" * 32, "02/06/2024 19:00:00")
        assert r["PAN"] == r["LISTA_NOMINAL"] == ""


def test_municipio_en_ayuntamientos_y_distrito_en_lo_demas() -> None:
    assert "ID_MUNICIPIO" in _renglones("AYUN")[0]
    assert "ID_DISTRITO_LOCAL" in _renglones("DIP_LOC")[0]
    assert _renglon("AYUN", ActaPendiente(BASICA))["MUNICIPIO"] == "Acatlán, de Pérez Figueroa"
    assert _renglon("DIP_LOC", ActaPendiente(BASICA))["ID_DISTRITO_LOCAL"] == "001"
    assert _renglon("GUB", ActaPendiente(ESPECIAL))["CLAVE_ACTA"] == "200009S01002E"


def test_dos_actas_de_la_misma_casilla_o_una_ajena() -> None:
    with pytest.raises(ActasImposibles, match="hay dos actas de la casilla 200001B0100"):
        ordenar([ActaPendiente(BASICA), ActaSinActa(BASICA, MotivoSinActa.PAQUETE_SIN_BOLSA)], PROCESO, "GUB")
    with pytest.raises(ActasImposibles, match="no se espera"):
        ordenar([ActaPendiente(CASILLAS[6])], PROCESO, "DIP_LOC")


def test_un_nombre_con_salto_de_linea_se_rechaza_y_no_se_maquilla() -> None:
    proceso = proceso_raro(entidad_nombre="OAX\nACA")
    with pytest.raises(ValueError, match="salto de línea"):
        escribir_csv(proceso, "GUB", [], CORTE, ultimo_corte=False)


def test_un_nombre_que_parece_formula_se_publica_tal_cual() -> None:
    proceso = proceso_raro(entidad_nombre="=1+1")
    base = leer_csv(escribir_csv(proceso, "GUB", [], CORTE, ultimo_corte=False))
    assert base.valor(base.renglones[0], "ENTIDAD") == "=1+1"


def test_las_candidaturas_dicen_quien_va_por_quienes() -> None:
    renglones = list(csv.reader(io.StringIO(escribir_candidaturas(PROCESO, "AYUN").decode())))
    assert renglones == [
        ["ID_ENTIDAD", "ID_MUNICIPIO", "PARTIDO_CI", "CANDIDATURA_PROPIETARIA", "CANDIDATURA_SUPLENTE"],
        ["20", "001", "PAN,PRI,NA", 'Ñica "la Güera", de Ejutla', ""],
    ]
    assert "ID_MUNICIPIO" not in escribir_candidaturas(PROCESO, "GUB").decode()


@pytest.mark.parametrize("clave", sorted(PROCESO.elecciones))
def test_el_leeme_explica_todas_las_columnas_y_observaciones(clave: str) -> None:
    texto = leeme.generar(PROCESO, clave)
    for nombre in (*encabezado(PROCESO.elecciones[clave]), *(c.nombre for c in columnas.RESUMEN)):
        assert f"  {nombre}: " in texto
    for entrada in CATALOGO.values():
        assert f"  {entrada.texto}: CONTABILIZADA {entrada.contabilizada}" in texto
    assert max(map(len, texto.splitlines())) <= 110


@pytest.mark.parametrize(
    ("antes", "despues", "dice"),
    [
        ("200001B0100", "209999B0100", "no está en el catálogo"),
        (",7,7,7,7,", ",7,7,siete,7,", "no es un dato de NA"),
        (",PAN_NA,", ",PAN_X,", "falta la columna de votos PAN_NA"),
    ],
)
def test_alguien_edito_la_base_antes_de_leerla(antes: str, despues: str, dice: str) -> None:
    acta = ActaVerificada(
        BASICA, asentado_con(dict.fromkeys(PROCESO.elecciones["GUB"].por_clave, Numero(7))), SIN_PROCEDENCIA
    )
    texto = escribir_csv(PROCESO, "GUB", [acta], CORTE, ultimo_corte=False).decode()
    with pytest.raises(BaseIlegible, match=dice):
        a_modelo(leer_csv(texto.replace(antes, despues, 1).encode()), PROCESO, "GUB")
