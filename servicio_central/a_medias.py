"""Una imagen que todavía está llegando: sus bytes en su lugar, y al final del archivo qué trozos ya son durables.

    imagenes/a-medias/<equipo>/<sha256>-<total>      los `total` bytes · un bit por trozo

Un bit sólo se escribe después de sincronizar los datos que nombra; así, lo que diga el archivo tras un corte de luz es
cierto o es de menos. De todos modos la huella se comprueba con el archivo entero.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from nucleo.trozo import MAXIMO_DATOS, Trozo, cuantos


@dataclass
class AMedias:
    """Lo que se tiene de una imagen de un equipo. Todas sus operaciones pueden lanzar OSError."""

    ruta: Path
    total: int
    durables: set[int] = field(default_factory=set)
    """Trozos cuyo contenido ya está sincronizado: los únicos que un recibo dice."""
    escritos: set[int] = field(default_factory=set)
    """Trozos escritos después de la última sincronización."""

    @classmethod
    def abrir(cls, carpeta: Path, sha256: str, total: int) -> AMedias:
        """La que ya había, o una nueva."""
        parte = cls(carpeta / f"{sha256}-{total}", total)
        try:
            descriptor = os.open(parte.ruta, os.O_RDONLY)
        except FileNotFoundError:
            return parte
        try:
            mapa = os.pread(descriptor, -(-cuantos(total) // 8), total)
        finally:
            os.close(descriptor)
        parte.durables = {n for n in range(min(cuantos(total), len(mapa) * 8)) if mapa[n // 8] >> (n % 8) & 1}
        return parte

    @property
    def entera(self) -> bool:
        return len(self.durables) + len(self.escritos) == cuantos(self.total)

    def escribir(self, trozo: Trozo) -> bool:
        """Pone el trozo en su lugar. Dice si era nuevo."""
        if trozo.numero in self.durables or trozo.numero in self.escritos:
            return False
        descriptor = os.open(self.ruta, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            _escribir(descriptor, trozo.datos, trozo.desde)
        finally:
            os.close(descriptor)
        self.escritos.add(trozo.numero)
        return True

    def sincronizar(self) -> None:
        """Hace durable lo escrito y anota qué es."""
        if not self.escritos:
            return
        descriptor = os.open(self.ruta, os.O_WRONLY)
        try:
            os.fdatasync(descriptor)
            _escribir(descriptor, self._mapa(self.durables | self.escritos), self.total)
        finally:
            os.close(descriptor)
        self.durables |= self.escritos
        self.escritos = set()

    def terminar(self) -> Path:
        """Deja en el archivo sólo la imagen y lo devuelve."""
        os.truncate(self.ruta, self.total)
        return self.ruta

    def rangos(self) -> tuple[tuple[int, int], ...]:
        """[desde, hasta) de lo durable, en bytes, en orden y sin tocarse."""
        rangos: list[tuple[int, int]] = []
        for numero in sorted(self.durables):
            desde, hasta = numero * MAXIMO_DATOS, min((numero + 1) * MAXIMO_DATOS, self.total)
            if rangos and rangos[-1][1] == desde:
                rangos[-1] = (rangos[-1][0], hasta)
            else:
                rangos.append((desde, hasta))
        return tuple(rangos)

    def tirar(self) -> None:
        self.ruta.unlink(missing_ok=True)

    def _mapa(self, trozos: set[int]) -> bytes:
        mapa = bytearray(-(-cuantos(self.total) // 8))
        for numero in trozos:
            mapa[numero // 8] |= 1 << (numero % 8)
        return bytes(mapa)


def _escribir(descriptor: int, datos: bytes, desde: int) -> None:
    while datos:
        escrito = os.pwrite(descriptor, datos, desde)
        datos, desde = datos[escrito:], desde + escrito
