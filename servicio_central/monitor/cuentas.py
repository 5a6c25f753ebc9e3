"""Las cuentas de la sala: quién es, qué papel tiene y cómo lo demuestra. Se llevan con `./prep operador`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor import contrasena, segundo_factor
from servicio_central.monitor.accesos import Accesos
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.papeles import Papel

LOCAL: Final = "esta máquina"
"""De dónde vienen los cambios hechos con la orden."""

_NOMBRE: Final = re.compile(r"[a-z][a-z0-9\-]{1,38}")


@dataclass(frozen=True, slots=True)
class Cuenta:
    """Una cuenta. `resumen` y `secreto` nunca se muestran."""

    nombre: str
    papel: Papel
    activa: bool
    resumen: str
    secreto: str


class Cuentas:
    """Da de alta y cambia; cada cosa deja su renglón en la bitácora de accesos, con quién la hizo."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta
        self._accesos = Accesos(libreta)

    def alta(self, nombre: str, papel: Papel, clave: str, quien: str, ahora: datetime) -> str | Rechazo:
        """Crea la cuenta y devuelve el secreto de su segundo factor.

        Un nombre dado de baja no se vuelve a usar: lo que dejó asentado parecería de quien lo tiene ahora.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        if _NOMBRE.fullmatch(nombre) is None:
            return Rechazo(
                "NOMBRE",
                f"{nombre[:60]!r} no sirve como nombre de cuenta",
                "tiene mayúsculas, acentos o espacios, o es de una letra",
                "use minúsculas, cifras y guiones, como ana-lopez",
            )
        if (mal := contrasena.objecion(clave, nombre)) is not None:
            return mal
        anterior = self.una(nombre)
        if anterior is not None and anterior.activa:
            return Rechazo(
                "YA_EXISTE",
                f"la cuenta {nombre} ya existe",
                "se repitió la orden, o son dos personas que se llaman igual",
                "use otro nombre; para cambiarle algo están `papel` y `clave`",
            )
        if anterior is not None:
            return Rechazo(
                "DE_BAJA",
                f"la cuenta {nombre} existió y se dio de baja",
                "lo que dejó asentado sigue con ese nombre, y parecería de quien lo tome ahora",
                f"use otro nombre, como {nombre[:36]}-2, aunque sea la misma persona",
            )
        secreto = segundo_factor.secreto_nuevo()
        with self._libreta.transaccion() as bd:
            bd.execute(
                "INSERT INTO cuentas VALUES (?,?,?,?,1,0)",
                (nombre, papel.value, contrasena.resumir(clave), secreto),
            )
            self._accesos.anotar("alta", nombre, LOCAL, ahora, f"papel {papel.value}; la dio {quien}")
        return secreto

    def baja(self, nombre: str, quien: str, ahora: datetime) -> Rechazo | None:
        """La cuenta ya no entra y sus sesiones se cierran. Lo que dejó asentado se queda con su nombre."""
        if (mal := self._exigir(nombre)) is not None:
            return mal
        with self._libreta.transaccion() as bd:
            bd.execute("UPDATE cuentas SET activa = 0 WHERE nombre = ?", (nombre,))
            bd.execute("DELETE FROM sesiones WHERE cuenta = ?", (nombre,))
            self._accesos.anotar("baja", nombre, LOCAL, ahora, f"la dio {quien}")
        return None

    def cambiar_papel(self, nombre: str, papel: Papel, quien: str, ahora: datetime) -> Rechazo | None:
        """Vale desde su siguiente clic, también con la sesión abierta."""
        if (mal := self._exigir(nombre)) is not None:
            return mal
        with self._libreta.transaccion() as bd:
            bd.execute("UPDATE cuentas SET papel = ? WHERE nombre = ?", (papel.value, nombre))
            self._accesos.anotar("papel", nombre, LOCAL, ahora, f"{papel.value}; lo cambió {quien}")
        return None

    def nueva_clave(self, nombre: str, clave: str, quien: str, ahora: datetime) -> str | Rechazo:
        """Cambia contraseña y segundo factor a la vez, y cierra sus sesiones. Devuelve el secreto nuevo."""
        if (mal := self._exigir(nombre) or contrasena.objecion(clave, nombre)) is not None:
            return mal
        secreto = segundo_factor.secreto_nuevo()
        with self._libreta.transaccion() as bd:
            bd.execute(
                "UPDATE cuentas SET resumen = ?, secreto = ?, ultimo_paso = 0 WHERE nombre = ?",
                (contrasena.resumir(clave), secreto, nombre),
            )
            bd.execute("DELETE FROM sesiones WHERE cuenta = ?", (nombre,))
            self._accesos.anotar("clave", nombre, LOCAL, ahora, f"la cambió {quien}")
        return secreto

    def una(self, nombre: str) -> Cuenta | None:
        fila = self._libreta.fila("SELECT * FROM cuentas WHERE nombre = ?", (nombre,))
        if fila is None:
            return None
        return Cuenta(fila["nombre"], Papel(fila["papel"]), bool(fila["activa"]), fila["resumen"], fila["secreto"])

    def todas(self) -> list[Cuenta]:
        """Por nombre."""
        nombres = [f["nombre"] for f in self._libreta.filas("SELECT nombre FROM cuentas ORDER BY nombre")]
        return [cuenta for nombre in nombres if (cuenta := self.una(nombre)) is not None]

    def gastar_paso(self, nombre: str, paso: int) -> bool:
        """Da por usado ese código y los anteriores; falso si ya lo estaba."""
        with self._libreta.transaccion() as bd:
            hecho = bd.execute(
                "UPDATE cuentas SET ultimo_paso = ? WHERE nombre = ? AND ultimo_paso < ?", (paso, nombre, paso)
            )
            return hecho.rowcount > 0

    def _exigir(self, nombre: str) -> Rechazo | None:
        cuenta = self.una(nombre)
        if cuenta is not None and cuenta.activa:
            return None
        return Rechazo(
            "NO_EXISTE",
            f"no hay una cuenta activa que se llame {nombre[:60]!r}",
            "se escribió distinto, o ya se dio de baja",
            "vea las que hay con `./prep operador lista`",
        )
