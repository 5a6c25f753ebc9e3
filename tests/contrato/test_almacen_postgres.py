"""La misma batería de la ingesta, con los mismos sobres, sobre un PostgreSQL de verdad; y lo que sólo pasa con varios
escritores o cuando el servidor se muere."""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest

from ensayo.crecer import raiz
from ensayo.crecer.postgres import PostgresSolo
from nucleo.sobre import CADENA_NUEVA, huella
from servicio_central import ajustes, cubierto
from servicio_central.almacen import Almacen
from servicio_central.almacen_postgres import AlmacenPostgres
from servicio_central.conexion_postgres import revisar_dsn
from servicio_central.corte import hacer_corte
from servicio_central.enlace import Estado
from servicio_central.esquema_postgres import INTOCABLES, esquema
from servicio_central.ingesta import Ingesta, Mensaje
from servicio_central.lector_postgres import LectorPostgres
from servicio_central.monitor import casos, umbrales
from servicio_central.monitor.fotografo import Fotografo
from servicio_central.publicado import contenido
from servicio_central.puerto_almacen import Marca
from servicio_central.tropiezo import Tropiezo
from tests.sobres_de_prueba import AHORA, PROCESO, CentroDePrueba, EquipoDePrueba, captura
from tests.unidad import test_ingesta

pytestmark = pytest.mark.skipif(bool(raiz.impedimento()), reason=raiz.impedimento() or "sí se puede")

_SOLO_DE_SQLITE = {
    "test_con_el_disco_lleno_nada_se_acusa_y_despues_todo_entra": "aquí, con el servidor muerto",
    "test_con_el_archivo_tomado_por_otro_el_ciclo_sobrevive": "aquí, con dos ingestores a la vez",
    "test_los_hechos_no_se_pueden_cambiar_borrar_ni_reemplazar": "aquí, con los candados de PostgreSQL",
    "test_el_orden_las_repeticiones_y_los_cortes_de_luz_no_cambian_un_byte": "aquí, con pocas semillas",
    "test_con_cualquier_tema_y_cualesquiera_bytes_hay_uno_de_cinco_destinos": "el juicio no toca el almacén",
    "test_la_cadena_no_depende_del_orden": "no toca el almacén",
    "test_un_almacen_recien_abierto_no_lo_leen_otras_cuentas": "es de un archivo",
}
"""Prueba de SQLite → quién prueba lo mismo de PostgreSQL."""

# pytest recoge lo que encuentra en este módulo: cada prueba de la ingesta corre otra vez, con el `centro` de aquí.
globals().update({n: p for n, p in vars(test_ingesta).items() if n.startswith("test_") and n not in _SOLO_DE_SQLITE})


@dataclass
class CentroPostgres(CentroDePrueba):
    """Como `CentroDePrueba`, con su propia base."""

    servidor: ClassVar[PostgresSolo]
    dsn_de: ClassVar[dict[Path, str]] = {}
    dsn: str = field(init=False)
    postgres: AlmacenPostgres = field(init=False)

    def __post_init__(self) -> None:
        self.dsn = self.servidor.esquema_nuevo(f"b{uuid.uuid4().hex}")
        self.dsn_de[self.carpeta] = self.dsn
        super().__post_init__()

    def arrancar(self) -> None:
        self.postgres = AlmacenPostgres(self.dsn)
        self.almacen = self.postgres  # type: ignore[assignment]
        self.ingesta = Ingesta(self.postgres, self.proceso, self.padron(), self.llave, lambda: AHORA)

    def otro_ingestor(self) -> Ingesta:
        return Ingesta(AlmacenPostgres(self.dsn), self.proceso, self.padron(), self.llave, lambda: AHORA)

    def cuantos(self, tabla: str) -> int:
        (cuantos,) = self.almacen.bd.execute(f"SELECT count(*) FROM {tabla}").fetchone()
        return int(cuantos)


