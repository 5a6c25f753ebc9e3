"""Los tiempos del enlace y lo que pregunta de lo que hay a su alrededor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.enlace.imagenes_por_enviar import Disco
from appliance.enlace.presupuesto import Tope


@dataclass(frozen=True, slots=True)
class Ajustes:
    """Tiempos del enlace, en segundos."""

    ventana: int = 48
    """Sobres sin acuse que pueden ir en camino."""
    latido_s: float = 15.0
    rto_s: float = 2.0
    """Cuánto se espera el acuse de un sobre antes de repetirlo; se dobla hasta `rto_maximo_s`."""
    rto_maximo_s: float = 20.0
    lento_s: float = 30.0
    """Cada cuánto se reintenta lo apartado o rezagado."""
    base_s: float = 0.5
    """Primera espera de reconexión (azar entre cero y ésta); se dobla hasta `tope_s`."""
    tope_s: float = 30.0
    sondeo_s: float = 0.05
    """Cada cuánto se mira si hay hechos nuevos."""
    silencio_s: float = 60.0
    """Sin un solo acuse en este tiempo, la conexión se da por muerta."""
    vuelta_s: float = 60.0
    """Lo menos que se pasa en una salida secundaria antes de regresar a la preferida."""
    tope: Tope | None = None
    """De la salida que se paga por byte; sin él no hay presupuesto que cuidar."""


@dataclass(frozen=True, slots=True)
class Alrededor:
    """Lo que el enlace pregunta de lo que hay a su alrededor; sin nada de esto, sólo lleva cifras."""

    imagenes: Disco | None = None
    """De dónde se leen las imágenes por mandar."""
    imagenes_permitidas: Callable[[], bool] = lambda: True
    """Si el centro no ha pedido pararlas."""
    salida: Callable[[], str] = str
    """Por dónde está conectado ahora."""
    contador: Callable[[], tuple[str, int] | None] = lambda: None
    """Bytes que han pasado por la salida que se paga (`appliance.enlace.interfaz.contador`)."""
    escaner: Callable[[], str] = str
    definicion: str = ""
    """Huella de la definición en uso."""


SOLO_CIFRAS = Alrededor()
