"""El cómputo, contra otra manera de hacerlo que no comparte nada con él: sumar las celdas del CSV publicado."""

from __future__ import annotations

import csv
import io
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nucleo.acta import SIN_PROCEDENCIA, Acta, ActaVerificada
from nucleo.base_oficial.columnas import RESUMEN as COLUMNAS_DEL_RESUMEN
from nucleo.base_oficial.escritura import escribir_csv
from nucleo.base_oficial.lectura import leer_csv
from nucleo.base_oficial.modelo import a_modelo
from nucleo.base_oficial.paquetes import bases
from nucleo.campo import Numero
from nucleo.computo import (
    RESUMEN,
    contabilizadas_por_ubicacion,
    faltantes_por_causa,
    porcentajes,
    resumir,
    votos_por,
    votos_por_division,
    votos_por_opcion,
)
from nucleo.definicion import cargar_proceso
from tests.unidad.actas_de_prueba import CASILLAS, INICIO, asentado_con, de_eleccion, proceso_raro

PROCESO = proceso_raro()
ELECCIONES = st.sampled_from(sorted(PROCESO.elecciones))


def _otra_cuenta(texto: str, columnas_de_voto: list[str], boletas_especial: int, ultimo: bool) -> list[str]:
    """El resumen rehecho desde el texto publicado, sin modelo, con Decimal y listas por comprensión.

    Sólo confía en las columnas que vienen del papel y del catálogo: nunca lee las derivadas.
    """
    lineas = texto.split("\n")
    renglones = list(csv.DictReader(lineas[5:]))
    fuera = [r for r in renglones if r["UBICACION_CASILLA"] == "3"]
    catalogo = [r for r in renglones if r["UBICACION_CASILLA"] != "3"]

    def celdas(r: dict[str, str]) -> list[str]:
        return [r[c].upper() for c in columnas_de_voto if r[c] != "-"]

    def numeros(r: dict[str, str]) -> list[int]:
        return [int(c) for c in celdas(r) if c.isdigit()]

    def cabe(r: dict[str, str]) -> bool:
        if r["TIPO_CASILLA"] == "S":
            return sum(numeros(r)) <= boletas_especial
        representantes = r["REPRESENTANTES_PP_CI"]
        return sum(numeros(r)) <= int(r["LISTA_NOMINAL"]) + (int(representantes) if representantes.isdigit() else 0)

    sin_acta = [r for r in catalogo if "SIN ACTA" in celdas(r)]
    con_papel = [r for r in catalogo if any(celdas(r)) and r not in sin_acta]
    ciegas = [r for r in con_papel if not numeros(r)]
    legibles = [r for r in con_papel if numeros(r)]
    excedidas = [r for r in legibles if not cabe(r)]
    suman = [r for r in legibles if cabe(r)]
    dudosas = [r for r in legibles if len(numeros(r)) < len(celdas(r)) or not cabe(r)]
    comunes = [r for r in suman if r["TIPO_CASILLA"] != "S"]
    capturadas = len(sin_acta) + len(con_papel)
    lista = sum(int(r["LISTA_NOMINAL"]) for r in comunes)
    con, sin = (sum(sum(numeros(r)) for r in grupo) for grupo in (suman, comunes))

    def por_ciento(parte: int, total: int) -> str:
        if total == 0:
            return "0.0000"
        return f"{(Decimal(parte) * 100 / total).quantize(Decimal('0.0001'), ROUND_DOWN):f}"

    esperadas = len(catalogo)
    cuentas = (esperadas, capturadas + len(fuera), len(fuera), capturadas)
    return [
        *map(str, cuentas),
        por_ciento(capturadas, esperadas),
        str(len(suman)),
        por_ciento(len(suman), esperadas),
        por_ciento(len(ciegas) + len(dudosas), esperadas),
        str(len(sin_acta) + len(ciegas) + len(excedidas)),
        *map(str, (lista, con, sin)),
        por_ciento(con if ultimo else sin, lista),
    ]


@given(st.data(), ELECCIONES, st.booleans())
def test_dos_cuentas_independientes_dan_lo_mismo(datos: st.DataObject, clave: str, ultimo: bool) -> None:
    actas = datos.draw(de_eleccion(PROCESO, clave))
    texto = escribir_csv(PROCESO, clave, actas, INICIO, ultimo).decode()
    columnas = [o.clave for o in PROCESO.elecciones[clave].opciones]
    esperado = _otra_cuenta(texto, columnas, PROCESO.boletas_especial, ultimo)
    assert list(resumir(actas, PROCESO, clave, ultimo).oficial().values()) == esperado