@pytest.fixture(scope="module", autouse=True)
def servidor() -> Iterator[PostgresSolo]:
    servidor = PostgresSolo()
    CentroPostgres.servidor = servidor
    # Las pruebas que hacen su propio centro también lo hacen aquí.
    with pytest.MonkeyPatch.context() as cambio:
        cambio.setattr(test_ingesta, "CentroDePrueba", CentroPostgres)
        # Un `centro.toml` pediría un centro inscrito; estas pruebas sólo necesitan decir cuál es su base.
        cambio.setattr(ajustes, "dsn_de", lambda carpeta: CentroPostgres.dsn_de.get(carpeta, ""))
        yield servidor
    servidor.cerrar()


@pytest.fixture
def equipo() -> EquipoDePrueba:
    return EquipoDePrueba("catd-01")


@pytest.fixture
def centro(tmp_path: Path, equipo: EquipoDePrueba) -> CentroPostgres:
    return CentroPostgres(tmp_path, [equipo, EquipoDePrueba("catd-02")])


def test_la_lista_de_lo_que_no_se_repite_esta_al_dia() -> None:
    assert set(_SOLO_DE_SQLITE) <= set(vars(test_ingesta))


def test_los_hechos_no_se_pueden_cambiar_borrar_ni_vaciar_ni_quitarles_el_candado(
    centro: CentroPostgres, equipo: EquipoDePrueba
) -> None:
    centro.destinos(equipo.mensaje(captura()), equipo.envio("basura"))
    equipo.secuencia, equipo.previo = 0, CADENA_NUEVA
    centro.destinos(equipo.mensaje(captura(votos=99)))
    for tabla in INTOCABLES:
        antes = centro.cuantos(tabla)
        assert antes == 1
        ordenes = (
            f"UPDATE {tabla} SET huella = 'x'",
            f"DELETE FROM {tabla}",
            f"TRUNCATE {tabla}",
            f"INSERT INTO {tabla} SELECT * FROM {tabla} ON CONFLICT (huella) DO UPDATE SET huella = 'x'",
            f"ALTER TABLE {tabla} DISABLE TRIGGER ALL",
            f"DROP TABLE {tabla}",
            f"COPY {tabla} FROM PROGRAM 'true'",
        )
        for quien in ("prep", "dueno"):
            with psycopg.connect(centro.dsn.replace("user=prep", f"user={quien}"), autocommit=True) as bd:
                # La dueña sí puede quitar tablas y candados: por eso el centro no entra como ella.
                for orden in ordenes if quien == "prep" else ordenes[:3]:
                    with pytest.raises(psycopg.Error) as negado:
                        bd.execute(orden)
                    assert quien == "prep" or "sólo se agrega" in str(negado.value)
        with psycopg.connect(centro.dsn.replace("user=prep", "user=dueno"), autocommit=True) as bd:
            bd.execute("SET session_replication_role = replica")
            with pytest.raises(psycopg.Error, match="sólo se agrega"):
                bd.execute(f"DELETE FROM {tabla}")
        assert centro.cuantos(tabla) == antes


@pytest.mark.parametrize("semilla", [1, 2])
def test_el_orden_las_repeticiones_y_los_cortes_no_cambian_un_byte(semilla: int) -> None:
    azar = random.Random(semilla)
    prueba = test_ingesta.test_el_orden_las_repeticiones_y_los_cortes_de_luz_no_cambian_un_byte
    prueba.hypothesis.inner_test(semilla, 15, azar, 4)  # type: ignore[attr-defined]


def test_se_muere_el_servidor_nada_se_acusa_y_al_volver_el_lote_entero_se_repite(
    centro: CentroPostgres, equipo: EquipoDePrueba, servidor: PostgresSolo
) -> None:
    mensajes = [equipo.mensaje(captura(persona=f"p-{n}")) for n in range(30)]
    assert set(centro.destinos(*mensajes[:10])) == {"aceptado"}
    servidor.matar()
    resultado = centro.ingesta.procesar(mensajes)
    assert {d.codigo for d in resultado.dictamenes} == {"ALMACEN"}
    assert resultado.acuses == ()
    servidor.levantar()
    resultado = centro.ingesta.procesar(mensajes)
    assert [d.destino.value for d in resultado.dictamenes] == ["repetido"] * 10 + ["aceptado"] * 20
    assert centro.acuses(resultado)[-1].contiguo == 30
    assert centro.cuantos("hechos") == 30


