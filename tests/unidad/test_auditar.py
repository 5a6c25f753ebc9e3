"""Auditar bases ajenas: los defectos publicados que se conocen y los que podrían publicarse."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
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
    otro = renglon.replace("001,GUSTAVO", "002,GUSTAVO")
    partida = _reglas(_texto(CDMX_2024, (renglon, f"{renglon}\n{otro}")).hallado)
    assert (partida["CLAVE_EN_DOS_DIVISIONES"], partida["ACTA_DUPLICADA"]) == (2, 0)


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
