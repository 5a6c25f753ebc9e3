"""Órdenes y definición que bajan: el centro y el kiosco de producción, con la red en memoria y el tiempo en la mano."""

from __future__ import annotations

import errno
import gzip
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from appliance import definicion_recibida, situacion
from appliance.almacen import Almacen
from appliance.arranque import abrir_kiosco
from appliance.enlace.carril_de_ordenes import MENSAJE, CarrilDeOrdenes
from appliance.enlace.paquete_que_baja import MAXIMO_INTENTOS, MAXIMO_QUIETO_S, PaqueteQueBaja
from appliance.enlace.transporte import Mensaje as MensajeDelKiosco
from appliance.enlace.transporte_memoria import BrokerEnMemoria, TransporteEnMemoria
from appliance.falla import Falla
from appliance.identidad import leer_identidad
from appliance.llave import LlaveDeArchivo, leer_publica
from appliance.reloj import RelojFijado
from nucleo.acta import Origen
from nucleo.definicion import cargar_proceso
from nucleo.hechos import Acopio, IdActa
from nucleo.orden import (
    MostrarMensaje,
    Orden,
    PausarImagenes,
    Que,
    Reenviar,
    Renacer,
    SeguirImagenes,
    TomarDefinicion,
    sellar_orden,
)
from nucleo.padron import AUTORIDAD
from nucleo.paquete import DefinicionFirmada, abrir_paquete, armar, comprimir, sellar_definicion
from nucleo.problema import Rechazo
from nucleo.temas import Carril, Tema, ambito_de
from nucleo.trozo import MAXIMO_DATOS
from servicio_central import ajustes, firma_de_definicion, inscripcion
from servicio_central.almacen import Almacen as AlmacenDelCentro
from servicio_central.despacho import Despacho
from servicio_central.firmante import FirmanteDeArchivo
from servicio_central.ingesta import Ingesta, Mensaje
from servicio_central.ordenes import ARCHIVO, BandejaDeOrdenes, Estado
from servicio_central.tropiezo import Tropiezo
from tests.disco_lleno import disco_lleno
from tests.noche_en_memoria import NocheEnMemoria

RAIZ: Final = Path(__file__).resolve().parents[2]
OAXACA: Final = RAIZ / "datos" / "oaxaca_2022"
PROCESO: Final = cargar_proceso(OAXACA)
AMBITO: Final = ambito_de("simulacro", PROCESO.clave)
INICIO: Final = datetime(2022, 6, 6, 1, 0, tzinfo=UTC)
CASILLA: Final = next(c for c in PROCESO.casillas if "B" in c)


class CentroEnMemoria(TransporteEnMemoria):
    """La ingesta y el despacho de producción, conectados al bróker en memoria."""

    def __init__(self, broker: BrokerEnMemoria, ingesta: Ingesta, despacho: Despacho) -> None:
        super().__init__(broker)
        self._red, self._ingesta, self._despacho = broker, ingesta, despacho
        self.destinos: list[str] = []
        self.latidos = 0
        self.trozos = 0
        for carril in (Carril.HECHOS, Carril.LATIDO):
            self.filtros.append(f"prep/{AMBITO}/+/sube/{carril.value}")

    def atender(self) -> None:
        recibidos, self.recibidos = self.recibidos, []
        self.latidos += sum(m.tema.endswith("latido") for m in recibidos)
        resultado = self._ingesta.procesar([Mensaje(m.tema, m.carga) for m in recibidos])
        self.destinos += [d.destino.value for d in resultado.dictamenes]
        for tema, acuse in resultado.acuses:
            self._red.repartir(tema, acuse.encode())
        while (baja := self._despacho.siguiente()) is not None:
            self.trozos += baja[0].endswith("paquete")
            self._red.repartir(*baja)