def test_el_commit_quedo_y_la_respuesta_se_perdio(
    centro: CentroPostgres, equipo: EquipoDePrueba, monkeypatch: pytest.MonkeyPatch
) -> None:
    mensajes = [equipo.mensaje(captura(persona=f"p-{n}")) for n in range(5)]
    bd = centro.postgres.bd
    confirmar = bd.confirmar

    def cortado() -> None:
        confirmar()
        bd.abrir().close()
        bd.execute("SELECT 1 FROM no_hay_tal")

    monkeypatch.setattr(bd, "confirmar", cortado)
    resultado = centro.ingesta.procesar(mensajes)
    assert {d.codigo for d in resultado.dictamenes} == {"ALMACEN"}
    assert resultado.acuses == ()
    monkeypatch.setattr(bd, "confirmar", confirmar)
    resultado = centro.ingesta.procesar(mensajes)
    assert {d.destino.value for d in resultado.dictamenes} == {"repetido"}
    assert centro.acuses(resultado)[-1].contiguo == 5
    assert centro.cuantos("hechos") == 5


def test_repetir_un_lote_tambien_espera_a_la_replica(centro: CentroPostgres, equipo: EquipoDePrueba) -> None:
    """Un lote de puros repetidos también deja rastro en el WAL: su COMMIT espera lo mismo que el primero."""
    mensaje = equipo.mensaje(captura())
    centro.destinos(mensaje)
    with psycopg.connect(centro.dsn, autocommit=True) as bd:
        (antes,) = bd.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone() or (0,)
        assert centro.destinos(mensaje) == ["repetido"]
        (despues,) = bd.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone() or (0,)
    assert despues > antes


def test_un_commit_que_no_espero_a_la_replica_no_se_acusa(
    centro: CentroPostgres, equipo: EquipoDePrueba, servidor: PostgresSolo
) -> None:
    """Sin réplica que conteste, cancelar la espera deja el COMMIT hecho y PostgreSQL sólo avisa. Eso no es durable."""
    with psycopg.connect(centro.dsn.replace("user=prep", "user=dueno"), autocommit=True) as dueno:
        dueno.execute("ALTER SYSTEM SET synchronous_standby_names = 'nadie'")
        dueno.execute("SELECT pg_reload_conf()")
        try:
            with ThreadPoolExecutor(1) as hilo:
                pendiente = hilo.submit(centro.ingesta.procesar, [equipo.mensaje(captura())])
                esperando = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'prep'"
                while (fila := dueno.execute(esperando).fetchone()) is None:
                    assert not pendiente.done(), "no esperó a la réplica"
                dueno.execute("SELECT pg_cancel_backend(%s)", fila)
                resultado = pendiente.result(30)
        finally:
            dueno.execute("ALTER SYSTEM RESET synchronous_standby_names")
            dueno.execute("SELECT pg_reload_conf()")
    assert [d.codigo for d in resultado.dictamenes] == ["ALMACEN"]
    assert resultado.acuses == ()
    assert centro.cuantos("hechos") == 1


