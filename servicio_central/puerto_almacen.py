"""Lo que el centro le pide a su almacén, sin decir cuál es: SQLite en una máquina o PostgreSQL en varias.

Las dos mitades van aparte. Por una escribe la ingesta, entera dentro de `transaccion`; por la otra leen los cortes y la
sala de operación, con consultas que los dos motores entienden igual.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from nucleo.latido import Latido
from servicio_central.cadena import Cadena


class FallaDelAlmacen(Exception):
    """El almacén no contesta o no pudo escribir: nada de lo pedido quedó a medias y se puede volver a intentar."""


ERRORES: Final = (sqlite3.Error, FallaDelAlmacen)
"""Lo que puede lanzar cualquier operación de cualquier almacén."""


@dataclass(frozen=True, slots=True)
class Asentado:
    """Un hecho aceptado, como se guarda. Las horas son ISO 8601."""

    huella: str
    equipo: str
    epoca: str
    secuencia: int
    previo: str
    eleccion: str
    casilla: str | None
    tipo: str
    creado: str
    sobre: str


@dataclass(frozen=True)
class Sabido:
    """Lo que el almacén sabe de unos equipos en este instante."""

    cadenas: dict[tuple[str, str], Cadena] = field(default_factory=dict)
    con_apartados: frozenset[str] = frozenset()
    esperan: frozenset[str] = frozenset()


class PuertoAlmacen(Protocol):
    """Donde escribe la ingesta. Toda operación puede lanzar uno de `ERRORES`."""

    @property
    def compartido(self) -> bool:
        """Si otro proceso puede estar escribiendo: entonces nada de lo recordado vale sin `tomar`."""
        ...

    def cerrar(self) -> None: ...

    def transaccion(self) -> AbstractContextManager[None]:
        """Todo o nada, y durable al salir."""
        ...

    def tomar(self, equipos: Collection[str], lugares: Collection[tuple[str, str, int]]) -> Sabido:
        """Aparta esos equipos hasta que acabe la transacción y dice lo que hay de ellos.

        Args:
            lugares: (equipo, época, secuencia) por los que se va a preguntar en `huella_en`.
        """
        ...

    def huella_en(self, equipo: str, epoca: str, secuencia: int) -> str | None: ...

    def contiene(self, huella: str) -> bool: ...

    def agregar(self, hecho: Asentado, recibido: str) -> None: ...

    def cadenas_desde_hechos(self) -> dict[tuple[str, str], Cadena]: ...

    def cadenas_guardadas(self) -> dict[tuple[str, str], tuple[int, str]]: ...

    def anunciadas(self) -> dict[tuple[str, str], int]: ...

    def guardar_cadena(self, equipo: str, epoca: str, cadena: Cadena) -> None: ...

    def bifurcar(self, hecho: Asentado, contada: str, recibido: str) -> bool: ...

    def apartar(
        self,
        sha256: str,
        huella: str,
        equipo: str | None,
        tema: str,
        codigo: str,
        causa: str,
        datos: bytes,
        tamano: int,
        recibido: str,
    ) -> bool: ...

    def apartados_de(self, equipo: str, cuantos: int) -> list[tuple[str, str]]: ...

    def equipos_con_apartados(self) -> set[str]: ...

    def esperar(
        self, huella: str, equipo: str, tema: str, codigo: str, causa: str, datos: bytes, desde: str
    ) -> None: ...

    def esperan(self) -> list[tuple[str, bytes]]: ...

    def huellas_en_espera(self) -> set[str]: ...

    def ya_no_espera(self, huella: str) -> None: ...

    def ultimo_latido(self, equipo: str) -> tuple[str, bool] | None: ...

    def es_primer_latido(self, latido: Latido) -> bool: ...

    def guardar_latido(self, latido: Latido, recibido: str, *, retroceso: bool) -> None: ...

    def guardar_muerte(self, equipo: str, recibido: str) -> None: ...


class Filas(Protocol):
    """Lo que devuelve una consulta, renglón por renglón."""

    @property
    def description(self) -> Sequence[Sequence[Any]] | None: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True, slots=True)
class Marca:
    """Hasta dónde se leyeron los hechos de una elección. Sólo la entiende el almacén que la dio."""

    hasta: int = 0
    ultima: str = ""
    cuantos: int = 0
    vistas: frozenset[str] = frozenset()
    """Huellas ya leídas que se volverán a ver."""


class Lector(Protocol):
    """Una conexión de sólo lectura, que nadie espera y a nadie hace esperar."""

    @property
    def identidad(self) -> Hashable:
        """Igual sólo si es el mismo almacén: lo leído de uno no sirve para otro."""
        ...

    def execute(self, consulta: str, valores: Sequence[object] = ()) -> Filas:
        """Corre una consulta, con `?` en el lugar de cada valor. `BEGIN` fija el instante que se lee."""
        ...

    def nuevos(self, eleccion: str, marca: Marca) -> tuple[list[tuple[str, str]], Marca] | None:
        """(huella, sobre) de lo aceptado en esa elección después de la marca, y la marca nueva.

        `None` si la marca ya no es de aquí: hay que volver a leer todo.
        """
        ...

    def version(self) -> object:
        """Cambia si otra conexión escribió algo; puede cambiar también sin motivo."""
        ...

    def close(self) -> None: ...
