"""Auditar bases ajenas: los defectos publicados que se conocen y los que podrían publicarse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditoria import inferencia
from auditoria.auditar import auditar_archivo, auditar_base, main
from auditoria.informe import Hallado, Informe, Veredicto
from auditoria.redaccion import redactar
from auditoria.reglas_renglon import REGLAS, Gravedad
from nucleo.base_oficial.escritura import escribir_csv
from nucleo.base_oficial.lectura import leer_csv
from nucleo.base_oficial.paquetes import Archivo
from nucleo.computo import RESUMEN
from tests.conftest import RAIZ
from tests.unidad.actas_de_prueba import INICIO, de_eleccion, proceso_raro
from tests.unidad.bases_de_otros_anios import CDMX_2024, MUESTRAS, TAMAULIPAS_2023, Muestra

QROO = "quintana_roo_2019/20190603_0547_PREP_DIP_QROO.zip"
CORTES = "oaxaca_2022/cortes"


def _auditar(ruta: Path) -> Hallado:
    (informe,) = auditar_archivo(ruta)
    assert isinstance(informe.hallado, Hallado)
    return informe.hallado


def _texto(muestra: Muestra, *cambios: tuple[str, str]) -> Informe:
    codificacion = leer_csv(muestra.contenido).dialecto.codificacion
    texto = muestra.contenido.decode(codificacion)
    for antes, despues in cambios:
        assert antes in texto
        texto = texto.replace(antes, despues)
    return auditar_base(Archivo(muestra.nombre, texto.encode(codificacion)))


def _reglas(hallado: object) -> Counter[str]:
    assert isinstance(hallado, Hallado)
    return Counter(v.regla.clave for v in hallado.violaciones)


def test_quintana_roo_2019_doce_de_doce_y_seis_actas_que_exceden(datos: Path) -> None:
    h = _auditar(datos / QROO)
    assert [d.campo for d in h.resumen] == list(RESUMEN[1:])
    assert all(d.coincide and d.regla for d in h.resumen)
    assert h.esperadas.coincide
    assert "con especiales" in h.resumen[-1].regla
    assert all(c.coinciden == c.revisados for c in h.columnas if c.columna != "CONTABILIZADA")
    reglas = _reglas(h)
    assert reglas["EXCEDE_CONTABILIZADA"] == 6
    assert reglas["TOTAL_ASENTADO_DISTINTO"] == 204
    graves = {r.clave for r in REGLAS if r.gravedad is Gravedad.DISCREPANCIA}
    assert {r for r in reglas if r in graves} == {"EXCEDE_CONTABILIZADA"}
    assert h.planilla.coaliciones() == (("PAN", "PRD", "PESQROO"), ("PVEM", "PT", "MORENA"))
    assert not h.planilla.faltantes()


def test_oaxaca_2022_trunco_dos_veces_en_punto_flotante(datos: Path) -> None:
    h = _auditar(datos / CORTES / "20220606_0000_PREP_GUB_OAX.zip")
    (mal,) = [d for d in h.resumen if d.coincide is False]
    assert mal.campo == "PORCENTAJE_ACTAS_CONTABILIZADAS"
    assert (mal.publicado, mal.recalculado) == ("76.3272", "76.3273")
    assert "truncamiento doble en punto flotante" in mal.regla
    assert _reglas(h)["TODOS_SIN_DATO_CONTABILIZADA"] == 2
    assert "1000 boletas sin sumar representaciones" in h.criterios.especial.explicacion
    assert h.planilla.combinaciones["C_PT_PV_PUP_MOR"] == ("PT", "PVEM", "PUP", "MOR")
    assert "NA" in h.planilla.partidos


def test_oaxaca_2022_en_sus_otros_dos_cortes(datos: Path) -> None:
    temprano = _auditar(datos / CORTES / "20220605_2120_PREP_GUB_OAX.zip")
    (mal,) = [d for d in temprano.resumen if d.coincide is False]
    assert (mal.campo, mal.publicado) == ("PORCENTAJE_PARTICIPACION_CIUDADANA", "36.9022")
    tarde = _auditar(datos / CORTES / "20220605_2340_PREP_GUB_OAX.zip")
    assert all(d.coincide for d in tarde.resumen)
    assert _reglas(tarde)["TODOS_SIN_DATO_CONTABILIZADA"] == 2


@pytest.mark.parametrize("eleccion", ["AYUN", "DIP_LOC", "GOB", "JUNTAS"])
def test_campeche_2021_en_ceros_es_consistente(datos: Path, eleccion: str) -> None:
    (informe,) = auditar_archivo(datos / "campeche_2021" / f"20210601_1852_PREP_{eleccion}_CAMP.zip")
    assert informe.veredicto is Veredicto.CONSISTENTE
    assert isinstance(informe.hallado, Hallado)
    assert all(d.coincide for d in (informe.hallado.esperadas, *informe.hallado.resumen))
    assert "Es un archivo en ceros" in redactar(informe)
    if eleccion == "DIP_LOC":
        assert "10 actas de representación proporcional" in informe.hallado.esperadas.regla


@given(st.data(), st.sampled_from(["GUB", "DIP_LOC", "AYUN"]), st.booleans())
@settings(max_examples=60)
def test_lo_que_escribimos_nosotros_siempre_es_consistente(datos: st.DataObject, clave: str, ultimo: bool) -> None:
    proceso = proceso_raro()
    actas = datos.draw(de_eleccion(proceso, clave))
    contenido = escribir_csv(proceso, clave, actas, INICIO, ultimo)
    informe = auditar_base(Archivo("nuestra.csv", contenido))
    assert informe.veredicto is Veredicto.CONSISTENTE, redactar(informe)


@pytest.mark.parametrize(
    ("antes", "despues", "regla"),
    [
        (",12,12,600,", ",12,13,600,", "TOTAL_CALCULADO_NO_SUMA"),
        (",12,12,600,", ",13,12,600,", "TOTAL_ASENTADO_DISTINTO"),
        (",7,5,0,0,0,12,12,", ",SIN DATO,ILEGIBLE,SIN DATO,-,-,12,0,", "TODOS_SIN_DATO_CONTABILIZADA"),
        (",12,12,600,10,", ",12,12,1,10,", "EXCEDE_CONTABILIZADA"),
        (",10,,1,,", ",10,,0,,", "CONTABILIZADA_NO_CORRESPONDE"),
        (",10,,1,,", ",10,,5,,", "CONTABILIZADA_NO_CORRESPONDE"),
        (",10,,1,,", ",10,EXCEDE LISTA NOMINAL,1,,", "OBSERVACION_NO_CORRESPONDE"),
        (",10,,1,,", ",10,ACTA MOJADA,1,,", "OBSERVACION_DESCONOCIDA"),
        (",7,5,0,0,0,", ",7,5,SIN DATO,0,0,", "OBSERVACION_NO_CORRESPONDE"),
        (",7,5,0,0,0,", ",7,5,0,0,nada,", "DATO_DESCONOCIDO"),
        ("\n090001C0100,", "\n090002C0100,", "CLAVE_CASILLA_NO_COMPONE"),
        (",090001C0100A02,", ",090001C0100A03,", "CLAVE_ACTA_NO_COMPONE"),
        (",600,10,", ",,10,", "LISTA_NOMINAL_NO_NUMERICA"),
        ("0f" * 32, "0f" * 31, "HUELLA_MALFORMADA"),
        ("0f" * 32, "", "HUELLA_FALTANTE"),
        ("12/05/2024 12:05:00", "12/05/2024 11:05:00", "HORAS_EN_DESORDEN"),
        ("12/05/2024 12:06:00", "12/05/2024 14:01:00", "HORA_POSTERIOR_AL_CORTE"),
        ("12/05/2024 12:00:00", "12/05/2024 07:59:00", "HORA_FUERA_DE_OPERACION"),
        ("12/05/2024 12:00:00", "a mediodía", "HORA_MALFORMADA"),
        (",0001,01,C,", ",XX,01,C,", "CLAVE_CASILLA_NO_COMPONE"),
        (",12,12,600,", ",12,hola,600,", "TOTAL_CALCULADO_NO_SUMA"),
        (",12,12,600,", ",12,SIN DATO,600,", "TOTAL_CALCULADO_NO_SUMA"),
        (",12,12,600,", ",12,,600,", "TOTAL_CALCULADO_NO_SUMA"),
    ],
)
def test_un_solo_dato_alterado_se_nota(antes: str, despues: str, regla: str) -> None:
    assert not _reglas(_texto(CDMX_2024).hallado)
    informe = _texto(CDMX_2024, (antes, despues))
    assert _reglas(informe.hallado)[regla] == 1
    grave = next(r for r in REGLAS if r.clave == regla).gravedad is Gravedad.DISCREPANCIA
    if grave:
        assert informe.veredicto is Veredicto.DISCREPANCIAS


def test_la_misma_acta_dos_veces_y_la_misma_casilla_en_dos_distritos() -> None:
    renglon = CDMX_2024.contenido.decode().split("\n")[-2]
    repetida = _reglas(_texto(CDMX_2024, (renglon, f"{renglon}\n{renglon}")).hallado)
    assert (repetida["ACTA_DUPLICADA"], repetida["HUELLA_REPETIDA"]) == (2, 2)
    otro = renglon.replace("001,GUSTAVO", "002,GUSTAVO").replace("0f" * 32, "1f" * 32)
    partida = _reglas(_texto(CDMX_2024, (renglon, f"{renglon}\n{otro}")).hallado)
    assert (partida["CLAVE_EN_DOS_DIVISIONES"], partida["ACTA_DUPLICADA"]) == (2, 0)


def test_la_misma_acta_con_la_misma_imagen_se_sumo_en_dos_distritos() -> None:
    renglon = CDMX_2024.contenido.decode().split("\n")[-2]
    otro = renglon.replace("001,GUSTAVO", "002,GUSTAVO")
    reglas = _reglas(_texto(CDMX_2024, (renglon, f"{renglon}\n{otro}")).hallado)
    assert (reglas["ACTA_DUPLICADA"], reglas["CLAVE_EN_DOS_DIVISIONES"]) == (2, 0)


_SIN_ACTA = (",10,,1,,", ",10,SIN ACTA POR PAQUETE NO ENTREGADO,0,,")
_VOTOS = (",7,5,0,0,0,12,12,", ",0,0,0,0,0,0,0,")
_CALLADA = ((",7,5,0,0,0,", ",,,,,,"), ("0f" * 32, ""))


@pytest.mark.parametrize(
    ("cambios", "regla"),
    [
        ((_SIN_ACTA,), "VOTOS_EN_ACTA_EXCLUIDA"),
        ((_SIN_ACTA, (",7,5,0,0,0,12,12,", ",0,0,0,0,0,0,12,")), "VOTOS_EN_ACTA_EXCLUIDA"),
        (((",00,1,A02,", ",00,3,A02,"), (",10,,1,,", ",10,,2,,")), "VOTOS_EN_ACTA_EXCLUIDA"),
        (((",00,1,A02,", ",00,3,A02,"), (",10,,1,,", ",10,,2,,"), _VOTOS), "FUERA_DE_CATALOGO_CON_CASILLA"),
        ((*_CALLADA, (",10,,1,,", ",10,,,,")), "PENDIENTE_CON_DATOS"),
        ((*_CALLADA, (",12,12,600,10,,1,,", ",,,600,10,EXCEDE LISTA NOMINAL,,,")), "PENDIENTE_CON_DATOS"),
    ],
)
def test_un_acta_legible_que_alguien_desaparecio(cambios: tuple[tuple[str, str], ...], regla: str) -> None:
    informe = _texto(CDMX_2024, *cambios)
    assert _reglas(informe.hallado)[regla] == 1
    assert informe.veredicto is Veredicto.DISCREPANCIAS


def test_el_acta_que_no_llego_puede_traer_ceros() -> None:
    """Quintana Roo 2019 llena de ceros lo que no tiene acta."""
    assert not _reglas(_texto(CDMX_2024, _SIN_ACTA, _VOTOS).hallado)


def _especiales(*actas: tuple[int, str, int]) -> Hallado:
    """Una base con esas especiales: votos, observación y contabilizada."""
    renglon = CDMX_2024.contenido.decode().split("\n")[-2]
    nuevos = []
    for i, (votos, observacion, contabilizada) in enumerate(actas, 1):
        cambiado = renglon.replace("001C0100", f"001S{i:02d}00").replace(",01,C,", f",{i:02d},S,")
        cambiado = cambiado.replace(",7,5,0,0,0,12,12,600,10,,1,", f",{votos},0,0,0,0,{votos},{votos},0,10,*")
        nuevos.append(cambiado.replace("*", f"{observacion},{contabilizada},").replace("0f" * 32, f"{i:064x}"))
    hallado = _texto(CDMX_2024, (renglon, "\n".join(nuevos))).hallado
    assert isinstance(hallado, Hallado)
    return hallado


_EXCEDE = "EXCEDE LISTA NOMINAL"


def test_cincuenta_mil_votos_en_una_especial_no_acusan_a_las_bien_marcadas() -> None:
    h = _especiales((50_990, "", 1), (1_001, _EXCEDE, 0), (1_005, _EXCEDE, 0), (990, "", 1))
    graves = [v for v in h.violaciones if v.regla.gravedad is Gravedad.DISCREPANCIA]
    assert [(v.regla.clave, v.clave_acta) for v in graves] == [("EXCEDE_CONTABILIZADA", "090001S0100A02")]


def test_cincuenta_mil_votos_en_la_unica_especial() -> None:
    assert _reglas(_especiales((50_033, "", 1)))["EXCEDE_CONTABILIZADA"] == 1


def test_un_limite_legal_de_1500_boletas_avisa_y_no_acusa() -> None:
    assert _reglas(_especiales((1_400, "", 1), (900, "", 1))) == {"ESPECIAL_FUERA_DE_LO_USUAL": 1}
    assert _reglas(_especiales((800, _EXCEDE, 0))) == {"ESPECIAL_FUERA_DE_LO_USUAL": 1}


@pytest.mark.parametrize("tipo", "MAP")
def test_en_una_mesa_sin_representaciones_no_cabe_un_voto_de_mas(tipo: str) -> None:
    """Antes se le sumaban dos por partido y se acusaba de «excede» a quien lo marcó bien."""
    mesa = (("001C0100", f"001{tipo}0100"), (",01,C,", f",01,{tipo},"))
    marcada = (",12,12,600,10,,1,,", f",12,12,11,N/A,{_EXCEDE},0,,")
    assert not _reglas(_texto(CDMX_2024, *mesa, marcada).hallado)
    de_mas = (",12,12,600,10,", ",12,12,11,N/A,")
    assert _reglas(_texto(CDMX_2024, *mesa, de_mas).hallado) == {"EXCEDE_CONTABILIZADA": 1}


def test_una_mesa_puede_no_tener_seccion() -> None:
    informe = _texto(CDMX_2024, ("001C0100", "001M0100"), (",0001,01,C,", ",N/A,N/A,M,"))
    assert not _reglas(informe.hallado)
    assert isinstance(informe.hallado, Hallado)
    assert next(c for c in informe.hallado.columnas if c.columna == "CLAVE_CASILLA").revisados == 0


def test_la_especial_con_lista_nominal() -> None:
    informe = _texto(CDMX_2024, ("090001C0100", "090001S0100"), (",01,C,", ",01,S,"))
    assert _reglas(informe.hallado)["ESPECIAL_CON_LISTA_NOMINAL"] == 1


@pytest.mark.parametrize(
    ("antes", "despues", "campo", "dice"),
    [
        ('"2","1","0"', '"2","3","0"', "ACTAS_REGISTRADAS", "ninguna de las reglas conocidas"),
        ('"2.0000"', '"2.0001"', "PORCENTAJE_PARTICIPACION_CIUDADANA", "ninguna"),
    ],
)
def test_el_resumen_no_sale_de_sus_renglones(antes: str, despues: str, campo: str, dice: str) -> None:
    informe = _texto(CDMX_2024, (antes, despues))
    assert isinstance(informe.hallado, Hallado)
    (mal,) = [d for d in informe.hallado.resumen if d.coincide is False]
    assert mal.campo == campo
    assert dice in mal.regla


def test_un_resumen_en_blanco_no_esconde_las_actas_registradas() -> None:
    resumen = ('"2","1","0","1","50.0000","1","50.0000","0.0000","0","600","12","12","2.0000"', '"2","","","","","0"')
    informe = _texto(CDMX_2024, _SIN_ACTA, _VOTOS, resumen)
    assert isinstance(informe.hallado, Hallado)
    mal = {d.campo for d in informe.hallado.resumen if d.coincide is False}
    assert mal == {"ACTAS_REGISTRADAS", "ACTAS_CAPTURADAS", "PORCENTAJE_ACTAS_CAPTURADAS"}


def test_una_base_sin_renglones_o_sin_nada_que_comprobar_no_es_consistente() -> None:
    lineas = CDMX_2024.contenido.split(b"\n")
    nada = b"SECCION,TIPO_CASILLA,ID_CASILLA,PAN,NULOS,LISTA_NOMINAL\n1,B,1,5,0,600\n"
    for contenido in (b"\n".join(lineas[:6]), nada):
        informe = auditar_base(Archivo("vacia.csv", contenido))
        assert informe.veredicto is Veredicto.ILEGIBLE
        assert "comprobar" in redactar(informe)


@pytest.mark.parametrize(("eleccion", "coincide"), [("JEFATURA DE GOBIERNO", False), ("DIPUTACIONES LOCALES", True)])
def test_actas_esperadas_de_mas_que_no_son_de_representacion_proporcional(eleccion: str, coincide: bool) -> None:
    especial = (("001C0100", "001S0100"), (",01,C,", ",01,S,"), (",12,12,600,", ",12,12,0,"))
    renglon = CDMX_2024.contenido.decode().split("\n")[-2]
    pendiente = "090001C0200,090001C0200A02,09,CDMX,001,GAM,0001,02,C,00,1,A02" + "," * 23
    otra = (renglon, f"{renglon}\n{pendiente}")
    tres = ('"2","1","0"', '"3","1","0"')
    informe = _texto(CDMX_2024, ("JEFATURA DE GOBIERNO", eleccion), otra, tres, *especial)
    assert isinstance(informe.hallado, Hallado)
    assert informe.hallado.esperadas.coincide is coincide


def _con_especial(resumen: str) -> Informe:
    """Tres actas (una especial con 12 votos) y el resumen que se quiera."""
    renglon = CDMX_2024.contenido.decode().split("\n")[-2]
    especial = renglon.replace("090001C0100", "090001S0100").replace(",01,C,", ",01,S,").replace(",600,", ",0,")
    especial = especial.replace("0f" * 32, "1f" * 32)
    otra = renglon.replace("C0100", "C0200").replace(",01,C,", ",02,C,").replace("0f" * 32, "2f" * 32)
    otra = otra.replace(",7,5,0,0,0,12,12,600,", ",7,5,0,0,1,13,13,660,")
    viejo = '"2","1","0","1","50.0000","1","50.0000","0.0000","0","600","12","12","2.0000"'
    return _texto(CDMX_2024, (renglon, "\n".join((renglon, especial, otra))), (viejo, resumen))


def test_el_iecm_resto_el_numero_de_actas_especiales_en_vez_de_sus_votos() -> None:
    """Simulacro del 12 de mayo de 2024 (dominio §3.2): 37 votos, 12 de una especial; publicó 36 y no 25."""
    informe = _con_especial('"7","3","0","3","42.8571","3","42.8571","0.0000","0","1260","37","36","2.8571"')
    assert isinstance(informe.hallado, Hallado)
    mal = {d.campo: (d.recalculado, d.regla) for d in informe.hallado.resumen if d.coincide is False}
    resta = "resta el número de actas especiales en vez de sus votos"
    assert mal["TOTAL_VOTOS_S_CS"] == ("25", resta)
    assert mal["PORCENTAJE_PARTICIPACION_CIUDADANA"] == ("1.9841", f"{resta}; truncamiento exacto con enteros")


def test_un_instituto_redondea_los_porcentajes() -> None:
    informe = _con_especial('"17","3","0","3","17.6471","3","17.6470","0.0000","0","1260","37","25","2.9365"')
    assert isinstance(informe.hallado, Hallado)
    (mal,) = [d for d in informe.hallado.resumen if d.coincide is False]
    assert (mal.campo, mal.recalculado) == ("PORCENTAJE_ACTAS_CAPTURADAS", "17.6470")
    assert mal.regla == "capturadas entre esperadas; redondeo"


def test_formatos_viejos_se_auditan_con_lo_que_traen() -> None:
    for muestra in MUESTRAS:
        informe = auditar_base(Archivo(muestra.nombre, muestra.contenido))
        assert isinstance(informe.hallado, Hallado)
        assert redactar(informe)
    seis = auditar_base(Archivo("ine_2012.txt", MUESTRAS[0].contenido))
    assert isinstance(seis.hallado, Hallado)
    assert {d.coincide for d in seis.hallado.resumen} >= {True, None}


def test_tamaulipas_mezcla_de_ilegible_y_sin_dato_contabilizada() -> None:
    informe = _texto(TAMAULIPAS_2023, (",9,0,Ilegible,Sin dato,0,0,0,0,9,9,", "," + "Ilegible,Sin dato," * 4 + "9,0,"))
    assert _reglas(informe.hallado)["TODOS_SIN_DATO_CONTABILIZADA"] == 1


@pytest.mark.parametrize(
    ("marcadas", "sin_marcar", "boletas", "con"),
    [
        ([], [], 1000, False),
        ([(1001, 22)], [(994, 22)], 1000, False),
        ([(1023, 22)], [(1020, 22)], 1000, True),
        ([(1600, 10)], [(1500, 10)], 1500, False),
        ([], [(1600, 10)], None, False),
        ([(900, 10)], [(950, 10)], None, False),
    ],
)
def test_el_tope_de_las_especiales_se_deduce_de_lo_marcado(
    marcadas: list[tuple[int, int]], sin_marcar: list[tuple[int, int]], boletas: int | None, con: bool
) -> None:
    tope = inferencia.tope_especial(marcadas, sin_marcar)
    assert (tope.boletas, tope.con_representantes) == (boletas, con)
    assert tope.de(5) == (None if boletas is None else boletas + 5 * con)


def test_falta_la_columna_de_una_combinacion() -> None:
    base = leer_csv(TAMAULIPAS_2023.contenido)
    planilla = inferencia.planilla(base)
    assert planilla.combinaciones == {"PAN-PVEM": ("PAN", "PVEM"), "PVEM_PT_MORENA": ("PVEM", "PT", "MORENA")}
    assert planilla.faltantes() == (("PVEM", "PT"), ("PVEM", "MORENA"), ("PT", "MORENA"))


def _json(capsys: pytest.CaptureFixture[str], *argumentos: str) -> tuple[int, Any]:
    salida = main(argumentos)
    return salida, json.loads(capsys.readouterr().out)


def test_la_forma_json_es_estable(datos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    salida, objeto = _json(capsys, str(datos / QROO), "--json")
    assert salida == 1
    assert {"archivo", "dialecto", "resumen", "renglones", "veredicto"} <= set(objeto)
    assert len(objeto["resumen"]) == 12
    assert {tuple(d) for d in objeto["resumen"]} == {("campo", "publicado", "recalculado", "coincide", "regla")}
    assert objeto["renglones"]["total"] == 2136
    assert objeto["renglones"]["por_contabilizada"] == {"0": 105, "1": 2031, "2": 0, "": 0}
    assert {"regla", "clave_acta", "detalle"} <= set(objeto["renglones"]["violaciones"][0])
    assert objeto["veredicto"] == "discrepancias"


def test_un_paquete_con_varias_elecciones_da_una_lista(
    datos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    juntos = tmp_path / "campeche.zip"
    with zipfile.ZipFile(juntos, "w") as paquete:
        for ruta in sorted((datos / "campeche_2021").glob("*.zip")):
            paquete.write(ruta, ruta.name)
        paquete.writestr("ROTA_2021.csv", "esto no es una base")
    salida, lista = _json(capsys, str(juntos), "--json")
    assert salida == 2
    assert [o["veredicto"] for o in lista] == ["consistente"] * 4 + ["ilegible"]
    assert lista[-1]["motivo"]["siguiente"]


def test_el_archivo_no_existe_o_es_otra_cosa(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nada.zip")]) == 2
    assert "Siguiente paso" in capsys.readouterr().out
    assert main([str(tmp_path)]) == 2
    capsys.readouterr()
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04roto")
    salida, objeto = _json(capsys, "--json", str(tmp_path / "x.zip"))
    assert (salida, objeto["veredicto"], objeto["resumen"]) == (2, "ilegible", [])


def test_mal_escrita_la_orden_dice_como_se_usa(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Uso:" in capsys.readouterr().err
    assert main(["a", "--xml"]) == 2
    assert main(["--ayuda"]) == 0
    assert "Salida: 0 consistente" in capsys.readouterr().out


def _orden(*argumentos: str | bytes, salida: str = "", **ambiente: str) -> subprocess.CompletedProcess[bytes]:
    orden = [sys.executable, "-m", "auditoria.auditar", *argumentos]
    with Path(salida or os.devnull).open("wb") as destino:
        return subprocess.run(
            orden,
            stdout=destino if salida else subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=RAIZ,
            env=os.environ | ambiente,
            check=False,
        )


def test_disco_lleno_terminal_sin_acentos_o_nombre_que_no_es_texto(tmp_path: Path) -> None:
    """Salir con 1 se tomaría por «hay discrepancias»."""
    raro = os.fsencode(tmp_path) + b"/gub\xff.csv"
    Path(os.fsdecode(raro)).write_bytes(CDMX_2024.contenido)
    lleno = _orden(raro, salida="/dev/full")
    assert (lleno.returncode, lleno.stderr.count(b"\n")) == (2, 1)
    cerrada = subprocess.run(
        ["sh", "-c", '"$0" -m auditoria.auditar "$1" >&-', sys.executable, raro], cwd=RAIZ, check=False
    )
    assert cerrada.returncode == 2
    assert _orden(raro, PYTHONIOENCODING="ascii:strict").returncode == 0
    assert _orden(raro, PYTHONIOENCODING="utf-8:strict").returncode == 0
    objeto = json.loads(_orden(raro, "--json", PYTHONIOENCODING="ascii:strict").stdout.decode("utf-8"))
    assert objeto["tipo_eleccion"] == "JEFATURA DE GOBIERNO"


def test_un_defecto_de_la_propia_auditoria_no_se_toma_por_veredicto(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def falla(_: Path) -> list[Informe]:
        raise ZeroDivisionError

    monkeypatch.setattr("auditoria.auditar.auditar_archivo", falla)
    assert main(["x.csv"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert _json(capsys, "x.csv", "--json")[1]["veredicto"] == "ilegible"


def test_mal_escrita_la_orden_tambien_contesta_en_json(capsys: pytest.CaptureFixture[str]) -> None:
    salida, objeto = _json(capsys, "--json")
    assert (salida, objeto["veredicto"]) == (2, "ilegible")
    assert objeto["motivo"]["siguiente"]


def test_un_nombre_que_la_terminal_obedece() -> None:
    orden = "\x1b[2J\x1b]0;\x07\u202e\x9b"
    informe = _texto(CDMX_2024, ("JEFATURA", orden + "JEFATURA"), (",10,,1,,", f",10,{orden},1,,"))
    for archivo in ("a\nVEREDICTO: consistente\udcff.csv", "b.csv"):
        texto = redactar(replace(informe, archivo=archivo))
        assert "\ufffd" in texto
        assert all(c.isprintable() for c in texto.replace("\n", ""))
        assert sum(linea.startswith("VEREDICTO") for linea in texto.splitlines()) == 1


def test_el_informe_cabe_en_una_terminal_y_empieza_por_lo_importante(datos: Path) -> None:
    texto = redactar(auditar_archivo(datos / QROO)[0])
    portada = texto.partition("DETALLE 1")[0]
    assert len(portada.splitlines()) <= 40
    assert "VEREDICTO: hay discrepancias" in portada
    assert "6 actas con más votos que personas con derecho a votar" in portada
    assert max(map(len, texto.splitlines())) <= 100


def test_ninguna_regla_se_queda_sin_explicar() -> None:
    assert len({r.clave for r in REGLAS}) == len(REGLAS)
    assert all(r.publico and r.fundamento for r in REGLAS)
