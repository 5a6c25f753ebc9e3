"""Lo que el centro manda hacia abajo además de acuses y recibos: órdenes, y la definición en trozos.

No guarda a quién le mandó qué: contesta a cada latido con la orden más vieja que ese kiosco no ha obedecido y, si dice
que espera un paquete, con los trozos que siguen. Perder cualquiera no pierde nada: el siguiente latido lo dice. Va
siempre después de los acuses.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from nucleo.latido import Latido
from nucleo.orden import Que, TomarDefinicion
from nucleo.padron import Padron
from nucleo.sobre import Firmante, SobreInvalido
from nucleo.temas import Carril, Tema
from nucleo.trozo import MAXIMO_DATOS, a_bytes, cortar, cuantos
from servicio_central import adopcion, firma_de_definicion
from servicio_central.ordenes import BandejaDeOrdenes, OrdenGuardada
from servicio_central.tropiezo import Tropiezo

RAFAGA: Final = 8
"""Trozos por latido: 128 KiB, un segundo de un enlace de 1 Mbit/s."""

ENTRE_RAFAGAS_S: Final = 0.2
"""Lo menos que pasa entre dos al mismo equipo: pedir mucho no gasta la red de los demás."""

TOPE: Final = 2_000
"""Mensajes por publicar. Más allá se tiran: el siguiente latido los vuelve a pedir."""


class Despacho:
    """Lo usan el hilo de la ingesta (`al_latir`, `siguiente`) y quien ordena, desde otro (`ordenar`)."""

    def __init__(
        self,
        carpeta: Path,
        bandeja: BandejaDeOrdenes,
        firmante: Firmante,
        ambito: str,
        ahora: Callable[[], datetime],
        avisar: Callable[[str], None],
        cronometro: Callable[[], float] = time.monotonic,
    ) -> None:
        self._carpeta = carpeta
        self._bandeja = bandeja
        self._firmante = firmante
        self._ambito = ambito
        self._ahora = ahora
        self._avisar = avisar
        self._cronometro = cronometro
        self._salen: deque[tuple[str, bytes, OrdenGuardada | None]] = deque(maxlen=TOPE)
        self._dichas: dict[tuple[str, str], int] = {}
        self._rafagas: dict[str, float] = {}
        self._paquetes: dict[str, bytes] = {}
        self._marca: frozenset[tuple[str, int, int]] = frozenset()
        self._candado = Lock()

    @property
    def bandeja(self) -> BandejaDeOrdenes:
        """Lo ordenado y en qué quedó."""
        return self._bandeja

    def ordenar(self, padron: Padron, equipo: str, que: Que, quien: str) -> tuple[OrdenGuardada, ...]:
        """Como `BandejaDeOrdenes.ordenar`, y la manda ya, sin esperar al siguiente latido."""
        nuevas = self._bandeja.ordenar(padron, equipo, que, quien)
        for nueva in nuevas:
            self._mandar(equipo, nueva.epoca)
        return nuevas

    def repartir_definicion(self, padron: Padron, equipos: Iterable[str], quien: str) -> tuple[OrdenGuardada, ...]:
        """Ordena tomar la última definición firmada a esos equipos.

        Raises:
            Tropiezo: DEFINICION, si no hay ninguna firmada; DEFINICION_FIRMADA, si el centro cuenta con otra; ORDEN, si
            un equipo no está vigente.
        """
        ultima = firma_de_definicion.ultima(self._carpeta)
        if ultima is None:
            raise Tropiezo(
                "DEFINICION",
                "no hay ninguna definición firmada por la autoridad",
                "aún no se firma, o no se copió al centro",
                "corra `./prep inscribir --definicion` en la máquina de la autoridad y copie lo que deja",
            )
        firmada, datos = ultima
        adopcion.exigir_adoptada(self._carpeta, firmada)
        sha256 = hashlib.sha256(datos).hexdigest()
        que = TomarDefinicion(sha256, len(datos), firmada.version)
        return tuple(o for equipo in equipos for o in self.ordenar(padron, equipo, que, quien))

    def al_latir(self, latido: Latido) -> None:
        """Contesta a un latido ya aceptado. Nunca lanza: las órdenes no detienen a los hechos."""
        try:
            clave = (latido.equipo, latido.epoca)
            if latido.orden > self._dichas.get(clave, 0):
                self._bandeja.obedecio(*clave, latido.orden, self._ahora())
                self._dichas[clave] = latido.orden
            self._mandar(*clave)
            if latido.paquete and latido.motivo != "muerte":
                self._trozos(latido)
        except (sqlite3.Error, OSError, SobreInvalido, Tropiezo) as error:
            self._avisar(f"no se pudo mandar una orden a {latido.equipo} ({error}); se reintenta con su latido")

    def siguiente(self) -> tuple[str, bytes] | None:
        """(tema, bytes) por publicar; `None` si no hay."""
        try:
            tema, datos, orden = self._salen.popleft()
        except IndexError:
            return None
        if orden is not None and orden.bajada is None:
            # Es para quien mira: que no se pueda anotar no detiene a la orden.
            with suppress(sqlite3.Error):
                self._bandeja.bajo(orden.equipo, orden.epoca, orden.numero, self._ahora())
        return tema, datos

    def olvidar(self) -> None:
        """La conexión se cayó: lo que iba a salir se volverá a pedir."""
        self._salen.clear()

    def _mandar(self, equipo: str, epoca: str) -> None:
        orden = self._bandeja.por_mandar(equipo, epoca, self._ahora())
        if orden is not None:
            tema = str(Tema(self._ambito, equipo, Carril.ORDEN))
            self._salen.append((tema, self._bandeja.firmar(orden, self._firmante).encode("ascii"), orden))

    def _trozos(self, latido: Latido) -> None:
        ahora = self._cronometro()
        if ahora - self._rafagas.get(latido.equipo, -ENTRE_RAFAGAS_S) < ENTRE_RAFAGAS_S:
            return
        datos = self._paquete(latido.paquete)
        if datos is None:
            return
        self._rafagas[latido.equipo] = ahora
        primero = latido.paquete_bytes // MAXIMO_DATOS
        tema = str(Tema(self._ambito, latido.equipo, Carril.PAQUETE))
        for numero in range(primero, min(primero + RAFAGA, cuantos(len(datos)))):
            self._salen.append((tema, a_bytes(cortar(latido.paquete, datos, numero)), None))

    def _paquete(self, sha256: str) -> bytes | None:
        """Los bytes de ese paquete, si es uno de los que firmó la autoridad."""
        with self._candado:
            marca = firma_de_definicion.marca(self._carpeta)
            if marca != self._marca:
                # Sólo si cambió: por más que alguien pida lo que no hay, no se relee. No sólo el último: si en él
                # no cabe lo aceptado, se sigue con el de antes, que alguien puede tener a medio bajar.
                buenas = firma_de_definicion.buenas(self._carpeta)
                self._paquetes = {hashlib.sha256(datos).hexdigest(): datos for _, datos in buenas}
                # Al final: si el disco falló a medio leer, el siguiente latido lo vuelve a intentar.
                self._marca = marca
            return self._paquetes.get(sha256)
