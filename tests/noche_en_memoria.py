"""El ciclo del enlace sobre un bróker en memoria y con el tiempo en la mano: cada espera suya adelanta el reloj."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable

from joserfc.jwk import ECKey

from appliance.almacen import Almacen
from appliance.enlace.ajustes import SOLO_CIFRAS, Ajustes, Alrededor
from appliance.enlace.carril_de_ordenes import CarrilDeOrdenes
from appliance.enlace.ciclo import Enlace
from appliance.enlace.transporte import Fabrica
from appliance.enlace.transporte_memoria import BrokerEnMemoria, TransporteEnMemoria
from appliance.identidad import Identidad
from appliance.reloj import RelojFijado
from nucleo.sobre import Firmante
from tests.kiosco_de_prueba import PROCESO


class NocheEnMemoria(ABC):
    """Quien la hereda pone el almacén, el centro y el enlace (con `enlazar`)."""

    almacen: Almacen
    reloj: RelojFijado
    enlace: Enlace

    def __init__(self) -> None:
        self.broker = BrokerEnMemoria()
        self.segundos = 0.0
        self.dichos: list[str] = []
        self.al_pasar: Callable[[float], None] = lambda _: None
        self._hasta: Callable[[], bool] = lambda: True
        self._limite = 0.0

    @abstractmethod
    def atender(self) -> None:
        """El centro contesta lo que le haya llegado."""

    def enlazar(
        self,
        identidad: Identidad,
        firmante: Firmante,
        llave_centro: ECKey,
        *,
        proceso: str = PROCESO.clave,
        semilla: int = 1,
        ajustes: Ajustes | None = None,
        fabrica: Fabrica | None = None,
        alrededor: Alrededor = SOLO_CIFRAS,
        ordenes: CarrilDeOrdenes | None = None,
    ) -> Enlace:
        """El enlace de producción sobre `almacen` y `reloj`, con el tiempo de esta noche."""
        return Enlace(
            almacen=self.almacen,
            identidad=identidad,
            proceso=proceso,
            firmante=firmante,
            llave_centro=llave_centro,
            reloj=self.reloj,
            version="prueba",
            fabrica=fabrica or (lambda testamento: TransporteEnMemoria(self.broker, testamento, self.pasar)),
            ajustes=ajustes or Ajustes(),
            cronometro=lambda: self.segundos,
            dormir=self.pasar,
            azar=random.Random(semilla),
            decir=self.dichos.append,
            alrededor=alrededor,
            ordenes=ordenes,
        )

    def pasar(self, segundos: float) -> None:
        self.segundos += segundos
        self.al_pasar(self.segundos)
        self.atender()
        if self._hasta() or self.segundos >= self._limite:
            self.enlace.parar = True

    def correr(self, hasta: Callable[[], bool] = lambda: False, limite_s: float = 600.0) -> float:
        """Corre el enlace hasta que se cumpla o pase el tiempo; devuelve los segundos que pasaron."""
        inicio = self.segundos
        self._hasta, self._limite = hasta, inicio + limite_s
        self.enlace.parar = False
        self.enlace.correr()
        return self.segundos - inicio
