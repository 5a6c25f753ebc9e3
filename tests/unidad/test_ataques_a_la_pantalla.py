"""Quien intenta pasarse de lista frente al kiosco, o tiene mala suerte justo a la mitad de algo."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from appliance import nip as nips
from appliance.acceso import FALLAS, Acceso
from appliance.arranque import Kiosco
from appliance.falla import Falla
from appliance.impresion.puerto import EstadoImpresora
from appliance.mesa import Mesa
from appliance.pantalla.app import crear_app
from appliance.pantalla.guardias import Guardias
from appliance.pantalla.pagina import Entrada, PaginaVencida, Pantalla, SinPersona
from appliance.pantalla.sesion import Sesion
from appliance.personas import DE_PRACTICA, Papel, Persona
from appliance.puesto import SIN_APARATOS, Puesto
from nucleo.acta import Origen
from nucleo.campo import Numero
from nucleo.captura import Discrepante, EnRevision, PrimeraConcluida, Verificada
from tests.kiosco_de_prueba import A1, A2, PROCESO, abrir_mesa, bien, codigo, identidad, lectura
from tests.persona_por_http import escrito
from tests.turno_de_prueba import entrar, oculto

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

CASA: Final = "http://127.0.0.1:8080"
RUTA: Final = f"/acta/GUB/{A1.casilla}"
NIP: Final = "482915"


class Atorada:
    """Una impresora que no contesta hasta que alguien la destraba."""

    def __init__(self) -> None:
        self.imprimiendo, self.destrabada = Event(), Event()

    def estado(self) -> EstadoImpresora:
        return EstadoImpresora("atorada", True, "lista")

    def imprimir(self, pdf: bytes, titulo: str) -> str:
        self.imprimiendo.set()
        assert self.destrabada.wait(60)
        return "atorada"


@pytest.fixture
def mesa(tmp_path: Path) -> Iterator[Mesa]:
    mesa = abrir_mesa(tmp_path)
    for acta in (A1, A2):
        bien(mesa.acopiar(acta, persona="acopio-1", origen=Origen.CATD))
    yield mesa
    mesa.almacen.desconectar()


def pantallas(mesa: Mesa, carpeta: Path, puesto: Puesto = SIN_APARATOS) -> FastAPI:
    return crear_app(Kiosco(mesa, mesa.almacen, PROCESO, identidad(), mesa.reloj, carpeta), 8080, puesto)


@pytest.fixture
def app(mesa: Mesa, tmp_path: Path) -> FastAPI:
    return pantallas(mesa, tmp_path)


def estacion(app: FastAPI, clave: str = "") -> TestClient:
    cabeceras = {"origin": CASA, "sec-fetch-site": "same-origin"}
    navegador = TestClient(app, base_url=CASA, headers=cabeceras, raise_server_exceptions=False)
    if clave:
        entrar(navegador, clave)
    return navegador


def sellos(pagina: str, *nombres: str) -> dict[str, Any]:
    return {n: oculto(pagina, n) for n in nombres or ("sello", "intento")}


def abrir(navegador: TestClient) -> str:
    return str(navegador.post("/siguiente", data=sellos(navegador.get("/").text)).text)


def llena(pagina: str, **distintos: int) -> dict[str, Any]:
    """El formulario de la hoja de A1 que trae esa página, con los renglones que pide."""
    campos = lectura(A1, **{clave: Numero(valor) for clave, valor in distintos.items()}).campos()
    pedidos = [clave for clave in campos if f'name="v.{clave}"' in pagina]
    datos = sellos(pagina, "sello", "intento", "clase", "imagen") | {"renglon": pedidos}
    if 'name="revisada"' in pagina:
        datos["revisada"] = "1"
    for clave in pedidos:
        datos |= escrito(clave, campos[clave])
    return datos


@contextmanager
def disco_de_solo_lectura(mesa: Mesa) -> Iterator[None]:
    """Como lo deja el sistema cuando el disco empieza a fallar: se lee, no se escribe."""
    mesa.almacen._conexion.execute("PRAGMA query_only = 1")
    try:
        yield
    finally:
        mesa.almacen._conexion.execute("PRAGMA query_only = 0")


def leer_aparte(mesa: Mesa, persona: str, **distintos: int) -> None:
    """Otra persona concluye su lectura de A1 en otra estación."""
    bien(mesa.tomar(A1, persona))
    asentado = lectura(A1, **{clave: Numero(valor) for clave, valor in distintos.items()})
    for revisada in (False, True):
        bien(mesa.concluir(A1, persona, asentado, revisada=revisada))
        if codigo_de_abierta(mesa, persona):
            return


def codigo_de_abierta(mesa: Mesa, persona: str) -> str:
    abierta = mesa.abierta(A1, persona)
    return getattr(abierta, "codigo", "")


# -------------------------------------------------------------------------------------- varias personas a la vez


def test_el_mismo_numero_de_intento_no_contesta_lo_de_otra_persona(mesa: Mesa, app: FastAPI) -> None:
    ana, beto = estacion(app, "capturista-1"), estacion(app, "capturista-2")
    for navegador in (ana, beto):
        navegador.post("/siguiente", data=sellos(navegador.get("/").text) | {"intento": "repetido"})
    assert bien(mesa.abiertas_de("capturista-1")) == [A1]
    assert bien(mesa.abiertas_de("capturista-2")) == [A2]


def test_el_mismo_numero_de_intento_en_otra_pagina_si_se_atiende(mesa: Mesa, app: FastAPI) -> None:
    ana = estacion(app, "capturista-1")
    ana.post("/siguiente", data=sellos(ana.get("/").text) | {"intento": "repetido"})
    ana.post(RUTA, data=llena(ana.get(RUTA).text) | {"intento": "repetido"})
    assert isinstance(bien(mesa.estado(A1)), PrimeraConcluida)


@pytest.mark.parametrize("que", ["relevo", "bloqueo", "fin"])
def test_se_cambia_de_persona_mientras_su_formulario_esperaba_turno(app: FastAPI, que: str) -> None:
    p: Pantalla = app.state.pantalla
    azar, ana = "a" * 32, DE_PRACTICA[0]
    p.turnos.abrir(azar, ana.clave)
    entrada = Entrada(Sesion(azar, ana.clave), ana, {"intento": ["uno"]}, "/turno/terminar", p.turnos.de(azar))
    match que:
        case "relevo":
            p.turnos.abrir(azar, "capturista-2")
        case "bloqueo":
            p.turnos.bloquear(azar, "la bloqueó su persona")
        case _:
            p.turnos.cerrar(azar)
    antes = p.turnos.de(azar)
    with pytest.raises(SinPersona if que == "bloqueo" else PaginaVencida):
        p.una_vez(entrada, lambda: pytest.fail("se hizo a nombre de quien ya no estaba"))
    assert p.turnos.de(azar) == antes


def test_el_nip_de_quien_fue_relevada_no_desbloquea_el_turno_de_la_otra(app: FastAPI) -> None:
    turnos = app.state.pantalla.turnos
    azar = "b" * 32
    turnos.abrir(azar, "capturista-2")
    turnos.bloquear(azar, "la bloqueó su persona")
    turnos.desbloquear(azar, "capturista-1")
    assert turnos.de(azar).bloqueado


def test_una_impresora_atorada_no_detiene_a_las_demas_estaciones(mesa: Mesa, tmp_path: Path) -> None:
    impresora = Atorada()
    app = pantallas(mesa, tmp_path, Puesto(impresora=impresora))
    acopio, captura = estacion(app, "capturista-1"), estacion(app, "capturista-2")
    hecho = f"/acopio/GUB/{A1.casilla}/hecho"
    datos = sellos(acopio.get(hecho).text)
    imprime = Thread(target=lambda: acopio.post(f"/acopio/GUB/{A1.casilla}/etiqueta", data=datos))
    imprime.start()
    try:
        assert impresora.imprimiendo.wait(30)
        guarda = Thread(target=lambda: captura.post(RUTA, data=llena(abrir(captura))))
        guarda.start()
        guarda.join(20)
        assert isinstance(bien(mesa.estado(A1)), PrimeraConcluida)
    finally:
        impresora.destrabada.set()
        imprime.join(30)


# ------------------------------------------------------------------------------------------ nada tecleado se pierde


def test_el_disco_no_admite_la_hoja_y_lo_tecleado_sigue_en_la_pantalla(mesa: Mesa, app: FastAPI) -> None:
    ana = estacion(app, "capturista-1")
    datos = llena(abrir(ana), PRI=4321)
    with disco_de_solo_lectura(mesa):
        respuesta = ana.post(RUTA, data=datos)
    assert respuesta.status_code == 409
    assert "No se" in respuesta.text
    assert "Siguiente paso" in respuesta.text
    assert 'value="4321"' in respuesta.text
    # Y con el disco de vuelta, esa misma página se puede mandar.
    ana.post(RUTA, data=llena(respuesta.text, PRI=4321))
    assert isinstance(bien(mesa.estado(A1)), PrimeraConcluida)


def test_el_disco_no_admite_la_correccion_y_lo_tecleado_sigue_en_la_pantalla(mesa: Mesa, app: FastAPI) -> None:
    leer_aparte(mesa, "capturista-1")
    leer_aparte(mesa, "capturista-2", PRI=77)
    assert isinstance(bien(mesa.estado(A1)), Discrepante)
    tercera = estacion(app, "capturista-3")
    datos = llena(abrir(tercera), PRI=4321)
    with disco_de_solo_lectura(mesa):
        respuesta = tercera.post(RUTA, data=datos)
    assert 'value="4321"' in respuesta.text
    tercera.post(RUTA, data=llena(respuesta.text, PRI=4321))
    assert isinstance(bien(mesa.estado(A1)), EnRevision)


def test_el_disco_no_admite_la_revision_y_lo_decidido_sigue_en_la_pantalla(mesa: Mesa, app: FastAPI) -> None:
    leer_aparte(mesa, "capturista-1")
    leer_aparte(mesa, "capturista-2", PRI=77)
    bien(mesa.tomar(A1, "capturista-3"))
    bien(mesa.corregir(A1, "capturista-3", {"PRI": Numero(78)}))
    ruta = f"/revision/GUB/{A1.casilla}"
    revisan = estacion(app, "capturista-1")
    quien = {"confirma": "capturista-2", "nip": "000000"}
    datos = llena(revisan.get(ruta).text, PRI=4321) | quien
    with disco_de_solo_lectura(mesa):
        respuesta = revisan.post(ruta, data=datos)
    assert 'value="4321"' in respuesta.text
    assert "Siguiente paso" in respuesta.text
    revisan.post(ruta, data=llena(respuesta.text, PRI=4321) | quien)
    assert isinstance(bien(mesa.estado(A1)), Verificada)


def test_un_renglon_por_corregir_no_borra_lo_que_ya_se_habia_senalado(mesa: Mesa, app: FastAPI) -> None:
    leer_aparte(mesa, "capturista-1")
    segunda = estacion(app, "capturista-2")
    senalada = segunda.post(RUTA, data=llena(abrir(segunda), PRI=77)).text
    vacia = segunda.post(RUTA, data=llena(senalada, PRI=77) | {"v.PRI": ""})
    assert vacia.status_code == 422
    assert "Mírelo otra vez" in vacia.text
    segunda.post(RUTA, data=llena(vacia.text, PRI=77))
    assert isinstance(bien(mesa.estado(A1)), Discrepante)


def test_la_recaptura_y_su_renglon_de_bitacora_van_juntos_o_no_van(mesa: Mesa) -> None:
    leer_aparte(mesa, "capturista-1")
    leer_aparte(mesa, "capturista-2")
    mesa.almacen._conexion.execute(
        "CREATE TEMP TRIGGER se_cae BEFORE INSERT ON main.bitacora WHEN NEW.evento = 'recaptura_pedida' "
        "BEGIN SELECT RAISE(ABORT, 'se fue la luz'); END"
    )
    with pytest.raises(sqlite3.IntegrityError):
        mesa.pedir_recaptura(A1, "coordinacion", "no coincide con el papel")
    assert isinstance(bien(mesa.estado(A1)), Verificada)


# ----------------------------------------------------------------------------------------------- adivinar el NIP


def test_con_el_disco_lleno_tampoco_se_adivina_un_nip(mesa: Mesa) -> None:
    ana = Persona("ana", "Ana", frozenset({Papel.COORDINACION}), nips.resumir(NIP), "0" * 64)
    acceso = Acceso(mesa.almacen, mesa.reloj, [ana])
    with disco_de_solo_lectura(mesa):
        for _ in range(FALLAS):
            with pytest.raises(Falla):
                acceso.comprobar_nip(ana, "111112")
        assert codigo(acceso.comprobar_nip(ana, NIP)) == "GAFETE_SUSPENDIDO"
    assert codigo(acceso.comprobar_nip(ana, NIP)) == "GAFETE_SUSPENDIDO"


# -------------------------------------------------------------------------------------- formularios hechos a mano


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    juego=st.sampled_from(["utf-7", "unicode_escape", "idna", "punycode", "rot13", "utf-16", "undefined", "hex", ""]),
    valor=st.binary(max_size=20) | st.just(b"\\ud800") | st.just(b"%ED%A0%80"),
    campo=st.sampled_from(["sello", "intento", "volver", "otro"]),
)
def test_un_formulario_con_letras_imposibles_se_rechaza_sin_tropiezo(
    formularios: tuple[TestClient, str], juego: str, valor: bytes, campo: str
) -> None:
    navegador, sello = formularios
    partes = {"sello": sello.encode(), campo: valor}
    cuerpo = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v) for n, v in partes.items()
    )
    tipo = f"multipart/form-data; boundary=B; charset={juego}"
    respuesta = navegador.post("/turno/actividad", content=cuerpo + b"--B--\r\n", headers={"content-type": tipo})
    assert respuesta.status_code in (204, 400, 403), respuesta.text


@pytest.fixture
def formularios(app: FastAPI) -> tuple[TestClient, str]:
    navegador = estacion(app, "capturista-1")
    return navegador, oculto(navegador.get("/").text, "sello")


@pytest.mark.parametrize("largo", [b"\xb2", b"", b"-1", b"1e3", b"9" * 30])
def test_un_largo_de_formulario_que_no_es_numero_se_rechaza(app: FastAPI, largo: bytes) -> None:
    cabeceras = [(b"host", b"127.0.0.1:8080"), (b"origin", CASA.encode()), (b"content-length", largo)]
    problema = Guardias(app, puerto=8080)._problema(Headers(raw=cabeceras), "POST")
    assert problema is not None
    assert problema[0] == 413
