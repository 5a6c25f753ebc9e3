"""El único lugar que construye las cosas reales del centro: almacén, llaves, bróker, reloj y servidor web."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from nucleo.definicion import DefinicionInvalida
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from nucleo.temas import ambito_de
from servicio_central import adopcion, ajustes, almacenes, disco, inscripcion, padrones, vigente
from servicio_central.ajustes import Ajustes
from servicio_central.carril_de_imagenes import CarrilDeImagenes
from servicio_central.carril_de_mochilas import CarrilDeMochilas
from servicio_central.cubierto import Publicado
from servicio_central.declaradas import Declaradas
from servicio_central.despacho import Despacho
from servicio_central.enlace import Enlace, Ingestor, mqtt_de
from servicio_central.firmante import FirmanteDeArchivo
from servicio_central.ingesta import Ingesta
from servicio_central.ordenes import BandejaDeOrdenes
from servicio_central.puerto_almacen import PuertoAlmacen
from servicio_central.recepcion import Recepcion
from servicio_central.tropiezo import Tropiezo
from servicio_central.vigia import Vigia


def decir(texto: str) -> None:
    """Una línea de bitácora en la salida de errores: hora UTC y suceso. Nunca lanza."""
    # Que no quepa la bitácora (disco lleno, tubería cerrada) no es motivo para dejar de recibir.
    with suppress(OSError, ValueError):
        print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} centro: {texto}", file=sys.stderr, flush=True)


@dataclass
class Centro:
    """El centro armado. `vigia.proceso` y `vigia.padron` son siempre los vigentes."""

    carpeta: Path
    almacen: PuertoAlmacen
    ingesta: Ingesta
    enlace: Enlace
    vigia: Vigia
    despacho: Despacho
    """Por donde operación ordena algo a un kiosco."""
    mochilas: CarrilDeMochilas
    """El buzón de lo que llega en mano."""
    candado: int
    """Descriptor que impide abrir dos centros sobre la misma carpeta."""

    def empezar(self, parar: Event) -> Thread:
        """Corre la ingesta en su hilo hasta que `parar` se active."""
        hilo = Thread(target=self.enlace.correr, args=(parar,), name="ingesta", daemon=True)
        hilo.start()
        self.mochilas.empezar(parar)
        return hilo


def abrir_centro(carpeta: Path, avisar: Callable[[str], None] = decir) -> Centro:
    """Construye el centro de esa carpeta, sin empezar nada.

    Raises:
        Tropiezo: con lo que impide arrancar.
        uno de `puerto_almacen.ERRORES`: si el almacén no se puede abrir.
    """
    donde = ajustes.leer(carpeta)
    candado = _tomar(carpeta)
    try:
        return _armar(carpeta, donde, candado, avisar)
    except BaseException:
        os.close(candado)
        raise


def _tomar(carpeta: Path) -> int:
    try:
        return disco.tomar(carpeta / ".centro", esperar=False)
    except BlockingIOError as error:
        raise Tropiezo(
            "YA_CORRE",
            f"otro centro ya usa {carpeta}",
            "se arrancó dos veces, o el anterior no ha terminado",
            "use el que ya corre, o deténgalo antes de arrancar otro",
        ) from error


def _definicion(carpeta: Path, donde: Ajustes, clave: str, avisar: Callable[[str], None]) -> Proceso:
    """La firmada, o la de `centro.toml` si no hay; si ya no se puede usar, la última que se aceptó."""
    try:
        return adopcion.adoptar(carpeta, donde.proceso, donde.modo, clave)
    except (DefinicionInvalida, OSError, Tropiezo) as error:
        firmada = isinstance(error, Tropiezo) and error.rechazo.codigo == adopcion.CODIGO
        tropiezo = (
            error
            if firmada
            else Tropiezo(
                "DEFINICION",
                f"la definición {donde.proceso} no se puede usar ({error})",
                "se movió o se editó la carpeta",
                "corrija lo señalado, o el `proceso` de centro.toml",
            )
        )
        with suppress(DefinicionInvalida, OSError):
            if (carpeta / vigente.COPIA).exists() and (anterior := vigente.leer(carpeta)).clave == clave:
                avisar(f"{tropiezo}; se sigue con la última aceptada ({anterior.huella[:12]})")
                return anterior
        if firmada:
            # Un centro que apenas nace: con la de su carpeta recibe y publica, y la otra no se reparte.
            avisar(f"{tropiezo}; se empieza con la de {donde.proceso}")
            return vigente.adoptar(carpeta, donde.proceso, donde.modo, clave)
        raise tropiezo from error


def _padron(carpeta: Path, donde: Ajustes, avisar: Callable[[str], None]) -> Padron:
    padron = padrones.mas_nuevo(carpeta)
    if padron.modo != donde.modo:
        raise Tropiezo(
            "PADRON",
            f"el padrón es de modo {padron.modo} y el centro de {donde.modo}",
            "se copió el padrón de otro centro",
            "indique la carpeta que corresponde",
        )
    puesto = inscripcion.leer_padron(carpeta).version
    if puesto < padron.version:
        avisar(
            f"{ajustes.PADRON} es el {puesto}, anterior al {padron.version} que ya se tuvo; se usa el {padron.version}"
        )
    with suppress(OSError):
        padrones.recordar(carpeta, padron)
    return padron


def _armar(carpeta: Path, donde: Ajustes, candado: int, avisar: Callable[[str], None]) -> Centro:
    padron = _padron(carpeta, donde, avisar)
    proceso = _definicion(carpeta, donde, padron.proceso, avisar)
    almacen = almacenes.abrir(carpeta)
    firmante = FirmanteDeArchivo(carpeta / ajustes.LLAVE_ACUSES, ajustes.KID_CENTRO)
    ingesta = Ingesta(almacen, proceso, padron, firmante, lambda: datetime.now(UTC), donde.modo, Publicado(carpeta))
    vigia = Vigia(carpeta, proceso, padron, ingesta, avisar)
    ambito = ambito_de(donde.modo, proceso.clave)
    declaradas = Declaradas.de_carpeta(carpeta)
    imagenes = CarrilDeImagenes(Recepcion(carpeta, declaradas, firmante, lambda: datetime.now(UTC), ambito), avisar)
    bandeja = BandejaDeOrdenes(carpeta, proceso.clave, donde.modo)
    despacho = Despacho(carpeta, bandeja, firmante, ambito, lambda: datetime.now(UTC), avisar)
    ingesta.al_latir = despacho.al_latir
    conectar = mqtt_de(carpeta, donde.broker_host, donde.broker_puerto, ambito)
    ingestor: Ingestor = ingesta
    if donde.amqp:
        # pika sólo se carga donde de verdad hay un RabbitMQ.
        from servicio_central.enlace_amqp import Devolviendo, amqp_de

        conectar, ingestor = amqp_de(carpeta, donde.amqp, donde.colas), Devolviendo(ingesta, avisar)
    # Lo que esperaba se vuelve a juzgar: la definición pudo cambiar con el centro apagado.
    for alarma in ingesta.recargar().alarmas:
        avisar(alarma)
    mochilas = CarrilDeMochilas(carpeta, ingesta, lambda: vigia.padron, avisar, lambda: datetime.now(UTC))
    enlace = Enlace(ingestor, conectar, avisar, mochilas.junto_con(vigia.revisar), imagenes, despacho.siguiente)
    return Centro(carpeta, almacen, ingesta, enlace, vigia, despacho, mochilas, candado)
