"""Escribir un corte: una carpeta completa, comprimida como se servirá, que comparte con cortes anteriores lo que no
cambió.

Todo va a una carpeta provisional que un solo renombre hace existir. La hora de cada archivo es la del corte que lo
escribió y el gzip no lleva fecha ni nombre: dos centros, o un centro y un espejo, sirven los mismos bytes y hasta el
mismo ETag.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.manifiesto import Archivo, Manifiesto, archivo_de, ruta_del_de_seccion, seccion_de
from nucleo.publicacion.rutas import en_disco
from servicio_central import disco

_NIVEL: Final = 9
_PROVISIONAL: Final = ".corte-"


def leer(carpeta: Path, ruta: str) -> bytes:
    """El contenido, sin comprimir, de lo publicado en esa ruta de un corte. Raises: OSError."""
    nombre = en_disco(ruta)
    datos = (carpeta / nombre).read_bytes()
    try:
        return gzip.decompress(datos) if nombre != ruta else datos
    except (EOFError, ValueError) as error:
        raise OSError(f"{carpeta / nombre} no es gzip") from error


def escribir_sueltos(carpeta: Path, archivos: Iterable[tuple[str, bytes]]) -> None:
    """Escribe o sustituye archivos que no son de ningún corte: la página de espera. Raises: OSError."""
    for ruta, datos in archivos:
        destino = carpeta / en_disco(ruta)
        destino.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        disco.escribir(destino, gzip.compress(datos, _NIVEL, mtime=0) if destino.name.endswith(".gz") else datos)


class CorteEnObra:
    """Un corte que se está escribiendo. Hay que terminarlo con `levantar` o con `tirar`."""

    def __init__(self, centro: Path, destino: Path, hora: datetime, anterior: Path | None = None) -> None:
        """
        Args:
            anterior: la carpeta del corte con que se puede compartir lo que no cambió.

        Raises:
            OSError: si no se puede escribir, o el anterior no se deja leer.
        """
        self.destino = destino
        self._provisional = centro / f"{_PROVISIONAL}{destino.name}-{os.getpid()}"
        self._hora = hora.timestamp()
        self._anterior = anterior
        self._de_antes = {} if anterior is None else manifiesto.leer(leer(anterior, rutas.MANIFIESTO)).archivos
        self._archivos: dict[str, Archivo] = {}
        self._secciones: dict[str, dict[str, Archivo]] = {}
        shutil.rmtree(self._provisional, ignore_errors=True)
        self._provisional.mkdir(mode=0o755)
        self._hechas: set[str] = {""}

    def poner(self, ruta: str, datos: bytes) -> str:
        """Escribe un archivo, o toma el del corte anterior si es el mismo, y devuelve su SHA-256."""
        cual = archivo_de(datos)
        carpeta = seccion_de(ruta)
        if carpeta is None and self._de_antes.get(ruta) == cual:
            # Así su hora es la del corte que lo escribió, y un espejo la deduce de los manifiestos.
            self.compartir(ruta)
            return cual.sha256
        if carpeta is None:
            self._archivos[ruta] = cual
        else:
            self._secciones.setdefault(carpeta, {})[ruta.rpartition("/")[2]] = cual
        self._escribir(ruta, datos)
        return cual.sha256

    def compartir_seccion(self, carpeta: str) -> None:
        """Toma entera una sección que no cambió. Nunca es enlace a enlace: se va a la carpeta donde se escribió.

        Raises:
            OSError: si el corte anterior no la tiene.
        """
        anterior, cual = self._del_anterior(ruta_del_de_seccion(carpeta))
        origen = anterior / carpeta
        corte = anterior.name
        if origen.is_symlink():
            corte = origen.readlink().parts[-len(Path(carpeta).parts) - 1]
        self._carpeta_de(carpeta)
        (self._provisional / carpeta).symlink_to(f"{'../' * (carpeta.count('/') + 1)}{corte}/{carpeta}")
        self._archivos[ruta_del_de_seccion(carpeta)] = cual

    def compartir(self, ruta: str) -> None:
        """Toma un archivo que no cambió. Raises: OSError, si el corte anterior no lo tiene."""
        anterior, cual = self._del_anterior(ruta)
        self._carpeta_de(ruta)
        os.link(anterior / en_disco(ruta), self._provisional / en_disco(ruta))
        self._archivos[ruta] = cual

    def _del_anterior(self, ruta: str) -> tuple[Path, Archivo]:
        if self._anterior is None or ruta not in self._de_antes:
            raise OSError(f"el corte anterior no tiene {ruta}")
        return self._anterior, self._de_antes[ruta]

    def manifestar(self) -> str:
        """Escribe el manifiesto de cada sección y el del corte, y devuelve el SHA-256 de éste."""
        for carpeta, archivos in self._secciones.items():
            datos = Manifiesto(carpeta, archivos).a_bytes()
            ruta = ruta_del_de_seccion(carpeta)
            self._archivos[ruta] = archivo_de(datos)
            self._escribir(ruta, datos)
        datos = Manifiesto(self.destino.name, self._archivos).a_bytes()
        self._escribir(rutas.MANIFIESTO, datos)
        return archivo_de(datos).sha256

    def levantar(self) -> None:
        """Lo deja durable y lo hace existir de golpe. Raises: OSError."""
        # Un fsync por archivo serían miles: se pide una vez que todo lo escrito baje a disco.
        os.sync()
        self.destino.parent.mkdir(exist_ok=True, mode=0o755)
        self._provisional.rename(self.destino)
        disco.sincronizar(self.destino.parent)

    def tirar(self) -> None:
        shutil.rmtree(self._provisional, ignore_errors=True)

    def _escribir(self, ruta: str, datos: bytes) -> None:
        nombre = en_disco(ruta)
        if nombre != ruta:
            datos = gzip.compress(datos, _NIVEL, mtime=0)
        self._carpeta_de(ruta)
        destino = self._provisional / nombre
        with destino.open("xb") as archivo:
            archivo.write(datos)
        os.utime(destino, (self._hora, self._hora))

    def _carpeta_de(self, ruta: str) -> None:
        carpeta = ruta.rpartition("/")[0]
        if carpeta not in self._hechas:
            (self._provisional / carpeta).mkdir(0o755, parents=True, exist_ok=True)
            self._hechas.add(carpeta)


def barrer(centro: Path) -> None:
    """Quita las carpetas provisionales de un proceso que murió: quien vive tiene el turno."""
    for resto in centro.glob(f"{_PROVISIONAL}*"):
        shutil.rmtree(resto, ignore_errors=True)