class Noche(NocheEnMemoria):
    """Autoridad, centro y un kiosco inscritos de verdad; cada espera del enlace adelanta el reloj de los dos."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.base = base
        self.autoridad, self.centro, self.kiosco = base / "a", base / "c", base / "catd-01"
        inscripcion.crear_autoridad(self.autoridad)
        inscripcion.inscribir_centro(
            self.autoridad, self.centro, proceso=OAXACA, modo="simulacro", broker_host="localhost", broker_puerto=1
        )
        inscripcion.inscribir_kiosco(self.autoridad, self.centro, self.kiosco, equipo="catd-01", catd="catd-01")
        self.padron = inscripcion.leer_padron(self.centro)
        self.identidad = leer_identidad(self.kiosco)
        self.firmante = FirmanteDeArchivo(self.centro / ajustes.LLAVE_ACUSES, ajustes.KID_CENTRO)
        self.avisos: list[str] = []
        self.abrir_centro()
        self.abrir()

    def ahora(self) -> datetime:
        return INICIO + timedelta(seconds=self.segundos)

    def abrir_centro(self) -> None:
        almacen = AlmacenDelCentro.abrir(self.centro / ajustes.ALMACEN)
        ingesta = Ingesta(almacen, PROCESO, self.padron, self.firmante, self.ahora, "simulacro")
        self.bandeja = BandejaDeOrdenes(self.centro, PROCESO.clave, "simulacro")
        self.despacho = Despacho(
            *(self.centro, self.bandeja, self.firmante, AMBITO, self.ahora, self.avisos.append, lambda: self.segundos)
        )
        ingesta.al_latir = self.despacho.al_latir
        self.conexion = CentroEnMemoria(self.broker, ingesta, self.despacho)
        self.conexion.conectar()

    def abrir(self) -> None:
        """El kiosco, como después de un apagón."""
        firmante = LlaveDeArchivo(self.kiosco / "llave.pem", "catd-01")
        self.almacen = Almacen.abrir(
            *(self.kiosco / "almacen.sqlite", self.identidad, firmante),
            proceso=PROCESO.clave,
            sistema="prueba",
            arranque="prueba",
        )
        llave_centro = leer_publica(self.kiosco / "centro.pub.pem")
        self.reloj = RelojFijado(self.ahora())
        self.ordenes = CarrilDeOrdenes(
            *(self.almacen, self.identidad, PROCESO.clave, llave_centro, self.reloj),
            lambda datos: self.guardar(datos),
        )
        self.enlace = self.enlazar(self.identidad, firmante, llave_centro, proceso=PROCESO.clave, ordenes=self.ordenes)

    def guardar(self, datos: bytes) -> DefinicionFirmada | Rechazo:
        hechos = (h for _, h in self.almacen.hechos_desde(0))
        return definicion_recibida.guardar(self.kiosco, datos, self.identidad, PROCESO.clave, hechos)

    def atender(self) -> None:
        # El latido se distingue por su hora: dos del mismo instante serían el mismo.
        self.reloj.fijar(self.ahora())
        self.conexion.atender()

    def correr(self, hasta: Callable[[], bool] = lambda: False, limite_s: float = 120.0) -> float:
        return super().correr(hasta, limite_s)

    def ordenar(self, que: Que) -> int:
        (guardada,) = self.despacho.ordenar(self.padron, "catd-01", que, "operadora-1")
        return guardada.numero

    def estados(self) -> list[Estado]:
        return [o.estado(self.ahora()) for o in self.bandeja.de("catd-01")]

    def acopiar(self, cuantos: int, casilla: str = CASILLA) -> None:
        base = self.almacen.ultimo().secuencia
        actas = [IdActa("GUB", casilla) for _ in range(cuantos)]
        hechos = [
            Acopio(a, INICIO + timedelta(seconds=base + i), Origen.CATD, "ACTA PREP", "", "acopio-1")
            for i, a in enumerate(actas)
        ]
        self.almacen.asentar(hechos, INICIO, "virtual")

    def eventos(self) -> list[str]:
        with self.almacen.lectura() as mirada:
            return [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora ORDER BY renglon")]

    def situacion(self, llave: str) -> str:
        with self.almacen.lectura() as mirada:
            return situacion.leer(mirada.conexion, llave)

    def a_mano(self, **cambios: object) -> None:
        """Una orden firmada por el centro que le llega al kiosco sin pasar por la bandeja."""
        hora = self.ahora()
        llana = Orden(
            *(PROCESO.clave, "simulacro", "catd-01", self.identidad.epoca, 1, hora, hora + timedelta(hours=1)),
            MostrarMensaje("a mano"),
        )
        firmada = sellar_orden(replace(llana, **cambios), self.firmante)  # type: ignore[arg-type]
        tema = str(Tema(AMBITO, "catd-01", Carril.ORDEN))
        self.ordenes.recibir([MensajeDelKiosco(tema, firmada.encode())], self.segundos)


@pytest.fixture
def noche(tmp_path: Path) -> Noche:
    return Noche(tmp_path)


# --------------------------------------------------------------------------------------------------------- las órdenes


def test_una_orden_llega_se_obedece_una_vez_y_el_centro_lo_sabe(noche: Noche) -> None:
    noche.ordenar(MostrarMensaje("Manden ya el paquete 3"))
    noche.ordenar(PausarImagenes())
    tardo = noche.correr(lambda: noche.estados() == [Estado.OBEDECIDA] * 2)
    assert noche.estados() == [Estado.OBEDECIDA] * 2
    assert tardo < 10, "cada una se contesta con un latido, sin esperar al siguiente pulso"
    assert noche.situacion(MENSAJE) == "Manden ya el paquete 3"
    assert not noche.ordenes.imagenes_permitidas()
    noche.correr(limite_s=60)
    assert noche.eventos().count("orden_obedecida") == 2
    assert {o.quien for o in noche.bandeja.de("catd-01")} == {"operadora-1"}


def test_lo_obedecido_sobrevive_a_un_reinicio_y_no_se_repite(noche: Noche) -> None:
    noche.ordenar(PausarImagenes())
    noche.correr(lambda: noche.ordenes.ultima == 1)
    noche.enlace.cerrar()
    noche.abrir()
    assert noche.ordenes.ultima == 1
    assert not noche.ordenes.imagenes_permitidas()
    noche.ordenar(SeguirImagenes())
    noche.correr(lambda: noche.ordenes.ultima == 2)
    assert noche.ordenes.imagenes_permitidas()


def test_una_orden_que_se_pierde_se_repite_hasta_que_se_obedece(noche: Noche) -> None:
    perdidas = iter([True] * 4)
    noche.broker.pierde = lambda tema: tema.endswith("/orden") and next(perdidas, False)
    noche.ordenar(Renacer())
    noche.correr(lambda: noche.estados() == [Estado.OBEDECIDA], limite_s=180)
    assert noche.estados() == [Estado.OBEDECIDA]
    assert noche.eventos() == ["orden_obedecida"]


@pytest.mark.parametrize(
    "cambios",
    [
        {"numero": 5},
        {"numero": 4},
        {"equipo": "catd-02", "numero": 9},
        {"epoca": "f" * 16, "numero": 9},
        {"modo": "oficial", "numero": 9},
        {"proceso": "otro2024", "numero": 9},
        {"hora": INICIO - timedelta(hours=3), "caduca": INICIO - timedelta(hours=2), "numero": 9},
    ],
)
def test_repetida_menor_ajena_o_caduca_no_se_obedece(noche: Noche, cambios: dict[str, object]) -> None:
    noche.ordenes.oir(INICIO, noche.segundos)
    noche.a_mano(numero=5, que=MostrarMensaje("la cinco"))
    noche.a_mano(**cambios)
    assert (noche.ordenes.ultima, noche.situacion(MENSAJE)) == (5, "la cinco")
    assert [e for e in noche.eventos() if e != "orden_tarde"] == ["orden_obedecida"]


def test_la_que_llega_caduca_se_anota_una_sola_vez_y_operacion_se_entera(noche: Noche) -> None:
    noche.ordenes.oir(INICIO, noche.segundos)
    tarde = {"hora": INICIO - timedelta(hours=3), "caduca": INICIO - timedelta(hours=2)}
    for numero in (7, 7, 7, 6, 8):
        noche.a_mano(numero=numero, **tarde)
    assert noche.ordenes.ultima == 0
    assert noche.eventos() == ["orden_tarde", "orden_tarde"]


def test_el_disco_se_llena_al_anotar_que_llego_tarde_y_con_lugar_si_se_anota(noche: Noche) -> None:
    noche.ordenes.oir(INICIO, noche.segundos)
    tarde = {"hora": INICIO - timedelta(hours=3), "caduca": INICIO - timedelta(hours=2)}
    with disco_lleno(1), pytest.raises(Falla):
        noche.a_mano(numero=7, **tarde)
    # El centro la repite hasta que caduca por su reloj.
    noche.a_mano(numero=7, **tarde)
    noche.a_mano(numero=7, **tarde)
    assert noche.eventos() == ["orden_tarde"]


def test_bajada_es_haberla_dado_al_broker_y_se_anota_la_primera_vez(noche: Noche) -> None:
    noche.ordenar(Renacer())
    (antes,) = noche.bandeja.de("catd-01")
    assert antes.bajada is None
    noche.broker.pierde = lambda tema: tema.endswith("/orden")
    noche.correr(lambda: noche.bandeja.de("catd-01")[0].bajada is not None)
    (bajada,) = noche.bandeja.de("catd-01")
    noche.correr(lambda: noche.segundos > 60)
    assert noche.bandeja.de("catd-01") == (bajada,), "repetirla no cambia cuándo bajó"
    assert noche.bandeja.recientes(bajada.caduca) == (bajada,)
    assert noche.bandeja.recientes(bajada.caduca + timedelta(seconds=1)) == ()


def test_una_orden_que_no_firmo_el_centro_no_se_obedece(noche: Noche) -> None:
    noche.ordenes.oir(INICIO, noche.segundos)
    noche.firmante = FirmanteDeArchivo(noche.kiosco / "llave.pem", "centro")
    noche.a_mano()
    assert (noche.ordenes.ultima, noche.ordenes.urge_latir(0.0)) == (0, False)


def test_un_acuse_viejo_no_rejuvenece_una_orden_caduca(noche: Noche) -> None:
    """El bróker puede guardar una orden y un acuse de antes, y entregarlos juntos tres horas después."""
    noche.ordenes.oir(INICIO + timedelta(hours=3), 0.0)
    noche.ordenes.oir(INICIO, 1.0)
    noche.a_mano(hora=INICIO, caduca=INICIO + timedelta(hours=1))
    assert noche.ordenes.ultima == 0


def test_repetir_ordenes_sin_fin_no_hace_latir_sin_fin(noche: Noche) -> None:
    noche.ordenes.oir(INICIO, 0.0)
    noche.a_mano()
    noche.ordenes.latio(0.0)
    urgio = 0
    for decima in range(100):
        noche.segundos = decima * 0.1
        noche.a_mano()
        if noche.ordenes.urge_latir(noche.segundos):
            urgio += 1
            noche.ordenes.latio(noche.segundos)
    assert 1 <= urgio <= 6


def test_reenviar_desde_una_secuencia_vuelve_a_mandar_todo_aunque_ya_se_acusara(noche: Noche) -> None:
    noche.acopiar(120)
    noche.correr(lambda: noche.almacen.resumen().pendientes == 0)
    assert noche.conexion.destinos.count("aceptado") >= 120
    antes = noche.conexion.destinos.count("repetido")
    noche.ordenar(Reenviar(11))
    noche.correr(lambda: noche.conexion.destinos.count("repetido") - antes >= 110)
    assert noche.conexion.destinos.count("repetido") - antes == 110
    assert noche.almacen.resumen().pendientes == 0


def test_se_pierde_la_bandeja_del_centro_y_la_numeracion_sigue_despues_de_lo_obedecido(noche: Noche) -> None:
    for texto in ("uno", "dos", "tres"):
        noche.ordenar(MostrarMensaje(texto))
    noche.correr(lambda: noche.ordenes.ultima == 3)
    noche.correr(limite_s=20)
    (noche.centro / ARCHIVO).unlink()
    noche.conexion.cerrar()
    noche.abrir_centro()
    noche.correr(limite_s=20)
    assert noche.ordenar(MostrarMensaje("cuatro")) == 4
    noche.correr(lambda: noche.ordenes.ultima == 4)
    assert noche.situacion(MENSAJE) == "cuatro"


def test_una_orden_que_nadie_obedecio_caduca_y_no_estorba_a_la_siguiente(noche: Noche) -> None:
    noche.bandeja.ordenar(
        noche.padron, "catd-01", PausarImagenes(), "op", vigencia=timedelta(seconds=5), ahora=noche.ahora()
    )
    noche.segundos += 10
    noche.ordenar(MostrarMensaje("sigue"))
    noche.correr(lambda: noche.ordenes.ultima == 2)
    assert noche.estados() == [Estado.CADUCA, Estado.OBEDECIDA]
    assert noche.ordenes.imagenes_permitidas()


def test_lo_que_no_se_puede_ordenar_se_dice(noche: Noche) -> None:
    for equipo, que, quien in (
        ("catd-99", Renacer(), "op"),
        ("catd-01", Renacer(), " "),
        ("catd-01", MostrarMensaje("x" * 201), "op"),
    ):
        with pytest.raises(Tropiezo):
            noche.despacho.ordenar(noche.padron, equipo, que, quien)
    with pytest.raises(Tropiezo, match="ninguna definición firmada"):
        noche.despacho.repartir_definicion(noche.padron, ["catd-01"], "op")
    assert noche.bandeja.de("catd-01") == ()


def test_lo_ordenado_no_se_cambia_ni_se_borra(noche: Noche) -> None:
    noche.ordenar(Renacer())
    bd = sqlite3.connect(noche.centro / ARCHIVO)
    for sql in ("DELETE FROM ordenes", "UPDATE ordenes SET quien = 'otra'", "UPDATE ordenes SET datos = '{}'"):
        with pytest.raises(sqlite3.IntegrityError, match="sólo"):
            bd.execute(sql)
    bd.close()


# -------------------------------------------------------------------------------------------------------- la definición


def otra_definicion(base: Path, nombre: str = "otra", sin: str = "") -> Path:
    """La de Oaxaca con otro nombre de proceso; `sin` le quita una casilla."""
    carpeta = base / nombre
    shutil.copytree(OAXACA, carpeta, ignore=shutil.ignore_patterns("cortes", "*.md", "*.py"))
    toml = carpeta / "eleccion.toml"
    toml.write_text(toml.read_text("utf-8") + f"# {nombre}\n", "utf-8")
    if sin:
        renglones = gzip.decompress((carpeta / "casillas.csv.gz").read_bytes()).decode("utf-8").splitlines(True)
        quedan = [r for r in renglones if not r.startswith(f"{sin},")]
        assert len(quedan) == len(renglones) - 1
        (carpeta / "casillas.csv.gz").write_bytes(gzip.compress("".join(quedan).encode("utf-8")))
    return carpeta


def paquete(noche: Noche, carpeta: Path) -> bytes:
    return firma_de_definicion.firmar(noche.autoridad, noche.centro, carpeta)[1].read_bytes()


def test_la_definicion_baja_en_trozos_se_guarda_y_se_toma_al_arrancar(noche: Noche) -> None:
    carpeta = otra_definicion(noche.base)
    largo = len(paquete(noche, carpeta))
    perdidos = iter([False, True, False, False, True])
    noche.broker.pierde = lambda tema: tema.endswith("/paquete") and next(perdidos, False)
    noche.acopiar(3)
    noche.despacho.repartir_definicion(noche.padron, ["catd-01"], "op")
    noche.correr(lambda: "definicion_recibida" in noche.eventos())
    assert noche.conexion.trozos >= -(-largo // MAXIMO_DATOS) + 1
    assert noche.almacen.resumen().pendientes == 0, "las cifras no esperan a la definición"
    assert definicion_recibida.version_guardada(noche.kiosco) == 1
    assert not (noche.kiosco / definicion_recibida.ENLACE).exists(), "a media captura no se cambia"
    trozos = noche.conexion.trozos
    noche.correr(limite_s=60)
    assert noche.conexion.trozos == trozos, "ya completa no se vuelve a mandar"
    noche.enlace.cerrar()
    for _ in range(2):
        kiosco = abrir_kiosco(noche.kiosco)
        assert kiosco.proceso.huella == cargar_proceso(carpeta).huella != PROCESO.huella
        assert (kiosco.identidad.proceso / "formatos" / "GUB.toml").exists()
        kiosco.almacen.desconectar()
    noche.abrir()
    assert noche.eventos().count("definicion_tomada") == 1


def test_se_apaga_el_kiosco_con_la_definicion_a_la_mitad_y_al_volver_la_baja_entera(noche: Noche) -> None:
    paquete(noche, otra_definicion(noche.base))
    pasan = iter([False, False])
    noche.broker.pierde = lambda tema: tema.endswith("/paquete") and next(pasan, True)
    noche.despacho.repartir_definicion(noche.padron, ["catd-01"], "op")
    noche.correr(lambda: noche.ordenes.paquete.llevo == 2 * MAXIMO_DATOS)
    noche.broker.pierde = lambda _: False
    assert definicion_recibida.version_guardada(noche.kiosco) == 0
    noche.enlace.cerrar()
    noche.abrir()
    assert (noche.ordenes.paquete.espera is not None, noche.ordenes.paquete.llevo) == (True, 0)
    noche.correr(lambda: "definicion_recibida" in noche.eventos())
    assert definicion_recibida.version_guardada(noche.kiosco) == 1


def test_si_le_cambian_un_byte_en_el_camino_se_dice_y_se_sigue_con_la_de_antes(noche: Noche) -> None:
    paquete(noche, otra_definicion(noche.base))
    repartir = noche.broker.repartir

    def con_dano(tema: str, carga: bytes) -> None:
        repartir(tema, carga[:-1] + bytes([carga[-1] ^ 1]) if tema.endswith("/paquete") else carga)

    noche.broker.repartir = con_dano  # type: ignore[method-assign]
    noche.despacho.repartir_definicion(noche.padron, ["catd-01"], "op")
    noche.correr(lambda: "definicion_rechazada" in noche.eventos())
    assert noche.eventos() == ["orden_obedecida", "definicion_rechazada"]
    assert noche.ordenes.paquete.espera is None
    assert MAXIMO_INTENTOS == 3
    noche.enlace.cerrar()
    kiosco = abrir_kiosco(noche.kiosco)
    assert kiosco.proceso.huella == PROCESO.huella
    kiosco.almacen.desconectar()


def codigo(resultado: object) -> str:
    return resultado.codigo if isinstance(resultado, Rechazo) else "guardada"


def test_la_que_firmo_el_centro_la_anterior_y_la_cortada_no_se_guardan(noche: Noche) -> None:
    primera = paquete(noche, otra_definicion(noche.base, "uno"))
    segunda = paquete(noche, otra_definicion(noche.base, "dos"))
    firmada, archivos = abrir_paquete(segunda, leer_publica(noche.kiosco / "autoridad.pub.pem"))
    comprimido = comprimir(archivos)
    impostor = FirmanteDeArchivo(noche.centro / ajustes.LLAVE_ACUSES, AUTORIDAD)
    falsa = armar(sellar_definicion(replace(firmada, version=99), impostor), comprimido)
    autora = FirmanteDeArchivo(noche.autoridad / "autoridad.pem", AUTORIDAD)
    ajena = armar(sellar_definicion(replace(firmada, proceso="otro2024", version=99), autora), comprimido)
    de_otra_huella = armar(sellar_definicion(replace(firmada, huella="f" * 64, version=99), autora), comprimido)
    assert codigo(noche.guardar(falsa)) == "DEFINICION_DANADA"
    assert codigo(noche.guardar(segunda[: len(segunda) // 2])) == "DEFINICION_DANADA"
    assert codigo(noche.guardar(ajena)) == "DEFINICION_AJENA"
    assert codigo(noche.guardar(de_otra_huella)) == "DEFINICION_DANADA"
    assert not list((noche.kiosco / definicion_recibida.VERSIONES).glob("*")), "de lo rechazado no queda nada"
    assert codigo(noche.guardar(segunda)) == "guardada"
    assert codigo(noche.guardar(primera)) == "DEFINICION_VIEJA"
    assert codigo(noche.guardar(segunda)) == "DEFINICION_VIEJA"


def test_una_definicion_en_la_que_ya_no_cabe_un_hecho_no_se_guarda(noche: Noche) -> None:
    sin_ella = paquete(noche, otra_definicion(noche.base, "sin", sin=CASILLA))
    noche.acopiar(1)
    assert codigo(noche.guardar(sin_ella)) == "DEFINICION_INCOMPATIBLE"
    assert definicion_recibida.version_guardada(noche.kiosco) == 0


def test_lo_capturado_mientras_esperaba_ya_no_cabe_y_se_sigue_con_la_de_antes(noche: Noche) -> None:
    assert codigo(noche.guardar(paquete(noche, otra_definicion(noche.base, "sin", sin=CASILLA)))) == "guardada"
    noche.acopiar(1)
    noche.enlace.cerrar()
    kiosco = abrir_kiosco(noche.kiosco)
    assert kiosco.proceso.huella == PROCESO.huella
    kiosco.almacen.desconectar()
    noche.abrir()
    assert noche.eventos() == ["definicion_rechazada"]


def test_una_version_guardada_que_alguien_altero_no_se_toma(noche: Noche) -> None:
    assert codigo(noche.guardar(paquete(noche, otra_definicion(noche.base)))) == "guardada"
    (toml,) = (noche.kiosco / definicion_recibida.VERSIONES).glob("*/eleccion.toml")
    toml.write_text(toml.read_text("utf-8") + "# alterada\n", "utf-8")
    noche.enlace.cerrar()
    kiosco = abrir_kiosco(noche.kiosco)
    assert kiosco.proceso.huella == PROCESO.huella
    kiosco.almacen.desconectar()


def test_pedir_un_paquete_que_no_existe_no_hace_leer_el_disco_ni_manda_nada(noche: Noche) -> None:
    noche.ordenes.oir(INICIO, 0.0)
    noche.a_mano(que=TomarDefinicion("a" * 64, 40_000, 1))
    noche.correr(limite_s=30)
    assert noche.conexion.trozos == 0
    assert noche.ordenes.paquete.espera is not None
    assert noche.avisos == []


def test_el_disco_falla_un_momento_al_leer_la_definicion_y_baja_sin_que_nadie_la_toque(
    noche: Noche, monkeypatch: pytest.MonkeyPatch
) -> None:
    paquete(noche, otra_definicion(noche.base))
    noche.despacho.repartir_definicion(noche.padron, ["catd-01"], "op")
    leer, fallas = Path.read_bytes, iter([True] * 3)

    def con_eio(ruta: Path) -> bytes:
        if ruta.suffix == ".prd" and next(fallas, False):
            raise OSError(errno.EIO, "Input/output error", str(ruta))
        return leer(ruta)

    monkeypatch.setattr(Path, "read_bytes", con_eio)
    noche.correr(lambda: "definicion_recibida" in noche.eventos())
    assert noche.eventos() == ["orden_obedecida", "definicion_recibida"]
    assert "Input/output error" in noche.avisos[0]
    assert "se reintenta" in noche.avisos[0]


def test_espera_un_paquete_que_el_centro_ya_no_tiene_y_no_late_sin_parar(noche: Noche) -> None:
    """Cada latido y su acuse se pagan en el celular: pedirlo cada tres segundos eran tres megas por hora."""
    paquete = PaqueteQueBaja(noche.almacen, lambda _: Rechazo("NUNCA", "", "", ""))
    paquete.empezar(TomarDefinicion("a" * 64, MAXIMO_DATOS * 2, 1))
    pedidos = []
    for segundo in range(3600):
        if paquete.toca_pedir(float(segundo)):
            pedidos.append(segundo)
            paquete.pedido(float(segundo))
    assert pedidos[:3] == [0, 3, 9]
    assert 3600 / MAXIMO_QUIETO_S < len(pedidos) < 3600 / MAXIMO_QUIETO_S + 10


def test_sin_la_llave_de_la_autoridad_no_se_toma_ninguna(noche: Noche) -> None:
    datos = paquete(noche, otra_definicion(noche.base))
    (noche.kiosco / "autoridad.pub.pem").unlink()
    with pytest.raises(Falla, match="llave pública"):
        noche.guardar(datos)
