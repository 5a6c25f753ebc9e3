"""Una conexión a PostgreSQL que habla como el resto del centro: `?` por valor y una sola clase de falla.

Nunca se pone `statement_timeout`: si vence mientras un COMMIT espera a la réplica, PostgreSQL contesta que sí y sólo
avisa que tal vez no quedó replicado. Por lo mismo, un aviso durante una transacción la hace fallar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from servicio_central.puerto_almacen import FallaDelAlmacen
from servicio_central.tropiezo import Tropiezo

ESPERA_CONEXION: Final = 3
"""Segundos por servidor de la lista."""

_ENCHUFE: Final = {
    # Un servidor que desaparece sin despedirse se nota en unos segundos, no en las horas que da el sistema.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "connect_timeout": ESPERA_CONEXION,
}


def revisar_dsn(dsn: str) -> None:
    """Que el DSN se entienda y no lleve contraseña: el centro entra con su certificado.

    Raises:
        Tropiezo: CENTRO, con lo que sobra o no se entiende.
    """
    try:
        partes = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        causa = f"el DSN de PostgreSQL no se entiende ({str(error).strip()})"
        raise Tropiezo("CENTRO", causa, "se editó a mano", "corrija [almacen] dsn en centro.toml") from error
    if "password" in partes or "passfile" in partes:
        raise Tropiezo(
            "CENTRO",
            "el DSN de PostgreSQL lleva contraseña",
            "se copió de otro sistema",
            "quítela de centro.toml: el centro entra con su certificado (sslcert y sslkey)",
        )


class Postgres:
    """Conexión perezosa: se abre al primer uso y, si se rompe, al siguiente.

    Args:
        dsn: puede nombrar varios servidores; se usa el que acepte `quien`.
        quien: `read-write` para escribir; `primary` para leer lo último sin poder escribir.
        opciones: parámetros de la sesión.
    """

    def __init__(self, dsn: str, quien: str, opciones: dict[str, str]) -> None:
        propias = " ".join(f"-c {nombre}={valor}" for nombre, valor in opciones.items())
        # Lo nuestro va al final: gana a lo que diga el DSN.
        todas = f"{conninfo_to_dict(dsn).get('options', '')} {propias}".strip()
        self._dsn = make_conninfo(
            dsn, target_session_attrs=quien, application_name="prep-centro", options=todas, **_ENCHUFE
        )
        self._bd: psycopg.Connection[Any] | None = None
        self._aviso = ""

    def abrir(self) -> psycopg.Connection[Any]:
        """La conexión viva. Raises: FallaDelAlmacen."""
        if self._bd is None or self._bd.closed:
            try:
                self._bd = psycopg.connect(self._dsn, autocommit=True)
            except psycopg.Error as error:
                raise falla(error) from error
            self._bd.add_notice_handler(self._anotar)
        return self._bd

    def _anotar(self, aviso: psycopg.errors.Diagnostic) -> None:
        if aviso.severity_nonlocalized == "WARNING":
            self._aviso = aviso.message_primary or "aviso sin texto"

    def execute(self, consulta: str, valores: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        """Raises: FallaDelAlmacen; psycopg.DataError si un valor no cabe en su columna (eso no se reintenta)."""
        try:
            return self.abrir().execute(traducir(consulta), [_texto(v) for v in valores])
        except psycopg.DataError:
            raise
        except psycopg.Error as error:
            raise falla(error) from error

    def confirmar(self) -> None:
        """COMMIT, y sólo vuelve si de verdad quedó donde debía. Raises: FallaDelAlmacen."""
        self._aviso = ""
        self.execute("COMMIT")
        if self._aviso:
            raise FallaDelAlmacen(f"PostgreSQL confirmó con reservas: {self._aviso}")

    def deshacer(self) -> None:
        """ROLLBACK si se puede; si no, se suelta la conexión, que es lo mismo."""
        try:
            if self._bd is not None and not self._bd.closed:
                self._bd.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        bd, self._bd = self._bd, None
        if bd is not None:
            bd.close()


def falla(error: psycopg.Error) -> FallaDelAlmacen:
    """La falla que corresponde, en un renglón."""
    return FallaDelAlmacen(" ".join(str(error).split()) or type(error).__name__)


def traducir(consulta: str) -> str:
    """De `?` a los marcadores de psycopg. Ninguna consulta del centro lleva `?` dentro de un texto."""
    return consulta.replace("%", "%%").replace("?", "%s")


def _texto(valor: object) -> object:
    # PostgreSQL no guarda el carácter nulo en un texto; lo que viene de fuera puede traerlo y no debe atorar un lote.
    return valor.replace("\0", "\ufffd") if isinstance(valor, str) else valor
