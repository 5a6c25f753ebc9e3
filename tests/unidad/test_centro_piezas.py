"""Piezas del centro sin bróker: el calendario de cortes, el enlace con una conexión simulada y el corte en disco."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from nucleo.acuse import Acuse, abrir_acuse
from nucleo.sobre import CADENA_NUEVA
from servicio_central import almacen, calendario, publicado
from servicio_central.corte import hacer_corte, hacer_cortes
from servicio_central.enlace import EN_VUELO, Conectado, Conexion, Desconectado, Enlace, Suceso, Tomado
from servicio_central.ingesta import Mensaje, Resultado
from servicio_central.publicacion import escritura
from servicio_central.publicacion.escritura import CorteEnObra
from servicio_central.publicado import ultimo_publicado
from servicio_central.tropiezo import Tropiezo
from tests.centro_de_verdad import esperar
from tests.cortes_de_prueba import con_resumen
from tests.sobres_de_prueba import PROCESO, CentroDePrueba, EquipoDePrueba, captura

HORA = datetime(2022, 6, 6, 2, 20, tzinfo=UTC)


@pytest.fixture
def equipo() -> EquipoDePrueba:
    return EquipoDePrueba("catd-01")


@pytest.fixture
def centro(tmp_path: Path, equipo: EquipoDePrueba) -> CentroDePrueba:
    return CentroDePrueba(tmp_path, [equipo])


# -------------------------------------------------------------------------------------------------------- calendario


def test_los_cortes_van_del_inicio_al_cierre_y_son_al_menos_tres_por_hora() -> None:
    horas = calendario.horas(PROCESO)
    assert horas[0] == PROCESO.inicio_publicacion
    assert horas[-1] == PROCESO.cierre
    assert all(timedelta() < b - a <= timedelta(minutes=20) for a, b in pairwise(horas))
    raro = calendario.horas(replace(PROCESO, minutos_entre_cortes=17))
    assert raro[-1] == PROCESO.cierre
    assert len(set(raro)) == len(raro)


def test_un_corte_que_no_salio_se_hace_con_la_hora_en_que_de_verdad_se_hace() -> None:
    inicio = PROCESO.inicio_publicacion
    tarde = inicio + timedelta(minutes=27, seconds=40)
    assert calendario.atrasado(PROCESO, inicio - timedelta(seconds=1), None) is None
    assert calendario.atrasado(PROCESO, tarde, None) == inicio + timedelta(minutes=27)
    a_las_20 = publicado.nombre_de(PROCESO, inicio + timedelta(minutes=20))
    assert calendario.atrasado(PROCESO, tarde, a_las_20) is None
    assert calendario.atrasado(PROCESO, tarde, publicado.nombre_de(PROCESO, inicio)) is not None
    assert calendario.siguiente(PROCESO, PROCESO.cierre) is None


def test_el_hilo_hace_el_corte_lo_repite_si_falla_y_el_del_cierre_es_el_ultimo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendario, "_REINTENTO", 0.01)
    ahora = datetime.now(UTC)
    corto = replace(PROCESO, inicio_publicacion=ahora - timedelta(hours=1), cierre=ahora + timedelta(seconds=1))
    pedidos: list[tuple[datetime, bool]] = []

    def hacer(hora: datetime, ultimo: bool) -> str:
        pedidos.append((hora, ultimo))
        if len(pedidos) == 1:
            return "disco lleno"
        hecho = tmp_path / publicado.CORTES / publicado.nombre_de(corto, hora)
        hecho.mkdir(parents=True)
        con_resumen(hecho, {"corte": {"ultimo": ultimo}})
        publicado.apuntar(tmp_path, f"{publicado.CORTES}/{hecho.name}")
        return ""

    dicho: list[str] = []
    parar = Event()
    hilo = calendario.empezar(tmp_path, lambda: corto, hacer, dicho.append, parar)
    assert esperar(lambda: "último corte" in dicho[-1] if dicho else False, 8)
    parar.set()
    hilo.join(timeout=5)
    assert not hilo.is_alive()
    assert "disco lleno" in dicho[0]
    assert pedidos[-1] == (corto.cierre, True)
    assert len(pedidos) == 3
    assert [ultimo for _, ultimo in pedidos[:-1]] == [False] * (len(pedidos) - 1)


# ------------------------------------------------------------------------------------------------------------- corte


def test_un_corte_publicado_no_cambia_aunque_lleguen_mas_hechos(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    centro.destinos(equipo.mensaje(captura(persona="ana")))
    primero = hacer_corte(centro.carpeta, PROCESO, "GUB", HORA)
    assert hacer_corte(centro.carpeta, PROCESO, "GUB", HORA) == primero
    centro.destinos(equipo.mensaje(captura(persona="beto")))
    with pytest.raises(Tropiezo, match="un corte publicado no cambia"):
        hacer_corte(centro.carpeta, PROCESO, "GUB", HORA)
    segundo = hacer_corte(centro.carpeta, PROCESO, "GUB", HORA + timedelta(minutes=20))
    assert (primero.resumen.capturadas, segundo.resumen.capturadas) == (0, 1)
    assert primero.conjunto != segundo.conjunto
    assert ultimo_publicado(centro.carpeta) == segundo.carpeta.name


def test_un_corte_viejo_no_retrocede_lo_publicado(centro: CentroDePrueba) -> None:
    nuevo = hacer_corte(centro.carpeta, PROCESO, "GUB", HORA)
    hacer_corte(centro.carpeta, PROCESO, "GUB", HORA - timedelta(minutes=20))
    assert ultimo_publicado(centro.carpeta) == nuevo.carpeta.name


def test_si_el_disco_falla_a_medio_corte_lo_publicado_sigue_entero(
    centro: CentroDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    anterior = hacer_corte(centro.carpeta, PROCESO, "GUB", HORA)
    poner = CorteEnObra.poner

    def lleno(obra: CorteEnObra, ruta: str, datos: bytes) -> str:
        if ruta == publicado.RESUMEN:
            raise OSError(28, "No space left on device")
        return poner(obra, ruta, datos)

    monkeypatch.setattr(CorteEnObra, "poner", lleno)
    with pytest.raises(OSError, match="No space"):
        hacer_corte(centro.carpeta, PROCESO, "GUB", HORA + timedelta(minutes=20))
    assert ultimo_publicado(centro.carpeta) == anterior.carpeta.name
    assert [r.name for r in (centro.carpeta / publicado.CORTES).iterdir()] == [anterior.carpeta.name]
    assert not list(centro.carpeta.glob(".corte*"))


def test_quien_lee_mientras_se_publica_ve_siempre_un_corte_entero(centro: CentroDePrueba) -> None:
    hacer_corte(centro.carpeta, PROCESO, "GUB", HORA)
    publico = centro.carpeta / publicado.PUBLICO
    leidos: set[str] = set()
    parar = Event()

    def leer() -> None:
        while not parar.is_set():
            leidos.add(publicado.leer_resumen(publico)["corte"]["nombre"])

    hilo = Thread(target=leer)
    hilo.start()
    for n in range(1, 12):
        hacer_corte(centro.carpeta, PROCESO, "GUB", HORA + timedelta(minutes=n))
    parar.set()
    hilo.join()
    assert len(leidos) > 1


def test_todas_las_elecciones_salen_en_el_mismo_corte(centro: CentroDePrueba) -> None:
    otra = replace(PROCESO.elecciones["GUB"], clave="DIP_LOC", nombre="DIPUTACIONES")
    doble = replace(PROCESO, elecciones={**PROCESO.elecciones, "DIP_LOC": otra})
    cortes = hacer_cortes(centro.carpeta, doble, HORA)
    assert {c.carpeta for c in cortes.values()} == {cortes["GUB"].carpeta}
    assert {c.zip.name for c in cortes.values()} == {
        "20220605_2120_PREP_GUB_OAX.zip",
        "20220605_2120_PREP_DIP_LOC_OAX.zip",
    }
    portada = escritura.leer(cortes["GUB"].carpeta, "index.html").decode()
    assert all(f'href="{clave}/index.html"' in portada for clave in doble.elecciones)


def test_un_nombre_con_html_en_la_definicion_no_se_vuelve_html(centro: CentroDePrueba) -> None:
    malo = replace(PROCESO, nombre="<script>alert(1)</script>")
    hecho = hacer_corte(centro.carpeta, malo, "GUB", HORA)
    assert b"<script>alert" not in escritura.leer(hecho.carpeta, "index.html")


def test_el_corte_se_puede_pedir_por_la_terminal_sin_centro(tmp_path: Path) -> None:
    orden = [sys.executable, "-m", "servicio_central.corte", "--carpeta", str(tmp_path)]
    hecho = subprocess.run(orden, capture_output=True, text=True, check=False)
    assert hecho.returncode == 1
    assert "Siguiente paso" in hecho.stderr
    assert "Traceback" not in hecho.stderr


# ------------------------------------------------------------------------------------------------------------- enlace


class ConexionSimulada:
    """Lo que publica el centro queda en `publicados`; la prueba decide qué y cuándo contesta el bróker."""

    def __init__(self, fila: SimpleQueue[Suceso]) -> None:
        self.fila = fila
        self.publicados: list[tuple[str, bytes]] = []
        self.viva = True

    def publicar(self, tema: str, datos: bytes) -> bool:
        if self.viva:
            self.publicados.append((tema, datos))
        return self.viva

    def cerrar(self) -> None:
        self.viva = False


class BrokerSimulado:
    """Cuenta conexiones; las primeras `rechaza` fallan."""

    def __init__(self, rechaza: int = 0) -> None:
        self.conexiones: list[ConexionSimulada] = []
        self.rechaza = rechaza

    def __call__(self, fila: SimpleQueue[Suceso]) -> Conexion:
        if self.rechaza:
            self.rechaza -= 1
            raise OSError("conexión rechazada")
        conexion = ConexionSimulada(fila)
        self.conexiones.append(conexion)
        fila.put(Conectado())
        return conexion


def _correr(enlace: Enlace) -> Callable[[], None]:
    parar = Event()
    hilo = Thread(target=enlace.correr, args=(parar,))
    hilo.start()

    def detener() -> None:
        parar.set()
        hilo.join(timeout=5)
        assert not hilo.is_alive()

    return detener


def test_el_enlace_reconecta_con_un_cliente_nuevo_y_sigue(centro: CentroDePrueba, equipo: EquipoDePrueba) -> None:
    broker, dicho = BrokerSimulado(rechaza=2), list[str]()
    enlace = Enlace(centro.ingesta, broker, dicho.append)
    detener = _correr(enlace)
    try:
        assert esperar(lambda: len(broker.conexiones) == 1)
        primera = broker.conexiones[0]
        primera.fila.put(equipo.mensaje(captura(persona="ana")))
        assert esperar(lambda: len(primera.publicados) == 1)
        primera.fila.put(Desconectado("se fue la luz"))
        assert esperar(lambda: len(broker.conexiones) == 2)
        segunda = broker.conexiones[1]
        assert not primera.viva
        segunda.fila.put(equipo.mensaje(captura(persona="beto")))
        assert esperar(lambda: len(segunda.publicados) == 1)
        assert _acuse(centro, segunda.publicados[0][1]).contiguo == 2
        assert enlace.estado.conectado
    finally:
        detener()
    assert sum("sin enlace" in d for d in dicho) == 2


def test_no_hay_mas_acuses_en_vuelo_que_los_permitidos(tmp_path: Path) -> None:
    equipos = [EquipoDePrueba(f"catd-{n:02d}") for n in range(EN_VUELO + 15)]
    centro, broker = CentroDePrueba(tmp_path, equipos), BrokerSimulado()
    detener = _correr(Enlace(centro.ingesta, broker, lambda _: None))
    try:
        assert esperar(lambda: len(broker.conexiones) == 1)
        conexion = broker.conexiones[0]
        for equipo in equipos:
            conexion.fila.put(equipo.mensaje(captura()))
        assert esperar(lambda: len(conexion.publicados) == EN_VUELO)
        time.sleep(0.4)
        assert len(conexion.publicados) == EN_VUELO
        for _ in range(EN_VUELO):
            conexion.fila.put(Tomado())
        assert esperar(lambda: len(conexion.publicados) == len(equipos))
    finally:
        detener()


def test_un_defecto_nuestro_con_un_mensaje_no_detiene_a_los_demas(
    centro: CentroDePrueba, equipo: EquipoDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    procesar = centro.ingesta.procesar

    def defectuoso(mensajes: list[Mensaje]) -> Resultado:
        if any(m.datos == b"veneno" for m in mensajes):
            raise ZeroDivisionError
        return procesar(mensajes)

    monkeypatch.setattr(centro.ingesta, "procesar", defectuoso)
    broker, dicho = BrokerSimulado(), list[str]()
    detener = _correr(Enlace(centro.ingesta, broker, dicho.append))
    try:
        assert esperar(lambda: len(broker.conexiones) == 1)
        for mensaje in (equipo.mensaje(captura(persona="ana")), equipo.envio("veneno"), equipo.mensaje(captura())):
            broker.conexiones[0].fila.put(mensaje)
        assert esperar(lambda: _cuantos(centro) == 2)
        assert any("DEFECTO" in d for d in dicho)
    finally:
        detener()


def _cuantos(centro: CentroDePrueba) -> int:
    with closing(almacen.leer(centro.carpeta / "almacen.sqlite")) as bd:
        return int(bd.execute("SELECT count(*) FROM hechos").fetchone()[0])


def _acuse(centro: CentroDePrueba, datos: bytes) -> Acuse:
    acuse = abrir_acuse(datos.decode(), centro.llave.llave)
    assert acuse.huella != CADENA_NUEVA
    return acuse