def test_dos_ingestores_a_la_vez_con_los_mismos_sobres_ni_pierden_ni_duplican(
    centro: CentroPostgres, equipo: EquipoDePrueba
) -> None:
    otro_equipo = centro.equipos[1]
    mensajes = [e.mensaje(captura(persona=f"p-{n}")) for n in range(60) for e in (equipo, otro_equipo)]
    centro.destinos(mensajes[0])
    mensajes += [equipo.envio("basura"), equipo.latido(), otro_equipo.latido()]
    equipo.secuencia, equipo.previo = 0, CADENA_NUEVA
    mensajes.append(equipo.mensaje(captura(votos=99)))
    ingestores = [centro.ingesta, centro.otro_ingestor()]

    def correr(n: int) -> list[tuple[str, str]]:
        # Uno va de ida y el otro de vuelta: todos los lotes chocan.
        dichos = []
        lotes = [mensajes[i : i + 7] for i in range(0, len(mensajes), 7)]
        for lote in lotes if n == 0 else reversed(lotes):
            resultado = ingestores[n].procesar(lote)
            while any(d.codigo == "ALMACEN" for d in resultado.dictamenes):
                resultado = ingestores[n].procesar(lote)
            dichos += [(str(m.datos), d.destino.value) for m, d in zip(lote, resultado.dictamenes, strict=True)]
        return dichos

    with ThreadPoolExecutor(2) as hilos:
        dichos = [d for parte in hilos.map(correr, (0, 1)) for d in parte]
    aceptados = [m for m, destino in dichos if destino == "aceptado"]
    assert len(aceptados) == len(set(aceptados)), "dos ingestores aceptaron lo mismo"
    assert centro.cuantos("hechos") == 120
    assert centro.cuantos("bifurcaciones") == 1
    assert centro.cuantos("cuarentena") == 1
    guardadas = centro.almacen.cadenas_guardadas()
    assert {k: (c.contiguo, c.huella) for k, c in centro.almacen.cadenas_desde_hechos().items()} == guardadas
    assert [n for n, _ in guardadas.values()] == [60, 60]
    # Cualquiera de los dos acusa lo mismo.
    for ingesta in ingestores:
        (acuse,) = centro.acuses(ingesta.procesar([mensajes[0]]))
        assert (acuse.contiguo, acuse.faltan) == (60, ())


def test_un_ingestor_se_congela_con_un_equipo_apartado_y_no_detiene_a_los_demas(
    centro: CentroPostgres, equipo: EquipoDePrueba
) -> None:
    otro = AlmacenPostgres(centro.dsn)
    with otro.transaccion():
        otro.tomar({"catd-01"}, ())
        assert centro.destinos(centro.equipos[1].mensaje(captura())) == ["aceptado"]
        centro.almacen.bd.execute("SET lock_timeout = '50ms'")
        assert centro.destinos(equipo.mensaje(captura())) == ["transitorio"]
    assert centro.destinos(equipo.latido()) == ["aceptado"]


def test_el_corte_no_pierde_lo_que_se_confirmo_tarde(centro: CentroPostgres) -> None:
    """La posición se da al escribir y no al confirmar: el que escribió primero puede confirmar después."""
    tarde, pronto = centro.equipos
    lector = LectorPostgres(centro.dsn)
    almacen = AlmacenPostgres(centro.dsn)
    with almacen.transaccion():
        almacen.tomar({"catd-01"}, ())
        almacen.bd.execute(
            "INSERT INTO hechos (huella, equipo, epoca, secuencia, previo, eleccion, tipo, creado, recibido, sobre)"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            ("h" * 64, tarde.nombre, tarde.epoca, 1, "p" * 64, "GUB", "captura", "x", "x", "el que tarda"),
        )
        sobre = pronto.firmar(captura())
        assert centro.destinos(pronto.envio(sobre)) == ["aceptado"]
        leido = lector.nuevos("GUB", Marca())
        assert leido is not None
        assert [s for _, s in leido[0]] == [sobre]
    despues = lector.nuevos("GUB", leido[1])
    assert despues is not None
    assert [s for _, s in despues[0]] == ["el que tarda"]
    otra_vez = lector.nuevos("GUB", despues[1])
    assert otra_vez is not None
    assert otra_vez[0] == []
    # Una marca de otra base no cuadra: se lee todo otra vez.
    assert lector.nuevos("GUB", Marca(1, cuantos=7)) is None


def test_la_base_publicada_es_byte_por_byte_la_de_sqlite(tmp_path: Path) -> None:
    equipos, mensajes = test_ingesta._entregas(7, 40)
    publicado, hasta = [], []
    clases: tuple[type[CentroDePrueba], ...] = (CentroDePrueba, CentroPostgres)
    for clase in clases:
        centro = clase(tmp_path / clase.__name__, equipos)
        mitad = len(mensajes) // 2
        for minutos, parte in ((0, mensajes[mitad:]), (20, mensajes)):
            centro.destinos(*parte)
            hora = test_ingesta.CORTE + timedelta(minutes=minutos)
            corte = hacer_corte(centro.carpeta, PROCESO, "GUB", hora)
        publicado.append(contenido(corte.carpeta))
        hasta.append(cubierto.contar(centro.carpeta))
        centro.almacen.cerrar()
    assert publicado[0] == publicado[1]
    assert hasta[0] == hasta[1]


