"""Relee el padrón y la definición cuando cambian en disco, sin detener la ingesta.

Lo que llega mal (firma ajena, versión menor, TOML con errores, una definición en la que ya no cabe lo aceptado) se
avisa una vez y no se usa: se sigue con lo último bueno.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nucleo.definicion import DefinicionInvalida
from nucleo.eleccion import Proceso
from nucleo.padron import Padron
from servicio_central import adopcion, ajustes, exclusiones, firma_de_definicion, inscripcion, padrones, vigente
from servicio_central.ingesta import Ingesta, Resultado
from servicio_central.puerto_almacen import ERRORES
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
        # Si al arrancar no se pudo adoptar (disco lleno, sin permiso), el archivo ya no va a cambiar: se reintenta.
        self._marcas = (self._del_padron(), () if adopcion.falta(carpeta) else self._de_la_definicion())
        self._por_juzgar = False

    def revisar(self) -> Resultado | None:
        """Si algo cambió, lo carga y vuelve a juzgar lo que esperaba.

        Raises:
            uno de `puerto_almacen.ERRORES`: si el almacén no contesta. OSError si no se pudo copiar la
            definición; un padrón nuevo no la espera. En ambos casos, a la siguiente vez se intenta de nuevo.
        """
        marcas = (self._del_padron(), self._de_la_definicion())
        cambio_padron, cambio_definicion = (a != b for a, b in zip(marcas, self._marcas, strict=True))
        self._marcas = marcas
        if cambio_padron and (padron := self._leer_padron()) is not None:
            self.padron, self._por_juzgar = padron, True
        if cambio_definicion and (proceso := self._leer_definicion()) is not None:
            self.proceso, self._por_juzgar = proceso, True
        if not self._por_juzgar:
            return None
        resultado = self._ingesta.recargar(self.proceso, self.padron)
        self._por_juzgar = False
        return resultado

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
            self._avisar(f"el padrón {nuevo.version} es anterior al {self.padron.version} vigente; no se usa")
            return None
        try:
            padrones.recordar(self._carpeta, nuevo)
        except (OSError, Tropiezo) as error:
            self._avisar(f"el padrón {nuevo.version} se usa, pero no se pudo guardar en padrones/ ({error})")
        self._avisar(f"padrón {nuevo.version}: {len(nuevo.equipos)} equipos")
        self._anunciar_exclusiones(nuevo)
        return nuevo

    def _anunciar_exclusiones(self, nuevo: Padron) -> None:
        cambiaron = exclusiones.nuevas(self.padron, nuevo)
        try:
            contadas = {(x.equipo, x.epoca): x for x in exclusiones.contar(self._carpeta, nuevo)}
        except ERRORES as error:
            self._avisar(f"EXCLUSIÓN: no se pudo contar cuántos hechos alcanza ({error})")
            return
        for clave in sorted(cambiaron):
            dicho = contadas.get(clave) or f"vuelve a contar todo lo de {clave[0]} en la época {clave[1]}"
            self._avisar(f"EXCLUSIÓN: {dicho}. Se verá en el siguiente corte; los anteriores no cambian")

    def _leer_definicion(self) -> Proceso | None:
        try:
            nuevo = adopcion.adoptar(self._carpeta, self._definicion, self.proceso.modo, self.proceso.clave)
            firmada = adopcion.manda_la_firmada(self._carpeta)
        except (*ERRORES, OSError, DefinicionInvalida, Tropiezo) as error:
            if not isinstance(error, DefinicionInvalida | Tropiezo) or _se_puede_corregir_sola(error):
                self._marcas = (self._marcas[0], ())
                if self._por_juzgar:
                    # Lo que el padrón nuevo da de baja o excluye no espera a que la definición se pueda leer.
                    return None
                raise
            self._avisar(f"la definición cambió y no se puede usar ({error}); se sigue con {self.proceso.huella[:12]}")
            return None
        if firmada and nuevo.huella == self.proceso.huella:
            self._avisar(
                f"se sigue con la definición firmada ({nuevo.huella[:12]}); lo que diga {self._definicion} no cuenta: "
                "para cambiarla, que la firme la autoridad (`./prep inscribir --definicion`)"
            )
            return None
        self._avisar(f"definición {nuevo.huella[:12]}: {len(nuevo.casillas)} casillas")
        return nuevo

    def _del_padron(self) -> _Marca:
        return _marca([self._carpeta / ajustes.PADRON])

    def _de_la_definicion(self) -> _Marca:
        firmadas = sorted((self._carpeta / firma_de_definicion.CARPETA).glob("*.prd"))
        return _marca([*vigente.archivos(self._definicion), *firmadas])


def _se_puede_corregir_sola(error: Exception) -> bool:
    """Si no se pudo leer: darle el archivo a la cuenta del centro, o que el disco se recupere, no cambia su marca."""
    return isinstance(error, Tropiezo) and isinstance(error.__cause__, OSError)


def _marca(rutas: list[Path]) -> _Marca:
    marcas = []
    for ruta in rutas:
        try:
            dato = ruta.stat()
        except OSError:
            continue
        marcas.append((ruta.name, dato.st_ino, dato.st_mtime_ns))
    return tuple(marcas)
