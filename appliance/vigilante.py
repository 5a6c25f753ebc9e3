"""El vigilante: manda la bitácora al centro en hojas y anota cuándo se va y cuándo vuelve el enlace.

Corre en un hilo del proceso de pantallas. Una hoja se asienta cada minuto, o antes si ya juntó cincuenta renglones,
terminó un turno o pasó algo grave. Nada de lo que falle aquí detiene a una pantalla: se dice y se reintenta.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Final

from appliance import bitacora
from appliance.almacen import Almacen, Transaccion
from appliance.consola import decir
from appliance.falla import Falla
from appliance.pantalla.barra import SIN_ENLACE
from appliance.reloj import Reloj, hora_creible

CADA_S: Final = 60.0
"""Segundos entre hojas."""

SONDEO_S: Final = 5.0
RENGLONES: Final = 50
"""Renglones sin mandar que no esperan al minuto."""

_TRAMO: Final = 250
"""Renglones que se repasan en cada sondeo: unos milisegundos, y veinte mil en menos de siete minutos."""

_MAXIMO_HOJAS: Final = 200
"""Hojas por vez: veinte mil renglones. Lo demás espera al siguiente minuto."""


def mandar_bitacora(almacen: Almacen, reloj: Reloj) -> int:
    """Asienta en hojas todo lo anotado que falta y devuelve cuántas hojas fueron.

    Raises:
        Falla: RELOJ o la causa física. Lo que alcanzó a asentarse queda.
    """
    with almacen.transaccion() as t:
        if defecto := bitacora.comprobar_lo_nuevo(t.conexion):
            _denunciar(t, reloj, defecto)
    for hojas in range(_MAXIMO_HOJAS):
        hora = hora_creible(reloj)
        with almacen.transaccion() as t:
            hoja = bitacora.hoja_pendiente(t.conexion, hora)
            if hoja is None:
                return hojas
            t.asentar([hoja], hora, reloj.calidad())
            bitacora.marcar_mandada(t.conexion, hoja)
    return _MAXIMO_HOJAS


def repasar_bitacora(almacen: Almacen, reloj: Reloj, ancla: int) -> int:
    """Comprueba otro tramo de lo ya anotado, mandado o no, y dice con qué ancla seguir. Raises: Falla."""
    with almacen.lectura() as mirada:
        defecto, sigue = bitacora.repasar(mirada.conexion, ancla, _TRAMO)
    if defecto:
        with almacen.transaccion() as t:
            _denunciar(t, reloj, defecto)
    return sigue


def faltan_por_mandar(almacen: Almacen) -> int:
    """Renglones de la bitácora que aún no van en una hoja. Raises: Falla."""
    with almacen.lectura() as mirada:
        return bitacora.cuantos_faltan(mirada.conexion)


class Vigilante:
    """El hilo. `empezar` lo arranca y `terminar` manda lo último y espera a que acabe."""

    def __init__(
        self,
        almacen: Almacen,
        reloj: Reloj,
        *,
        ahora: Callable[[], datetime] = lambda: datetime.now(UTC),
        sondeo_s: float = SONDEO_S,
        decir: Callable[[str], None] = decir,
    ) -> None:
        self._almacen = almacen
        self._reloj = reloj
        self._ahora = ahora
        self._sondeo_s = sondeo_s
        self._decir = decir
        self._parar = Event()
        self._hilo: Thread | None = None
        self._enlazado: bool | None = None
        self._ultima: datetime | None = None
        self._queja = ""
        self._ancla = 0

    def empezar(self) -> None:
        self._hilo = Thread(target=self._correr, name="vigilante", daemon=True)
        self._hilo.start()

    def terminar(self) -> None:
        """Se puede repetir y no falla."""
        self._parar.set()
        if self._hilo is not None:
            self._hilo.join(timeout=15)
            self._hilo = None
            self._sin_caerse(lambda: mandar_bitacora(self._almacen, self._reloj))

    def vuelta(self) -> None:
        """Lo que se hace en cada sondeo. Raises: Falla."""
        self._mirar_enlace()
        ahora = self._ahora()
        # Sin el valor absoluto, un reloj que retrocede dejaría de mandarla hasta que la hora lo alcance.
        toca = self._ultima is None or abs(ahora - self._ultima) >= timedelta(seconds=CADA_S)
        with self._almacen.lectura() as mirada:
            juntos = bitacora.cuantos_faltan(mirada.conexion)
            urge = bitacora.urge(mirada.conexion)
        if toca or urge or juntos >= RENGLONES:
            mandar_bitacora(self._almacen, self._reloj)
            self._ultima = ahora
        self._ancla = repasar_bitacora(self._almacen, self._reloj, self._ancla)

    def _mirar_enlace(self) -> None:
        resumen = self._almacen.resumen()
        acuse = resumen.ultimo_acuse
        enlazado = acuse is not None and abs(self._ahora() - acuse) <= SIN_ENLACE
        if enlazado == self._enlazado:
            return
        # Al arrancar sin enlace no se perdió nada: apenas se está conectando.
        if enlazado or self._enlazado is not None:
            evento = "enlace_recuperado" if enlazado else "enlace_perdido"
            with self._almacen.transaccion() as t:
                t.anotar(hora_creible(self._reloj), evento, detalle=f"{resumen.pendientes} en espera")
        self._enlazado = enlazado

    def _correr(self) -> None:
        while not self._parar.wait(self._sondeo_s):
            self._sin_caerse(self.vuelta)

    def _sin_caerse(self, accion: Callable[[], object]) -> None:
        try:
            accion()
            self._queja = ""
        except Falla as falla:
            self._quejarse(str(falla))
        except Exception as error:
            # Sin este hilo la bitácora no sale: ningún defecto lo termina.
            self._quejarse(f"defecto en el vigilante ({error!r})")

    def _quejarse(self, queja: str) -> None:
        if queja != self._queja:
            self._decir(f"bitácora: {queja}")
        self._queja = queja


def _denunciar(t: Transaccion, reloj: Reloj, defecto: str) -> None:
    """Anota una sola vez que la bitácora está rota, y deja que lo nuevo se siga mandando."""
    bitacora.rebobinar(t.conexion)
    ya = t.conexion.execute(
        "SELECT 1 FROM bitacora WHERE evento = 'bitacora_rota' AND detalle = ?", (defecto,)
    ).fetchone()
    if ya is None:
        t.anotar(hora_creible(reloj), "bitacora_rota", detalle=defecto)
