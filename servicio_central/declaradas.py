"""Qué imágenes declaró cada equipo en hechos ya aceptados: sólo ésas se reciben.

Se deduce de los hechos y se pone al día cuando llega una huella que no se conoce, leyendo sólo lo nuevo; así recibir
imágenes no toca la transacción que asienta hechos.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from nucleo.hechos import FueraDeCatalogo, Imagen, de_contenido
from nucleo.sobre import leer_json
from servicio_central import almacenes
from servicio_central.puerto_almacen import Lector

_ENCIMADOS: Final = 1000
"""Posiciones que se vuelven a mirar: con dos que escriben, una menor puede hacerse durable después de una mayor."""

_NUEVAS: Final = (
    "SELECT posicion, equipo, sobre FROM hechos WHERE tipo IN ('imagen', 'fuera_de_catalogo') AND posicion > ?"
    " ORDER BY posicion"
)


class Declaradas:
    """Lo declarado, en memoria: unos cien bytes por imagen. La usa un solo hilo."""

    def __init__(self, leer: Callable[[], Lector]) -> None:
        self._leer = leer
        self._por_equipo: dict[str, dict[bytes, int]] = {}
        self._vistas: set[int] = set()
        self._ultima = 0

    @classmethod
    def de_carpeta(cls, carpeta: Path) -> Declaradas:
        """Las del almacén de esa carpeta del centro."""
        return cls(lambda: almacenes.leer(carpeta))

    def refrescar(self) -> None:
        """Incorpora lo aceptado desde la última vez. Raises: uno de `puerto_almacen.ERRORES`."""
        with closing(self._leer()) as lector:
            filas = lector.execute(_NUEVAS, (max(0, self._ultima - _ENCIMADOS),))
            for posicion, equipo, sobre in filas:
                if posicion not in self._vistas:
                    self._vistas.add(posicion)
                    self._anotar(equipo, sobre)
                    self._ultima = max(self._ultima, posicion)
        self._vistas = {p for p in self._vistas if p > self._ultima - _ENCIMADOS}

    def declaro(self, equipo: str, sha256: str) -> bool:
        """Si ese equipo declaró esa imagen en un hecho aceptado. Raises: uno de `puerto_almacen.ERRORES`."""
        huella = bytes.fromhex(sha256)
        if huella not in self._por_equipo.get(equipo, {}):
            self.refrescar()
        return huella in self._por_equipo.get(equipo, {})

    def de(self, equipo: str) -> dict[str, int]:
        """Huella → bytes que el hecho dice; 0 si no lo dice (fuera de catálogo)."""
        return {huella.hex(): total for huella, total in self._por_equipo.get(equipo, {}).items()}

    def equipos(self) -> tuple[str, ...]:
        return tuple(sorted(self._por_equipo))

    def _anotar(self, equipo: str, compacto: str) -> None:
        carga = compacto.split(".")[1]
        hecho = de_contenido(leer_json(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))["contenido"])
        if isinstance(hecho, Imagen | FueraDeCatalogo):
            total = hecho.bytes if isinstance(hecho, Imagen) else 0
            self._por_equipo.setdefault(equipo, {})[bytes.fromhex(hecho.sha256)] = total
