"""La sala armada: libreta, cuentas, alarmas y observador de un centro. Lo único que construye esas cosas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from servicio_central.monitor import umbrales as los_umbrales
from servicio_central.monitor.accesos import Accesos
from servicio_central.monitor.cuentas import Cuentas
from servicio_central.monitor.dictamenes import Dictamenes
from servicio_central.monitor.episodios import Episodios
from servicio_central.monitor.historia import Historia
from servicio_central.monitor.libreta import ARCHIVO, Libreta
from servicio_central.monitor.observador import Observador
from servicio_central.monitor.pedidos import Pedidos
from servicio_central.monitor.sesiones import Sesiones

if TYPE_CHECKING:
    from servicio_central.arranque import Centro


def _reloj() -> datetime:
    return datetime.now(UTC)


class Sala:
    """Todo lo que las páginas necesitan.

    Raises:
        Tropiezo: UMBRALES, si `umbrales.toml` no se entiende.
        sqlite3.Error: si la libreta no se puede abrir. OSError si no se puede crear.
    """

    def __init__(self, centro: Centro, avisar: Callable[[str], None], ahora: Callable[[], datetime] = _reloj) -> None:
        self.centro = centro
        self.ahora = ahora
        self.umbrales = los_umbrales.leer(centro.carpeta)
        self.libreta = Libreta.abrir(centro.carpeta / ARCHIVO)
        self.cuentas = Cuentas(self.libreta)
        self.accesos = Accesos(self.libreta)
        self.sesiones = Sesiones(self.libreta, self.umbrales, ahora)
        self.episodios = Episodios(self.libreta)
        self.dictamenes = Dictamenes(self.libreta)
        self.pedidos = Pedidos(self.libreta)
        self.historia = Historia(self.libreta)
        self.observador = Observador(centro, self.libreta, self.episodios, self.umbrales, ahora, avisar)

    def empezar(self) -> None:
        self.observador.empezar()

    def terminar(self) -> None:
        self.observador.terminar()
        self.libreta.cerrar()
