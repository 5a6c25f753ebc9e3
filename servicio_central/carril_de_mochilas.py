"""El hilo que importa mochilas con el centro corriendo: lee, descifra y guarda imágenes sin demorar a los hechos.

Los sobres no los ingiere él: los deja por lotes y el ciclo del enlace, que es el único hilo de la ingesta, los procesa
cuando revisa el padrón. Así no hay dos que escriban, y lo que llega por la red no espera a una mochila.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

from nucleo.padron import Padron
from nucleo.problema import Rechazo
from servicio_central.buzon import Buzon
from servicio_central.importacion import AlmacenOcupado, Importador, Procesar
from servicio_central.informe_de_mochila import Informe
from servicio_central.ingesta import Ingesta, Mensaje, Resultado

LOTES_POR_VUELTA: Final = 4
"""Lotes que la ingesta toma cada segundo: unos 1600 sobres, un tercio de segundo."""

_SIGUE_S: Final = 0.05
"""Lo que una vuelta espera el lote siguiente, que quien importa arma en cuanto sabe qué fue del anterior."""

_CADA_S: Final = 0.5
_DESCANSO_S: Final = 30.0
"""Entre intentos cuando el disco o el almacén no dejan."""


@dataclass
class _Pedido:
    mensajes: Sequence[Mensaje]
    listo: Event = field(default_factory=Event)
    resultado: Resultado | None = None
    defecto: Exception | None = None


class CarrilDeMochilas:
    """El buzón de un centro y quien lo atiende.

    Raises:
        OSError: si las carpetas del buzón no se pueden crear.
    """

    def __init__(
        self,
        carpeta: Path,
        ingesta: Ingesta,
        padron: Callable[[], Padron],
        avisar: Callable[[str], None],
        ahora: Callable[[], datetime],
    ) -> None:
        self.buzon = Buzon(carpeta)
        self._ingesta = ingesta
        self._avisar = avisar
        self._ahora = ahora
        self._importador = Importador(carpeta, padron, avisar, ahora)
        self._fila: SimpleQueue[_Pedido] = SimpleQueue()
        self._parar = Event()
        self._queja = ""

    def empezar(self, parar: Event) -> Thread:
        """Atiende hasta que `parar` se active; los lotes los procesa quien llame a `vuelta`."""
        self._parar = parar
        hilo = Thread(target=self._ciclo, name="mochilas", daemon=True)
        hilo.start()
        return hilo

    def junto_con(self, vigilar: Callable[[], Resultado | None]) -> Callable[[], Resultado | None]:
        """Lo que el enlace llama cada segundo: una vuelta de éstas y lo que ya hacía."""

        def revisar() -> Resultado | None:
            propio, otro = self.vuelta(), vigilar()
            return propio if otro is None else otro if propio is None else _sumar([propio, otro])

        return revisar

    def vuelta(self) -> Resultado | None:
        """Procesa los lotes que esperan. La llama sólo el hilo de la ingesta; nunca lanza."""
        resultados = []
        for numero in range(LOTES_POR_VUELTA):
            try:
                # Sin ninguna mochila, la ingesta no espera nada.
                pedido = self._fila.get(block=numero > 0, timeout=_SIGUE_S)
            except Empty:
                break
            try:
                pedido.resultado = self._ingesta.procesar(pedido.mensajes)
                resultados.append(pedido.resultado)
            except Exception as error:
                pedido.defecto = error
            pedido.listo.set()
        return _sumar(resultados) if resultados else None

    def atender(self, procesar: Procesar) -> list[Informe]:
        """Importa todo lo que haya en el buzón.

        Raises:
            AlmacenOcupado: si hubo que dejarlo para después.
            OSError: si el buzón no se puede leer o el informe no se pudo guardar.
        """
        informes = []
        for copia in self.buzon.por_importar():
            try:
                informe = self._importador.importar(copia, procesar)
            except AlmacenOcupado:
                raise
            except Exception as error:
                # Una mochila que hace fallar al programa no debe atorar a las que vienen detrás.
                informe = Informe(copia.name, self._ahora().isoformat(timespec="seconds"), rechazo=_defecto(error))
            self.buzon.informar(informe)
            self.buzon.terminar(informe)
            self._avisar(f"MOCHILA {informe.texto}")
            informes.append(informe)
        return informes

    # --------------------------------------------------------------------------------------------------------- adentro

    def _ciclo(self) -> None:
        while not self._parar.wait(_CADA_S):
            try:
                self.atender(self._por_la_ingesta)
                self._queja = ""
            except Exception as error:
                if self._parar.is_set():
                    return
                # Se dice una vez y se insiste: al haber lugar, sigue sola.
                if str(error) != self._queja:
                    self._avisar(f"una mochila espera en el buzón: {error}; se reintenta")
                self._queja = str(error)
                self._parar.wait(_DESCANSO_S)

    def _por_la_ingesta(self, mensajes: Sequence[Mensaje]) -> Resultado:
        pedido = _Pedido(mensajes)
        self._fila.put(pedido)
        while not pedido.listo.wait(_CADA_S):
            if self._parar.is_set():
                raise AlmacenOcupado("el centro se está deteniendo")
        if pedido.defecto is not None:
            raise pedido.defecto
        assert pedido.resultado is not None
        return pedido.resultado


def _sumar(resultados: Sequence[Resultado]) -> Resultado:
    return Resultado(
        tuple(d for r in resultados for d in r.dictamenes),
        tuple(a for r in resultados for a in r.acuses),
        tuple(a for r in resultados for a in r.alarmas),
        tuple(t for r in resultados for t in r.trozos),
    )


def _defecto(error: Exception) -> Rechazo:
    return Rechazo(
        "DEFECTO",
        f"la importación no terminó ({error!r})"[:300],
        "una falla del programa",
        "la copia quedó en mochilas/apartadas; mándela con la bitácora a quien da soporte y no borre la memoria",
    )
