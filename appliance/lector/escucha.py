"""El hilo que escucha al lector presente, lo vuelve a abrir si se desconecta y entrega cada lectura."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final

from appliance.consola import decir
from appliance.falla import Falla
from appliance.lector.puerto import Lector
from nucleo.problema import Rechazo

ESPERA_S: Final = 0.5
REINTENTO_S: Final = 1.0
"""Segundos entre dos intentos de abrir: lo que tarda udev en poner los permisos de un aparato recién conectado."""


@dataclass(frozen=True, slots=True)
class EstadoDeLector:
    """`presente` dice si hay un lector abierto; `falla`, por qué no, si lo hubo o se intentó."""

    presente: bool
    lecturas: int
    falla: Rechazo | None


class Escucha:
    """El hilo. `empezar` lo arranca; `terminar` suelta el lector.

    Args:
        abrir: el lector que hay ahora, o `None` si no hay; se pregunta cada vez que hace falta. Puede levantar `Falla`.
        recibir: a quién se le entrega cada lectura, en este hilo. Si falla, se dice y se sigue escuchando.
    """

    def __init__(
        self,
        abrir: Callable[[], Lector | None],
        recibir: Callable[[str], None],
        *,
        reintento_s: float = REINTENTO_S,
        decir: Callable[[str], None] = decir,
    ) -> None:
        self._abrir = abrir
        self._recibir = recibir
        self._reintento_s = reintento_s
        self._decir = decir
        self._parar = Event()
        self._candado = Lock()
        self._estado = EstadoDeLector(False, 0, None)
        self._queja = ""
        self._hilo: Thread | None = None

    def estado(self) -> EstadoDeLector:
        with self._candado:
            return self._estado

    def empezar(self) -> None:
        self._hilo = Thread(target=self._correr, name="lector", daemon=True)
        self._hilo.start()

    def terminar(self) -> None:
        """Se puede repetir y no falla."""
        self._parar.set()
        if self._hilo is not None:
            self._hilo.join(timeout=5)
            self._hilo = None

    def _correr(self) -> None:
        while not self._parar.is_set():
            try:
                self._una_conexion()
            except Falla as falla:
                self._asentar(presente=False, falla=falla.rechazo)
                self._quejarse(str(falla))
            except Exception as error:
                # Sin este hilo no hay gafetes: ningún defecto lo termina.
                self._asentar(presente=False, falla=None)
                self._quejarse(f"defecto al leer ({error!r})")
            self._parar.wait(self._reintento_s)

    def _una_conexion(self) -> None:
        lector = self._abrir()
        if lector is None:
            self._asentar(presente=False, falla=self.estado().falla)
            return
        try:
            self._asentar(presente=True, falla=None)
            self._queja = ""
            while not self._parar.is_set():
                texto = lector.leer(ESPERA_S)
                if texto is not None:
                    self._entregar(texto)
        finally:
            lector.cerrar()

    def _entregar(self, texto: str) -> None:
        with self._candado:
            self._estado = EstadoDeLector(True, self._estado.lecturas + 1, None)
        try:
            self._recibir(texto)
        except Exception as error:
            # El texto no se dice: un gafete en una bitácora es una credencial regalada.
            self._quejarse(f"nadie pudo recibir una lectura ({type(error).__name__})")

    def _asentar(self, *, presente: bool, falla: Rechazo | None) -> None:
        with self._candado:
            self._estado = EstadoDeLector(presente, self._estado.lecturas, falla)

    def _quejarse(self, queja: str) -> None:
        if queja != self._queja:
            self._decir(f"lector: {queja}")
        self._queja = queja
