"""Un kiosco y un centro de verdad —almacenes, ingesta y recepción de imágenes— unidos por un bróker en memoria."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from appliance.enlace.ciclo import Ajustes, Alrededor
from appliance.enlace.transporte_memoria import BrokerEnMemoria, TransporteEnMemoria
from appliance.imagenes import Imagenes
from appliance.llave import LlaveDeArchivo
from appliance.reloj import RelojFijado
from nucleo.acta import Digitalizacion
from nucleo.hechos import IdActa, Imagen
from nucleo.padron import Equipo, Padron
from nucleo.temas import Carril, Tema, leer_tema
from nucleo.trozo import Trozo, leer
from servicio_central.almacen import Almacen as AlmacenDelCentro
from servicio_central.declaradas import Declaradas
from servicio_central.ingesta import Ingesta, Mensaje
from servicio_central.recepcion import CUOTA, Recepcion
from tests.estrategias import firmante
from tests.kiosco_de_prueba import A1, EPOCA, PROCESO, abrir_almacen, hora, identidad
from tests.noche_en_memoria import NocheEnMemoria
from tests.sobres_de_prueba import AMBITO

IMAGEN: Final = str(Tema(AMBITO, "catd-01", Carril.IMAGEN))
RECIBO: Final = str(Tema(AMBITO, "catd-01", Carril.RECIBO))
HECHOS: Final = str(Tema(AMBITO, "catd-01", Carril.HECHOS))


class CentroEntero(TransporteEnMemoria):
    """Contesta en cuanto le llega algo, primero a los hechos. `muere` lo deja sin nada de lo que no era durable."""

    def __init__(self, carpeta: Path, broker: BrokerEnMemoria, publica: ECKey) -> None:
        super().__init__(broker)
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.firmante = firmante("centro")
        self.libre = 10**12
        self.cuota = CUOTA
        self.alarmas: list[str] = []
        self.llegadas: list[Carril] = []
        self.trozos: list[Trozo] = []
        self._red = broker
        equipo = Equipo("catd-01", "catd-01", frozenset({EPOCA}), publica)
        self._padron = Padron(PROCESO.clave, PROCESO.modo, 1, {"catd-01": equipo})
        self.filtros = [f"prep/{AMBITO}/+/sube/{c.value}" for c in Carril if c.sube]
        self.nacer()

    def nacer(self) -> None:
        self.almacen = AlmacenDelCentro.abrir(self.carpeta / "almacen.sqlite")
        self.ingesta = Ingesta(self.almacen, PROCESO, self._padron, self.firmante, hora)
        self.recepcion = Recepcion(
            self.carpeta,
            Declaradas.de_carpeta(self.carpeta),
            self.firmante,
            hora,
            AMBITO,
            cuota=self.cuota,
            libre=lambda: self.libre,
        )

    def morir_y_volver(self) -> None:
        self.recibidos.clear()
        self.almacen.cerrar()
        self.nacer()

    def atender(self) -> None:
        mensajes, self.recibidos = self.recibidos, []
        self.llegadas += [leer_tema(m.tema).carril for m in mensajes]
        self.trozos += [leer(m.carga) for m in mensajes if m.tema == IMAGEN and m.carga.startswith(b"PRT1")]
        if not mensajes:
            return
        resultado = self.ingesta.procesar([Mensaje(m.tema, m.carga) for m in mensajes])
        self.alarmas += resultado.alarmas
        for tema, acuse in resultado.acuses:
            self._red.repartir(tema, acuse.encode())
        recibidos = self.recepcion.recibir(resultado.trozos)
        self.alarmas += recibidos.alarmas
        for tema, recibo in recibidos.recibos:
            self._red.repartir(tema, recibo.encode())

    def hechos(self) -> int:
        (cuantos,) = self.almacen.bd.execute("SELECT count(*) FROM hechos").fetchone()
        return int(cuantos)


class NocheConImagenes(NocheEnMemoria):
    """El kiosco, el bróker y el centro con el mismo reloj de mentiras. Cada espera del enlace lo adelanta."""

    def __init__(self, carpeta: Path, semilla: int = 1, ajustes: Ajustes | None = None) -> None:
        super().__init__()
        self.carpeta = carpeta / "kiosco"
        self.almacen = abrir_almacen(self.carpeta)
        self.imagenes = Imagenes(self.carpeta / "imagenes")
        quien = LlaveDeArchivo(self.carpeta / "llave.pem", "catd-01")
        self.centro = CentroEntero(carpeta / "centro", self.broker, quien.publica())
        self.centro.conectar()
        self.permitidas = True
        self.salida = ""
        self.reloj = RelojFijado(hora())
        self.enlace = self.enlazar(
            identidad(),
            quien,
            ECKey.import_key(self.centro.firmante.llave.as_dict(private=False)),
            semilla=semilla,
            ajustes=ajustes,
            alrededor=Alrededor(
                imagenes=self.imagenes, imagenes_permitidas=lambda: self.permitidas, salida=lambda: self.salida
            ),
        )

    def atender(self) -> None:
        self.centro.atender()

    def digitalizar(self, contenido: bytes, acta: IdActa = A1) -> str:
        """Guarda la imagen y asienta el hecho que la declara; devuelve su huella."""
        huella = self.imagenes.guardar(contenido)
        hecho = Imagen(acta, hora(), huella, len(contenido), Digitalizacion.ESCANER, "escaner-1")
        self.almacen.asentar([hecho], hora(), "virtual")
        return huella

    def entregadas(self) -> bool:
        return self.almacen.resumen_de_imagenes().pendientes == 0

    def tiene(self, huella: str) -> bool:
        return self.centro.recepcion.imagenes.contiene(huella)

    def estado(self, huella: str) -> tuple[str, str]:
        """(estado, nota) de una imagen en el kiosco."""
        with self.almacen.lectura() as mirada:
            fila = mirada.conexion.execute("SELECT estado, nota FROM imagenes WHERE sha256 = ?", (huella,)).fetchone()
        return fila[0], fila[1]

    def eventos(self) -> list[str]:
        """Los de la bitácora del kiosco."""
        with self.almacen.lectura() as mirada:
            return [e for (e,) in mirada.conexion.execute("SELECT evento FROM bitacora ORDER BY renglon")]


def contenido(semilla: int, trozos: float = 5) -> bytes:
    """Una imagen de ese tamaño, en trozos."""
    return random.Random(semilla).randbytes(int(trozos * 16_384))
