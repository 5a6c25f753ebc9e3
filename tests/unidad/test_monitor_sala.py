"""Lo que la sala ve de un centro de verdad: sus desgracias, lo que cambia, lo que se asienta y las métricas."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from nucleo.acta import MotivoSinActa
from nucleo.eventos import RenglonDeBitacora
from nucleo.hechos import HojaDeBitacora, IdActa, SinActa
from nucleo.temas import Carril
from servicio_central import ajustes, web
from servicio_central.corte import hacer_corte
from servicio_central.ingesta import Mensaje
from servicio_central.monitor import cartograma, casos, linea_de_tiempo, metricas, vida_de_acta
from servicio_central.monitor.difusion import suceso
from servicio_central.monitor.historia import Cambio
from servicio_central.monitor.libreta import ARCHIVO
from servicio_central.monitor.pintor import por_mover
from servicio_central.monitor.retrato import EstadoDeEnlace, Lugar
from tests.sala_de_prueba import SalaDePrueba


@pytest.fixture
def sala(tmp_path: Path) -> Iterator[SalaDePrueba]:
    sala = SalaDePrueba(tmp_path, 4, servir=False)
    yield sala
    sala.centro.almacen.cerrar()


def mirar(sala: SalaDePrueba) -> dict[str, list[str]]:
    """Un retrato; equipo → tipos de sus alarmas."""
    sala.sala.observador.mirar()
    suyas: dict[str, list[str]] = {}
    for p in sala.sala.observador.presentes:
        suyas.setdefault(p.alarma.equipo, []).append(p.alarma.tipo)
    return suyas


def sin_acta(sala: SalaDePrueba, n: int, persona: str = "ana") -> SinActa:
    (eleccion,) = sala.proceso.elecciones
    casilla = list(sala.proceso.casillas)[n]
    hora = sala.proceso.inicio_publicacion
    return SinActa(IdActa(eleccion, casilla), hora, MotivoSinActa.CASILLA_NO_INSTALADA, persona, "coordina")


def test_nadie_ha_hablado_y_despues_todos(sala: SalaDePrueba) -> None:
    assert all(t == ["NUNCA"] for t in mirar(sala).values())
    sala.latir(*sala.equipos)
    assert mirar(sala) == {}
    estados = [c.estado for c in sala.sala.historia.de("catd-001")]
    assert estados == [EstadoDeEnlace.NUNCA, EstadoDeEnlace.EN_LINEA]


def test_lo_que_dice_el_latido_llega_hasta_la_pantalla(sala: SalaDePrueba) -> None:
    sala.latir("catd-001", mas_viejo_s=2000, pendientes=8, imagenes=3, imagenes_bytes=10**6, desfase_ms=-7000)
    assert set(mirar(sala)["catd-001"]) == {"BANDEJA", "RELOJ"}
    _, pagina = sala.sala.observador.pagina()
    renglon = pagina.listas["tabla"]["catd-001"]
    for dicho in ("33 min", "1 MB", "−7 s", "por cable"):
        assert dicho in renglon


def test_se_le_corta_la_conexion_y_lo_dice_el_testamento(sala: SalaDePrueba) -> None:
    sala.latir("catd-001", sesion="a" * 16)
    sala.centro.ingesta.procesar([sala.latido("catd-001", sesion="a" * 16, motivo="muerte")])
    assert mirar(sala)["catd-001"] == ["SILENCIO"]
    assert sala.sala.historia.de("catd-001")[-1].estado is EstadoDeEnlace.CAIDO


def test_el_centro_estuvo_sin_broker_y_no_culpa_a_los_kioscos(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    mirar(sala)
    despues = datetime.now(UTC) + timedelta(minutes=10)
    sala.sala.observador._ahora = lambda: despues
    estado = sala.centro.enlace.estado
    estado.conectado, estado.desde = False, despues.timestamp() - 590
    assert mirar(sala) == {"": ["BROKER"]}
    estado.conectado, estado.desde = True, despues.timestamp() - 5
    assert mirar(sala) == {}
    estado.desde = despues.timestamp() - 60
    assert mirar(sala)["catd-001"] == ["SILENCIO"]


def test_bifurcacion_cuarentena_y_hoja_que_falta(sala: SalaDePrueba) -> None:
    sala.mandar("catd-001", sin_acta(sala, 0), sin_acta(sala, 1))
    gemelo = sala.equipos["catd-001"]
    gemelo.secuencia = 1
    sala.mandar("catd-001", sin_acta(sala, 2))
    sala.centro.ingesta.procesar([Mensaje(sala.inscrito.tema("catd-002", Carril.HECHOS), b"basura")])
    ajeno = sala.inscrito.tema("catd-002", Carril.HECHOS).replace("catd-002", "nadie-9")
    sala.centro.ingesta.procesar([Mensaje(ajeno, b"hola")])
    suyas = mirar(sala)
    assert "BIFURCACION" in suyas["catd-001"]
    assert "CUARENTENA" in suyas["catd-002"]
    assert suyas[""] == ["CUARENTENA_AJENA"]
    carpeta = sala.inscrito.centro
    bifurcado, *otros = casos.abiertos(carpeta)
    assert (bifurcado.equipo, bifurcado.primera) == ("catd-001", 2)
    assert f"--excluir catd-001 --epoca {gemelo.epoca} --hasta 1" in bifurcado.siguiente("copia")
    (pieza,) = casos.piezas(carpeta, bifurcado)
    assert pieza.dice != pieza.otra
    assert {c.equipo for c in otros} == {"catd-002", "-"}
    assert [p.dice for c in otros for p in casos.piezas(carpeta, c)].count("basura") == 1


def test_una_bitacora_a_la_que_le_quitaron_renglones(sala: SalaDePrueba) -> None:
    hora = sala.proceso.inicio_publicacion
    renglon = RenglonDeBitacora(hora.isoformat(), "arranque")
    sala.mandar("catd-001", HojaDeBitacora(hora, 5, "0" * 64, (renglon,)))
    assert mirar(sala)["catd-001"] == ["BITACORA", "NUNCA"]
    assert "faltan renglones" in str(sala.sala.observador.presentes[0].alarma.que)


def test_el_almacen_se_echa_a_perder_y_la_sala_sigue_en_pie(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    mirar(sala)
    sala.centro.almacen.cerrar()
    ruta = sala.inscrito.centro / ajustes.ALMACEN
    for resto in ruta.parent.glob(f"{ruta.name}*"):
        resto.unlink()
    ruta.write_bytes(b"esto no es SQLite" * 100)
    assert mirar(sala) == {"": ["ALMACEN"]}
    _, pagina = sala.sala.observador.pagina()
    assert "catd-004" in pagina.completa(), "lo de antes se sigue viendo"
    sala.centro.almacen = type(sala.centro.almacen).abrir(sala.inscrito.centro / "otro.sqlite")  # type: ignore[attr-defined]


def test_la_libreta_no_se_puede_escribir_y_las_alarmas_se_ven(
    sala: SalaDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lleno(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sala.sala.libreta, "transaccion", lleno)
    mirar(sala)
    assert "LIBRETA" in mirar(sala)[""]


def test_solo_se_manda_el_renglon_que_cambio(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    mirar(sala)
    observador = sala.sala.observador
    version, antes = observador.pagina()
    sala.latir(*sala.equipos)
    mirar(sala)
    assert observador.pagina()[1].cambios(antes) == "", "un latido igual no manda nada a nadie"
    assert observador.version == version
    sala.latir("catd-003", pendientes=5)
    mirar(sala)
    cambios = observador.pagina()[1].cambios(antes)
    assert 'id="k-catd-003"' in cambios
    assert 'id="k-catd-001"' not in cambios
    assert observador.version != version
    assert b"k-catd-003" in observador.al_volver(version)[1], "quien se atrasó un momento recibe lo que se perdió"
    assert b"k-catd-001" not in observador.al_volver(version)[1]
    assert b"k-catd-001" in observador.al_volver("otro-arranque-7")[1], "quien viene de antes recibe todo"
    for n in range(70):
        sala.latir("catd-003", pendientes=6 + n % 2)
        mirar(sala)
    assert b"k-catd-001" in observador.al_volver(version)[1], "y quien se atrasó mucho, también"
    assert b"k-catd-001" not in observador.al_volver(observador.version)[1]


def test_el_que_empeora_sube_sin_mandar_la_tabla_entera(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    mirar(sala)
    _, antes = sala.sala.observador.pagina()
    sala.latir("catd-003", escaner="falla")
    mirar(sala)
    cambios = sala.sala.observador.pagina()[1].cambios(antes)
    assert '<tr id="k-catd-003" hx-swap-oob="delete"></tr>' in cambios
    assert '<tbody hx-swap-oob="afterbegin:#tabla">' in cambios
    assert 'id="k-catd-001"' not in cambios


_CLAVES = st.lists(st.sampled_from("abcdefghij"), unique=True)


@given(_CLAVES, _CLAVES)
def test_poniendo_los_que_se_dice_queda_el_orden_nuevo(antes: list[str], ahora: list[str]) -> None:
    movidos = por_mover(antes, ahora)
    pantalla = [c for c in antes if c in ahora and c not in {m for m, _ in movidos}]
    for clave, tras in movidos:
        pantalla.insert(pantalla.index(tras) + 1 if tras else 0, clave)
    assert pantalla == ahora
    if sorted(antes) == sorted(ahora) and antes != ahora:
        assert len(movidos) < len(ahora), "siempre hay uno que se queda quieto"


def test_lo_que_diga_un_kiosco_no_se_vuelve_html_ni_otro_suceso() -> None:
    assert suceso("cambios", "a\nevent: fin\r\ndata: x", "1") == (
        b"event: cambios\nid: 1\ndata: a\ndata: event: fin\ndata: data: x\n\n"
    )
    assert "<script>" in casos.leer_sin_creer("<script>")  # se escapa al pintarlo
    assert casos.leer_sin_creer("\x1b[2J") == "\\x1b[2J"


def test_la_vida_de_un_acta_dice_quien_cuando_y_en_que_corte(sala: SalaDePrueba) -> None:
    sala.mandar("catd-001", sin_acta(sala, 7))
    (eleccion,) = sala.proceso.elecciones
    clave = list(sala.proceso.casillas)[7]
    hacer_corte(sala.inscrito.centro, sala.proceso, eleccion, sala.proceso.inicio_publicacion)
    gemelo = sala.equipos["catd-001"]
    gemelo.secuencia = 0
    sala.mandar("catd-001", sin_acta(sala, 7, "otra"))
    padron = sala.centro.vigia.padron
    vida = vida_de_acta.contar(sala.inscrito.centro, sala.proceso, padron, eleccion, clave)
    assert vida is not None
    assert vida.estado == "declarada sin acta"
    bueno, malo = sorted(vida.sucesos, key=lambda s: s.aparte)
    assert (bueno.equipo, bueno.secuencia, bueno.personas) == (
        "catd-001",
        1,
        "catd-001/ana, confirma catd-001/coordina",
    )
    assert bueno.corte == "20220605_2000"
    assert "bifurcado" in malo.aparte
    assert malo.corte == ""
    assert vida_de_acta.contar(sala.inscrito.centro, sala.proceso, padron, eleccion, "200000B0100") is None
    assert [c.clave for c in vida_de_acta.buscar(sala.proceso, clave.lower())] == [clave]


def test_se_busca_por_seccion_y_con_la_clave_como_la_escribe_el_kiosco(sala: SalaDePrueba) -> None:
    todas = sala.proceso.casillas.values()
    seccion = min(c.seccion for c in todas if c.seccion)
    suyas = [c.clave for c in todas if c.seccion == seccion]
    assert any(f"{seccion:04d}" in c.clave for c in todas if c.seccion != seccion), "otras claves la contienen"
    assert [c.clave for c in vida_de_acta.buscar(sala.proceso, f" {seccion:04d} ")] == suyas
    clave = suyas[0]
    assert [c.clave for c in vida_de_acta.buscar(sala.proceso, f"{clave[:2]} {clave[2:6]} {clave[6:]}")] == [clave]
    assert vida_de_acta.buscar(sala.proceso, "  ") == []


def test_los_distritos_cuentan_actas_y_no_hojas(sala: SalaDePrueba) -> None:
    sala.mandar("catd-001", sin_acta(sala, 0), sin_acta(sala, 0, "otra"), sin_acta(sala, 1))
    mirar(sala)
    retrato = sala.sala.observador.retrato
    assert retrato is not None
    assert sum(lugar.con_hechos for lugar in retrato.lugares) == 2
    assert sum(lugar.esperadas for lugar in retrato.lugares) == len(sala.proceso.esperadas("GUB"))


def test_si_algun_dia_hay_geometria_el_mapa_la_dibuja(sala: SalaDePrueba) -> None:
    lugares = [Lugar(n, f"Distrito largo {n}", 10, n, ()) for n in range(7)]
    ahora = datetime.now(UTC)
    mapa = cartograma.dibujar(lugares, [], ahora, sala.sala.umbrales, formas={3: "M0 0H9"})
    assert [r.forma for r in mapa.recuadros if r.distrito == 3] == ["M0 0H9"]
    assert len({(r.x, r.y) for r in mapa.recuadros}) == 7
    assert cartograma.dibujar([], [], ahora, sala.sala.umbrales).recuadros == ()


def test_la_linea_de_tiempo_no_esconde_un_corte_de_segundos() -> None:
    fin = datetime(2022, 6, 6, 4, tzinfo=UTC)
    inicio = fin - timedelta(hours=6)
    cambios = [
        Cambio(inicio, EstadoDeEnlace.EN_LINEA, "cable"),
        Cambio(inicio + timedelta(hours=1), EstadoDeEnlace.CAIDO),
        Cambio(inicio + timedelta(hours=1, seconds=3), EstadoDeEnlace.EN_LINEA, "celular"),
    ]
    linea = linea_de_tiempo.dibujar(cambios, inicio, fin, "America/Mexico_City")
    assert [t.clase for t in linea.tramos] == ["en-linea", "caido", "en-linea"]
    assert all(t.ancho >= 2 for t in linea.tramos)
    assert "por celular" in linea.tramos[2].titulo
    assert 3 <= len(linea.marcas) <= 12


# ------------------------------------------------------------------------------------------------- métricas


def test_todo_lo_que_pide_el_tablero_de_grafana_existe(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    sala.mandar("catd-001", sin_acta(sala, 0))
    sala.centro.ingesta.procesar([Mensaje(sala.inscrito.tema("catd-002", Carril.HECHOS), b"basura")])
    mirar(sala)
    texto = metricas.escribir(sala.sala).decode()
    declaradas = set(re.findall(r"^# TYPE (\S+) ", texto, re.MULTILINE))
    grafana = json.loads(resources.files("servicio_central.monitor").joinpath("grafana.json").read_bytes())
    pedidas = {m for p in grafana["panels"] for t in p["targets"] for m in re.findall(r"prep_[a-z_]+", t["expr"])}
    assert pedidas <= declaradas, pedidas - declaradas
    # Y al revés: nada se mide que nadie mire.
    assert declaradas <= pedidas, declaradas - pedidas
    numeros = [p["id"] for p in grafana["panels"]]
    assert len(numeros) == len(set(numeros))


def test_cada_etiqueta_que_usa_grafana_la_lleva_su_metrica(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    sala.centro.ingesta.procesar([Mensaje(sala.inscrito.tema("catd-002", Carril.HECHOS), b"basura")])
    mirar(sala)
    etiquetas: dict[str, set[str]] = {}
    for familia in text_string_to_metric_families(metricas.escribir(sala.sala).decode()):
        for muestra in familia.samples:
            etiquetas.setdefault(muestra.name, set()).update(muestra.labels)
    # Sin nada que contar, Prometheus no las ve: no hay con qué comparar.
    sin_muestra = {"prep_centro_en_espera", "prep_centro_desbordes"}
    grafana = json.loads(resources.files("servicio_central.monitor").joinpath("grafana.json").read_bytes())
    for objetivo in (t for p in grafana["panels"] for t in p["targets"]):
        expresion = objetivo["expr"]
        nombres = set(re.findall(r"prep_[a-z_]+", expresion))
        assert nombres <= etiquetas.keys() | sin_muestra, expresion
        usadas = set(re.findall(r"[{,]\s*([a-z]+)\s*(?:=~?|!~|!=)", expresion))
        usadas |= {e.strip() for g in re.findall(r"\bby\s*\(([^)]*)\)", expresion) for e in g.split(",")}
        usadas |= set(re.findall(r"{{\s*([a-z]+)\s*}}", objetivo.get("legendFormat", "")))
        if not nombres & sin_muestra:
            assert usadas <= set().union(*(etiquetas[n] for n in nombres)) | {"instance", "job"}, expresion


def test_las_metricas_dicen_lo_mismo_que_el_tablero(sala: SalaDePrueba) -> None:
    sala.latir(*sala.equipos)
    sala.latir("catd-002", pendientes=4, mas_viejo_s=90, desfase_ms=1500)
    mirar(sala)
    texto = metricas.escribir(sala.sala).decode()
    assert 'prep_kiosco_pendientes{equipo="catd-002"} 4.0' in texto
    assert 'prep_kiosco_desfase_segundos{equipo="catd-002"} 1.5' in texto
    assert 'prep_kiosco_estado{catd="catd-002",equipo="catd-002",estado="en línea"} 1.0' in texto
    assert list(text_string_to_metric_families(texto)), "y un Prometheus lo sabe leer"


# ------------------------------------------------------------------------------------------------- la web


def test_la_libreta_esta_danada_y_lo_publico_sigue(tmp_path: Path) -> None:
    primera = SalaDePrueba(tmp_path, 1, servir=False)
    primera.sala.libreta.cerrar()
    for resto in primera.inscrito.centro.glob(f"{ARCHIVO}*"):
        resto.unlink()
    (primera.inscrito.centro / ARCHIVO).write_bytes(b"basura" * 1000)
    dichos: list[str] = []
    app = web.aplicacion(primera.centro, avisar=dichos.append)

    async def pedir() -> list[httpx.Response]:
        transporte = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transporte, base_url="http://localhost") as cliente:
            return [await cliente.get(camino) for camino in ("/", "/operacion", "/proyector")]

    publica, operacion, proyector = asyncio.run(pedir())
    assert publica.status_code == 200
    assert operacion.status_code == 503
    assert "sigue recibiendo" in proyector.text
    assert "no se pudo abrir" in dichos[0]


def test_un_navegador_oyendo_no_impide_que_el_centro_termine(tmp_path: Path) -> None:
    sala = SalaDePrueba(tmp_path, 1)
    with httpx.stream("GET", f"{sala.url}/proyector/vivo", timeout=20) as respuesta:
        trozos = respuesta.iter_bytes()
        assert b"event: cambios" in next(trozos)
        sala.cerrar()
        assert all(isinstance(t, bytes) for t in trozos), "se despide bien, no a media frase"


def test_demasiadas_pantallas_abiertas_se_dice(tmp_path: Path) -> None:
    sala = SalaDePrueba(tmp_path, 1)
    sala.sala.observador.proyector._maximo = 0
    assert httpx.get(f"{sala.url}/proyector/vivo").status_code == 503
    assert httpx.get(f"{sala.url}/proyector").status_code == 200
    sala.cerrar()
