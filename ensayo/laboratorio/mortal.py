"""Un programa de la noche que muere y vuelve: su almacén va sobre un disco que falla, y de él se sacan copias."""

from __future__ import annotations

import random
import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import ClassVar, cast

from ensayo.laboratorio.fragil import ConexionFragil, Momento, copiar, poner_en_lugar


class Mortal(ABC):
    """Las muertes y las copias se cuentan en `cuenta`, con las palabras de cada quien."""

    QUIEN: ClassVar[str]
    ENTRE: ClassVar[str]
    """Entre qué y qué muere cuando no es confirmando."""
    RESTAURADO: ClassVar[str]
    """De qué vuelve cuando se le cambia el disco."""

    disco: ConexionFragil

    def __init__(self, ruta: Path, azar: random.Random, cuenta: Counter[str]) -> None:
        self.ruta = ruta
        self.vivo = False
        self._azar = azar
        self._cuenta = cuenta

    def _sobre_disco_fragil(self, bd: sqlite3.Connection) -> sqlite3.Connection:
        """La conexión que usará el almacén: la suya, con quien decide cuándo muere en medio."""
        self.disco = ConexionFragil(bd, self.ruta, self._azar)
        self.disco.al_morir = self._contar_muerte
        return cast("sqlite3.Connection", self.disco)

    @abstractmethod
    def _cerrar(self) -> None:
        """Cierra su almacén, por las buenas."""

    def matar(self, momento: Momento | None = None) -> None:
        """Muere ya, o con `momento`, en su siguiente confirmación."""
        if not self.vivo:
            return
        if momento is not None:
            self.disco.armar(momento)
            return
        self._cuenta[f"{self.QUIEN} muerto {self.ENTRE}"] += 1
        self.disco.congelar()
        self._morir()

    def _contar_muerte(self, momento: Momento) -> None:
        self._cuenta[f"{self.QUIEN} muerto {momento.value}"] += 1

    def _morir(self) -> None:
        self.vivo = False
        self.disco.revivir()

    def apagar(self) -> None:
        """Se cierra bien, al final de la noche."""
        if self.vivo:
            self.disco.armar(None)
            self.vivo = False
            self._cerrar()

    def respaldar(self, ruta: Path) -> None:
        """Copia el disco de ahora."""
        copiar(self.ruta, ruta)

    def restaurar(self, ruta: Path) -> None:
        """El disco vuelve a ser el de la copia: lo asentado después ya no está en él."""
        self.matar()
        poner_en_lugar(ruta, self.ruta)
        self._cuenta[f"{self.QUIEN} restaurado {self.RESTAURADO}"] += 1
