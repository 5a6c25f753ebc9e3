"""El centro de la noche: la ingesta, el almacén y los cortes de producción, y un proceso que muere y vuelve.

No corre `servicio_central.enlace` (hilos y paho): aquí se juntan lotes como él y se publican los acuses después de
`procesar`, que es lo que él hace.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ensayo.laboratorio.fragil import Muerte
from ensayo.laboratorio.mortal import Mortal
from ensayo.laboratorio.proceso import EPOCA, llave_de, publica_de
from ensayo.laboratorio.red import Red
from nucleo.eleccion import Proceso
from nucleo.padron import Equipo, Padron
from nucleo.temas import ambito_de
from servicio_central import ajustes, lectura
from servicio_central.almacen import Almacen
from servicio_central.corte import hacer_cortes
from servicio_central.cubierto import Publicado
from servicio_central.declaradas import Declaradas
from servicio_central.enlace import ESPERA_LOTE
from servicio_central.ingesta import LOTE, Destino, Ingesta, Mensaje, Resultado
from servicio_central.publicacion.corte_hecho import Corte
from servicio_central.recepcion import Recepcion

RECONEXION_S: Final = 2.0


class Centro(Mortal):
    """El agregador. `proceso` y `padron` son los vigentes; se cambian con `recargar`."""

    QUIEN = "centro"
    ENTRE = "entre dos lotes"
    RESTAURADO = "de un respaldo"

    def __init__(
        self, carpeta: Path, red: Red, azar: random.Random, cuenta: Counter[str], proceso: Proceso, equipos: list[str]
    ) -> None:
        super().__init__(carpeta / ajustes.ALMACEN, azar, cuenta)
        self.carpeta = carpeta
        self.proceso = proceso
        self.padron = Padron(proceso.clave, proceso.modo, 1, {e: _inscrito(e) for e in equipos})
        self.defectos: list[str] = []
        self.al_revivir: Callable[[], None] = lambda: None
        """Para mirar lo durable recién vuelto a abrir."""
        self._red = red
        self._tiempo = red.tiempo
        self._fila: deque[Mensaje] = deque()
        self._citado = False
        self._vida = 0

    # ------------------------------------------------------------------------------------------------------ prender

    def prender(self) -> None:
        """Arranca como `servicio_central.arranque`: abre, recuerda y vuelve a juzgar lo que esperaba."""
        if self.vivo:
            return
        self.almacen = Almacen.abrir(self.ruta)
        self.almacen.bd = self._sobre_disco_fragil(self.almacen.bd)
        self._publicado = Publicado(self.carpeta)
        self.ingesta = Ingesta(
            self.almacen, self.proceso, self.padron, llave_de("centro"), self._tiempo.ahora, cubierto=self._publicado
        )
        declaradas = Declaradas.de_carpeta(self.carpeta)
        ambito = ambito_de(self.proceso.modo, self.proceso.clave)
        self.recepcion = Recepcion(self.carpeta, declaradas, llave_de("centro"), self._tiempo.ahora, ambito)
        self.vivo = True
        self._vida += 1
        self._citado = False
        self.al_revivir()
        self._con(lambda: self.ingesta.recargar())
        self._reconectar()

    def _reconectar(self) -> None:
        if self.vivo and self._red.viva:
            self._red.al_centro = self.recibir
            return
        vida = self._vida
        self._tiempo.dentro_de(RECONEXION_S, lambda: self._reconectar() if vida == self._vida else None)

    def perder_broker(self) -> None:
        """El bróker murió: se vuelve a intentar hasta que esté."""
        self._red.al_centro = None
        self._reconectar()

    # ------------------------------------------------------------------------------------------------------ recibir

    def recibir(self, tema: str, datos: bytes) -> None:
        self._fila.append(Mensaje(tema, datos))
        if not self._citado:
            self._citado = True
            vida = self._vida
            self._tiempo.dentro_de(ESPERA_LOTE, lambda: self._atender(vida))

    def _atender(self, vida: int) -> None:
        if vida != self._vida or not self.vivo:
            return
        lote = [self._fila.popleft() for _ in range(min(LOTE, len(self._fila)))]
        self._citado = bool(self._fila)
        if self._citado:
            self._tiempo.dentro_de(ESPERA_LOTE, lambda: self._atender(vida))
        self._con(lambda: self.ingesta.procesar(lote))

    def _con(self, hacer: Callable[[], Resultado]) -> None:
        try:
            resultado = hacer()
        except Muerte:
            self._morir()
            return
        except Exception as error:
            self.defectos.append(f"la ingesta lanzó {error!r}")
            return
        for dictamen in resultado.dictamenes:
            if dictamen.destino is Destino.ACEPTADO:
                continue
            self._cuenta[f"{dictamen.destino.value} {dictamen.codigo}".strip()] += 1
        for tema, acuse in resultado.acuses:
            self._red.bajar(tema, acuse.encode("ascii"))
        # En producción lo hace otro hilo (`servicio_central.carril_de_imagenes`), siempre después de los acuses.
        if resultado.trozos:
            for tema, recibo in self.recepcion.recibir(resultado.trozos).recibos:
                self._red.bajar(tema, recibo.encode("ascii"))

    def recargar(self, proceso: Proceso | None = None, padron: Padron | None = None) -> None:
        """Cambia la definición o el padrón, como el vigía."""
        self.proceso, self.padron = proceso or self.proceso, padron or self.padron
        if self.vivo:
            self._con(lambda: self.ingesta.recargar(self.proceso, self.padron))

    def con_equipo(self, equipo: str, *, vigente: bool) -> Padron:
        """El padrón siguiente, con ese equipo de alta o de baja."""
        equipos = {**self.padron.equipos, equipo: replace(_inscrito(equipo), vigente=vigente)}
        return replace(self.padron, version=self.padron.version + 1, equipos=equipos)

    # -------------------------------------------------------------------------------------------------------- morir

    def _morir(self) -> None:
        self._red.al_centro = None
        self._fila.clear()
        super()._morir()

    def _cerrar(self) -> None:
        self.almacen.cerrar()

    # ------------------------------------------------------------------------------------------------------- cortes

    def cortar(self, *, ultimo: bool = False) -> Corte | None:
        """Hace y publica el corte de este segundo; `None` si aún no hay almacén que leer."""
        # En producción cada corte es un proceso aparte: no recuerda nada del anterior.
        lectura._recordados.clear()
        hora = self._tiempo.ahora().replace(microsecond=0)
        (corte,) = hacer_cortes(self.carpeta, self.proceso, hora, ultimo=ultimo, ahora=hora).values()
        self._cuenta["corte publicado"] += 1
        return corte


def _inscrito(equipo: str) -> Equipo:
    return Equipo(equipo, equipo, frozenset({EPOCA}), publica_de(equipo))
