"""Lo que los dos almacenes del centro hacen igual, con SQL que SQLite y PostgreSQL entienden lo mismo.

Cada motor pone lo suyo: cómo abre y cierra una transacción, cómo agrega hechos y cadenas, y de dónde sale el turno que
ordena lo visto más recientemente.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, Protocol

from nucleo.latido import Latido
from servicio_central.cadena import Cadena, Eslabon, de_eslabones
from servicio_central.puerto_almacen import Asentado, Filas

TOPE_APARTADOS: Final = 2000
"""Renglones de cuarentena, de bifurcaciones y de espera por equipo. Pasado el tope sólo se cuentan: quien mande basura
distinta sin parar no llena el disco."""

_SOLO_CRECEN: Final = ("cuarentena", "bifurcaciones")
"""De éstas se recuerda que se llenaron, para no contarlas en cada mensaje. La espera se vacía: se cuenta siempre."""

HECHO: Final = tuple(c.name for c in fields(Asentado))
_LATIDO: Final = tuple(c.name for c in fields(Latido))
"""Un hecho y un latido se guardan enteros: cada campo es una columna del mismo nombre."""

del_hecho: Final = attrgetter(*HECHO)
_del_latido: Final = attrgetter(*_LATIDO)

_COLUMNAS: Final = (*_LATIDO, "recibido", "retroceso")
_GUARDAR_LATIDO: Final = (
    f"INSERT INTO latidos ({', '.join(_COLUMNAS)}) VALUES ({', '.join('?' for _ in _COLUMNAS)})"
    f" ON CONFLICT (equipo) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNAS if c != 'equipo')}"
)


class _Afectadas(Filas, Protocol):
    @property
    def rowcount(self) -> int: ...


class _Conexion(Protocol):
    def execute(self, consulta: str, valores: Sequence[Any] = ..., /) -> _Afectadas: ...


class AlmacenComun(ABC):
    """La mitad de `PuertoAlmacen` que no depende del motor. Toda operación puede lanzar uno de
    `puerto_almacen.ERRORES`."""

    bd: _Conexion

    def __init__(self) -> None:
        self._llenos: set[tuple[str, str | None]] = set()

    @abstractmethod
    def _ya_visto(self, clave: str) -> bool:
        """Si eso ya se apartó; entonces lo cuenta otra vez, con el turno de ahora."""

    @abstractmethod
    def _primera_vez(self, clave: str) -> None:
        """Empieza a contarlo, con el turno de ahora."""

    @abstractmethod
    def _apartar_lo_de_nadie(self) -> None:
        """Antes de apartar lo que no es de ningún equipo: si hay más escritores, que pasen de uno en uno."""

    def _olvidar_llenos(self) -> None:
        """La transacción se deshizo: lo que se contó dentro quizá ya no está."""
        self._llenos.clear()

    # ------------------------------------------------------------------------------------------------------------ hecho

    def huella_en(self, equipo: str, epoca: str, secuencia: int) -> str | None:
        """Huella del hecho aceptado en ese lugar de la cadena."""
        fila = self.bd.execute(
            "SELECT huella FROM hechos WHERE equipo = ? AND epoca = ? AND secuencia = ?", (equipo, epoca, secuencia)
        ).fetchone()
        return None if fila is None else str(fila[0])

    def contiene(self, huella: str) -> bool:
        """Si ese sobre ya es un hecho."""
        return self.bd.execute("SELECT 1 FROM hechos WHERE huella = ?", (huella,)).fetchone() is not None

    # ----------------------------------------------------------------------------------------------------------- cadena

    def cadenas_desde_hechos(self) -> dict[tuple[str, str], Cadena]:
        """Rehace todas las cadenas desde los hechos: la verdad cuando se duda de la tabla `cadenas`."""
        grupos: dict[tuple[str, str], list[tuple[int, Eslabon]]] = {}
        for e, p, n, huella, previo in self.bd.execute("SELECT equipo, epoca, secuencia, huella, previo FROM hechos"):
            grupos.setdefault((e, p), []).append((n, Eslabon(huella, previo)))
        return {clave: de_eslabones(eslabones) for clave, eslabones in grupos.items()}

    def cadenas_guardadas(self) -> dict[tuple[str, str], tuple[int, str]]:
        """(equipo, época) → (contiguo, huella), como quedó en la tabla que leen las pantallas."""
        return {(e, p): (n, h) for e, p, n, h in self.bd.execute("SELECT equipo, epoca, contiguo, huella FROM cadenas")}

    def anunciadas(self) -> dict[tuple[str, str], int]:
        """(equipo, época) → última secuencia que el equipo dijo tener."""
        return {(e, p): n for e, p, n in self.bd.execute("SELECT equipo, epoca, secuencia FROM latidos")}

    # -------------------------------------------------------------------------------------- lo que no se pudo contar

    def bifurcar(self, hecho: Asentado, contada: str, recibido: str) -> bool:
        """Guarda el segundo sobre de un mismo lugar de la cadena, junto a cuál se quedó contado. Dice si era la
        primera vez."""
        if self._ya_visto(hecho.huella) or self._desborda("bifurcaciones", hecho.equipo, recibido):
            return False
        self.bd.execute(
            "INSERT INTO bifurcaciones (equipo, epoca, secuencia, huella_contada, huella, sobre, recibido)"
            " VALUES (?,?,?,?,?,?,?)",
            (hecho.equipo, hecho.epoca, hecho.secuencia, contada, hecho.huella, hecho.sobre, recibido),
        )
        self._primera_vez(hecho.huella)
        return True

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
    ) -> bool:
        """Pone en cuarentena esos bytes, una sola vez; las repeticiones se cuentan. Dice si era la primera vez."""
        if equipo is None:
            self._apartar_lo_de_nadie()
        if self._ya_visto(sha256) or self._desborda("cuarentena", equipo, recibido):
            return False
        self.bd.execute(
            "INSERT INTO cuarentena (sha256, huella, equipo, tema, codigo, causa, tamano, bytes, primera_vez)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (sha256, huella, equipo, tema, codigo, causa, tamano, datos, recibido),
        )
        self._primera_vez(sha256)
        return True

    def apartados_de(self, equipo: str, cuantos: int) -> list[tuple[str, str]]:
        """(huella, código) de lo apartado de ese equipo que no se llegó a aceptar, lo visto más recientemente primero.

        Una copia con la firma dañada comparte huella con la buena: si la buena ya es un hecho, no se anuncia.
        """
        filas = self.bd.execute(
            "SELECT huella, codigo FROM (SELECT huella, codigo, ultima,"
            " row_number() OVER (PARTITION BY huella ORDER BY ultima DESC) AS lugar FROM ("
            "  SELECT c.huella, c.codigo, v.ultima FROM cuarentena c JOIN veces v ON v.clave = c.sha256"
            "   WHERE c.equipo = ? AND c.huella <> '' AND c.tema LIKE '%/hechos'"
            "  UNION ALL SELECT b.huella, 'BIFURCADO', v.ultima FROM bifurcaciones b JOIN veces v ON v.clave = b.huella"
            "   WHERE b.equipo = ?) AS vistos"
            "  WHERE NOT EXISTS (SELECT 1 FROM hechos h WHERE h.huella = vistos.huella)) AS apartados"
            " WHERE lugar = 1 ORDER BY ultima DESC LIMIT ?",
            (equipo, equipo, cuantos),
        )
        return [(huella, codigo) for huella, codigo in filas]

    def equipos_con_apartados(self) -> set[str]:
        filas = self.bd.execute(
            "SELECT equipo FROM cuarentena WHERE equipo IS NOT NULL UNION SELECT equipo FROM bifurcaciones"
        )
        return {equipo for (equipo,) in filas}

    def esperar(self, huella: str, equipo: str, tema: str, codigo: str, causa: str, datos: bytes, desde: str) -> None:
        """Guarda lo que aún no se puede juzgar, para volver a intentarlo cuando cambien la definición o el padrón."""
        if self.bd.execute("SELECT 1 FROM en_espera WHERE huella = ?", (huella,)).fetchone():
            return
        if self._desborda("en_espera", equipo, desde):
            return
        self.bd.execute(
            "INSERT INTO en_espera VALUES (?,?,?,?,?,?,?)", (huella, equipo, tema, codigo, causa, datos, desde)
        )

    def esperan(self) -> list[tuple[str, bytes]]:
        """(tema, bytes) de todo lo que espera, en el orden en que llegó."""
        filas = self.bd.execute("SELECT tema, bytes FROM en_espera ORDER BY desde, huella")
        return [(tema, bytes(datos)) for tema, datos in filas]

    def huellas_en_espera(self) -> set[str]:
        return {huella for (huella,) in self.bd.execute("SELECT huella FROM en_espera")}

    def ya_no_espera(self, huella: str) -> None:
        self.bd.execute("DELETE FROM en_espera WHERE huella = ?", (huella,))

    def _desborda(self, tabla: str, equipo: str | None, ahora: str) -> bool:
        if (tabla, equipo) not in self._llenos:
            # El nombre de la tabla viene de este archivo, nunca de fuera.
            suyos = ("equipo IS NULL", ()) if equipo is None else ("equipo = ?", (equipo,))
            (cuantos,) = self.bd.execute(f"SELECT count(*) FROM {tabla} WHERE {suyos[0]}", suyos[1]).fetchone()
            if cuantos < TOPE_APARTADOS:
                return False
            if tabla in _SOLO_CRECEN:
                self._llenos.add((tabla, equipo))
        self.bd.execute(
            "INSERT INTO desbordes VALUES (?, 1, ?) ON CONFLICT (clave)"
            " DO UPDATE SET veces = desbordes.veces + 1, ultima_vez = excluded.ultima_vez",
            (f"{tabla}/{equipo or ''}", ahora),
        )
        return True

    # ----------------------------------------------------------------------------------------------------------- latido

    def ultimo_latido(self, equipo: str) -> tuple[str, bool] | None:
        """(sesión, si fue de muerte) del último latido guardado."""
        fila = self.bd.execute("SELECT sesion, motivo FROM latidos WHERE equipo = ?", (equipo,)).fetchone()
        return None if fila is None else (str(fila[0]), fila[1] == "muerte")

    def es_primer_latido(self, latido: Latido) -> bool:
        """Si ese latido (sesión y hora) no se había visto; lo recuerda. Uno repetido no revive a un kiosco apagado."""
        visto = self.bd.execute(
            "INSERT INTO latidos_vistos VALUES (?,?,?) ON CONFLICT DO NOTHING",
            (latido.equipo, latido.sesion, latido.hora),
        )
        return visto.rowcount > 0

    def guardar_latido(self, latido: Latido, recibido: str, *, retroceso: bool) -> None:
        self.bd.execute(_GUARDAR_LATIDO, (*_del_latido(latido), recibido, int(retroceso)))

    def guardar_muerte(self, equipo: str, recibido: str) -> None:
        """El testamento sólo dice que la sesión se cortó: sus cifras son de cuando empezó."""
        self.bd.execute("UPDATE latidos SET motivo = 'muerte', recibido = ? WHERE equipo = ?", (recibido, equipo))