def test_lo_que_postgres_no_sabe_guardar_no_atora_un_lote(centro: CentroPostgres, equipo: EquipoDePrueba) -> None:
    lote = (Mensaje("prep/con\0nulo", b"\0\xff"), equipo.envio(b"\0\xff"), equipo.mensaje(captura()))
    assert centro.destinos(*lote) == ["fatal", "fatal", "aceptado"]
    assert centro.cuantos("cuarentena") == 2


def test_las_dos_bases_tienen_las_mismas_tablas_y_columnas(centro: CentroPostgres, tmp_path: Path) -> None:
    """Lo que se le agregue a una y no a la otra se nota aquí."""
    Almacen.abrir(tmp_path / "a.sqlite").cerrar()
    bd = sqlite3.connect(tmp_path / "a.sqlite")
    de_sqlite = {
        (tabla, columna)
        for (tabla,) in bd.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for _, columna, *_ in bd.execute(f"PRAGMA table_info({tabla})")
    }
    bd.close()
    filas = centro.almacen.bd.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    de_postgres = {(t, c) for t, c in filas} - {("hechos", "lote"), ("almacen", "uno"), ("almacen", "identidad")}
    assert de_postgres == de_sqlite


def test_el_esquema_se_puede_volver_a_correr(centro: CentroPostgres, equipo: EquipoDePrueba) -> None:
    centro.destinos(equipo.mensaje(captura()))
    with psycopg.connect(centro.dsn.replace("user=prep", "user=dueno"), autocommit=True) as bd:
        bd.execute(esquema())
    assert centro.cuantos("hechos") == 1


@pytest.mark.parametrize("dsn", ["host=x password=secreta", "host=x passfile=/tmp/x", "esto no es un DSN"])
def test_un_dsn_con_contrasena_o_sin_sentido_se_rechaza(dsn: str) -> None:
    with pytest.raises(Tropiezo, match="Siguiente paso"):
        revisar_dsn(dsn)


def test_el_hecho_aceptado_por_uno_lo_conoce_el_otro_aunque_nunca_lo_vio(
    centro: CentroPostgres, equipo: EquipoDePrueba
) -> None:
    uno, dos, tres = (equipo.firmar(captura(persona=f"p-{n}")) for n in range(3))
    otro = centro.otro_ingestor()
    centro.destinos(equipo.envio(uno))
    otro.procesar([equipo.envio(tres)])
    (acuse,) = centro.acuses(centro.ingesta.procesar([equipo.latido()]))
    assert (acuse.contiguo, acuse.faltan, [s for s, _ in acuse.sueltos]) == (1, ((2, 2),), [3])
    (acuse,) = centro.acuses(otro.procesar([equipo.envio(dos)]))
    assert (acuse.contiguo, acuse.huella) == (3, huella(tres))


def test_el_lector_nota_que_otro_escribio(centro: CentroPostgres, equipo: EquipoDePrueba) -> None:
    lector = LectorPostgres(centro.dsn)
    antes = lector.version()
    centro.destinos(equipo.mensaje(captura()))
    assert lector.version() != antes
    lector.close()


def test_la_sala_de_operacion_ve_lo_mismo(centro: CentroPostgres, equipo: EquipoDePrueba) -> None:
    """Las consultas del monitor también son de las que los dos motores entienden."""
    centro.destinos(equipo.mensaje(captura()), equipo.envio("basura"), equipo.latido())
    equipo.secuencia, equipo.previo = 0, CADENA_NUEVA
    centro.destinos(equipo.mensaje(captura(votos=99)))
    foto = Fotografo(centro.carpeta, umbrales.leer())
    retrato = foto.retratar(PROCESO, centro.padron(), Estado(conectado=True), AHORA)
    assert not retrato.almacen_mal
    assert len(casos.abiertos(centro.carpeta)) == 2
