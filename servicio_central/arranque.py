"""El único lugar que construye las cosas reales del centro: almacén, llaves, bróker, reloj y servidor web."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.temas import ambito_de
from servicio_central import ajustes, inscripcion
from servicio_central.almacen import Almacen
from servicio_central.enlace import Enlace, mqtt_de
from servicio_central.firmante import FirmanteDeArchivo
from servicio_central.ingesta import Ingesta
from servicio_central.tropiezo import Tropiezo
from servicio_central.vigia import Vigia


def decir(texto: str) -> None:
    """Una línea de bitácora en la salida de errores: hora UTC y suceso."""
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} centro: {texto}", file=sys.stderr, flush=True)


@dataclass
class Centro:
    """El centro armado. `vigia.proceso` y `vigia.padron` son siempre los vigentes."""

    carpeta: Path
    almacen: Almacen
    ingesta: Ingesta
    enlace: Enlace
    vigia: Vigia

    def empezar(self, parar: Event) -> Thread:
        """Corre la ingesta en su hilo hasta que `parar` se active."""
        hilo = Thread(target=self.enlace.correr, args=(parar,), name="ingesta", daemon=True)
        hilo.start()
        return hilo


def abrir_centro(carpeta: Path, avisar: Callable[[str], None] = decir) -> Centro:
    """Construye el centro de esa carpeta, sin empezar nada.

    Raises:
        Tropiezo: con lo que impide arrancar.
        sqlite3.Error: si el almacén no se puede abrir.
    """
    donde = ajustes.leer(carpeta)
    padron = inscripcion.leer_padron(carpeta)
    try:
        proceso = replace(cargar_proceso(donde.proceso), modo=donde.modo)
    except (DefinicionInvalida, OSError) as error:
        raise Tropiezo(
            "DEFINICION",
            f"la definición {donde.proceso} no se puede usar ({error})",
            "se movió o se editó la carpeta",
            "corrija lo señalado, o el `proceso` de centro.toml",
        ) from error
    if (padron.proceso, padron.modo) != (proceso.clave, donde.modo):
        raise Tropiezo(
            "PADRON",
            f"el padrón es de {padron.modo}/{padron.proceso} y el centro de {donde.modo}/{proceso.clave}",
            "se copió el padrón o la definición de otro proceso",
            "indique la carpeta que corresponde",
        )
    almacen = Almacen.abrir(carpeta / ajustes.ALMACEN)
    firmante = FirmanteDeArchivo(carpeta / ajustes.LLAVE_ACUSES, ajustes.KID_CENTRO)
    ingesta = Ingesta(almacen, proceso, padron, firmante, lambda: datetime.now(UTC), donde.modo)
    vigia = Vigia(carpeta, proceso, padron, ingesta, avisar)
    ambito = ambito_de(donde.modo, proceso.clave)
    conectar = mqtt_de(carpeta, donde.broker_host, donde.broker_puerto, ambito)
    # Lo que esperaba se vuelve a juzgar: la definición pudo cambiar con el centro apagado.
    for alarma in ingesta.recargar().alarmas:
        avisar(alarma)
    return Centro(carpeta, almacen, ingesta, Enlace(ingesta, conectar, avisar, vigia.revisar), vigia)
