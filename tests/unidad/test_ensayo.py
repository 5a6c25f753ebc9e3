"""El ensayo no puede darse la razón solo: si nuestra base difiere sin causa conocida, tiene que decirlo."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont
from pyzbar import pyzbar

from auditoria.reglas_porcentaje import truncado_dos_veces
from ensayo import dibujo, formato_dibujado, medir, reproducir
from ensayo.agenda import Documento, agenda_de, cargar, con_desliz, guardar
from ensayo.comparacion import Comparacion, comparar
from ensayo.noche import DATOS, Noche, cargar_noche
from ensayo.publicada import Publicada, publicada
from nucleo.base_oficial import paquetes
from nucleo.base_oficial.escritura import escribir_zip
from nucleo.base_oficial.lectura import leer_csv
from nucleo.codigo_qr import CodigoInvalido, codigo_de, leer_codigo
from nucleo.computo import Resumen, resumir
from nucleo.hechos import Acopio, Captura, FueraDeCatalogo, Hecho, Imagen, SinActa
from nucleo.libro import actas_de

QROO = DATOS / "quintana_roo_2019" / "20190603_0547_PREP_DIP_QROO.zip"
CAMPECHE = DATOS / "campeche_2021" / "20210601_1852_PREP_GOB_CAMP.zip"


@pytest.fixture(scope="module")
def noche() -> Noche:
    return cargar_noche()


@pytest.fixture(scope="module")
def corte_2120(noche: Noche) -> tuple[Publicada, Publicada, Resumen]:
    """Lo publicado a las 21:20, lo nuestro (sin red, directo de los hechos) y nuestro resumen."""
    hora, suya = noche.cortes[0]
    hechos = [h for a in noche.agendas.values() for d in a.documentos for h in _hechos(d) if _hora(d) <= hora]
    actas = actas_de(noche.proceso, "GUB", hechos)
    nombre, contenido = escribir_zip(noche.proceso, "GUB", actas, hora, False)
    (archivo,) = paquetes.bases(contenido, nombre)
    nuestra = publicada(leer_csv(archivo.contenido, archivo.nombre))
    return suya, nuestra, resumir(actas, noche.proceso, "GUB", False)


def _hora(d: Documento) -> datetime:
    return d.verificacion or d.acopio


def _hechos(d: Documento) -> list[Hecho]:
    if d.sin_acta is not None:
        return [SinActa(d.acta, d.acopio, d.sin_acta, "a", "b")]
    if d.asentado is None or d.captura is None or d.verificacion is None:
        folio, huella = d.huella_publicada[:20].upper(), d.huella_publicada
        procedencia = (d.origen, d.digitalizacion, d.tipo_documento, d.mecanismo_traslado)
        return [FueraDeCatalogo(d.acta.eleccion, folio, d.acopio, *procedencia, huella, "a")]
    return [
        Acopio(d.acta, d.acopio, d.origen, d.tipo_documento, d.mecanismo_traslado, "a"),
        Imagen(d.acta, d.acopio, "0" * 64, 1, d.digitalizacion, "a"),
        Captura(d.acta, 1, d.captura, "una", d.asentado),
        Captura(d.acta, 1, d.verificacion, "otra", d.asentado),
    ]


def test_toda_diferencia_con_oaxaca_tiene_nombre_y_aritmetica(corte_2120: tuple[Publicada, Publicada, Resumen]) -> None:
    comparacion = comparar("21:20", *corte_2120)
    assert comparacion.sin_explicar == []
    assert comparacion.iguales_derivadas > 45_000
    assert all(d.aritmetica for d in (*comparacion.resumen, *comparacion.renglones))


def _cambiar(base: Publicada, clave: str, cambios: Mapping[str, str]) -> Publicada:
    renglones = tuple({**r, **cambios} if r["CLAVE_ACTA"] == clave else r for r in base.renglones)
    return replace(base, renglones=renglones)


@pytest.mark.parametrize(
    "cambios",
    [
        {"PAN": "999"},
        {"TOTAL_VOTOS_CALCULADO": "1"},
        {"CONTABILIZADA": "0"},
        {"OBSERVACIONES": "EXCEDE LISTA NOMINAL"},
        {"LISTA_NOMINAL": "1"},
        {"FECHA_HORA_CAPTURA": "05/06/2022 23:59:59"},
    ],
)
def test_un_valor_cambiado_en_nuestra_base_no_se_disculpa(
    corte_2120: tuple[Publicada, Publicada, Resumen], cambios: dict[str, str]
) -> None:
    suya, nuestra, resumen = corte_2120
    sospechosas = comparar("21:20", suya, _cambiar(nuestra, "200002B010002", cambios), resumen).sin_explicar
    assert {d.campo for d in sospechosas} == set(cambios)


def test_un_renglon_perdido_o_de_mas_no_se_disculpa(corte_2120: tuple[Publicada, Publicada, Resumen]) -> None:
    suya, nuestra, resumen = corte_2120
    perdida: Comparacion = comparar("21:20", suya, replace(nuestra, renglones=nuestra.renglones[:-1]), resumen)
    assert [d.nuestro for d in perdida.sin_explicar] == ["ausente"]
    sobra = comparar("21:20", replace(suya, renglones=suya.renglones[:-1]), nuestra, resumen)
    assert [d.publicado for d in sobra.sin_explicar] == ["ausente"]


def test_un_dato_del_resumen_que_nadie_explica_se_dice(corte_2120: tuple[Publicada, Publicada, Resumen]) -> None:
    suya, nuestra, resumen = corte_2120
    otro = replace(suya, base=replace(suya.base, resumen={**suya.resumen, "TOTAL_VOTOS_C_CS": "539273"}))
    assert [d.campo for d in comparar("21:20", otro, nuestra, resumen).sin_explicar] == ["TOTAL_VOTOS_C_CS"]


def test_el_doble_truncamiento_en_flotante_da_lo_que_publico_oaxaca() -> None:
    assert truncado_dos_veces(4356, 5707) == "76.3272"
    assert truncado_dos_veces(526059, 1425544) == "36.9022"
    assert truncado_dos_veces(0, 0) == "0.0000"


def test_la_agenda_se_lee_como_se_escribio(noche: Noche, tmp_path: Path) -> None:
    for agenda in noche.agendas.values():
        guardar(agenda, tmp_path / "agenda.json")
        assert cargar(tmp_path / "agenda.json") == agenda


def test_la_agenda_no_adelanta_la_captura_al_acopio(noche: Noche) -> None:
    for agenda in noche.agendas.values():
        vistas: set[int] = set()
        for tarea in agenda.tareas:
            assert tarea.accion != "capturar" or tarea.documento in vistas
            vistas.add(tarea.documento)


def test_el_desliz_cambia_un_solo_campo(noche: Noche) -> None:
    documentos = [d for a in noche.agendas.values() for d in a.documentos if d.asentado]
    assert len(agenda_de(documentos[:3]).documentos) == 3
    for d in documentos[:200]:
        assert d.asentado is not None
        antes, despues = d.asentado.campos(), con_desliz(d.asentado).campos()
        assert sum(antes[c] != despues[c] for c in antes) == 1


def test_reproducir_en_ceros_coincide(capsys: pytest.CaptureFixture[str]) -> None:
    assert reproducir.principal([str(CAMPECHE), "--json"]) == 0
    dato = json.loads(capsys.readouterr().out)
    assert dato["veredicto"] == "consistente"
    assert len(dato["resumen"]) == 12


def test_reproducir_senala_las_actas_que_quintana_roo_conto_de_mas(capsys: pytest.CaptureFixture[str]) -> None:
    assert reproducir.principal([str(QROO), "--json"]) == 1
    dato = json.loads(capsys.readouterr().out)
    assert {"archivo", "dialecto", "resumen", "renglones", "veredicto"} <= set(dato)
    assert {v["regla"] for v in dato["renglones"]["violaciones"]} == {"CONTABILIZADA_DISTINTA"}
    assert len(dato["renglones"]["violaciones"]) == 6
    assert not any("ninguna de las reglas" in d["regla"] for d in dato["resumen"])
    assert dato["sobres"] > 8_000


def test_reproducir_lo_que_no_se_puede_leer_sale_con_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    basura = tmp_path / "acta.csv"
    basura.write_bytes(b"\x00\xffno soy una base")
    assert reproducir.principal([str(basura)]) == 2
    assert "Siguiente paso" in capsys.readouterr().err
    assert reproducir.principal([str(tmp_path / "no_existe.zip"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["veredicto"] == "ilegible"


def test_medir_da_una_razon_contra_la_referencia_de_la_misma_corrida(capsys: pytest.CaptureFixture[str]) -> None:
    assert medir.principal(["--sobres", "120", "--rondas", "2", "--json"]) == 0
    dato = json.loads(capsys.readouterr().out)
    assert len(dato["rondas"]) == 2
    assert dato["razon_mediana"] > 1, "el centro no puede costar menos que verificar y guardar"


def test_instalar_otro_programa_no_cambia_la_huella_de_las_imagenes() -> None:
    # Con libfribidi presente (la trae Chromium), Pillow pasaría a otro trazador y cada imagen tendría otra huella.
    assert formato_dibujado.letra(28).layout_engine is ImageFont.Layout.BASIC


def test_dos_dibujos_de_la_misma_acta_son_los_mismos_bytes(noche: Noche) -> None:
    documento = next(d for a in noche.agendas.values() for d in a.documentos if d.asentado)
    casilla = noche.proceso.casillas[documento.acta.casilla]
    hojas = {dibujo.dibujar(casilla, noche.eleccion, documento.asentado) for _ in range(3)}
    assert len(hojas) == 1
    assert dibujo.dibujar(casilla, noche.eleccion, None) not in hojas


def test_el_qr_del_dibujo_se_lee_y_dice_que_acta_es(noche: Noche) -> None:
    documento = next(d for a in noche.agendas.values() for d in a.documentos if d.asentado)
    casilla = noche.proceso.casillas[documento.acta.casilla]
    hoja = Image.open(io.BytesIO(dibujo.dibujar(casilla, noche.eleccion, documento.asentado))).convert("L")
    leidos = [s.data.decode() for s in pyzbar.decode(hoja)]
    assert leidos == [codigo_de(casilla, noche.eleccion)]
    assert leer_codigo(leidos[0]).clave_casilla == casilla.clave


@given(st.text(max_size=60))
def test_un_qr_cualquiera_da_un_codigo_o_un_error_limpio(texto: str) -> None:
    try:
        codigo = leer_codigo(texto)
    except CodigoInvalido:
        return
    assert len(codigo.clave_casilla) >= 11
