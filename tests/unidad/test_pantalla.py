"""Las pantallas por dentro: quién puede entrar, qué se acepta de un formulario y qué se dice cuando algo falla."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from appliance.acceso import NIP_DE_PRACTICA
from appliance.arranque import Kiosco
from appliance.bandeja import Resumen, Veredicto
from appliance.falla import Falla
from appliance.mesa import Mesa
from appliance.pantalla.acta_nombrada import clave_tecleada
from appliance.pantalla.app import crear_app
from appliance.pantalla.barra import ALTO, enlace_de
from appliance.pantalla.hoja import campos_de, leer, renglones_de
from appliance.pantalla.rutas_acopio import hora_estampada
from appliance.pantalla.sesion import leer_secreto
from ensayo.puertos import puerto_libre
from nucleo.acta import Origen
from nucleo.acuse import Acuse
from nucleo.campo import ILEGIBLE, SIN_DATO, Numero
from nucleo.captura import PrimeraConcluida
from nucleo.hechos import Captura
from tests.kiosco_de_prueba import A1, EPOCA, PROCESO, abrir_mesa, bien, identidad, lectura
from tests.turno_de_prueba import entrar, oculto, teclear_nip


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    return abrir_mesa(tmp_path)


@contextmanager
def pantalla(mesa: Mesa, carpeta: Path, puerto: int) -> Iterator[httpx.Client]:
    """Las pantallas sirviendo de verdad, y un navegador sin JavaScript que manda su origen."""
    kiosco = Kiosco(mesa, mesa.almacen, PROCESO, identidad(), mesa.reloj, carpeta)
    app = crear_app(kiosco, puerto)
    servidor = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=puerto, log_level="critical"))
    hilo = threading.Thread(target=servidor.run)
    hilo.start()
    while not servidor.started:
        time.sleep(0.01)
    casa = f"http://127.0.0.1:{puerto}"
    cabeceras = {"origin": casa, "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=casa, headers=cabeceras, follow_redirects=True, trust_env=False) as cliente:
        yield cliente
    servidor.should_exit = True
    hilo.join(timeout=10)


@pytest.fixture
def navegador(mesa: Mesa, tmp_path: Path) -> Iterator[httpx.Client]:
    with pantalla(mesa, tmp_path, puerto_libre()) as cliente:
        yield cliente


def hoja_llena(pagina: str) -> dict[str, str | list[str]]:
    votos = lectura().campos()
    datos: dict[str, str | list[str]] = {n: oculto(pagina, n) for n in ("sello", "intento", "clase", "imagen")}
    datos["renglon"] = list(votos)
    return datos | {f"v.{clave}": str(campo.valor) for clave, campo in votos.items() if isinstance(campo, Numero)}


def abrir_hoja(navegador: httpx.Client, mesa: Mesa) -> str:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    entrar(navegador, "capturista-1")
    sello = oculto(navegador.get("/").text, "sello")
    pagina = navegador.post("/siguiente", data={"sello": sello, "intento": "i1"})
    assert pagina.url.path == f"/acta/GUB/{A1.casilla}"
    return pagina.text


# --------------------------------------------------------------------------------------------------------------- entrar


@pytest.mark.parametrize(
    "anfitrion", ["malo.example", "127.0.0.1", "127.0.0.1:9", "192.168.0.4:8080", "malo.example:8080"]
)
def test_un_sitio_ajeno_que_resuelve_a_esta_maquina_no_entra(navegador: httpx.Client, anfitrion: str) -> None:
    assert navegador.get("/", headers={"host": anfitrion}).status_code == 421


@pytest.mark.parametrize(
    "cabeceras",
    [{"origin": ""}, {"origin": "null"}, {"origin": "http://malo.example"}, {"sec-fetch-site": "cross-site"}],
)
def test_un_formulario_de_otro_sitio_no_escribe(navegador: httpx.Client, mesa: Mesa, cabeceras: dict[str, str]) -> None:
    pagina = abrir_hoja(navegador, mesa)
    respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=hoja_llena(pagina), headers=cabeceras)
    assert respuesta.status_code == 403
    assert mesa.almacen.ultimo().secuencia == 1


def test_sin_el_sello_de_la_sesion_no_se_escribe_y_se_dice_que_hacer(navegador: httpx.Client, mesa: Mesa) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa)) | {"sello": "0" * 64}
    respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=datos)
    assert respuesta.status_code == 403
    assert "esta página venció" in respuesta.text
    assert mesa.almacen.ultimo().secuencia == 1


def test_una_galleta_alterada_es_como_no_traer_ninguna(navegador: httpx.Client) -> None:
    entrar(navegador, "capturista-1")
    azar, firma = navegador.cookies["kiosco"].split(".")
    for otra in (f"{'0' * 32}.{firma}", f"{azar}.{'0' * 64}", azar, f"{azar}.coordinacion.{firma}"):
        navegador.cookies.clear()
        navegador.cookies.set("kiosco", otra)
        assert navegador.get("/").url.path == "/turno"


def test_si_la_pantalla_se_reinicia_el_formulario_abierto_sigue_valiendo(
    navegador: httpx.Client, mesa: Mesa, tmp_path: Path
) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa))
    with pantalla(mesa, tmp_path, puerto_libre()) as otra:
        otra.cookies = navegador.cookies
        teclear_nip(otra, otra.get("/turno").text, NIP_DE_PRACTICA)
        otra.post(f"/acta/GUB/{A1.casilla}", data=datos)
    assert isinstance(bien(mesa.estado(A1)), PrimeraConcluida)


def test_toda_respuesta_trae_sus_cabeceras(navegador: httpx.Client) -> None:
    for ruta in ("/turno", "/estatico/kiosco.js", "/no-existe"):
        cabeceras = navegador.get(ruta).headers
        assert cabeceras["cache-control"] == "no-store"
        assert "default-src 'none'" in cabeceras["content-security-policy"]
        assert "unsafe" not in cabeceras["content-security-policy"]


def test_el_secreto_vacio_por_un_corte_de_luz_se_rehace(tmp_path: Path) -> None:
    (tmp_path / "secreto").write_bytes(b"")
    secreto = leer_secreto(tmp_path / "secreto")
    assert len(secreto) == 32
    assert leer_secreto(tmp_path / "secreto") == secreto
    assert (tmp_path / "secreto").stat().st_mode & 0o077 == 0


# ------------------------------------------------------------------------------------------------------------- capturar


def test_el_segundo_toque_del_mismo_formulario_no_crea_otro_hecho(navegador: httpx.Client, mesa: Mesa) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa))
    for _ in range(2):
        respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=datos)
        assert respuesta.url.path == "/"
        assert "guardada" in respuesta.text
    assert sum(isinstance(h, Captura) for h in mesa.almacen.hechos_de(A1)) == 1


def test_el_segundo_toque_de_un_acopio_no_dice_que_fallo(navegador: httpx.Client, mesa: Mesa) -> None:
    entrar(navegador, "capturista-1")
    pagina = navegador.get(f"/acopio/GUB/{A1.casilla}").text
    datos = {n: oculto(pagina, n) for n in ("sello", "intento")} | {
        "hora": oculto(pagina, "hora"),
        "origen": str(Origen.CATD.value),
        "documento": "ACTA PREP",
        "traslado": "",
    }
    for _ in range(2):
        assert navegador.post(f"/acopio/GUB/{A1.casilla}", data=datos).url.path.endswith("/hecho")
    assert mesa.almacen.ultimo().secuencia == 1


def test_un_renglon_vacio_se_senala_en_su_lugar_y_lo_demas_se_conserva(navegador: httpx.Client, mesa: Mesa) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa)) | {"v.PRI": "", "v.MC": "12a", "v.PAN": "77"}
    respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=datos)
    assert respuesta.status_code == 422
    assert "Falta 1: PRI. Corrija 1: MC. Lo demás sigue aquí" in respuesta.text
    assert 'id="e-PRI"' in respuesta.text
    assert 'id="e-MC"' in respuesta.text
    assert 'name="v.PAN" value="77"' in respuesta.text
    assert mesa.almacen.ultimo().secuencia == 1


def test_lo_tecleado_nunca_se_interpreta_como_pagina(navegador: httpx.Client, mesa: Mesa) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa)) | {"v.PRI": '"><script>alert(1)</script>'}
    respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=datos)
    assert "<script>alert" not in respuesta.text


def test_faltan_renglones_porque_la_pagina_no_cargo_completa(navegador: httpx.Client, mesa: Mesa) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa))
    datos["renglon"] = list(datos["renglon"])[:-1]
    respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=datos)
    assert "Llegaron renglones de menos" in respuesta.text
    assert mesa.almacen.ultimo().secuencia == 1


def test_ver_una_pagina_no_toma_el_acta_ni_ensena_nada(navegador: httpx.Client, mesa: Mesa) -> None:
    bien(mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    entrar(navegador, "capturista-1")
    for ruta in (f"/acta/GUB/{A1.casilla}", f"/revision/GUB/{A1.casilla}", "/acta/GUB/nada", "/acta/NO/nada"):
        assert navegador.get(ruta).status_code == 409
    assert mesa.siguiente("capturista-2") == A1


def test_una_falla_inesperada_se_dice_sin_traza(
    navegador: httpx.Client, mesa: Mesa, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrar(navegador, "capturista-1")

    def tronar(_: object) -> None:
        raise ZeroDivisionError("detalle interno")

    monkeypatch.setattr(mesa, "avance", tronar)
    respuesta = navegador.get("/")
    assert respuesta.status_code == 500
    assert "Siguiente paso" in respuesta.text
    assert "detalle interno" not in respuesta.text


def test_el_disco_se_llena_al_guardar_y_la_pantalla_lo_explica(
    navegador: httpx.Client, mesa: Mesa, monkeypatch: pytest.MonkeyPatch
) -> None:
    datos = hoja_llena(abrir_hoja(navegador, mesa))

    def sin_espacio() -> None:
        raise Falla("DISCO_LLENO", "No se guardó: el disco del kiosco está lleno", "imágenes", "llame al área técnica")

    monkeypatch.setattr(mesa.almacen, "transaccion", sin_espacio)
    respuesta = navegador.post(f"/acta/GUB/{A1.casilla}", data=datos)
    assert "el disco del kiosco está lleno" in respuesta.text


# ------------------------------------------------------------------------------------------------------- piezas sueltas


@pytest.mark.parametrize(
    ("textos", "marcas", "esperado"),
    [
        (["0"], [], Numero(0)),
        ([" 007 "], [], Numero(7)),
        (["99999"], [], Numero(99999)),
        ([""], ["ILEGIBLE"], ILEGIBLE),
        ([], ["SIN DATO"], SIN_DATO),
        ([""], [], None),
        (["-1"], [], None),
        (["1.5"], [], None),
        (["100000"], [], None),
        (["٣"], [], None),
        (["ILEGIBLE"], [], None),
        (["5"], ["SIN DATO"], None),
        ([""], ["ILEGIBLE", "SIN DATO"], None),
        ([""], ["otra"], None),
    ],
)
def test_que_se_acepta_en_un_renglon(textos: list[str], marcas: list[str], esperado: object) -> None:
    renglon = renglones_de(PROCESO, A1)[0]
    tecleado = leer([renglon], {f"v.{renglon.clave}": textos, f"m.{renglon.clave}": marcas})
    campos = campos_de(tecleado)
    assert (campos[renglon.clave] if campos is not None else None) == esperado


def test_la_hoja_trae_los_renglones_en_el_orden_del_acta() -> None:
    assert [r.clave for r in renglones_de(PROCESO, A1)] == list(lectura().campos())


def test_la_hora_estampada_cruza_la_medianoche() -> None:
    ahora = datetime.fromisoformat("2022-06-06T00:20:00-05:00")
    assert hora_estampada("23:50", ahora) == datetime.fromisoformat("2022-06-05T23:50:00-05:00")
    assert hora_estampada("0:20", ahora) == ahora
    assert hora_estampada("00:45", ahora) == ahora + timedelta(minutes=25)
    for mala in ("", "2350", "24:00", "12:60", "a:b", "12:30:00", "²:30"):
        assert hora_estampada(mala, ahora) is None


def test_la_clave_se_acepta_como_la_gente_la_escribe() -> None:
    assert clave_tecleada(" 20 0001-b01 00 ") == "200001B0100"


def test_la_barra_dice_la_verdad_del_enlace() -> None:
    maquina = datetime(2026, 6, 7, 2, 0, tzinfo=UTC)
    pantalla = datetime.fromisoformat("2022-06-05T20:30:00-05:00")

    def barra(pendientes: int, hace_s: float | None, apartados: int = 0, alarma: str | None = None) -> tuple[str, str]:
        ultimo = None if hace_s is None else maquina - timedelta(seconds=hace_s)
        enlace = enlace_de(Resumen(90, "0" * 64, pendientes, apartados, alarma, ultimo), maquina, pantalla)
        return enlace.clase, enlace.texto

    assert barra(37, 16 * 60) == ("mal", "sin enlace desde 20:14 · 37 en espera")
    assert barra(0, 5) == ("bien", "con enlace · todo entregado al centro")
    assert barra(2, 5) == ("bien", "con enlace, enviando · 2 en espera")
    assert barra(3, None) == ("mal", "aún sin enlace con el centro · 3 en espera")
    assert barra(2, 5, apartados=1)[0] == "espera"
    assert barra(0, 5, alarma="bifurcado") == ("mal", "ALTO: llame al área técnica")
    assert barra(0, -3600)[0] == "mal", "un reloj que retrocede no aparenta tener enlace"


def test_tras_restaurar_el_disco_toda_pagina_dice_que_lo_nuevo_puede_no_contarse(
    navegador: httpx.Client, mesa: Mesa
) -> None:
    hoja = hoja_llena(abrir_hoja(navegador, mesa))
    ajeno = Acuse("catd-01", EPOCA, 9, "c" * 64, (), (), (), datetime.now(UTC))
    assert mesa.almacen.cerrar(ajeno, datetime.now(UTC)).veredicto is Veredicto.RETROCEDIDO
    rutas = ("/", "/turno", "/acopio", "/sin-acta", f"/acta/GUB/{A1.casilla}", "/no-existe", "/barra")
    for ruta in rutas:
        pagina = navegador.get(ruta).text
        assert ALTO in pagina, ruta
    assert "puede no contarse" in ALTO
    assert "recapturarlo cuando el kiosco se vuelva a inscribir" in ALTO
    assert "guardada" in navegador.post(f"/acta/GUB/{A1.casilla}", data=hoja).text, "no se impide capturar"
