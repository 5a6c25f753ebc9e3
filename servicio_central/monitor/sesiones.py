"""Entrar a la sala y seguir dentro: contraseña y segundo factor, y una galleta que caduca si no se usa.

En disco va el resumen de la galleta: quien copie la libreta no entra con ella. El papel se lee de la cuenta en cada
petición, así que una baja o un cambio valen al momento.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor import accesos, contrasena, segundo_factor
from servicio_central.monitor.accesos import Accesos
from servicio_central.monitor.cuentas import Cuentas
from servicio_central.monitor.frenos import espera
from servicio_central.monitor.libreta import Libreta
from servicio_central.monitor.papeles import Papel
from servicio_central.monitor.umbrales import Umbrales

_AL_MENOS: Final = timedelta(seconds=20)
"""Cada cuánto se anota que una sesión se usó: no un fsync por clic."""

_NUNCA: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sesion:
    """Quién está del otro lado. `forma` es el secreto que llevan sus formularios."""

    cuenta: str
    papel: Papel
    forma: str


class Sesiones:
    """Abre, reconoce y cierra sesiones."""

    def __init__(self, libreta: Libreta, umbrales: Umbrales, ahora: Callable[[], datetime]) -> None:
        self._libreta = libreta
        self._umbrales = umbrales
        self._ahora = ahora
        self._cuentas = Cuentas(libreta)
        self._accesos = Accesos(libreta)
        # De uno en uno: si no, mil intentos a la vez pasarían antes de que se anote la primera falla.
        self._turno = Lock()
        self._usos: dict[str, datetime] = {}
        """Cuándo se usó cada sesión, si no se pudo anotar: con el disco lleno también hay que poder mirar."""

    def entrar(self, nombre: str, clave: str, codigo: str, ip: str) -> tuple[str, Sesion] | Rechazo:
        """Comprueba los dos factores y abre una sesión. Devuelve lo que va en la galleta.

        No se dice cuál de los dos falló, ni si la cuenta existe.

        Raises:
            sqlite3.Error: si no se pudo asentar; entonces no se entra.
        """
        with self._turno:
            ahora = self._ahora()
            if (freno := self._freno(nombre, ip, ahora)) is not None:
                return freno
            if not self._comprobar(nombre, clave, codigo, ahora):
                self._accesos.anotar(accesos.FALLO, nombre, ip, ahora)
                return Rechazo(
                    "ACCESO",
                    "no se pudo entrar",
                    "la cuenta, la contraseña o el código no son correctos; cada código sirve una sola vez",
                    "espere el código siguiente en su teléfono y vuelva a intentar",
                )
            return self._abrir(nombre, ip, ahora)

    def confirmar(self, sesion: Sesion, codigo: str, ip: str, para: str) -> Rechazo | None:
        """Pide otra vez el segundo factor a quien ya entró: una sesión abierta y sola no basta para lo delicado.

        Args:
            para: qué se autoriza; queda en los accesos.

        Raises:
            sqlite3.Error: si no se pudo asentar; entonces no se autoriza.
        """
        with self._turno:
            ahora = self._ahora()
            if (freno := self._freno(sesion.cuenta, ip, ahora)) is not None:
                return freno
            cuenta = self._cuentas.una(sesion.cuenta)
            paso = None if cuenta is None else segundo_factor.paso_de(codigo, cuenta.secreto, ahora)
            if paso is None or not self._cuentas.gastar_paso(sesion.cuenta, paso):
                self._accesos.anotar(accesos.FALLO, sesion.cuenta, ip, ahora, para)
                return Rechazo(
                    "CODIGO",
                    "el código no es correcto",
                    "se tecleó mal, ya cambió, o es el mismo con que entró: cada uno sirve una sola vez",
                    "espere el código siguiente en su teléfono y vuelva a intentar",
                )
            self._accesos.anotar(accesos.AUTORIZO, sesion.cuenta, ip, ahora, para)
        return None

    def _freno(self, nombre: str, ip: str, ahora: datetime) -> Rechazo | None:
        falta = espera(
            self._accesos.fallas(ahora, cuenta=nombre, ip=ip),
            self._accesos.fallas(ahora, cuenta=nombre),
            self._accesos.fallas(ahora, ip=ip),
            self._accesos.entro_antes(nombre, ip),
            ahora,
        )
        if falta <= 0:
            return None
        self._accesos.frenar(nombre, ip, ahora)
        return _frenado(falta)

    def _comprobar(self, nombre: str, clave: str, codigo: str, ahora: datetime) -> bool:
        cuenta = self._cuentas.una(nombre)
        if cuenta is None or not cuenta.activa:
            contrasena.gastar(clave)
            return False
        buena = contrasena.coincide(clave, cuenta.resumen)
        paso = segundo_factor.paso_de(codigo, cuenta.secreto, ahora)
        # El código sólo se gasta con la contraseña buena: quien no la sabe no le quema los códigos a nadie.
        return buena and paso is not None and self._cuentas.gastar_paso(nombre, paso)

    def _abrir(self, nombre: str, ip: str, ahora: datetime) -> tuple[str, Sesion] | Rechazo:
        galleta, forma = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        cuenta = self._cuentas.una(nombre)
        assert cuenta is not None
        with self._libreta.transaccion() as bd:
            vencidas = (ahora - self._umbrales.sesion_maxima).isoformat()
            bd.execute("DELETE FROM sesiones WHERE creada < ?", (vencidas,))
            bd.execute(
                "INSERT INTO sesiones VALUES (?,?,?,?,?,?)",
                (_resumen(galleta), nombre, forma, ip, ahora.isoformat(), ahora.isoformat()),
            )
            self._accesos.anotar(accesos.ENTRO, nombre, ip, ahora)
        return galleta, Sesion(nombre, cuenta.papel, forma)

    def reconocer(self, galleta: str, *, uso: bool = True) -> Sesion | None:
        """La sesión de esa galleta, si sigue viva.

        Args:
            uso: si cuenta como que alguien la usó; el tablero que se actualiza solo no cuenta.
        """
        resumen, ahora = _resumen(galleta), self._ahora()
        fila = self._libreta.fila(
            "SELECT s.*, c.papel, c.activa FROM sesiones s JOIN cuentas c ON c.nombre = s.cuenta WHERE s.resumen = ?",
            (resumen,),
        )
        if fila is None or not fila["activa"]:
            return None
        vista = max(datetime.fromisoformat(fila["vista"]), self._usos.get(resumen, _NUNCA))
        creada = datetime.fromisoformat(fila["creada"])
        if ahora - vista > self._umbrales.inactividad or ahora - creada > self._umbrales.sesion_maxima:
            self._usos.pop(resumen, None)
            with suppress(sqlite3.Error), self._libreta.transaccion() as bd:
                if bd.execute("DELETE FROM sesiones WHERE resumen = ?", (resumen,)).rowcount:
                    self._accesos.anotar(accesos.VENCIO, fila["cuenta"], fila["ip"], ahora)
            return None
        if uso and ahora - vista > _AL_MENOS:
            try:
                with self._libreta.transaccion() as bd:
                    bd.execute("UPDATE sesiones SET vista = ? WHERE resumen = ?", (ahora.isoformat(), resumen))
                self._usos.pop(resumen, None)
            except sqlite3.Error:
                self._usos[resumen] = ahora
        return Sesion(fila["cuenta"], Papel(fila["papel"]), fila["forma"])

    def salir(self, galleta: str, ip: str) -> None:
        """Cierra esa sesión."""
        sesion = self.reconocer(galleta, uso=False)
        if sesion is None:
            return
        with self._libreta.transaccion() as bd:
            bd.execute("DELETE FROM sesiones WHERE resumen = ?", (_resumen(galleta),))
            self._accesos.anotar(accesos.SALIO, sesion.cuenta, ip, self._ahora())

    def negar(self, sesion: Sesion, ip: str, que: str) -> None:
        """Anota que alguien quiso hacer lo que su papel no deja."""
        self._accesos.anotar(accesos.NEGADO, sesion.cuenta, ip, self._ahora(), que)


def misma_forma(sesion: Sesion, forma: str) -> bool:
    """Si el formulario lo dio la sala a esa misma sesión."""
    return hmac.compare_digest(sesion.forma.encode(), forma.encode("utf-8", "replace"))


def _resumen(galleta: str) -> str:
    return hashlib.sha256(galleta.encode("utf-8", "replace")).hexdigest()


def _frenado(falta: float) -> Rechazo:
    segundos = math.ceil(falta)
    cuanto = f"{segundos} segundos" if segundos < 120 else f"{math.ceil(segundos / 60)} minutos"
    return Rechazo(
        "FRENO",
        f"hay que esperar {cuanto} para volver a intentar",
        "hubo varios intentos fallidos con esta cuenta o desde esta dirección",
        "espere; si usted no fue, avise a su supervisor",
    )
