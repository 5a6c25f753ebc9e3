"""Lo que tarda más que un toque corre en su hilo; la página pregunta si ya terminó y lo dice al siguiente vistazo.

No es para lo que se asienta de un acta: eso se contesta cuando ya es durable, con la persona esperando.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final

from appliance.falla import Falla
from appliance.pantalla.pagina import Aviso, de_rechazo

_REGISTRO: Final = logging.getLogger("kiosco")
_DEFECTO: Final = Aviso(
    False,
    "No se terminó",
    "una falla del programa; quedó anotada",
    "repítalo; si vuelve a fallar, llame al área técnica",
)
_SIN_HILO: Final = Aviso(
    False,
    "No se empezó",
    "el equipo está ocupado o sin memoria",
    "espere un momento y repítalo; si vuelve a fallar, reinicie el kiosco",
)


class EnSegundoPlano:
    """Una tarea a la vez. Se puede compartir entre hilos."""

    def __init__(self, nombre: str) -> None:
        self._nombre = nombre
        self._candado = Lock()
        self._hilo: Thread | None = None
        self._dicho: Aviso | None = None
        self._tropiezo: Aviso | None = None
        self._esperan: set[str] = set()

    @property
    def corriendo(self) -> bool:
        hilo = self._hilo
        return hilo is not None and hilo.is_alive()

    @property
    def tropezo(self) -> bool:
        """Si la última que se pidió no terminó."""
        return not self.corriendo and self._tropiezo is not None

    def empezar(self, tarea: Callable[[], Aviso], estacion: str) -> bool:
        """Arranca la tarea; si otra sigue corriendo, no hace nada y es falso.

        Args:
            estacion: la que lo pide, que en los dos casos se entera si la que corre tropieza.
        """
        with self._candado:
            if self.corriendo:
                self._esperan.add(estacion)
                return False
            self._dicho, self._tropiezo, self._esperan = None, None, {estacion}
            hilo = Thread(target=self._correr, args=(tarea,), name=self._nombre, daemon=True)
            try:
                hilo.start()
            except RuntimeError:
                _REGISTRO.exception("no arrancó el hilo de %s", self._nombre)
                self._hilo, self._tropiezo = None, _SIN_HILO
            else:
                self._hilo = hilo
            return True

    def esperar(self, segundos: float) -> None:
        """Hasta que termine, o ese tiempo."""
        if self._hilo is not None:
            self._hilo.join(segundos)

    def aviso(self, estacion: str) -> Aviso | None:
        """Lo que dijo la última al terminar, hasta la siguiente; un tropiezo, una vez a cada estación que la pidió."""
        with self._candado:
            if self.corriendo:
                return None
            if self._tropiezo is None:
                return self._dicho
            if estacion not in self._esperan:
                return None
            self._esperan.discard(estacion)
            return self._tropiezo

    def olvidar(self) -> None:
        """Quita lo dicho: otra acción de la misma página empieza."""
        with self._candado:
            if not self.corriendo:
                self._dicho = None
                self._esperan.clear()

    def _correr(self, tarea: Callable[[], Aviso]) -> None:
        try:
            self._dicho = tarea()
        except Falla as falla:
            self._tropiezo = de_rechazo(falla.rechazo)
        except Exception:
            # El hilo no tiene a quién decírselo: que lo diga la página.
            _REGISTRO.exception("tropiezo en %s", self._nombre)
            self._tropiezo = _DEFECTO
