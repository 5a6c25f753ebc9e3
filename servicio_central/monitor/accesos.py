"""La bitácora de accesos: quién entró, quién falló y quién cambió una cuenta. Sólo se agrega."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from servicio_central.monitor.frenos import MEMORIA, Fallas
from servicio_central.monitor.libreta import Libreta

ENTRO: Final = "entró"
FALLO: Final = "falló"
FRENADO: Final = "frenado"
SALIO: Final = "salió"
VENCIO: Final = "venció"
NEGADO: Final = "negado"
AUTORIZO: Final = "autorizó"
"""Dio un código nuevo para autorizar algo delicado."""

_NOMBRE: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,38}")
SIN_NOMBRE: Final = "(no es un nombre)"


@dataclass(frozen=True, slots=True)
class Acceso:
    """Un renglón."""

    hora: datetime
    suceso: str
    cuenta: str
    ip: str
    detalle: str


class Accesos:
    """Anota y responde cuántas fallas van."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta

    def anotar(self, suceso: str, cuenta: str, ip: str, ahora: datetime, detalle: str = "") -> None:
        """Agrega un renglón. Lo que no tiene forma de nombre no se guarda: alguien pudo teclear ahí su contraseña.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        self._libreta.agregar(
            "INSERT INTO accesos (hora, suceso, cuenta, ip, detalle) VALUES (?,?,?,?,?)",
            (ahora.isoformat(), suceso, nombre_limpio(cuenta), ip[:64], detalle[:200]),
        )

    def frenar(self, cuenta: str, ip: str, ahora: datetime) -> None:
        """Anota un intento frenado, sólo el primero de cada espera: insistir no llena el disco."""
        fila = self._libreta.fila(
            "SELECT suceso FROM accesos WHERE cuenta = ? AND ip = ? ORDER BY id DESC LIMIT 1",
            (nombre_limpio(cuenta), ip),
        )
        if fila is None or fila["suceso"] != FRENADO:
            self.anotar(FRENADO, cuenta, ip, ahora)

    def fallas(self, ahora: datetime, cuenta: str | None = None, ip: str | None = None) -> Fallas:
        """Las de esa cuenta, esa dirección o ambas, desde su último acierto."""
        condiciones, valores = ["hora > ?"], [(ahora - MEMORIA).isoformat()]
        if cuenta is not None:
            condiciones.append("cuenta = ?")
            valores.append(nombre_limpio(cuenta))
        if ip is not None:
            condiciones.append("ip = ?")
            valores.append(ip)
        filas = self._libreta.filas(
            f"SELECT suceso, hora FROM accesos WHERE {' AND '.join(condiciones)}"
            f" AND suceso IN ('{ENTRO}', '{AUTORIZO}', '{FALLO}') ORDER BY id DESC LIMIT 100",
            valores,
        )
        cuantas, ultima = 0, None
        for fila in filas:
            if fila["suceso"] != FALLO:
                break
            cuantas += 1
            ultima = ultima or datetime.fromisoformat(fila["hora"])
        return Fallas(cuantas, ultima)

    def entro_antes(self, cuenta: str, ip: str) -> bool:
        """Si esa cuenta ya entró desde esa dirección."""
        consulta = "SELECT 1 FROM accesos WHERE cuenta = ? AND ip = ? AND suceso = ? LIMIT 1"
        return self._libreta.fila(consulta, (nombre_limpio(cuenta), ip, ENTRO)) is not None

    def ultimos(self, cuantos: int = 300) -> list[Acceso]:
        """Los más recientes primero."""
        filas = self._libreta.filas("SELECT * FROM accesos ORDER BY id DESC LIMIT ?", (cuantos,))
        return [
            Acceso(datetime.fromisoformat(f["hora"]), f["suceso"], f["cuenta"], f["ip"], f["detalle"]) for f in filas
        ]


def nombre_limpio(cuenta: str) -> str:
    """El nombre, si tiene forma de serlo."""
    return cuenta if _NOMBRE.fullmatch(cuenta) else SIN_NOMBRE
