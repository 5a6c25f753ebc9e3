"""Lo que alguien lleva tecleado de un acta y todavía no concluye: un renglón a la vez, en el mismo disco que el libro.

Un borrador es sólo de quien lo tecleó: la llave lleva a la persona, y ninguna consulta lo busca sin ella. Cada vuelta
empieza en blanco. Cada renglón recuerda en qué imagen se leyó: si después llega otra, hay que mirarlo otra vez. Se
escribe con la durabilidad del libro (`synchronous=FULL`): un apagón se lleva, cuando mucho, el campo que se estaba
tecleando.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from nucleo.captura import Discrepante, Libre
from nucleo.hechos import IdActa

MAXIMO_TEXTO: Final = 8
"""Caracteres de un renglón a medias: lo que cabe en la pantalla, y las palabras ILEGIBLE y SIN DATO."""


@dataclass(frozen=True, slots=True)
class Llave:
    """De qué lectura es el borrador: quién, de qué acta, en qué vuelta y si captura o corrige."""

    acta: IdActa
    persona: str
    clase: str
    vuelta: int


@dataclass(frozen=True, slots=True)
class Borrador:
    """Renglón → lo tecleado, tal cual; puede no ser un número. `hora` es la del último guardado."""

    textos: Mapping[str, str]
    hora: datetime | None
    leidos_en: Mapping[str, str | None] = field(default_factory=dict)
    """Renglón → SHA-256 de la imagen en que se leyó; `None` si fue en el papel."""

    def de_otra(self, imagen: str | None) -> frozenset[str]:
        """Los renglones que no se leyeron en esa imagen."""
        return frozenset(renglon for renglon, leida in self.leidos_en.items() if leida != imagen)


def llave_de(acta: IdActa, persona: str, libre: Libre) -> Llave:
    """La del trabajo que esa persona tiene entre manos."""
    return Llave(acta, persona, "correccion" if isinstance(libre, Discrepante) else "captura", libre.vuelta)


def cabe(texto: str) -> bool:
    """Si ese texto puede ser un renglón a medias: no tiene que ser válido, sólo corto y visible."""
    return len(texto) <= MAXIMO_TEXTO and texto.isprintable()


def guardar(
    conexion: sqlite3.Connection, llave: Llave, textos: Mapping[str, str], hora: datetime, imagen: str | None
) -> None:
    """Escribe esos renglones dentro de la transacción abierta; un texto vacío quita el suyo.

    Volver a guardar lo mismo no dice que se haya mirado otra vez: sigue siendo de la imagen en que se leyó.
    """
    for renglon, texto in textos.items():
        if texto:
            conexion.execute(
                "INSERT INTO borradores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET hora = excluded.hora, valor = excluded.valor,"
                " imagen = CASE valor WHEN excluded.valor THEN imagen ELSE excluded.imagen END",
                (*_partes(llave), renglon, texto, imagen or "", hora.isoformat()),
            )
        else:
            conexion.execute(f"DELETE FROM borradores WHERE {_DE_LLAVE} AND renglon = ?", (*_partes(llave), renglon))


def leer(conexion: sqlite3.Connection, llave: Llave) -> Borrador:
    """Lo guardado con esa llave; vacío si no hay nada."""
    filas = conexion.execute(
        f"SELECT renglon, valor, hora, imagen FROM borradores WHERE {_DE_LLAVE}", _partes(llave)
    ).fetchall()
    horas = [datetime.fromisoformat(hora) for _, _, hora, _ in filas]
    leidos_en = {renglon: imagen or None for renglon, _, _, imagen in filas}
    return Borrador({renglon: valor for renglon, valor, _, _ in filas}, max(horas, default=None), leidos_en)


def borrar(conexion: sqlite3.Connection, acta: IdActa, persona: str | None = None) -> None:
    """Quita los borradores de esa acta: los de una persona, o los de todas si ya no hay nada que leer en ella."""
    if persona is None:
        conexion.execute("DELETE FROM borradores WHERE eleccion = ? AND casilla = ?", (acta.eleccion, acta.casilla))
    else:
        conexion.execute(
            "DELETE FROM borradores WHERE eleccion = ? AND casilla = ? AND persona = ?",
            (acta.eleccion, acta.casilla, persona),
        )


_DE_LLAVE: Final = "eleccion = ? AND casilla = ? AND persona = ? AND clase = ? AND vuelta = ?"


def _partes(llave: Llave) -> tuple[str, str, str, str, int]:
    return llave.acta.eleccion, llave.acta.casilla, llave.persona, llave.clase, llave.vuelta
