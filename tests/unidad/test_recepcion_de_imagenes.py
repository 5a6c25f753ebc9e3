"""La recepción de imágenes del centro: qué toma, de quién, cuánto, y qué sobrevive a un apagón."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import pytest
from joserfc.jwk import ECKey

from nucleo.acta import Digitalizacion, Origen
from nucleo.hechos import FueraDeCatalogo, IdActa, Imagen
from nucleo.recibo import ImagenRecibida, Recibo, Situacion, abrir_recibo
from nucleo.temas import Carril
from nucleo.trozo import MAXIMO_BYTES, MAXIMO_DATOS, Trozo, a_bytes, cortar, cuantos
from servicio_central import ajustes
from servicio_central.almacen import Almacen
from servicio_central.carril_de_imagenes import CarrilDeImagenes
from servicio_central.declaradas import Declaradas
from servicio_central.enlace import Conectado, Conexion, Enlace, Suceso, Tomado
from servicio_central.imagenes import A_MEDIAS, Imagenes
from servicio_central.ingesta import Mensaje
from servicio_central.por_recibir import Faltan, PorRecibir
from servicio_central.recepcion import CADA, CUOTA, MAXIMO_A_MEDIAS, RESERVA, Recepcion
from tests.disco_lleno import disco_lleno
from tests.sobres_de_prueba import AHORA, AMBITO, CentroDePrueba, EquipoDePrueba, captura

ACTA = IdActa("GUB", "200001B0100")


def bytes_de(semilla: int, trozos: float) -> bytes:
    return random.Random(semilla).randbytes(int(trozos * MAXIMO_DATOS))


def huella(contenido: bytes) -> str:
    return hashlib.sha256(contenido).hexdigest()


@dataclass
class Banco:
    """Una ingesta y una recepción de verdad, y dos equipos."""

    carpeta: Path
    cuota: int = CUOTA
    libre: int = 10**12
    centro: CentroDePrueba = field(init=False)
    recepcion: Recepcion = field(init=False)
    alarmas: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.centro = CentroDePrueba(self.carpeta, [EquipoDePrueba("catd-01"), EquipoDePrueba("catd-02")])
        self.arrancar()

    @property
    def equipo(self) -> EquipoDePrueba:
        return self.centro.equipos[0]

    def arrancar(self) -> None:
        self.recepcion = Recepcion(
            self.carpeta,
            Declaradas.de_carpeta(self.carpeta),
            self.centro.llave,
            lambda: AHORA,
            AMBITO,
            cuota=self.cuota,
            libre=lambda: self.libre,
        )

    def declarar(self, contenido: bytes, quien: EquipoDePrueba | None = None) -> str:
        hecho = Imagen(ACTA, AHORA, huella(contenido), len(contenido), Digitalizacion.ESCANER, "escaner-1")
        assert self.centro.destinos((quien or self.equipo).mensaje(hecho)) == ["aceptado"]
        return huella(contenido)

    def mandar(self, *trozos: Trozo, quien: EquipoDePrueba | None = None) -> dict[str, ImagenRecibida]:
        """Lo que el centro contesta de cada imagen."""
        mensajes = [(quien or self.equipo).envio(a_bytes(t), Carril.IMAGEN) for t in trozos]
        resultado = self.centro.ingesta.procesar(mensajes)
        assert resultado.acuses == (), "un trozo no lleva acuse"
        recibidos = self.recepcion.recibir(resultado.trozos)
        self.alarmas += recibidos.alarmas
        publica = ECKey.import_key(self.centro.llave.llave.as_dict(private=False))
        recibos = [abrir_recibo(r, publica) for _, r in recibidos.recibos]
        return {i.sha256: i for r in recibos for i in r.imagenes}

    def toda(self, contenido: bytes, quien: EquipoDePrueba | None = None) -> ImagenRecibida:
        trozos = [cortar(huella(contenido), contenido, n) for n in range(cuantos(len(contenido)))]
        return self.mandar(*trozos, quien=quien)[huella(contenido)]


@pytest.fixture
def banco(tmp_path: Path) -> Banco:
    return Banco(tmp_path)


def pregunta(contenido: bytes) -> Trozo:
    return Trozo(huella(contenido), len(contenido))


def test_solo_se_dice_completa_cuando_esta_en_su_lugar_y_es_la_que_se_declaro(banco: Banco) -> None:
    contenido = bytes_de(1, 3.5)
    sha256 = banco.declarar(contenido)
    trozos = [cortar(sha256, contenido, n) for n in range(4)]
    assert banco.mandar(*trozos[:3]) == {}, "sin preguntar y sin terminar, no hay nada que firmar"
    assert banco.mandar(pregunta(contenido))[sha256].rangos == ((0, 3 * MAXIMO_DATOS),)
    assert banco.mandar(trozos[3])[sha256].situacion is Situacion.COMPLETA
    imagenes = Imagenes(banco.carpeta)
    assert imagenes.ruta(sha256).read_bytes() == contenido
    assert imagenes.ruta(sha256).stat().st_mode & 0o777 == 0o600
    assert not any((banco.carpeta / "imagenes" / A_MEDIAS / "catd-01").iterdir())
    assert banco.mandar(pregunta(contenido))[sha256].situacion is Situacion.COMPLETA


def test_cada_tantos_trozos_hay_un_recibo(banco: Banco) -> None:
    contenido = bytes_de(1, 3 * CADA)
    sha256 = banco.declarar(contenido)
    dichos = [banco.mandar(cortar(sha256, contenido, n)).get(sha256) for n in range(3 * CADA)]
    assert [n + 1 for n, d in enumerate(dichos) if d is not None] == [CADA, 2 * CADA, 3 * CADA]
    assert dichos[-1] is not None
    assert dichos[-1].situacion is Situacion.COMPLETA


def test_la_que_nadie_ha_declarado_no_se_toma_hasta_que_su_hecho_se_acepta(banco: Banco) -> None:
    contenido = bytes_de(1, 1)
    assert banco.toda(contenido).situacion is Situacion.AJENA
    banco.declarar(contenido)
    assert banco.toda(contenido).situacion is Situacion.COMPLETA


def test_otro_equipo_no_puede_mandar_ni_preguntar_por_la_imagen_de_este(banco: Banco) -> None:
    contenido = bytes_de(1, 2)
    sha256, otro = banco.declarar(contenido), banco.centro.equipos[1]
    banco.mandar(cortar(sha256, contenido, 0))
    assert banco.toda(contenido, otro).situacion is Situacion.AJENA
    assert banco.mandar(pregunta(contenido))[sha256].rangos == ((0, MAXIMO_DATOS),), "lo suyo sigue igual"
    banco.toda(contenido)
    assert banco.mandar(pregunta(contenido), quien=otro)[sha256].situacion is Situacion.AJENA


def test_dos_equipos_declaran_la_misma_y_basta_que_llegue_una_vez(banco: Banco) -> None:
    contenido, otro = bytes_de(1, 2), banco.centro.equipos[1]
    banco.declarar(contenido)
    banco.declarar(contenido, otro)
    banco.toda(contenido)
    assert banco.mandar(pregunta(contenido), quien=otro)[huella(contenido)].situacion is Situacion.COMPLETA


def test_tambien_la_de_un_documento_fuera_de_catalogo(banco: Banco) -> None:
    contenido = bytes_de(1, 1)
    hecho = FueraDeCatalogo(
        "GUB", "F1", AHORA, Origen.CATD, Digitalizacion.ESCANER, "ACTA PREP", "", huella(contenido), "ana"
    )
    assert banco.centro.destinos(banco.equipo.mensaje(hecho)) == ["aceptado"]
    assert banco.toda(contenido).situacion is Situacion.COMPLETA


def test_los_bytes_no_dan_la_huella_se_tiran_se_dice_y_se_puede_volver_a_mandar(banco: Banco) -> None:
    contenido = bytes_de(1, 3)
    sha256 = banco.declarar(contenido)
    falso = contenido[:-1] + bytes([contenido[-1] ^ 1])
    trozos = [cortar(sha256, falso, n) for n in range(3)]
    for _ in range(3):
        assert banco.mandar(*trozos)[sha256].situacion is Situacion.DANADA
    assert not Imagenes(banco.carpeta).contiene(sha256)
    assert len(banco.alarmas) == 1, "se avisa una vez"
    assert banco.toda(contenido).situacion is Situacion.COMPLETA


def test_el_total_cambia_a_media_imagen_y_no_se_atora(banco: Banco) -> None:
    contenido = bytes_de(1, 3)
    sha256 = banco.declarar(contenido)
    banco.mandar(Trozo(sha256, 90 * MAXIMO_DATOS, 0, bytes(MAXIMO_DATOS)))
    assert banco.toda(contenido).situacion is Situacion.COMPLETA


def test_repetidos_y_revueltos_dan_lo_mismo(banco: Banco) -> None:
    contenido = bytes_de(1, 30)
    sha256 = banco.declarar(contenido)
    numeros = [*range(30)] * 3
    random.Random(5).shuffle(numeros)
    for numero in numeros:
        banco.mandar(cortar(sha256, contenido, numero))
    assert Imagenes(banco.carpeta).ruta(sha256).read_bytes() == contenido


def test_se_va_la_luz_a_media_imagen_y_lo_dicho_sigue_ahi(banco: Banco) -> None:
    contenido = bytes_de(1, 20)
    sha256 = banco.declarar(contenido)
    banco.mandar(*[cortar(sha256, contenido, n) for n in range(CADA)])
    banco.mandar(*[cortar(sha256, contenido, n) for n in range(CADA, CADA + 3)])
    banco.arrancar()
    # Lo que ningún recibo dijo puede faltar; lo que dijo, no.
    assert banco.mandar(pregunta(contenido))[sha256].rangos == ((0, CADA * MAXIMO_DATOS),)
    assert banco.toda(contenido).situacion is Situacion.COMPLETA


@pytest.mark.parametrize("dano", ["truncado", "sin mapa", "vacio", "mapa de más", "otro nombre"])
def test_lo_que_quedo_a_medias_esta_danado_y_aun_asi_llega(banco: Banco, dano: str) -> None:
    contenido = bytes_de(1, 20)
    sha256 = banco.declarar(contenido)
    banco.mandar(*[cortar(sha256, contenido, n) for n in range(CADA)])
    (parte,) = (banco.carpeta / "imagenes" / A_MEDIAS / "catd-01").iterdir()
    match dano:
        case "truncado":
            os.truncate(parte, 1000)
        case "sin mapa":
            os.truncate(parte, len(contenido))
        case "vacio":
            os.truncate(parte, 0)
        case "mapa de más":
            parte.write_bytes(parte.read_bytes()[: len(contenido)] + b"\xff" * 50)
        case _:
            parte.rename(parte.with_name("cualquiera"))
    banco.arrancar()
    for _ in range(2):
        dicho = banco.toda(contenido)
    assert dicho.situacion is Situacion.COMPLETA
    assert Imagenes(banco.carpeta).ruta(sha256).read_bytes() == contenido


def test_de_cada_equipo_hay_a_medias_hasta_la_cuota_y_nadie_se_atora(tmp_path: Path) -> None:
    banco = Banco(tmp_path, cuota=25 * MAXIMO_DATOS)
    todas = [bytes_de(n, 10) for n in range(4)]
    for contenido in todas:
        sha256 = banco.declarar(contenido)
        banco.mandar(cortar(sha256, contenido, 0))
    carpeta = banco.carpeta / "imagenes" / A_MEDIAS / "catd-01"
    assert len(list(carpeta.iterdir())) == 2
    assert banco.mandar(pregunta(todas[0]))[huella(todas[0])].rangos == (), "la más vieja se olvidó, y se dice"
    assert [banco.toda(c).situacion for c in todas] == [Situacion.COMPLETA] * 4


def test_muchas_imagenes_a_medias_no_llenan_la_carpeta(banco: Banco) -> None:
    for n in range(MAXIMO_A_MEDIAS + 5):
        contenido = bytes_de(n, 1.5)
        banco.declarar(contenido)
        banco.mandar(cortar(huella(contenido), contenido, 0))
    assert len(list((banco.carpeta / "imagenes" / A_MEDIAS / "catd-01").iterdir())) == MAXIMO_A_MEDIAS


def test_con_poco_disco_las_imagenes_esperan_y_los_hechos_no(banco: Banco) -> None:
    contenido = bytes_de(1, 2)
    banco.declarar(contenido)
    banco.libre = RESERVA - 1
    assert banco.toda(contenido).situacion is Situacion.ESPERA
    assert banco.centro.destinos(banco.equipo.mensaje(captura())) == ["aceptado"]
    banco.libre = RESERVA + 1
    assert banco.toda(contenido).situacion is Situacion.COMPLETA
    assert sum("poco disco" in a for a in banco.alarmas) == 1


def test_se_llena_el_disco_del_centro_a_media_imagen_y_no_se_dice_tener_lo_que_no_se_guardo(banco: Banco) -> None:
    contenido = bytes_de(1, 20)
    sha256 = banco.declarar(contenido)
    banco.mandar(*[cortar(sha256, contenido, n) for n in range(4)])
    with disco_lleno(10 * MAXIMO_DATOS):
        dichos = [banco.mandar(cortar(sha256, contenido, n)).get(sha256) for n in range(4, 20)]
    assert {d.situacion for d in dichos if d is not None} == {Situacion.ESPERA}
    assert any("no se pudo guardar" in a for a in banco.alarmas)
    rangos = banco.mandar(pregunta(contenido))[sha256].rangos
    assert sum(hasta - desde for desde, hasta in rangos) <= 10 * MAXIMO_DATOS
    assert banco.toda(contenido).situacion is Situacion.COMPLETA
    assert Imagenes(banco.carpeta).ruta(sha256).read_bytes() == contenido


def test_trozos_basura_se_ven_en_cuarentena_sin_inundarla(banco: Banco) -> None:
    mensajes = [banco.equipo.envio(random.Random(n).randbytes(500), Carril.IMAGEN) for n in range(300)]
    mensajes += [banco.equipo.envio(bytes(MAXIMO_BYTES + 1 + n), Carril.IMAGEN) for n in range(20)]
    resultado = banco.centro.ingesta.procesar(mensajes)
    assert {d.destino.value for d in resultado.dictamenes} == {"fatal"}
    assert resultado.acuses == ()
    bd = banco.centro.almacen.bd
    apartados = bd.execute("SELECT codigo, veces FROM cuarentena JOIN veces ON clave = sha256 ORDER BY codigo")
    assert apartados.fetchall() == [("FORMA", 300), ("TAMANO", 20)]
    assert bd.execute("SELECT max(length(bytes)) FROM cuarentena").fetchone() == (64,)
    assert banco.centro.destinos(banco.equipo.mensaje(captura())) == ["aceptado"]


def test_un_equipo_dado_de_baja_ya_no_manda_imagenes(banco: Banco) -> None:
    contenido = bytes_de(1, 1)
    banco.declarar(contenido)
    banco.centro.ingesta.recargar(padron=banco.centro.padron(catd_01=banco.equipo.inscrito(vigente=False)))
    resultado = banco.centro.ingesta.procesar([banco.equipo.envio(a_bytes(pregunta(contenido)), Carril.IMAGEN)])
    assert [d.codigo for d in resultado.dictamenes] == ["EQUIPO_NO_VIGENTE"]
    assert resultado.trozos == ()


def test_un_trozo_no_abre_la_transaccion_de_los_hechos(banco: Banco) -> None:
    contenido = bytes_de(1, 1)
    sha256 = banco.declarar(contenido)
    otro = sqlite3.connect(banco.carpeta / ajustes.ALMACEN, isolation_level=None)
    otro.execute("BEGIN IMMEDIATE")
    banco.centro.almacen.bd.execute("PRAGMA busy_timeout = 10")
    assert banco.toda(contenido).situacion is Situacion.COMPLETA
    otro.execute("ROLLBACK")
    otro.close()
    assert Imagenes(banco.carpeta).contiene(sha256)


def test_lo_que_falta_por_recibir_de_cada_equipo(banco: Banco) -> None:
    por_recibir = PorRecibir(banco.carpeta)
    assert por_recibir.pendientes_por_equipo() == {}
    una, otra = bytes_de(1, 2), bytes_de(2, 3)
    banco.declarar(una)
    banco.declarar(otra)
    banco.declarar(una, banco.centro.equipos[1])
    assert por_recibir.pendientes_por_equipo() == {
        "catd-01": Faltan(2, len(una) + len(otra)),
        "catd-02": Faltan(1, len(una)),
    }
    banco.toda(una)
    assert por_recibir.pendientes_por_equipo() == {"catd-01": Faltan(1, len(otra))}


@pytest.mark.parametrize("malo", ["", "../../etc/passwd", "AB" * 32, "ab" * 32 + "/x"])
def test_ninguna_ruta_sale_de_la_carpeta(banco: Banco, malo: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Imagenes(banco.carpeta).ruta(malo)


# ------------------------------------------------------------------------------------------------- el enlace del centro


class ConexionDePrueba:
    """Un bróker que ya está en línea, entrega un lote y toma todo lo que se le da."""

    def __init__(self, fila: SimpleQueue[Suceso], mensajes: list[Mensaje]) -> None:
        self.publicados: list[str] = []
        self._fila = fila
        fila.put(Conectado())
        for mensaje in mensajes:
            fila.put(mensaje)

    def publicar(self, tema: str, datos: bytes) -> bool:
        assert datos
        self.publicados.append(tema.rpartition("/")[2])
        self._fila.put(Tomado())
        return True

    def cerrar(self) -> None: ...


def test_los_hechos_del_lote_se_acusan_antes_que_sus_imagenes(banco: Banco) -> None:
    contenido = bytes_de(1, 2)
    sha256 = banco.declarar(contenido)
    trozos = [banco.equipo.envio(a_bytes(cortar(sha256, contenido, n)), Carril.IMAGEN) for n in range(2)]
    mensajes = [*trozos, banco.equipo.mensaje(captura())]
    parar, conexiones = Event(), list[ConexionDePrueba]()

    def conectar(fila: SimpleQueue[Suceso]) -> Conexion:
        conexiones.append(ConexionDePrueba(fila, mensajes))
        return conexiones[-1]

    def vigilar() -> None:
        # Se llama cada segundo: para entonces ya se contestó todo.
        if conexiones and len(conexiones[0].publicados) >= 2:
            parar.set()

    carril = CarrilDeImagenes(banco.recepcion, banco.alarmas.append)
    Enlace(banco.centro.ingesta, conectar, banco.alarmas.append, vigilar, carril).correr(parar)
    assert conexiones[0].publicados == ["acuse", "recibo"]
    assert Imagenes(banco.carpeta).contiene(sha256)
    assert not any("DEFECTO" in a for a in banco.alarmas)


def test_un_almacen_de_antes_gana_las_columnas_del_latido(tmp_path: Path) -> None:
    ruta = tmp_path / "almacen.sqlite"
    Almacen.abrir(ruta).cerrar()
    bd = sqlite3.connect(ruta, isolation_level=None)
    for columna in ("mas_viejo_s", "salida"):
        bd.execute(f"ALTER TABLE latidos DROP COLUMN {columna}")
    bd.close()
    banco = Banco(tmp_path)
    latido = banco.equipo.latido(mas_viejo_s=7, imagenes=3, salida="cable", desfase_ms=-4)
    assert banco.centro.destinos(latido) == ["aceptado"]
    fila = "SELECT mas_viejo_s, imagenes, salida, desfase_ms, motivo FROM latidos"
    assert banco.centro.almacen.bd.execute(fila).fetchall() == [(7, 3, "cable", -4, "pulso")]


def test_un_recibo_por_cada_epoca_inscrita(banco: Banco) -> None:
    contenido = bytes_de(1, 1)
    banco.declarar(contenido)
    dos = banco.equipo.inscrito(epocas=frozenset({banco.equipo.epoca, "f" * 16}))
    banco.centro.ingesta.recargar(padron=banco.centro.padron(catd_01=dos))
    resultado = banco.centro.ingesta.procesar([banco.equipo.envio(a_bytes(pregunta(contenido)), Carril.IMAGEN)])
    recibos: list[Recibo] = [
        abrir_recibo(r, banco.centro.llave.llave) for _, r in banco.recepcion.recibir(resultado.trozos).recibos
    ]
    assert {r.epoca for r in recibos} == {banco.equipo.epoca, "f" * 16}