def test_oaxaca_real_con_la_regla_unificada_pierde_dos_actas_en_blanco(datos: Path) -> None:
    proceso = cargar_proceso(datos / "oaxaca_2022")
    paquete = datos / "oaxaca_2022" / "cortes" / "20220606_0000_PREP_GUB_OAX.zip"
    base = leer_csv(bases(paquete.read_bytes(), paquete.name)[0].contenido)
    actas = a_modelo(base, proceso, "GUB")
    texto = escribir_csv(proceso, "GUB", actas, INICIO, ultimo_corte=False).decode()
    columnas = [o.clave for o in proceso.elecciones["GUB"].opciones]
    oficial = resumir(actas, proceso, "GUB", ultimo_corte=False).oficial()
    assert list(oficial.values()) == _otra_cuenta(texto, columnas, 1000, ultimo=False)
    assert int(base.resumen["ACTAS_CONTABILIZADAS"]) - int(oficial["ACTAS_CONTABILIZADAS"]) == 2
    iguales = {"ACTAS_REGISTRADAS", "ACTAS_CAPTURADAS", "TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS"}
    assert all(base.resumen[campo] == oficial[campo] for campo in iguales)


def test_todavia_no_llega_ninguna_acta() -> None:
    oficial = resumir([], PROCESO, "GUB", ultimo_corte=False).oficial()
    assert oficial["ACTAS_ESPERADAS"] == "7"
    assert {v for c, v in oficial.items() if c != "ACTAS_ESPERADAS"} == {"0", "0.0000"}
    assert faltantes_por_causa([], PROCESO, "GUB")["PENDIENTE"] == 7
    assert set(porcentajes(votos_por_opcion([], PROCESO, "GUB")).values()) == {"0.0000"}


def test_el_resumen_y_sus_columnas_documentadas_son_los_mismos_trece() -> None:
    assert tuple(c.nombre for c in COLUMNAS_DEL_RESUMEN) == RESUMEN
    assert tuple(resumir([], PROCESO, "GUB", ultimo_corte=False).oficial()) == RESUMEN


def test_las_especiales_entran_en_la_participacion_solo_en_el_ultimo_corte() -> None:
    votos = {o.clave: Numero(10) for o in PROCESO.elecciones["GUB"].opciones}
    actas = [ActaVerificada(c, asentado_con(dict(votos)), SIN_PROCEDENCIA) for c in (CASILLAS[0], CASILLAS[3])]
    durante = resumir(actas, PROCESO, "GUB", ultimo_corte=False)
    final = resumir(actas, PROCESO, "GUB", ultimo_corte=True)
    assert (durante.participacion, final.participacion) == ((100, 500), (200, 500))
    assert (durante.votos_c_cs, durante.votos_s_cs, durante.lista_nominal) == (200, 100, 500)


@given(st.data(), ELECCIONES)
def test_toda_acta_que_no_suma_tiene_su_causa(datos: st.DataObject, clave: str) -> None:
    actas = datos.draw(de_eleccion(PROCESO, clave))
    resumen = resumir(actas, PROCESO, clave, ultimo_corte=False)
    causas = faltantes_por_causa(actas, PROCESO, clave)
    assert sum(causas.values()) == resumen.esperadas - resumen.contabilizadas
    assert sum(causas.values()) - causas["PENDIENTE"] == resumen.no_contabilizadas
    ubicacion = contabilizadas_por_ubicacion(actas, PROCESO)
    assert sum(ubicacion.values()) == resumen.contabilizadas


@given(st.data(), ELECCIONES)
@settings(max_examples=50)
def test_ningun_voto_se_pierde_al_agrupar(datos: st.DataObject, clave: str) -> None:
    actas: list[Acta] = datos.draw(de_eleccion(PROCESO, clave))
    total = votos_por_opcion(actas, PROCESO, clave)
    assert sum(total.values()) == resumir(actas, PROCESO, clave, ultimo_corte=False).votos_c_cs
    grupos = (
        votos_por_division(actas, PROCESO, clave),
        votos_por(lambda casilla: casilla.seccion, actas, PROCESO, clave),
        votos_por(lambda casilla: casilla.clave, actas, PROCESO, clave),
    )
    for grupo in grupos:
        assert {c: sum(v.get(c, 0) for v in grupo.values()) for c in total} == total


def test_donde_la_coalicion_no_existe_no_aparece_su_renglon() -> None:
    divisiones = votos_por_division([], PROCESO, "DIP_LOC")
    assert list(divisiones) == [1, 2]
    assert "PAN_PRI" in divisiones[1]
    assert "PAN_PRI" not in divisiones[2]
    assert "CI_1" in divisiones[2]
    assert list(divisiones[1]) == [c for c in PROCESO.elecciones["DIP_LOC"].por_clave if c in divisiones[1]]


def test_los_porcentajes_de_votos_incluyen_nulos_en_el_total() -> None:
    assert porcentajes({"PAN": 1, "NULOS": 2}) == {"PAN": "33.3333", "NULOS": "66.6666"}


def test_una_columna_con_coma_no_descuadra_el_csv() -> None:
    texto = escribir_csv(PROCESO, "AYUN", [], INICIO, ultimo_corte=False).decode()
    anchos = {len(r) for r in csv.reader(io.StringIO(texto.split("\n\n", 1)[1]))}
    assert len(anchos) == 1
