"""Entrar, bloquear, relevar y terminar: que nadie trabaje a nombre de otra persona ni llegue a lo que no le toca."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from appliance import nip as nips
from appliance.acceso import CON_GAFETE, ENTRE_DESTRABES, ESPERAS, FALLAS, NIP_DE_PRACTICA, TOPE, Acceso, cuenta_en
from appliance.arranque import Kiosco
from appliance.falla import Falla
from appliance.gafete import Gafete, nuevo_azar, resumir, texto_qr
from appliance.mesa import Mesa
from appliance.pantalla.app import crear_app
from appliance.pantalla.confirmacion import confirmar
from appliance.pantalla.lectura import clase_de
from appliance.pantalla.menu import PUERTAS, puertas_de
from appliance.pantalla.pagina import Entrada, ExigePapel
from appliance.pantalla.presentados import CADUCA_S, Presentados
from appliance.pantalla.sesion import Sesion
from appliance.pantalla.vuelta import ruta_propia
from appliance.personas import DE_PRACTICA, INACTIVIDAD, Papel, Persona, leer_personas
from appliance.puesto import Puesto
from appliance.reloj import RelojFijado
from appliance.ritmo import minutos_para_ponerse_al_dia
from nucleo.acta import Origen
from nucleo.captura import SinCaptura, Tomada
from nucleo.codigo_qr import codigo_de
from nucleo.modos import CAPACITACION, OFICIAL, SIMULACRO
from nucleo.problema import Rechazo
from tests.kiosco_de_prueba import A1, PROCESO, abrir_mesa, bien, codigo, identidad
from tests.turno_de_prueba import entrar, oculto, presentar, teclear_nip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

CASA: Final = "http://127.0.0.1:8080"
NIP: Final = "482915"
RUTA: Final = f"/acta/GUB/{A1.casilla}"
ABIERTAS: Final = {
    ("GET", "/turno"),
    ("POST", "/turno/gafete"),
    ("POST", "/turno/otra"),
    ("POST", "/turno/nip"),
    ("GET", "/lector"),
    ("GET", "/barra"),
}
"""Lo único que se atiende sin que nadie haya entrado."""


class Catd:
    """Un kiosco con su gente, su lector y cuantas estaciones se quieran."""

    def __init__(self, carpeta: Path) -> None:
        self.carpeta = carpeta
        self.lecturas: list[str] = []
        self.azares: dict[str, str] = {}
        self.mesa: Mesa = abrir_mesa(carpeta)
        assert isinstance(self.mesa.reloj, RelojFijado)
        self.reloj = self.mesa.reloj
        self.app: FastAPI | None = None

    def inscribir(self, *personas: tuple[str, tuple[Papel, ...]], extra: str = "") -> None:
        """Escribe `personas.toml` como lo haría la orden, con el mismo NIP para todas."""
        resumen = nips.resumir(NIP)
        renglones = [extra]
        for clave, papeles in personas:
            self.azares.setdefault(clave, nuevo_azar())
            lista = ", ".join(f'"{p.value}"' for p in papeles)
            renglones += ["[[personas]]", f'clave = "{clave}"', f'nombre = "{clave.title()}"', f"papeles = [{lista}]"]
            renglones += [f'nip = "{resumen}"', f'gafete = "{resumir(self.azares[clave])}"']
        (self.carpeta / "personas.toml").write_text("\n".join(renglones) + "\n")

    def gafete(self, clave: str) -> str:
        return texto_qr(Gafete(clave, self.azares[clave]))

    def encender(self) -> FastAPI:
        """Arranca las pantallas; otra vez, es reiniciarlas."""
        kiosco = Kiosco(self.mesa, self.mesa.almacen, PROCESO, identidad(), self.mesa.reloj, self.carpeta)
        self.app = crear_app(kiosco, 8080, Puesto(lector=lambda: self.lecturas.pop(0) if self.lecturas else None))
        return self.app

    def estacion(self, clave: str = "") -> TestClient:
        app = self.app or self.encender()
        navegador = TestClient(app, base_url=CASA, headers={"origin": CASA, "sec-fetch-site": "same-origin"})
        if clave:
            entrar(navegador, clave)
        return navegador

    def eventos(self) -> list[str]:
        with self.mesa.almacen.lectura() as mirada:
            return [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora ORDER BY renglon")]

    def todo_lo_guardado(self) -> bytes:
        """Lo que hay en el almacén y su diario, tal como está en el disco."""
        return b"".join(p.read_bytes() for p in sorted(self.carpeta.glob("almacen.sqlite*")))


@pytest.fixture
def catd(tmp_path: Path) -> Iterator[Catd]:
    banco = Catd(tmp_path)
    yield banco
    banco.mesa.almacen.desconectar()


def acciones(navegador: TestClient, ruta: str, **campos: str) -> Any:
    """Manda un formulario a esa ruta con el sello de la estación."""
    pagina = navegador.get("/turno?otra=1").text
    return navegador.post(ruta, data={n: oculto(pagina, n) for n in ("sello", "intento")} | campos)


def abrir_acta(catd: Catd, navegador: TestClient) -> str:
    bien(catd.mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    pagina = navegador.get("/").text
    return str(navegador.post("/siguiente", data={n: oculto(pagina, n) for n in ("sello", "intento")}).text)


# --------------------------------------------------------------------------------------------------------------- entrar


def test_con_su_gafete_y_su_nip_entra_y_nada_de_eso_queda_escrito(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    assert estacion.get("/").url.path == "/turno"
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    assert "Empezó su turno, Ana" in estacion.get("/").text
    assert catd.eventos() == ["turno_abierto"]
    guardado = catd.todo_lo_guardado()
    assert NIP.encode() not in guardado
    assert catd.azares["ana"].encode() not in guardado
    assert "ana" not in estacion.cookies["kiosco"]


def test_el_gafete_sin_su_nip_no_abre_nada(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    pagina = presentar(estacion, catd.gafete("ana"))
    assert "Teclee su NIP" in pagina
    assert estacion.get("/").url.path == "/turno"
    assert teclear_nip(estacion, pagina, "111112").status_code == 422
    assert estacion.get("/").url.path == "/turno"


def test_el_nip_sin_haber_pasado_el_gafete_no_sirve(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    respuesta = acciones(estacion, "/turno/nip", persona="ana", nip=NIP, volver="/")
    assert respuesta.status_code == 422
    assert "Hay que pasar el gafete otra vez" in respuesta.text
    assert estacion.get("/").url.path == "/turno"


def test_con_el_gafete_de_una_no_se_entra_con_el_nombre_de_otra(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)), ("beto", (Papel.COORDINACION,)))
    estacion = catd.estacion()
    presentar(estacion, catd.gafete("ana"))
    assert acciones(estacion, "/turno/nip", persona="beto", nip=NIP, volver="/").status_code == 422
    assert estacion.get("/").url.path == "/turno"


@pytest.mark.parametrize("que", ["clave", "azar", "verificador", "a medias", "de práctica", "vacío", "otro código"])
def test_un_gafete_que_no_es_se_rechaza_con_palabras(catd: Catd, que: str) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    bueno = catd.gafete("ana")
    malos = {
        "clave": texto_qr(Gafete("beto", catd.azares["ana"])),
        "azar": texto_qr(Gafete("ana", nuevo_azar())),
        "verificador": bueno[:-1] + ("A" if bueno[-1] != "A" else "B"),
        "a medias": bueno[:20],
        "de práctica": "PRACTICA:ana",
        "vacío": "",
        "otro código": codigo_de(PROCESO.casillas[A1.casilla], PROCESO.elecciones["GUB"]),
    }
    estacion = catd.estacion()
    pagina = presentar(estacion, malos[que])
    assert "Siguiente paso" in pagina
    assert "Teclee su NIP" not in pagina
    assert catd.eventos() == (["gafete_desconocido"] if que in ("clave", "azar") else [])


@pytest.mark.parametrize("distinto", [str.lower, str.upper, lambda t: t.replace(":", "Ñ"), lambda t: f"  {t}\n"])
def test_un_lector_con_otro_teclado_o_mayusculas_trabadas_sirve(catd: Catd, distinto: Any) -> None:
    catd.inscribir(("ana-luz", (Papel.CAPTURA,)))
    assert "Teclee su NIP" in presentar(catd.estacion(), distinto(catd.gafete("ana-luz")))


def test_cada_nip_equivocado_hace_esperar_mas_aunque_se_reinicie_el_kiosco(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    dichos = []
    for espera in (*ESPERAS, TOPE):
        pagina = presentar(estacion, catd.gafete("ana"))
        dichos.append(teclear_nip(estacion, pagina, "111112").text)
        if espera:
            catd.reloj.avanzar(espera - timedelta(seconds=1))
            assert "no se acepta aquí hasta las" in presentar(estacion, catd.gafete("ana"))
            catd.encender()
            estacion = catd.estacion()
            assert "no se acepta aquí hasta las" in presentar(estacion, catd.gafete("ana"))
            catd.reloj.avanzar(timedelta(seconds=1))
    palabras = ("5 segundos", "15 segundos", "1 minuto", "5 minutos", "5 minutos")
    for dicho, cuanto in zip(dichos[FALLAS - 1 :], palabras, strict=True):
        assert f"espere {cuanto}" in dicho
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    assert catd.eventos().count("nip_equivocado") == len(ESPERAS) + 1
    assert catd.eventos().count("gafete_suspendido") == 3, "las esperas de un minuto o más"


def test_esperando_ni_el_nip_bueno_entra_y_acertar_antes_borra_la_cuenta(catd: Catd) -> None:
    ana = Persona("ana", "Ana", frozenset({Papel.CAPTURA}), nips.resumir(NIP), "0" * 64)
    acceso = Acceso(catd.mesa.almacen, catd.reloj, [ana])
    for _ in range(2):
        for _ in range(FALLAS - 1):
            assert codigo(acceso.comprobar_nip(ana, "111112")) == "NIP_EQUIVOCADO"
        assert acceso.comprobar_nip(ana, NIP) is None
    for esperado in ["NIP_EQUIVOCADO"] * FALLAS + ["GAFETE_SUSPENDIDO"] * 2:
        assert codigo(acceso.comprobar_nip(ana, "111112")) == esperado
    assert codigo(acceso.comprobar_nip(ana, NIP)) == "GAFETE_SUSPENDIDO"
    catd.reloj.avanzar(ESPERAS[FALLAS - 1])
    assert acceso.comprobar_nip(ana, NIP) is None


def test_un_dedo_nervioso_manda_dos_veces_el_mismo_nip_malo_y_cuenta_una(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    pagina = presentar(estacion, catd.gafete("ana"))
    primera, segunda = (teclear_nip(estacion, pagina, "111112") for _ in range(2))
    assert (primera.status_code, segunda.status_code) == (422, 422)
    assert "Ese no es el NIP de Ana" in segunda.text
    assert catd.eventos() == ["nip_equivocado"]


def test_los_dos_toques_llegan_a_la_vez_y_cuentan_uno(catd: Catd) -> None:
    ana = Persona("ana", "Ana", frozenset({Papel.CAPTURA}), nips.resumir(NIP), "0" * 64)
    acceso = Acceso(catd.mesa.almacen, catd.reloj, [ana])
    with ThreadPoolExecutor(4) as hilos:
        dichos = list(hilos.map(lambda _: acceso.comprobar_nip(ana, "111112", intento="i1"), range(4)))
    assert {codigo(d) for d in dichos} == {"NIP_EQUIVOCADO"}
    assert catd.eventos() == ["nip_equivocado"]


def test_repetir_el_numero_de_intento_no_sirve_para_adivinar(catd: Catd) -> None:
    ana = Persona("ana", "Ana", frozenset({Papel.CAPTURA}), nips.resumir(NIP), "0" * 64)
    acceso = Acceso(catd.mesa.almacen, catd.reloj, [ana])
    dichos = [codigo(acceso.comprobar_nip(ana, f"11111{i}", intento="i1")) for i in range(2, 9)]
    assert dichos == ["NIP_EQUIVOCADO"] * FALLAS + ["GAFETE_SUSPENDIDO"] * (7 - FALLAS)
    assert codigo(acceso.comprobar_nip(ana, NIP, intento="i1")) == "GAFETE_SUSPENDIDO"


def test_a_punta_de_nip_malos_nadie_deja_fuera_a_coordinacion(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.ACOPIO,)), ("beto", (Papel.ACOPIO,)), ("coco", (Papel.COORDINACION,)))
    personas = leer_personas(catd.carpeta, OFICIAL).personas
    coco = next(p for p in personas if p.clave == "coco")
    acceso = Acceso(catd.mesa.almacen, catd.reloj, personas)
    for _ in range(8):
        catd.reloj.avanzar(TOPE)
        assert codigo(acceso.comprobar_nip(coco, "111112", desde="ana")) == "NIP_EQUIVOCADO"
    assert codigo(acceso.comprobar_nip(coco, NIP, desde="ana")) == "GAFETE_SUSPENDIDO"
    assert acceso.comprobar_nip(coco, NIP, desde="beto") is None, "en el turno de otra no hay espera"
    assert acceso.comprobar_nip(coco, NIP) is None, "ni con su gafete"
    assert codigo(acceso.comprobar_nip(coco, NIP, desde="ana")) == "GAFETE_SUSPENDIDO", "lo de ana lo paga ana"


def test_le_gastan_los_intentos_al_confirmar_y_pasando_su_gafete_ahi_mismo_confirma(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.ACOPIO,)), ("coco", (Papel.COORDINACION,)))
    estacion = catd.estacion()
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    pantalla = catd.encender().state.pantalla
    azar = str(pantalla.sesiones.leer(estacion.cookies["kiosco"]))
    coco = pantalla.personas["coco"]

    def confirma(nip: str, intento: str) -> str:
        campos = {"confirma": ["coco"], "nip": [nip], "intento": [intento]}
        hecho = confirmar(pantalla, Entrada(Sesion(azar, "ana"), pantalla.personas["ana"], campos), Papel.COORDINACION)
        return "sí" if hecho == coco else codigo(hecho)

    assert [confirma("111112", "i0") for _ in range(2)] == ["NIP_EQUIVOCADO"] * 2
    assert catd.eventos().count("nip_equivocado") == 1, "el mismo toque repetido"
    for i in range(1, FALLAS):
        assert confirma("111112", f"i{i}") == "NIP_EQUIVOCADO"
    assert confirma(NIP, "i8") == "GAFETE_SUSPENDIDO"
    pantalla.presentados.presentar(azar, "coco")
    assert confirma(NIP, "i9") == "sí"
    assert pantalla.presentados.en(azar) == "", "su gafete sirvió para esta vez"


def test_le_gastan_los_intentos_en_su_pantalla_bloqueada_y_con_su_gafete_entra(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    catd.reloj.avanzar(INACTIVIDAD)
    pagina = estacion.get("/turno").text
    for _ in range(FALLAS):
        pagina = teclear_nip(estacion, pagina, "111112").text
    dicho = teclear_nip(estacion, pagina, NIP).text
    assert "no se acepta aquí hasta las" in dicho
    assert "o que Ana pase su gafete" in dicho
    presentar(estacion, catd.gafete("ana"))
    assert teclear_nip(estacion, estacion.get("/turno").text, NIP).url.path == "/"


def test_coordinacion_destraba_a_otra_y_no_a_si_misma(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)), ("coco", (Papel.COORDINACION,)))
    de_ana, de_coco = catd.estacion(), catd.estacion()
    pagina = presentar(de_ana, catd.gafete("ana"))
    for _ in range(FALLAS):
        pagina = teclear_nip(de_ana, pagina, "111112").text
    entrar(de_coco, "coco", gafete=catd.gafete("coco"), nip=NIP)
    suya = de_coco.get("/turno").text
    assert "Destrabar a Ana" in suya
    assert "Destrabar a Coco" not in suya
    campos = {n: oculto(suya, n) for n in ("sello", "intento")}
    for quien, dicho in (("coco", "Nadie se destraba a sí mismo"), ("x", "No se destrabó a nadie")):
        otro = campos | {"intento": quien, "persona": quien}
        assert dicho in de_coco.post("/turno/destrabar", data=otro).text
    assert "Ana ya puede teclear su NIP" in de_coco.post("/turno/destrabar", data=campos | {"persona": "ana"}).text
    assert "Destrabar a Ana" not in de_coco.get("/turno").text
    entrar(de_ana, "ana", gafete=catd.gafete("ana"), nip=NIP)
    assert catd.eventos().count("nip_destrabado") == 1


def test_a_quien_le_gastan_los_intentos_con_su_gafete_recien_pasado_entra_en_otra_estacion(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.ACOPIO,)), ("coco", (Papel.COORDINACION,)))
    de_ana, libre = catd.estacion(), catd.estacion()
    entrar(de_ana, "ana", gafete=catd.gafete("ana"), nip=NIP)
    sello = oculto(de_ana.get("/sin-acta").text, "sello")
    catd.lecturas.append(catd.gafete("coco"))
    assert de_ana.get("/lector").json()["persona"] == "coco"
    malo = {"sello": sello, "motivo": "1", "confirma": "coco", "eleccion": "GUB", "casilla": A1.casilla}
    for i in range(FALLAS):
        dicho = de_ana.post("/sin-acta", data=malo | {"intento": f"x{i}", "nip": f"73{i}915"}).text
        assert "Ese no es el NIP de Coco" in dicho
    dicho = de_ana.post("/sin-acta", data=malo | {"intento": "y", "nip": NIP}).text
    assert "pase su gafete en otra estación" in dicho
    entrar(libre, "coco", gafete=catd.gafete("coco"), nip=NIP)
    with catd.mesa.almacen.lectura() as mirada:
        sql = "SELECT DISTINCT detalle FROM bitacora WHERE evento = 'nip_equivocado'"
        detalles = [d for (d,) in mirada.conexion.execute(sql)]
    assert all(d.endswith("seguidas, con su gafete, en el turno de ana") for d in detalles)


DUDOSAS: Final = tuple(Persona(c, c.title(), frozenset({Papel.COORDINACION})) for c in ("beto", "coco", "dora"))
"""Sin resumen son de práctica: su NIP se compara de inmediato, y una noche entera cabe en una prueba."""


def test_quien_adivina_en_su_propio_turno_no_se_regala_intentos_destrabando(catd: Catd) -> None:
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    beto, coco, dora = DUDOSAS
    for presento in (False, True):
        desde = cuenta_en("beto", "coco", gafete=presento)
        for _ in range(FALLAS):
            assert codigo(acceso.comprobar_nip(beto, "111112", desde=desde)) == "NIP_EQUIVOCADO"
        assert acceso.esperas(coco) == []
        assert codigo(acceso.destrabar("beto", coco)) == "NADA_QUE_DESTRABAR"
        assert codigo(acceso.comprobar_nip(beto, "111112", desde=desde)) == "GAFETE_SUSPENDIDO"
    assert [x.persona for x in acceso.esperas(dora)] == [beto]
    assert acceso.destrabar("beto", dora) == beto
    assert codigo(acceso.comprobar_nip(beto, "111112", desde="coco")) == "NIP_EQUIVOCADO"
    assert codigo(acceso.comprobar_nip(beto, NIP_DE_PRACTICA, desde="coco")) == "GAFETE_SUSPENDIDO"


def test_la_destraban_sin_que_haya_espera_y_la_cuenta_sigue(catd: Catd) -> None:
    """Fallar dos, destrabar y repetir no es probar sin fin."""
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    beto, coco, _ = DUDOSAS
    dichos = []
    for _ in range(FALLAS):
        dichos += [codigo(acceso.comprobar_nip(beto, "111112")) for _ in range(2)]
        acceso.destrabar("beto", coco)
    assert dichos == ["NIP_EQUIVOCADO"] * FALLAS + ["GAFETE_SUSPENDIDO", "NIP_EQUIVOCADO", "GAFETE_SUSPENDIDO"]


def test_destrabar_es_un_intento_mas_y_una_vez_por_hora_aunque_se_reinicie(catd: Catd) -> None:
    beto, coco, dora = DUDOSAS
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    for _ in range(FALLAS):
        acceso.comprobar_nip(beto, "111112")
    assert acceso.destrabar("beto", coco) == beto
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    dicho = acceso.comprobar_nip(beto, "111112")
    assert dicho is not None
    assert "espere 15 segundos" in dicho.siguiente, "la cuenta no volvió a empezar"
    for quien in (coco, dora):
        assert codigo(acceso.destrabar("beto", quien)) == "YA_DESTRABADA"
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    catd.reloj.avanzar(-timedelta(hours=3))
    assert codigo(acceso.destrabar("beto", dora)) == "YA_DESTRABADA"
    assert catd.eventos().count("nip_destrabado") == 1
    catd.reloj.avanzar(ENTRE_DESTRABES)
    acceso.comprobar_nip(beto, "111112")
    assert acceso.destrabar("beto", dora) == beto


def test_una_noche_entera_adivinando_con_quien_la_destrabe_son_161_intentos(catd: Catd) -> None:
    """El cálculo de `appliance.acceso`, contado."""
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    beto, coco, _ = DUDOSAS
    fin = catd.reloj.ahora() + timedelta(hours=12)
    intentos = 0
    while catd.reloj.ahora() < fin:
        espera = acceso.esperas(coco)
        # La primera espera que vale la pena perdonar es la de cinco minutos.
        if espera and (espera[0].hasta - catd.reloj.ahora() < TOPE or acceso.destrabar("beto", coco) != beto):
            catd.reloj.avanzar(espera[0].hasta - catd.reloj.ahora())
        if catd.reloj.ahora() <= fin:
            assert codigo(acceso.comprobar_nip(beto, "111112")) == "NIP_EQUIVOCADO"
            intentos += 1
        assert intentos <= 161
    assert intentos >= 155
    assert catd.eventos().count("gafete_suspendido") == intentos - 4


@pytest.mark.parametrize("salto", [-TOPE, -timedelta(hours=3), TOPE, timedelta(days=400)])
@pytest.mark.parametrize("desde", [CON_GAFETE, "coco"])
def test_el_reloj_salta_a_media_espera_y_se_espera_lo_mismo(catd: Catd, salto: timedelta, desde: str) -> None:
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    beto = DUDOSAS[0]
    for espera in ESPERAS:
        assert codigo(acceso.comprobar_nip(beto, "111112", desde=desde)) == "NIP_EQUIVOCADO"
        catd.reloj.avanzar(espera)
    acceso.comprobar_nip(beto, "111112", desde=desde)
    catd.reloj.fijar(catd.reloj.ahora() + salto)
    assert codigo(acceso.comprobar_nip(beto, NIP_DE_PRACTICA, desde=desde)) == "GAFETE_SUSPENDIDO"
    catd.reloj.avanzar(TOPE - timedelta(seconds=1))
    assert codigo(acceso.comprobar_nip(beto, NIP_DE_PRACTICA, desde=desde)) == "GAFETE_SUSPENDIDO"
    catd.reloj.avanzar(timedelta(seconds=1))
    assert acceso.comprobar_nip(beto, NIP_DE_PRACTICA, desde=desde) is None


def test_arranca_sin_pila_a_media_espera_y_se_espera_entero(catd: Catd) -> None:
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    beto = DUDOSAS[0]
    for espera in ESPERAS:
        acceso.comprobar_nip(beto, "111112")
        catd.reloj.avanzar(espera)
    en_hora = catd.reloj.ahora()
    catd.reloj.fijar(datetime(1970, 1, 1, tzinfo=UTC))
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DUDOSAS)
    assert codigo(acceso.comprobar_nip(beto, NIP_DE_PRACTICA)) == "GAFETE_SUSPENDIDO"
    catd.reloj.fijar(en_hora)
    assert codigo(acceso.comprobar_nip(beto, NIP_DE_PRACTICA)) == "GAFETE_SUSPENDIDO", "la puso en hora la red"
    catd.reloj.avanzar(TOPE)
    assert acceso.comprobar_nip(beto, NIP_DE_PRACTICA) is None


def test_mientras_se_calcula_un_nip_las_demas_pantallas_contestan(catd: Catd, monkeypatch: pytest.MonkeyPatch) -> None:
    """El cálculo es el de verdad; sólo se detiene a la mitad hasta que otra pantalla haya contestado."""
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    app = catd.encender()
    estacion = catd.estacion()
    pagina = presentar(estacion, catd.gafete("ana"))
    campos = {n: oculto(pagina, n) for n in ("sello", "intento", "persona", "volver")} | {"nip": NIP}
    empezo, sigue, calcular = Event(), Event(), nips._scrypt

    def a_medias(nip: str, sal: bytes, log2_n: int) -> bytes:
        empezo.set()
        assert sigue.wait(30), "el bucle quedó detenido: nadie pudo contestar entre tanto"
        return calcular(nip, sal, log2_n)

    monkeypatch.setattr(nips, "_scrypt", a_medias)

    async def dos_pantallas() -> tuple[int, int]:
        cabeceras = {"origin": CASA, "sec-fetch-site": "same-origin"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=CASA, headers=cabeceras) as otro:
            galleta = {"cookie": f"kiosco={estacion.cookies['kiosco']}"}
            entrando = asyncio.create_task(otro.post("/turno/nip", data=campos, headers=galleta))
            while not empezo.is_set():
                await asyncio.sleep(0.01)
            ajena = await otro.get("/turno")
            sigue.set()
            return ajena.status_code, (await entrando).status_code

    assert asyncio.run(dos_pantallas()) == (200, 303)


@pytest.mark.parametrize("tecleado", ["", "48291", "4829150", "48291a", "PREPG1", "٤٨٢٩١٥", "482915 "])
def test_un_nip_incompleto_no_cuenta_como_equivocacion(catd: Catd, tecleado: str) -> None:
    acceso = Acceso(catd.mesa.almacen, catd.reloj, DE_PRACTICA)
    assert codigo(acceso.comprobar_nip(DE_PRACTICA[0], tecleado)) == "NIP_INCOMPLETO"
    assert catd.eventos() == []


def test_el_gafete_presentado_se_olvida_al_minuto() -> None:
    ahora = [0.0]
    presentados = Presentados(lambda: ahora[0])
    presentados.presentar("e1", "ana")
    ahora[0] = CADUCA_S
    assert (presentados.en("e1"), presentados.en("e2")) == ("ana", "")
    ahora[0] += 0.1
    assert presentados.en("e1") == ""
    for i in range(200):
        presentados.presentar(f"x{i}", "ana")
    assert presentados.en("x0") == ""


# ----------------------------------------------------------------------------------------------------- bloqueo y relevo


def test_nadie_usa_la_pantalla_y_se_bloquea_sin_ensenar_el_acta(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    abrir_acta(catd, estacion)
    catd.reloj.avanzar(INACTIVIDAD)
    pagina = estacion.get(RUTA)
    assert (pagina.url.path, pagina.url.query) == ("/turno", f"volver={RUTA}".encode())
    assert "Pantalla bloqueada" in pagina.text
    assert A1.casilla not in pagina.text.replace(RUTA, "")
    regreso = teclear_nip(estacion, pagina.text, NIP_DE_PRACTICA)
    assert regreso.url.path == RUTA
    assert "turno_bloqueado" in catd.eventos()
    assert catd.eventos()[-1] == "turno_desbloqueado"


def test_lo_que_llega_con_la_pantalla_bloqueada_no_se_guarda_y_se_dice(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    sello = oculto(abrir_acta(catd, estacion), "sello")
    catd.reloj.avanzar(INACTIVIDAD)
    antes = catd.mesa.almacen.ultimo()
    respuesta = estacion.post(RUTA, data={"sello": sello, "clase": "captura"}, headers={"referer": CASA + RUTA})
    assert "Lo último que mandó no se guardó" in respuesta.text
    assert oculto(respuesta.text, "volver") == RUTA
    assert catd.mesa.almacen.ultimo() == antes


@pytest.mark.parametrize("cabeceras", [{"hx-request": "true"}, {"sec-fetch-dest": "empty"}])
def test_un_trozo_pedido_con_la_pantalla_bloqueada_manda_a_entrar(catd: Catd, cabeceras: dict[str, str]) -> None:
    estacion = catd.estacion("capturista-1")
    sello = oculto(abrir_acta(catd, estacion), "sello")
    catd.reloj.avanzar(INACTIVIDAD)
    todas = cabeceras | {"referer": CASA + RUTA}
    respuesta = estacion.post(
        RUTA + "/renglon", data={"sello": sello, "imagen": "", "renglon": "PRI", "texto": "7"}, headers=todas
    )
    assert respuesta.status_code == 401
    assert respuesta.headers["hx-redirect"] == f"/turno?volver={RUTA}"
    assert respuesta.json()["guardado"] is False
    assert "7" not in bien(catd.mesa.borrador(A1, "capturista-1")).textos.values()


def test_la_barra_y_el_lector_no_mantienen_abierta_una_pantalla_sola(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    for _ in range(12):
        catd.reloj.avanzar(INACTIVIDAD / 12)
        barra = estacion.get("/barra")
        estacion.get("/lector")
        estacion.get("/", headers={"hx-request": "true"})
        estacion.get("/estatico/kiosco.css")
    assert barra.headers["hx-redirect"] == "/turno"
    assert "pantalla bloqueada" in barra.text


def test_quien_mira_la_imagen_y_toca_la_pantalla_sigue_dentro(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    sello = oculto(estacion.get("/").text, "sello")
    for _ in range(10):
        catd.reloj.avanzar(INACTIVIDAD / 2)
        respuesta = estacion.post("/turno/actividad", data={"sello": sello}, headers={"hx-request": "true"})
        assert respuesta.status_code == 204
    assert estacion.get("/").url.path == "/"


def test_un_reloj_que_retrocede_tampoco_deja_abierta_la_pantalla(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    catd.reloj.avanzar(-timedelta(hours=3))
    assert estacion.get("/").url.path == "/turno"


def test_se_reinicia_el_kiosco_y_nadie_pierde_su_turno_pero_todas_se_bloquean(catd: Catd) -> None:
    ana, beto = catd.estacion("capturista-1"), catd.estacion("capturista-2")
    catd.encender()
    for antes, clave in ((ana, "capturista-1"), (beto, "capturista-2")):
        despues = catd.estacion()
        despues.cookies = antes.cookies
        pagina = despues.get("/").text
        assert "Pantalla bloqueada" in pagina
        assert oculto(pagina, "persona") == clave
        assert teclear_nip(despues, pagina, NIP_DE_PRACTICA).url.path == "/"
    assert catd.eventos().count("turno_abierto") == 2


def test_otra_persona_releva_y_lo_abierto_se_conserva_a_nombre_de_quien_lo_dejo(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    sello = oculto(abrir_acta(catd, estacion), "sello")
    estacion.post(RUTA + "/renglon", data={"sello": sello, "imagen": "", "renglon": "PRI", "texto": "321"})
    aviso = presentar(estacion, "PRACTICA:capturista-2")
    assert "Va a relevar a Capturista 1" in aviso
    assert "elevó a Capturista 1" in teclear_nip(estacion, aviso, NIP_DE_PRACTICA).text
    assert estacion.get(RUTA).status_code == 409, "no es su acta"
    assert bien(catd.mesa.borrador(A1, "capturista-1")).textos["PRI"] == "321"
    vencida = estacion.post(RUTA + "/renglon", data={"sello": sello, "imagen": "", "renglon": "PRI", "texto": "1"})
    assert vencida.status_code == 403, "el formulario de la otra persona ya no vale"
    assert "turno_relevado" in catd.eventos()


def test_una_persona_no_esta_en_dos_estaciones(catd: Catd) -> None:
    primera = catd.estacion("capturista-1")
    segunda = catd.estacion()
    pagina = presentar(segunda, "PRACTICA:capturista-1")
    assert "Su turno está abierto en otra estación" in pagina
    assert "otra estación se cerró" in teclear_nip(segunda, pagina, NIP_DE_PRACTICA).text
    assert primera.get("/").url.path == "/turno"
    assert segunda.get("/").url.path == "/"


def test_quien_paso_su_gafete_por_error_cancela_y_sigue_quien_estaba(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    presentar(estacion, "PRACTICA:capturista-2")
    assert acciones(estacion, "/turno/otra").url.path == "/"
    assert "Su turno empezó" in estacion.get("/turno").text


def test_terminar_el_turno_devuelve_las_actas_a_la_fila_y_lo_dice(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    abrir_acta(catd, estacion)
    assert isinstance(bien(catd.mesa.estado(A1)), Tomada)
    respuesta = acciones(estacion, "/turno/terminar")
    assert respuesta.url.path == "/turno"
    assert f"volvió a la fila el acta {A1.casilla}".lower() in respuesta.text.lower()
    assert isinstance(bien(catd.mesa.estado(A1)), SinCaptura)
    assert estacion.get("/").url.path == "/turno"
    assert "turno_cerrado" in catd.eventos()


def test_bloquear_a_mano_pide_el_nip_para_seguir(catd: Catd) -> None:
    estacion = catd.estacion("capturista-1")
    assert "Pantalla bloqueada" in acciones(estacion, "/turno/bloquear").text
    assert estacion.get("/").url.path == "/turno"
    assert "Entrar otra persona" in estacion.get("/turno").text


@pytest.mark.parametrize(
    ("estaba", "regresa"), [("/acopio", "/acopio"), ("/acopio/buscar", "/"), ("/no-existe", "/"), (RUTA, RUTA)]
)
def test_al_desbloquear_se_regresa_a_donde_se_estaba_si_esa_pagina_se_puede_pedir(
    catd: Catd, estaba: str, regresa: str
) -> None:
    pagina = acciones(catd.estacion("capturista-1"), "/turno/bloquear", volver=estaba).text
    assert oculto(pagina, "volver") == regresa


def test_quien_salio_de_la_lista_ya_no_tiene_turno(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)), ("beto", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    catd.inscribir(("beto", (Papel.CAPTURA,)))
    catd.encender()
    despues = catd.estacion()
    despues.cookies = estacion.cookies
    assert "Pase su gafete" in despues.get("/").text
    assert catd.eventos()[-1] == "turno_cerrado"


def test_el_disco_se_llena_y_quien_ya_entro_sigue_viendo_por_que(catd: Catd, monkeypatch: pytest.MonkeyPatch) -> None:
    estacion = catd.estacion("capturista-1")
    catd.reloj.avanzar(INACTIVIDAD / 2)

    def sin_espacio() -> None:
        raise Falla("DISCO_LLENO", "No se guardó: el disco del kiosco está lleno", "imágenes", "llame al área técnica")

    monkeypatch.setattr(catd.mesa.almacen, "transaccion", sin_espacio)
    assert estacion.get("/").status_code == 200
    catd.reloj.avanzar(INACTIVIDAD)
    respuesta = estacion.get("/")
    assert respuesta.status_code in (500, 503)
    assert "el disco del kiosco está lleno" in respuesta.text


@pytest.mark.parametrize(
    ("pedida", "queda"),
    [
        ("/acta/GUB/200001B0100", "/acta/GUB/200001B0100"),
        ("//malo.example", "/"),
        ("https://malo.example", "/"),
        ("/\\malo", "/"),
        ("/turno/terminar", "/"),
        ("/" + "a" * 300, "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
def test_al_desbloquear_solo_se_regresa_a_una_pagina_de_aqui(pedida: str, queda: str) -> None:
    assert ruta_propia(pedida) == queda


# ------------------------------------------------------------------------------------------------------------- papeles


def _exigencias(ruta: APIRoute) -> list[ExigePapel]:
    halladas, por_ver = [], [ruta.dependant]
    while por_ver:
        esta = por_ver.pop()
        por_ver += esta.dependencies
        if isinstance(esta.call, ExigePapel):
            halladas.append(esta.call)
    return halladas


def rutas_de(app: FastAPI) -> list[tuple[str, str, APIRoute]]:
    return [(m, r.path, r) for r in app.routes if isinstance(r, APIRoute) for m in sorted(r.methods or ())]


def test_toda_ruta_dice_de_que_papel_es_o_esta_en_la_corta_lista_abierta(catd: Catd) -> None:
    sin_papel = {(m, ruta) for m, ruta, r in rutas_de(catd.encender()) if not _exigencias(r)}
    assert sin_papel == ABIERTAS


def test_nadie_alcanza_una_ruta_que_no_es_de_su_papel(catd: Catd) -> None:
    catd.inscribir(*((p.value, (p,)) for p in Papel))
    app = catd.encender()
    cualquiera = {"eleccion": "GUB", "casilla": A1.casilla, "sha256": "0" * 64}
    probadas = 0
    for papel in Papel:
        estacion = catd.estacion()
        entrar(estacion, papel.value, gafete=catd.gafete(papel.value), nip=NIP)
        sello = oculto(estacion.get("/turno").text, "sello")
        for metodo, ruta, r in rutas_de(app):
            exigidos = {p for exige in _exigencias(r) for p in exige.papeles}
            if not exigidos or papel in exigidos:
                continue
            donde = ruta
            for nombre in r.param_convertors:
                donde = donde.replace(f"{{{nombre}}}", cualquiera.get(nombre, "1"))
            datos = {"sello": sello, "intento": f"i{probadas}"}
            respuesta = estacion.post(donde, data=datos) if metodo == "POST" else estacion.get(donde)
            assert respuesta.status_code == 403, (papel, metodo, ruta)
            assert "no es de su papel" in respuesta.text
            probadas += 1
    assert probadas > 40
    assert catd.eventos().count("papel_ajeno") == probadas


def test_sin_haber_entrado_todo_manda_a_pasar_el_gafete(catd: Catd) -> None:
    estacion = catd.estacion()
    sello = oculto(estacion.get("/turno").text, "sello")
    for metodo, ruta, r in rutas_de(catd.encender()):
        if (metodo, ruta) in ABIERTAS:
            continue
        donde = ruta
        for nombre in r.param_convertors:
            donde = donde.replace(f"{{{nombre}}}", "1")
        respuesta = estacion.post(donde, data={"sello": sello}) if metodo == "POST" else estacion.get(donde)
        assert respuesta.url.path == "/turno", (metodo, ruta)


@pytest.mark.parametrize("papel", Papel)
def test_el_inicio_solo_ofrece_lo_de_su_papel(catd: Catd, papel: Papel) -> None:
    catd.inscribir(("ana", (papel,)))
    estacion = catd.estacion()
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    pagina = estacion.get("/").text
    ana = Persona("ana", "Ana", frozenset({papel}))
    suyas = {p.ruta for p in puertas_de(ana)}
    for puerta in PUERTAS:
        assert (f'href="{puerta.ruta}"' in pagina) == (puerta.ruta in suyas)
    assert ('action="/siguiente"' in pagina) == (papel in (Papel.CAPTURA, Papel.VERIFICACION))
    for ruta in suyas:
        assert estacion.get(ruta).status_code == 200


def test_verificacion_no_recibe_primeras_lecturas_ni_captura_segundas(catd: Catd) -> None:
    bien(catd.mesa.acopiar(A1, persona="acopio-1", origen=Origen.CATD))
    assert catd.mesa.siguiente("ana", {Papel.VERIFICACION}) is None
    assert catd.mesa.siguiente("ana", {Papel.CAPTURA}) == A1
    assert isinstance(catd.mesa.tomar(A1, "ana", {Papel.VERIFICACION}), Rechazo)


# -------------------------------------------------------------------------------------------------------------- lector


def test_el_lector_entrega_cada_lectura_una_vez_y_dice_de_que_clase_es(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)))
    acta = codigo_de(PROCESO.casillas[A1.casilla], PROCESO.elecciones["GUB"])
    estacion = catd.estacion()
    assert estacion.get("/lector").status_code == 204
    catd.lecturas += [catd.gafete("ana"), acta, "hola"]
    assert estacion.get("/lector?pide=gafete").json() == {"texto": catd.gafete("ana"), "clase": "gafete"}
    assert estacion.get("/lector").json() == {"texto": acta, "clase": "acta"}
    assert estacion.get("/lector").json() == {"texto": "hola", "clase": "otro"}
    assert estacion.get("/lector").status_code == 204


def test_se_lee_el_gafete_de_otra_persona_en_cualquier_pantalla_y_se_ofrece_relevar(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)), ("beto", (Papel.CAPTURA,)))
    estacion = catd.estacion()
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    catd.lecturas += [catd.gafete("ana"), catd.gafete("beto"), texto_qr(Gafete("carla", nuevo_azar()))]
    propio = estacion.get("/lector").json()
    assert (propio["propio"], propio["texto"]) == (True, "")
    assert "Su turno empezó" in estacion.get("/turno").text
    ajeno = estacion.get("/lector").json()
    assert (ajeno["propio"], ajeno["persona"], ajeno["texto"]) == (False, "beto", "")
    pagina = estacion.get("/turno").text
    assert "Va a relevar a Ana" in pagina
    assert "no es de este CATD" in estacion.get("/lector").json()["aviso"]
    entro = teclear_nip(estacion, pagina, NIP)
    assert entro.url.path == "/"


@pytest.mark.parametrize(
    ("texto", "clase"),
    [
        ("PREPG1:ana:AAAA", "gafete"),
        ("prepg1", "gafete"),
        ("PRACTICA:capturista-1", "gafete"),
        (A1.casilla, "acta"),
        (A1.casilla.lower(), "acta"),
        ("https://ejemplo.mx", "otro"),
        ("", "otro"),
    ],
)
def test_cada_lectura_se_reconoce_por_su_forma(texto: str, clase: str) -> None:
    assert clase_de(texto, PROCESO) == clase


# ------------------------------------------------------------------------------------------------------ marco y lista


@pytest.mark.parametrize(("modo", "dicho"), [(CAPACITACION, "Capacitación"), (SIMULACRO, "Simulacro")])
def test_cada_pantalla_dice_en_que_modo_se_esta(catd: Catd, modo: str, dicho: str) -> None:
    kiosco = Kiosco(catd.mesa, catd.mesa.almacen, PROCESO, identidad(), catd.reloj, catd.carpeta)
    app = crear_app(replace(kiosco, identidad=replace(identidad(), modo=modo)), 8080)
    catd.app = app
    estacion = catd.estacion()
    for ruta in ("/turno", "/no-existe"):
        pagina = estacion.get(ruta).text
        assert f'<span class="modo">{dicho}</span>' in pagina
        assert f'<body class="{modo}"' in pagina
        assert 'class="agua" aria-hidden="true"' in pagina
        assert '"allowEval": false' in pagina


def test_la_estimacion_sale_de_los_acuses_o_no_se_da() -> None:
    ahora = datetime(2026, 6, 7, 2, 0, tzinfo=UTC)
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE TABLE bandeja (secuencia INTEGER PRIMARY KEY, estado TEXT, cerrado_en TEXT)")

        def cerrar(*hace_s: int) -> None:
            base.execute("DELETE FROM bandeja")
            for s in hace_s:
                hora = (ahora - timedelta(seconds=s)).isoformat()
                base.execute("INSERT INTO bandeja (estado, cerrado_en) VALUES ('cerrado', ?)", (hora,))

        assert minutos_para_ponerse_al_dia(base, 37, ahora) is None
        cerrar(5, 10)
        assert minutos_para_ponerse_al_dia(base, 37, ahora) is None, "dos acuses no hacen un ritmo"
        cerrar(600, 601, 602, 603)
        assert minutos_para_ponerse_al_dia(base, 37, ahora) is None, "los viejos no dicen nada de ahora"
        cerrar(*range(0, 60, 3), 60)
        assert minutos_para_ponerse_al_dia(base, 0, ahora) is None
        assert minutos_para_ponerse_al_dia(base, 37, ahora) == 2
        cerrar(0, 0, 0, 0)
        assert minutos_para_ponerse_al_dia(base, 400, ahora) == 34, "un acuse que cierra varios no exagera el paso"
        cerrar(-5, -5, -5, -5)
        assert minutos_para_ponerse_al_dia(base, 37, ahora) is None, "ni los de un reloj que retrocedió"


def test_sin_lista_solo_en_los_ensayos_se_usa_la_de_practica(tmp_path: Path) -> None:
    for modo in (CAPACITACION, SIMULACRO):
        assert leer_personas(tmp_path, modo).personas == DE_PRACTICA
    with pytest.raises(Falla, match=r"Falta la lista de personas .*personas\.toml") as falla:
        leer_personas(tmp_path, OFICIAL)
    assert falla.value.rechazo.codigo == "PERSONAS"


def test_en_oficial_nadie_entra_con_gafete_de_practica(catd: Catd) -> None:
    oficial = replace(identidad(), modo=OFICIAL)
    kiosco = Kiosco(catd.mesa, catd.mesa.almacen, PROCESO, oficial, catd.reloj, catd.carpeta)
    with pytest.raises(Falla, match="Falta la lista de personas"):
        crear_app(kiosco, 8080)
    catd.inscribir(("capturista-1", (Papel.CAPTURA,)))
    catd.app = crear_app(kiosco, 8080)
    estacion = catd.estacion()
    pagina = estacion.get("/turno").text
    assert "práctica" not in pagina.lower()
    assert NIP_DE_PRACTICA not in pagina
    assert "Teclee su NIP" not in presentar(estacion, "PRACTICA:capturista-1")


def test_la_lista_puede_cambiar_el_plazo_del_bloqueo(catd: Catd) -> None:
    catd.inscribir(("ana", (Papel.CAPTURA,)), extra="inactividad_minutos = 10")
    estacion = catd.estacion()
    entrar(estacion, "ana", gafete=catd.gafete("ana"), nip=NIP)
    catd.reloj.avanzar(timedelta(minutes=9))
    assert estacion.get("/").url.path == "/"
    catd.reloj.avanzar(timedelta(minutes=10))
    assert estacion.get("/").url.path == "/turno"
