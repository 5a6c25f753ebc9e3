"""Los turnos: una persona por estación y una estación por persona. Viven en el almacén, no en el navegador.

Una estación es un navegador. Reiniciar el kiosco no saca a nadie, pero bloquea todas las pantallas; una que nadie usa
también se bloquea, y quien lo impone es el servidor.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from appliance.almacen import Almacen, Transaccion
from appliance.falla import Falla
from appliance.reloj import Reloj

_PASOS: Final = 12
"""`visto` se escribe a lo más doce veces por plazo (cada 15 s si son 3 min): cada escritura espera al disco."""


@dataclass(frozen=True, slots=True)
class Turno:
    """Quién está en una estación. `visto` es su última acción, con hasta un doceavo del plazo de atraso."""

    estacion: str
    persona: str
    desde: datetime
    visto: datetime
    bloqueado: bool


@dataclass(frozen=True, slots=True)
class Relevo:
    """Lo que cerró un turno que empieza."""

    persona: str = ""
    """A quién relevó en esta estación; vacío si a nadie."""
    otra_estacion: bool = False
    """Si la persona tenía su turno abierto en otra estación."""


class Turnos:
    """Los turnos de este kiosco. Se puede compartir entre hilos.

    Args:
        inactividad: cuánto puede estar una pantalla sin uso antes de bloquearse.
    """

    def __init__(self, almacen: Almacen, reloj: Reloj, inactividad: timedelta) -> None:
        self._almacen = almacen
        self._reloj = reloj
        self._inactividad = inactividad

    def de(self, estacion: str) -> Turno | None:
        """El turno de la estación; si nadie la ha usado en el plazo, ya bloqueado. Raises: Falla."""
        with self._almacen.lectura() as mirada:
            fila = mirada.conexion.execute(
                "SELECT estacion, persona, desde, visto, bloqueado FROM turnos WHERE estacion = ?", (estacion,)
            ).fetchone()
        if fila is None:
            return None
        turno = Turno(fila[0], fila[1], datetime.fromisoformat(fila[2]), datetime.fromisoformat(fila[3]), bool(fila[4]))
        # Con el valor absoluto, un reloj que retrocede no deja abierta una pantalla sola.
        if turno.bloqueado or abs(self._reloj.ahora() - turno.visto) < self._inactividad:
            return turno
        self.bloquear(estacion, "nadie usaba la pantalla")
        return replace(turno, bloqueado=True)

    def otra_estacion(self, estacion: str, persona: str) -> bool:
        """Si esa persona tiene su turno abierto en una estación que no es ésta. Raises: Falla."""
        with self._almacen.lectura() as mirada:
            return mirada.conexion.execute(*_en_otra(estacion, persona)).fetchone() is not None

    def abrir(self, estacion: str, persona: str) -> Relevo:
        """Empieza el turno; cierra el de quien estuviera aquí y el suyo en otra estación. Raises: Falla."""
        ahora = self._reloj.ahora()
        with self._almacen.transaccion() as t:
            anterior = _persona_en(t, estacion)
            en_otra = t.conexion.execute(*_en_otra(estacion, persona)).fetchone() is not None
            t.conexion.execute("DELETE FROM turnos WHERE estacion = ? OR persona = ?", (estacion, persona))
            relevada = anterior if anterior not in ("", persona) else ""
            if relevada:
                t.anotar(ahora, "turno_relevado", persona=relevada, detalle=f"entró {persona} en su estación")
            if en_otra:
                t.anotar(ahora, "turno_relevado", persona=persona, detalle="entró en otra estación")
            t.conexion.execute(
                "INSERT INTO turnos VALUES (?, ?, ?, ?, 0)", (estacion, persona, ahora.isoformat(), ahora.isoformat())
            )
            t.anotar(ahora, "turno_abierto", persona=persona)
        return Relevo(relevada, en_otra)

    def usar(self, turno: Turno) -> None:
        """La persona hizo algo: el plazo vuelve a empezar."""
        ahora = self._reloj.ahora()
        if turno.bloqueado or abs(ahora - turno.visto) < self._inactividad / _PASOS:
            return
        # Con el disco lleno lo que importa decir es lo que no se guardó, y eso lo dice cada acción.
        with contextlib.suppress(Falla), self._almacen.transaccion() as t:
            t.conexion.execute(
                "UPDATE turnos SET visto = ? WHERE estacion = ? AND persona = ? AND bloqueado = 0",
                (ahora.isoformat(), turno.estacion, turno.persona),
            )

    def bloquear(self, estacion: str, porque: str) -> None:
        """Bloquea la pantalla de la estación, si no lo estaba. Raises: Falla."""
        with self._almacen.transaccion() as t:
            if t.conexion.execute(
                "UPDATE turnos SET bloqueado = 1 WHERE estacion = ? AND bloqueado = 0", (estacion,)
            ).rowcount:
                t.anotar(self._reloj.ahora(), "turno_bloqueado", persona=_persona_en(t, estacion), detalle=porque)

    def bloquear_todos(self, porque: str) -> None:
        """Raises: Falla."""
        with self._almacen.lectura() as mirada:
            estaciones = mirada.conexion.execute("SELECT estacion FROM turnos WHERE bloqueado = 0").fetchall()
        for (estacion,) in estaciones:
            self.bloquear(estacion, porque)

    def desbloquear(self, estacion: str, persona: str) -> None:
        """La misma persona volvió; si ya la relevaron, no hace nada. Raises: Falla."""
        ahora = self._reloj.ahora()
        with self._almacen.transaccion() as t:
            if t.conexion.execute(
                "UPDATE turnos SET bloqueado = 0, visto = ? WHERE estacion = ? AND persona = ?",
                (ahora.isoformat(), estacion, persona),
            ).rowcount:
                t.anotar(ahora, "turno_desbloqueado", persona=persona)

    def cerrar(self, estacion: str, detalle: str = "") -> None:
        """Termina el turno de la estación, si lo hay. Raises: Falla."""
        with self._almacen.transaccion() as t:
            if persona := _persona_en(t, estacion):
                t.conexion.execute("DELETE FROM turnos WHERE estacion = ?", (estacion,))
                t.anotar(self._reloj.ahora(), "turno_cerrado", persona=persona, detalle=detalle)


def _persona_en(t: Transaccion, estacion: str) -> str:
    fila = t.conexion.execute("SELECT persona FROM turnos WHERE estacion = ?", (estacion,)).fetchone()
    return str(fila[0]) if fila else ""


def _en_otra(estacion: str, persona: str) -> tuple[str, tuple[str, str]]:
    return "SELECT 1 FROM turnos WHERE persona = ? AND estacion <> ?", (persona, estacion)
