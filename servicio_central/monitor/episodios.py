"""Los episodios: cada vez que una alarma empieza, quién la reconoció y con qué nota, y cuándo terminó.

Una alarma reconocida sigue a la vista mientras dure su causa; sólo deja de parpadear. Si la causa se quita y vuelve, es
un episodio nuevo y nadie lo ha reconocido.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Final

from nucleo.problema import Rechazo
from servicio_central.monitor import escrito
from servicio_central.monitor.alarmas import Alarma
from servicio_central.monitor.libreta import Libreta


@dataclass(frozen=True, slots=True)
class Nota:
    """Lo que alguien dejó escrito en un episodio. La que reconoce puede ir sin texto."""

    hora: datetime
    quien: str
    texto: str
    reconoce: bool


@dataclass(frozen=True, slots=True)
class Episodio:
    """Una alarma desde que empezó. `termino` es `None` mientras su causa sigue."""

    numero: int
    clave: str
    tipo: str
    gravedad: str
    equipo: str
    desde: datetime
    que: str
    causa: str
    siguiente: str
    termino: datetime | None = None
    reconocio: str = ""
    """Quién la reconoció primero; vacío si nadie."""
    reconocida: datetime | None = None


@dataclass(frozen=True, slots=True)
class Presente:
    """Una alarma de ahora, con su episodio (`None` si no se pudo asentar)."""

    alarma: Alarma
    episodio: Episodio | None

    @property
    def reconocida(self) -> bool:
        return self.episodio is not None and bool(self.episodio.reconocio)


_CAMPOS: Final = (
    "SELECT e.*, c.hora AS termino, n.quien AS reconocio, n.hora AS reconocida FROM episodios e"
    " LEFT JOIN cierres c ON c.episodio = e.id LEFT JOIN notas n ON n.id ="
    " (SELECT min(id) FROM notas WHERE episodio = e.id AND reconoce = 1)"
)


class Episodios:
    """Lleva la cuenta. Al arrancar retoma lo que quedó abierto: un reinicio no vuelve nueva a una alarma."""

    def __init__(self, libreta: Libreta) -> None:
        self._libreta = libreta
        # Quien retrata cierra episodios en su hilo mientras las páginas los anotan en los suyos.
        self._turno = RLock()
        abiertos = libreta.filas(f"{_CAMPOS} WHERE c.episodio IS NULL ORDER BY e.id")
        self._abiertos = {str(f["clave"]): _episodio(f) for f in abiertos}

    def asentar(self, alarmas: Sequence[Alarma], ahora: datetime) -> tuple[Presente, ...]:
        """Abre los episodios nuevos, cierra los que se quitaron y devuelve las alarmas con el suyo.

        Raises:
            sqlite3.Error: si no se pudo; nada cambia y se vuelve a intentar con el siguiente retrato.
        """
        with self._turno:
            return self._asentar(alarmas, ahora)

    def _asentar(self, alarmas: Sequence[Alarma], ahora: datetime) -> tuple[Presente, ...]:
        presentes = {a.clave: a for a in alarmas}
        idos = [e for clave, e in self._abiertos.items() if clave not in presentes]
        nuevas = [a for clave, a in presentes.items() if clave not in self._abiertos]
        if idos or nuevas:
            with self._libreta.transaccion() as bd:
                bd.executemany("INSERT INTO cierres VALUES (?,?)", [(e.numero, ahora.isoformat()) for e in idos])
                abiertos = {a.clave: _abrir(bd, a, ahora) for a in nuevas}
            for episodio in idos:
                del self._abiertos[episodio.clave]
            self._abiertos |= abiertos
        return tuple(Presente(a, self._abiertos[a.clave]) for a in alarmas)

    def sin_asentar(self, alarmas: Iterable[Alarma]) -> tuple[Presente, ...]:
        """Lo mismo cuando la libreta no se puede escribir: se ven, aunque no queden."""
        return tuple(Presente(a, self._abiertos.get(a.clave)) for a in alarmas)

    def anotar(self, numero: int, quien: str, texto: str, ahora: datetime, *, reconoce: bool) -> Rechazo | None:
        """Agrega una nota, y con `reconoce` deja dicho que alguien ya se ocupa.

        Raises:
            sqlite3.Error: si no se pudo asentar.
        """
        texto = escrito.limpio(texto)
        que_escribir = "escriba en pocas palabras qué hizo o qué supo"
        if (mal := escrito.objecion("la nota", texto, que_escribir, minimo=0 if reconoce else 1)) is not None:
            return mal
        if self.uno(numero) is None:
            return Rechazo("ALARMA", "esa alarma no existe", "el enlace es de otro centro", "regrese al tablero")
        self._libreta.agregar(
            "INSERT INTO notas (episodio, hora, quien, reconoce, texto) VALUES (?,?,?,?,?)",
            (numero, ahora.isoformat(), quien, int(reconoce), texto),
        )
        with self._turno:
            episodio = self.uno(numero)
            abierto = None if episodio is None else self._abiertos.get(episodio.clave)
            if episodio is not None and abierto is not None and abierto.numero == numero:
                # Revivir uno ya cerrado lo cerraría dos veces, y la libreta no se podría asentar nunca más.
                self._abiertos[episodio.clave] = episodio
        return None

    def abiertos_de(self, tipo: str) -> list[Episodio]:
        """Los abiertos de ese tipo que nadie ha reconocido."""
        return [e for e in list(self._abiertos.values()) if e.tipo == tipo and not e.reconocio]

    def uno(self, numero: int) -> Episodio | None:
        fila = self._libreta.fila(f"{_CAMPOS} WHERE e.id = ?", (numero,))
        return None if fila is None else _episodio(fila)

    def notas(self, numero: int) -> list[Nota]:
        """Las notas de un episodio, en orden."""
        filas = self._libreta.filas("SELECT * FROM notas WHERE episodio = ? ORDER BY id", (numero,))
        return [Nota(datetime.fromisoformat(f["hora"]), f["quien"], f["texto"], bool(f["reconoce"])) for f in filas]

    def ultimos(self, cuantos: int = 200, equipo: str = "") -> list[Episodio]:
        """Los más recientes, abiertos o no; de un equipo si se dice."""
        filtro, valores = ("WHERE e.equipo = ?", (equipo,)) if equipo else ("", ())
        filas = self._libreta.filas(f"{_CAMPOS} {filtro} ORDER BY e.id DESC LIMIT ?", (*valores, cuantos))
        return [_episodio(f) for f in filas]


def _abrir(bd: sqlite3.Connection, a: Alarma, ahora: datetime) -> Episodio:
    numero = bd.execute(
        "INSERT INTO episodios (clave, tipo, gravedad, equipo, hora, que, causa, siguiente) VALUES (?,?,?,?,?,?,?,?)",
        (a.clave, a.tipo, a.gravedad.palabra, a.equipo, ahora.isoformat(), a.que, a.causa, a.siguiente),
    ).lastrowid
    return Episodio(int(numero or 0), a.clave, a.tipo, a.gravedad.palabra, a.equipo, ahora, a.que, a.causa, a.siguiente)


def _episodio(f: sqlite3.Row) -> Episodio:
    return Episodio(
        f["id"],
        f["clave"],
        f["tipo"],
        f["gravedad"],
        f["equipo"],
        datetime.fromisoformat(f["hora"]),
        f["que"],
        f["causa"],
        f["siguiente"],
        None if f["termino"] is None else datetime.fromisoformat(f["termino"]),
        f["reconocio"] or "",
        None if f["reconocida"] is None else datetime.fromisoformat(f["reconocida"]),
    )
