"""Relee el padrón y la definición cuando cambian en disco, sin detener la ingesta.

Lo que llega mal (firma ajena, versión menor, TOML con errores) se avisa una vez y no se usa: se sigue con lo último
bueno.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from servicio_central import ajustes, inscripcion
from servicio_central.ingesta import Ingesta, Resultado
from servicio_central.tropiezo import Tropiezo

_Marca = tuple[tuple[str, int, int], ...]
"""(nombre, inodo, instante en ns) de los archivos vigilados."""


class Vigia:
    """Compara cada vez los archivos con la última vez que los leyó."""

    def __init__(
        self, carpeta: Path, proceso: Proceso, padron: Padron, ingesta: Ingesta, avisar: Callable[[str], None]
    ) -> None:
        self._carpeta = carpeta
        self._definicion = ajustes.leer(carpeta).proceso
        self.proceso = proceso
        self.padron = padron
        self._ingesta = ingesta
        self._avisar = avisar
        self._marcas = (self._del_padron(), self._de_la_definicion())

    def revisar(self) -> Resultado | None:
        """Si algo cambió, lo carga y vuelve a juzgar lo que esperaba."""
        marcas = (self._del_padron(), self._de_la_definicion())
        if marcas == self._marcas:
            return None
        cambio_padron, cambio_definicion = (a != b for a, b in zip(marcas, self._marcas, strict=True))
        self._marcas = marcas
        padron = self._leer_padron() if cambio_padron else None
        proceso = self._leer_definicion() if cambio_definicion else None
        if padron is None and proceso is None:
            return None
        self.padron = padron or self.padron
        self.proceso = proceso or self.proceso
        return self._ingesta.recargar(proceso, padron)

    def _leer_padron(self) -> Padron | None:
        try:
            nuevo = inscripcion.leer_padron(self._carpeta)
        except Tropiezo as tropiezo:
            self._avisar(f"{tropiezo}; se sigue con el padrón {self.padron.version}")
            return None
        if (nuevo.proceso, nuevo.modo) != (self.padron.proceso, self.padron.modo):
            self._avisar(f"el padrón es de {nuevo.modo}/{nuevo.proceso}; se sigue con el anterior")
            return None
        if nuevo.version < self.padron.version:
            # Un padrón viejo, aunque bien firmado, devolvería la vigencia a un equipo dado de baja.
            self._avisar(f"el padrón {nuevo.version} es anterior al {self.padron.version} vigente; no se usa")
            return None
        self._avisar(f"padrón {nuevo.version}: {len(nuevo.equipos)} equipos")
        return nuevo

    def _leer_definicion(self) -> Proceso | None:
        try:
            nuevo = replace(cargar_proceso(self._definicion), modo=self.proceso.modo)
        except (DefinicionInvalida, OSError) as error:
            self._avisar(f"la definición cambió y no se puede usar ({error}); se sigue con la anterior")
            return None
        if nuevo.clave != self.proceso.clave:
            self._avisar(f"la definición es de {nuevo.clave} y este centro es de {self.proceso.clave}; no se usa")
            return None
        self._avisar(f"definición {nuevo.huella[:12]}: {len(nuevo.casillas)} casillas")
        return nuevo

    def _del_padron(self) -> _Marca:
        return _marca([self._carpeta / ajustes.PADRON])

    def _de_la_definicion(self) -> _Marca:
        return _marca(sorted(r for r in self._definicion.glob("*") if r.suffix in (".toml", ".csv", ".gz")))


def _marca(rutas: list[Path]) -> _Marca:
    marcas = []
    for ruta in rutas:
        try:
            dato = ruta.stat()
        except OSError:
            continue
        marcas.append((ruta.name, dato.st_ino, dato.st_mtime_ns))
    return tuple(marcas)
