"""Acopio, faltantes, sin acta y etiqueta, por HTTP: lo que se confirma es lo que queda, una sola vez."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.ambito import leer_ambito
from appliance.esperadas import Esperadas, Situacion, por_lugar
from appliance.etiquetas import emitir, es_nuestra
from appliance.falla import Falla
from appliance.mesa import Mesa
from appliance.pantalla.acta_nombrada import clave_tecleada
from appliance.pantalla.rutas_acopio import hora_estampada
from nucleo.acta import MotivoSinActa, Origen
from nucleo.codigo_qr import codigo_de
from nucleo.etiqueta import Etiqueta, leer_etiqueta, texto_qr
from nucleo.hechos import Acopio, IdActa, SinActa
from tests.kiosco_de_prueba import A1, A2, PROCESO, abrir_mesa, bien, hora, lectura
from tests.pantallas_de_prueba import mandar, pantallas

HUSO = ZoneInfo(PROCESO.huso)
AHORA = f"{hora().astimezone(HUSO):%H:%M}"
COMO = {"hora": AHORA, "origen": "CATD", "documento": "ACTA PREP", "traslado": ""}
CONFIRMA = {"confirma": "coordinacion", "nip": "000000"}


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    return abrir_mesa(tmp_path)


def ruta(acta: IdActa) -> str:
    return f"/acopio/{acta.eleccion}/{acta.casilla}"


def test_por_codigo_por_clave_y_por_seccion_se_llega_a_la_misma_acta(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    casilla = PROCESO.casillas[A1.casilla]
    for que in (
        codigo_de(casilla, PROCESO.elecciones["GUB"]),
        texto_qr(emitir(mesa.almacen, A1, "capturista-1", hora())),
        "20 0001 B01-00".lower(),
    ):
        pagina = mandar(navegador, "/acopio", "/acopio/buscar", que=que)
        assert "¿Es la de su papel?" in pagina, que
        assert f'action="{ruta(A1)}"' in pagina
    pagina = mandar(navegador, "/acopio", "/acopio/buscar", que=str(casilla.seccion))
    assert f'href="{ruta(A1)}"' in pagina
    assert mesa.almacen.hechos_de(A1) == []


def test_confirmar_registra_lo_confirmado_y_una_sola_vez(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    como = COMO | {"documento": "PPC", "traslado": "F", "origen": "CASILLA"}
    assert "Acopio registrado" in mandar(navegador, ruta(A1), ruta(A1), **como)
    (acopio,) = mesa.almacen.hechos_de(A1)
    assert isinstance(acopio, Acopio)
    assert (acopio.tipo_documento, acopio.mecanismo_traslado, acopio.origen) == ("PPC", "F", Origen.CASILLA)
    assert (acopio.hora.astimezone(HUSO).strftime("%H:%M"), acopio.persona) == (AHORA, "capturista-1")
    otra = mandar(navegador, ruta(A1), ruta(A1), **como)
    assert "ya se acopió a las" in otra
    assert len(mesa.almacen.hechos_de(A1)) == 1


@pytest.mark.parametrize(
    ("mala", "dice"),
    [
        ({"hora": "25:99"}, "La hora no se entiende"),
        ({"hora": "03:00"}, "fuera de la operación del PREP"),
        ({"documento": "FACTURA"}, "Falta elegir"),
        ({"origen": ""}, "Falta elegir"),
        ({"traslado": "X"}, "Falta elegir"),
    ],
)
def test_lo_mal_puesto_se_dice_y_no_registra_nada(mesa: Mesa, tmp_path: Path, mala: dict[str, str], dice: str) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    assert dice in mandar(navegador, ruta(A1), ruta(A1), **(COMO | mala))
    assert mesa.almacen.hechos_de(A1) == []


@pytest.mark.parametrize("que", ["", "9999", "https://ejemplo.mx", "PREP1:GUB/200001B0100:ZZZ:0", "99|x", "á" * 200])
def test_lo_que_no_es_un_acta_se_explica(mesa: Mesa, tmp_path: Path, que: str) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    pagina = mandar(navegador, "/acopio", "/acopio/buscar", que=que)
    assert "Siguiente paso:" in pagina
    assert "¿Es la de su papel?" not in pagina


def test_sin_acta_lo_confirma_otra_persona_con_su_nip(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    datos = {"eleccion": "GUB", "casilla": A1.casilla, "motivo": "2"}
    for faltante, dice in (
        ({}, "Falta que confirme Coordinación"),
        ({"confirma": "capturista-2", "nip": "000000"}, "Falta que confirme Coordinación"),
        ({"confirma": "coordinacion", "nip": "123123"}, "no es el NIP de"),
    ):
        assert dice in mandar(navegador, "/sin-acta", "/sin-acta", **(datos | faltante))
        assert mesa.almacen.hechos_de(A1) == []
    assert "quedó declarada sin acta" in mandar(navegador, "/sin-acta", "/sin-acta", **(datos | CONFIRMA))
    (hecho,) = mesa.almacen.hechos_de(A1)
    assert isinstance(hecho, SinActa)
    assert (hecho.motivo, hecho.persona, hecho.confirma) == (
        MotivoSinActa.CASILLA_NO_INSTALADA,
        "capturista-1",
        "coordinacion",
    )


def test_quien_coordina_no_se_confirma_a_si_misma(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "coordinacion")
    datos = {"eleccion": "GUB", "casilla": A1.casilla, "motivo": "2"}
    assert "no puede confirmar" in mandar(navegador, "/sin-acta", "/sin-acta", **(datos | CONFIRMA))
    assert mesa.almacen.hechos_de(A1) == []


def test_la_cuarta_causa_no_se_ofrece_sin_urna_electronica(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    assert "urna electrónica" not in navegador.get("/sin-acta").text
    datos = {"eleccion": "GUB", "casilla": A1.casilla, "motivo": "4"}
    assert "Falta el motivo" in mandar(navegador, "/sin-acta", "/sin-acta", **(datos | CONFIRMA))


def test_la_etiqueta_se_imprime_a_pdf_y_el_kiosco_la_reconoce(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    mandar(navegador, ruta(A1), ruta(A1), **COMO)
    pagina = mandar(navegador, ruta(A1) + "/hecho", ruta(A1) + "/etiqueta")
    assert "Etiqueta en PDF" in pagina
    (pdf,) = (tmp_path / "impresos").iterdir()
    respuesta = navegador.get(f"/impreso/{pdf.name}")
    assert respuesta.content == pdf.read_bytes()
    assert respuesta.content.startswith(b"%PDF")
    assert navegador.get("/impreso/..%2Falmacen.sqlite").status_code == 404


def test_sin_acopio_no_hay_etiqueta(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    assert "aún no está acopiada" in mandar(navegador, "/acopio", ruta(A1) + "/etiqueta")


def test_una_etiqueta_ajena_o_de_otra_acta_no_es_nuestra(mesa: Mesa) -> None:
    nuestra = emitir(mesa.almacen, A1, "a", hora())
    assert leer_etiqueta(texto_qr(nuestra)) == nuestra
    with mesa.almacen.lectura() as mirada:
        assert es_nuestra(mirada, nuestra)
        assert not es_nuestra(mirada, Etiqueta(A2, nuestra.nonce))
        assert not es_nuestra(mirada, Etiqueta(A1, "0" * 12))


def test_las_cuentas_de_lo_esperado_cuadran_en_cada_paso(mesa: Mesa, tmp_path: Path) -> None:
    esperadas = Esperadas(mesa.fila, PROCESO, leer_ambito(tmp_path, PROCESO))

    def cuentas() -> dict[Situacion, int]:
        todas = esperadas.todas("GUB")
        assert sum(c.total for c in por_lugar(todas)) == len(todas) == len(PROCESO.esperadas("GUB"))
        return {s: n for s in Situacion if (n := sum(e.situacion is s for e in todas))}

    total = len(PROCESO.esperadas("GUB"))
    assert cuentas() == {Situacion.FALTA: total}
    bien(mesa.acopiar(A1, persona="a", origen=Origen.CATD, hora=hora()))
    bien(mesa.declarar_sin_acta(A2, "a", "b", MotivoSinActa.CASILLA_NO_INSTALADA))
    assert cuentas() == {Situacion.FALTA: total - 2, Situacion.SIN_ACTA: 1, Situacion.ACOPIADA: 1}
    for persona in ("ana", "beto"):
        bien(mesa.tomar(A1, persona))
        bien(mesa.capturar(A1, persona, lectura()))
    bien(mesa.acopiar(A2, persona="a", origen=Origen.CATD, hora=hora()))
    assert cuentas() == {Situacion.FALTA: total - 2, Situacion.ACOPIADA: 1, Situacion.VERIFICADA: 1}


def test_las_faltantes_se_ven_y_lo_llegado_desaparece(mesa: Mesa, tmp_path: Path) -> None:
    navegador = pantallas(mesa, tmp_path, "capturista-1")
    total = len(PROCESO.esperadas("GUB"))
    assert f"Faltan {total} de {total}" in navegador.get("/esperadas").text
    mandar(navegador, ruta(A1), ruta(A1), **COMO)
    pagina = navegador.get("/esperadas").text
    assert f"Faltan {total - 1} de {total}" in pagina
    assert f'href="{ruta(A1)}"' not in pagina
    for rara in ("?desde=-1", "?desde=99999999999", "?seccion=%F0%9F%92%A5", "?lugar=x", "?eleccion=NADA"):
        assert navegador.get("/esperadas" + rara).status_code == 200


@pytest.mark.parametrize(
    ("texto", "causa"),
    [
        ("", "sólo lleva listas"),
        ("distritos = 3", "no es una lista de números"),
        ("secciones = [9999]", "no está en el catálogo"),
        ("colonias = [1]", "sólo lleva listas"),
        ("secciones = [", "no se puede leer"),
        ("secciones = []", "no elige ninguna"),
    ],
)
def test_un_ambito_mal_escrito_dice_que_y_donde(tmp_path: Path, texto: str, causa: str) -> None:
    (tmp_path / "ambito.toml").write_text(texto)
    with pytest.raises(Falla, match=causa):
        leer_ambito(tmp_path, PROCESO)


def test_el_ambito_solo_espera_lo_suyo(tmp_path: Path) -> None:
    (tmp_path / "ambito.toml").write_text("secciones = [1]")
    ambito = leer_ambito(tmp_path, PROCESO)
    assert not ambito.completo
    assert {PROCESO.casillas[c].seccion for c in ambito.casillas} == {1}


def test_la_hora_estampada_de_antes_de_medianoche_es_de_ayer() -> None:
    ahora = hora().replace(hour=0, minute=20) + timedelta(days=1)
    assert hora_estampada("23:50", ahora) == ahora.replace(hour=23, minute=50) - timedelta(days=1)
    assert hora_estampada("0:45", ahora) == ahora.replace(hour=0, minute=45)
    assert clave_tecleada(" 20 0001-b01 00 ") == "200001B0100"
