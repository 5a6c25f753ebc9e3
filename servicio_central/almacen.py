"""El almacén del centro: un SQLite en el que los hechos sólo se agregan.

Lo que no debe cambiar nunca (hechos, bifurcaciones, cuarentena) lo defienden disparadores que rechazan UPDATE, DELETE y
REPLACE; lo demás (latidos, veces, espera, cadenas) es mutable o se rehace. WAL con `synchronous=FULL`: con NORMAL un
apagón puede perder lo ya acusado (medido: en lotes cuesta 2 %).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nucleo.latido import Latido
from servicio_central.cadena import Cadena, Eslabon, de_eslabones
from servicio_central.esquema import ESQUEMA, disparadores, ponerse_al_dia

if TYPE_CHECKING:
    from servicio_central.puerto_almacen import Sabido

TOPE_APARTADOS: Final = 2000
"""Renglones de cuarentena, de bifurcaciones y de espera por equipo. Pasado el tope sólo se cuentan: quien mande basura
distinta sin parar no llena el disco."""


_COLUMNAS: Final = ", ".join(c.name for c in fields(Latido))
_VALORES: Final = ", ".join("?" for _ in fields(Latido))
"""Un latido se guarda entero: cada campo es una columna del mismo nombre."""


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


class Almacen:
    """Una conexión de escritura. Cada caso de uso va entero dentro de `transaccion`."""

    def __init__(self, bd: sqlite3.Connection) -> None:
        self.bd = bd
        self._desbordados: dict[tuple[str, str], int] = {}
        (self._turno,) = bd.execute("SELECT coalesce(max(ultima), 0) FROM veces").fetchone()
        """Ordena lo apartado por lo visto más recientemente; un reloj no serviría: dos mensajes caen en el mismo
        instante."""

    @classmethod
    def abrir(cls, ruta: Path) -> Almacen:
        """Abre o crea el almacén, con permisos 0600.

        Raises:
            sqlite3.Error: si el archivo no es un almacén o el disco no deja escribir.
        """
        os.close(os.open(ruta, os.O_RDWR | os.O_CREAT, 0o600))
        bd = sqlite3.connect(ruta, timeout=5.0, isolation_level=None, check_same_thread=False)
        bd.execute("PRAGMA journal_mode = WAL")
        bd.execute("PRAGMA synchronous = FULL")
        # Las defensas de un esquema ajeno: un almacén traído de otra parte no corre funciones al abrirse.
        bd.execute("PRAGMA trusted_schema = OFF")
        bd.executescript(f"BEGIN IMMEDIATE;{ESQUEMA}{disparadores()}")
        ponerse_al_dia(bd)
        bd.execute("COMMIT")
        return cls(bd)

    def cerrar(self) -> None:
        self.bd.close()

    @contextmanager
    def transaccion(self) -> Iterator[None]:
        """Todo o nada, y durable al salir.

        Raises:
            sqlite3.Error: si no se pudo; nada de lo hecho dentro queda.
        """
        self.bd.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.bd.execute("COMMIT")
        except BaseException:
            # SQLite pudo haber deshecho ya la transacción (disco lleno).
            if self.bd.in_transaction:
                self.bd.execute("ROLLBACK")
            raise

    compartido = False
    """El candado de la carpeta del centro impide otro escritor."""

    def tomar(self, equipos: Collection[str], lugares: Collection[tuple[str, str, int]]) -> Sabido:
        raise NotImplementedError("nadie más escribe: no hay de quién apartar")

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

    def agregar(self, hecho: Asentado, recibido: str) -> None:
        """Agrega un hecho nuevo al final."""
        self.bd.execute(
            "INSERT INTO hechos"
            " (huella, equipo, epoca, secuencia, previo, eleccion, casilla, tipo, creado, recibido, sobre)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                hecho.huella,
                hecho.equipo,
                hecho.epoca,
                hecho.secuencia,
                hecho.previo,
                hecho.eleccion,
                hecho.casilla,
                hecho.tipo,
                hecho.creado,
                recibido,
                hecho.sobre,
            ),
        )

    # ----------------------------------------------------------------------------------------------------------- cadena

    def cadenas_desde_hechos(self) -> dict[tuple[str, str], Cadena]:
        """Rehace todas las cadenas desde los hechos: la verdad cuando se duda de la tabla `cadenas`."""
        grupos: dict[tuple[str, str], list[tuple[int, Eslabon]]] = {}
        for equipo, epoca, secuencia, huella, previo in self.bd.execute(
            "SELECT equipo, epoca, secuencia, huella, previo FROM hechos"
        ):
            grupos.setdefault((equipo, epoca), []).append((secuencia, Eslabon(huella, previo)))
        return {clave: de_eslabones(eslabones) for clave, eslabones in grupos.items()}

    def cadenas_guardadas(self) -> dict[tuple[str, str], tuple[int, str]]:
        """(equipo, época) → (contiguo, huella), como quedó en la tabla que leen las pantallas."""
        return {(e, p): (n, h) for e, p, n, h in self.bd.execute("SELECT equipo, epoca, contiguo, huella FROM cadenas")}

    def anunciadas(self) -> dict[tuple[str, str], int]:
        """(equipo, época) → última secuencia que el equipo dijo tener."""
        return {(e, p): n for e, p, n in self.bd.execute("SELECT equipo, epoca, secuencia FROM latidos")}

    def guardar_cadena(self, equipo: str, epoca: str, cadena: Cadena) -> None:
        self.bd.execute(
            "INSERT INTO cadenas VALUES (?,?,?,?) ON CONFLICT (equipo, epoca)"
            " DO UPDATE SET contiguo = excluded.contiguo, huella = excluded.huella",
            (equipo, epoca, cadena.contiguo, cadena.huella),
        )

    # --------------------------------------------------------------------------------------------- lo que no se pudo co

    def bifurcar(self, hecho: Asentado, contada: str, recibido: str) -> bool:
        """Guarda el segundo sobre de un mismo lugar de la cadena, junto a cuál se quedó contado. Dice si era la
        primera vez."""
        if self._ya_visto(hecho.huella):
            return False
        if self._desborda("bifurcaciones", hecho.equipo, recibido):
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
        if self._ya_visto(sha256):
            return False
        if self._desborda("cuarentena", equipo, recibido):
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
            "SELECT huella, codigo, max(ultima) AS u FROM ("
            " SELECT c.huella, c.codigo, v.ultima FROM cuarentena c JOIN veces v ON v.clave = c.sha256"
            "  WHERE c.equipo = :e AND c.huella <> '' AND c.tema LIKE '%/hechos'"
            " UNION ALL SELECT b.huella, 'BIFURCADO', v.ultima FROM bifurcaciones b JOIN veces v ON v.clave = b.huella"
            "  WHERE b.equipo = :e)"
            " WHERE huella NOT IN (SELECT huella FROM hechos) GROUP BY huella ORDER BY u DESC LIMIT :n",
            {"e": equipo, "n": cuantos},
        )
        return [(huella, codigo) for huella, codigo, _ in filas]

    def equipos_con_apartados(self) -> set[str]:
        filas = self.bd.execute(
            "SELECT equipo FROM cuarentena WHERE equipo NOT NULL UNION SELECT equipo FROM bifurcaciones"
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
        return list(self.bd.execute("SELECT tema, bytes FROM en_espera ORDER BY desde, huella"))

    def huellas_en_espera(self) -> set[str]:
        return {huella for (huella,) in self.bd.execute("SELECT huella FROM en_espera")}

    def ya_no_espera(self, huella: str) -> None:
        self.bd.execute("DELETE FROM en_espera WHERE huella = ?", (huella,))

    def _ya_visto(self, clave: str) -> bool:
        self._turno += 1
        visto = self.bd.execute("UPDATE veces SET veces = veces + 1, ultima = ? WHERE clave = ?", (self._turno, clave))
        return visto.rowcount > 0

    def _primera_vez(self, clave: str) -> None:
        self.bd.execute("INSERT INTO veces VALUES (?, 1, ?)", (clave, self._turno))

    def _desborda(self, tabla: str, equipo: str | None, ahora: str) -> bool:
        clave = (tabla, equipo or "")
        cuantos = self._desbordados.get(clave, -1)
        if cuantos < TOPE_APARTADOS:
            # El nombre de la tabla viene de este archivo, nunca de fuera.
            filtro = f"SELECT count(*) FROM {tabla} WHERE equipo IS ?"
            (cuantos,) = self.bd.execute(filtro, (equipo,)).fetchone()
        if cuantos < TOPE_APARTADOS:
            return False
        self._desbordados[clave] = cuantos
        self.bd.execute(
            "INSERT INTO desbordes VALUES (?, 1, ?) ON CONFLICT (clave)"
            " DO UPDATE SET veces = veces + 1, ultima_vez = excluded.ultima_vez",
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
            "INSERT OR IGNORE INTO latidos_vistos VALUES (?,?,?)", (latido.equipo, latido.sesion, latido.hora)
        )
        return visto.rowcount > 0

    def guardar_latido(self, latido: Latido, recibido: str, *, retroceso: bool) -> None:
        self.bd.execute(
            f"INSERT OR REPLACE INTO latidos ({_COLUMNAS}, recibido, retroceso) VALUES ({_VALORES}, ?, ?)",
            (*astuple(latido), recibido, retroceso),
        )

    def guardar_muerte(self, equipo: str, recibido: str) -> None:
        """El testamento sólo dice que la sesión se cortó: sus cifras son de cuando empezó."""
        self.bd.execute("UPDATE latidos SET motivo = 'muerte', recibido = ? WHERE equipo = ?", (recibido, equipo))


def leer(ruta: Path) -> sqlite3.Connection:
    """Conexión de sólo lectura, aparte de la del centro: en WAL nadie espera a nadie.

    Raises:
        sqlite3.OperationalError: si el almacén no existe.
    """
    bd = sqlite3.connect(f"file:{ruta.resolve()}?mode=ro", uri=True, timeout=5.0, isolation_level=None)
    bd.execute("PRAGMA query_only = ON")
    return bd
