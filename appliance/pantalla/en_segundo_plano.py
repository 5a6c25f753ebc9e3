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


class EnSegundoPlano:
    """Una tarea a la vez. Se puede compartir entre hilos."""

    def __init__(self, nombre: str) -> None:
        self._nombre = nombre
        self._candado = Lock()
        self._hilo: Thread | None = None
        self._aviso: Aviso | None = None

    @property
    def corriendo(self) -> bool:
        hilo = self._hilo
        return hilo is not None and hilo.is_alive()

    def empezar(self, tarea: Callable[[], Aviso]) -> bool:
        """Arranca la tarea; si otra sigue corriendo, no hace nada y es falso: su aviso servirá a quien lo pidió."""
        with self._candado:
            if self.corriendo:
                return False
            self._aviso = None
            self._hilo = Thread(target=self._correr, args=(tarea,), name=self._nombre, daemon=True)
            self._hilo.start()
            return True

    def esperar(self, segundos: float) -> None:
        """Hasta que termine, o ese tiempo."""
        if self._hilo is not None:
            self._hilo.join(segundos)

    @property
    def aviso(self) -> Aviso | None:
        """Lo que dijo la última al terminar; se queda hasta la siguiente o hasta `olvidar`."""
        return None if self.corriendo else self._aviso

    def olvidar(self) -> None:
        """Quita lo dicho: otra acción de la misma página empieza."""
        with self._candado:
            if not self.corriendo:
                self._aviso = None

    def _correr(self, tarea: Callable[[], Aviso]) -> None:
        try:
            self._aviso = tarea()
        except Falla as falla:
            self._aviso = de_rechazo(falla.rechazo)
        except Exception:
            # El hilo no tiene a quién decírselo: que lo diga la página.
            _REGISTRO.exception("tropiezo en %s", self._nombre)
            self._aviso = _DEFECTO
