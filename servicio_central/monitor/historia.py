"""La historia del enlace: cada cambio de estado de cada equipo, asentado cuando la sala lo vio."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.retrato import EstadoDeEnlace, Kiosco


@dataclass(frozen=True, slots=True)
class Cambio:
    """Desde `hora` ese equipo está en `estado`. `salida` es por dónde está conectado, si lo dijo."""

    hora: datetime
    estado: EstadoDeEnlace
    salida: str = ""


class Historia:
    """Recuerda el último estado de cada equipo: sólo lo que cambia se asienta."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta
        self._ultimos = {
            str(f["equipo"]): (str(f["estado"]), str(f["salida"]))
            for f in libreta.filas(
                "SELECT equipo, estado, salida FROM cambios WHERE id IN (SELECT max(id) FROM cambios GROUP BY equipo)"
            )
        }

    def ultimos(self) -> dict[str, EstadoDeEnlace]:
        """El último estado asentado de cada equipo."""
        return {equipo: EstadoDeEnlace(estado) for equipo, (estado, _) in self._ultimos.items()}

    def asentar(self, kioscos: Iterable[Kiosco], ahora: datetime) -> int:
        """Asienta los estados que cambiaron y dice cuántos.

        Raises:
            sqlite3.Error: si no se pudo; se volverá a intentar con el siguiente retrato.
        """
        nuevos = []
        for k in kioscos:
            antes = self._ultimos.get(k.equipo, ("", ""))
            # La salida de un equipo callado es la de antes: sólo cuenta mientras está en línea.
            salida = k.salida if k.estado is EstadoDeEnlace.EN_LINEA else antes[1]
            if antes != (k.estado.value, salida):
                nuevos.append((ahora.isoformat(), k.equipo, antes[0], k.estado.value, salida))
        if nuevos:
            with self._libreta.transaccion() as bd:
                bd.executemany("INSERT INTO cambios (hora, equipo, antes, estado, salida) VALUES (?,?,?,?,?)", nuevos)
            for _, equipo, _, estado, salida in nuevos:
                self._ultimos[equipo] = (estado, salida)
        return len(nuevos)

    def de(self, equipo: str, cuantos: int = 500) -> list[Cambio]:
        """Los cambios de un equipo, del más viejo al más nuevo."""
        filas = self._libreta.filas(
            "SELECT hora, estado, salida FROM cambios WHERE equipo = ? ORDER BY id DESC LIMIT ?", (equipo, cuantos)
        )
        return [
            Cambio(datetime.fromisoformat(f["hora"]), EstadoDeEnlace(f["estado"]), f["salida"]) for f in filas[::-1]
        ]
