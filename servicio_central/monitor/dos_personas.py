"""Lo que autorizan dos personas: una lo pide con su motivo y otra distinta lo acepta o lo rechaza, una sola vez.

Así son los pedidos de órdenes (`pedidos`) y los dictámenes de la revisión (`dictamenes`). Cada uno pone sus palabras y
sus tablas; quién puede responder, hasta cuándo y qué pasa si se responde dos veces se decide aquí.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import ClassVar, Final, Generic, TypeVar

from nucleo.problema import Rechazo
from servicio_central.monitor import escrito
from servicio_central.monitor.libreta import Libreta

HORAS: Final = 12
"""Una noche: de lo de hace tres días ya no se sabe si hace falta, y quien lo pidió sigue ahí para repetirlo."""

_NUMERO_MAXIMO: Final = 2**53


@dataclass(frozen=True, slots=True)
class Respuesta:
    """Lo que contestó la segunda persona."""

    hora: datetime
    quien: str
    acepta: bool
    nota: str


@dataclass(frozen=True, slots=True)
class DeDos:
    """Algo que espera, o esperó, a una segunda persona. `motivo` es lo que escribió la primera."""

    numero: int
    hora: datetime
    quien: str
    motivo: str
    respuesta: Respuesta | None

    @property
    def aceptado(self) -> bool:
        return self.respuesta is not None and self.respuesta.acepta

    @property
    def caduca(self) -> datetime:
        """Hasta cuándo se puede responder."""
        return self.hora + timedelta(hours=HORAS)

    def espera(self, ahora: datetime) -> bool:
        """Si todavía alguien lo puede responder."""
        return self.respuesta is None and ahora < self.caduca


T = TypeVar("T", bound=DeDos)


@dataclass(frozen=True, slots=True)
class Palabras:
    """Cómo se dice. `la` es el pronombre de `cosa`; los verbos van como «pide», «pidió», «confirma», «confirmó»."""

    cosa: str
    la: str
    pide: str
    pidio: str
    acepta: str
    acepto: str
    aceptar: str
    donde: str
    otra_vez: str


class DosPersonas(ABC, Generic[T]):
    """Asienta lo que se pide y lo que se responde."""

    palabras: ClassVar[Palabras]
    tablas: ClassVar[tuple[str, str]]
    """La de lo pedido y la de las respuestas."""

    columnas: ClassVar[tuple[str, str]]
    """En la de las respuestas, cómo se llaman de cuál es y si la acepta."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta
        self.turno = Lock()
        """Se toma para responder, con el código y todo: el segundo toque de un doble clic no es un código malo."""

    @abstractmethod
    def _de_fila(self, fila: sqlite3.Row, respuesta: Respuesta | None) -> T: ...

    def uno(self, numero: int) -> T | None:
        """El de ese número; `None` si no hay."""
        return next(iter(self._leer("p.id = ?", numero)), None) if 0 < numero < _NUMERO_MAXIMO else None

    def objecion(self, nota: str, *, acepta: bool) -> Rechazo | None:
        """Por qué esa nota no sirve para responder. Para aceptar no hace falta."""
        siguiente = "diga en pocas palabras por qué"
        return escrito.objecion("la nota", escrito.limpio(nota), siguiente, minimo=0 if acepta else 1)

    def responder(
        self,
        numero: int,
        quien: str,
        nota: str,
        ahora: datetime,
        *,
        acepta: bool,
        hacer: Callable[[T], Rechazo | None] = lambda _: None,
    ) -> Rechazo | None:
        """Acepta (y entonces hace) o rechaza lo que pidió otra persona.

        Args:
            hacer: lo que se hace al aceptar, ya con la respuesta puesta; si dice que no, nada queda asentado.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        if (mal := self.objecion(nota, acepta=acepta)) is not None:
            return mal
        try:
            with self._libreta.transaccion() as bd:
                if (mal := self.no_procede(self.uno(numero), quien, ahora)) is not None:
                    return mal
                bd.execute(
                    f"INSERT INTO {self.tablas[1]} VALUES (?,?,?,?,?)",
                    (numero, ahora.isoformat(), quien, int(acepta), escrito.limpio(nota)),
                )
                respondido = self.uno(numero)
                assert respondido is not None
                if acepta and (mal := hacer(respondido)) is not None:
                    raise _NoSePudo(mal)
        except _NoSePudo as error:
            return error.rechazo
        return None

    def no_procede(self, pedido: T | None, quien: str, ahora: datetime) -> Rechazo | None:
        """Por qué esa persona no puede responderlo ahora."""
        p = self.palabras
        respuesta = pedido.respuesta if pedido is not None else None
        if respuesta is not None and respuesta.quien == quien:
            return Rechazo(
                "YA_RESPONDIO",
                f"usted ya {p.la} {p.acepto if respuesta.acepta else 'rechazó'}, y vale esa vez",
                "se apretó dos veces, o es una página de antes",
                f"nada más que hacer; vea en qué quedó {p.donde}",
            )
        if pedido is None or respuesta is not None:
            return Rechazo(
                "RESPONDIDO",
                f"{p.cosa} no existe o ya tiene respuesta",
                "otra persona respondió antes",
                f"vea en qué quedó {p.donde}",
            )
        if not pedido.espera(ahora):
            return Rechazo(
                "CADUCO",
                f"{p.cosa} caducó: es de hace más de {HORAS} horas",
                "nadie respondió esa noche, y lo que se veía entonces pudo cambiar",
                p.otra_vez,
            )
        if pedido.quien == quien:
            return Rechazo(
                "DOS_PERSONAS",
                f"quien {p.pide} no {p.acepta}",
                "lo delicado es de dos personas distintas",
                "pida a un supervisor que lo revise con su propia cuenta",
            )
        return None

    def _leer(self, condicion: str, *valores: object, cuantos: int = -1) -> list[T]:
        """Del más reciente al más viejo; todos, si no se dice cuántos."""
        (pedidos, respuestas), (de, acepta) = self.tablas, self.columnas
        filas = self._libreta.filas(
            f"SELECT p.*, r.hora AS r_hora, r.quien AS r_quien, r.{acepta} AS r_acepta, r.nota AS r_nota"
            f" FROM {pedidos} p LEFT JOIN {respuestas} r ON r.{de} = p.id WHERE {condicion}"
            f" ORDER BY p.id DESC LIMIT {cuantos}",
            valores,
        )
        return [self._de_fila(f, _respuesta(f)) for f in filas]


class _NoSePudo(Exception):
    """Deshace la transacción."""

    def __init__(self, rechazo: Rechazo) -> None:
        self.rechazo = rechazo


def _respuesta(f: sqlite3.Row) -> Respuesta | None:
    if f["r_hora"] is None:
        return None
    return Respuesta(datetime.fromisoformat(f["r_hora"]), f["r_quien"], bool(f["r_acepta"]), f["r_nota"])
