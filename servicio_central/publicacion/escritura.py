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
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from nucleo.publicacion import manifiesto, rutas
from nucleo.publicacion.manifiesto import Archivo, Manifiesto, archivo_de, ruta_del_de_seccion, seccion_de
from nucleo.publicacion.rutas import en_disco
from servicio_central import disco

_NIVEL: Final = 9
"""De gzip. En estas páginas, de unos kilobytes, el 6 tarda lo mismo y el 4 un tercio menos, con 3 % más de bytes."""

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
        disco.escribir(destino, comprimir(datos) if destino.name.endswith(".gz") else datos)


def comprimir(datos: bytes) -> bytes:
    """Como se publica todo: quien verifica no acepta un gzip hecho de otro modo."""
    return gzip.compress(datos, _NIVEL, mtime=0)


def manifiesto_de(corte: Path) -> Mapping[str, Archivo] | None:
    """Lo que lleva un corte ya hecho; `None` si no se puede leer."""
    try:
        return manifiesto.leer(leer(corte, rutas.MANIFIESTO)).archivos
    except (OSError, manifiesto.ManifiestoInvalido):
        return None


class CorteEnObra:
    """Un corte que se está escribiendo. Hay que terminarlo con `levantar` o con `tirar`."""

    def __init__(
        self,
        centro: Path,
        destino: Path,
        hora: datetime,
        anterior: Path | None = None,
        de_antes: Mapping[str, Archivo] | None = None,
    ) -> None:
        """
        Args:
            anterior: la carpeta del corte con que se puede compartir lo que no cambió.
            de_antes: lo que dice su manifiesto (`manifiesto_de`).

        Raises:
            OSError: si no se puede escribir.
        """
        self.destino = destino
        self._provisional = centro / f"{_PROVISIONAL}{destino.name}-{os.getpid()}"
        self._hora = hora.timestamp()
        self._anterior = anterior
        self._de_antes = de_antes or {}
        self._de_antes_en: dict[str, Mapping[str, Archivo]] = {}
        """Lo que dice el manifiesto anterior de cada sección que se vuelve a escribir."""
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

    def repetir(self, ruta: str) -> None:
        """Copia, de una sección que se vuelve a escribir, un archivo que es el mismo: ni se hace ni se comprime.

        Raises:
            OSError: si el corte anterior no lo tiene.
        """
        carpeta, _, nombre = ruta.rpartition("/")
        if carpeta not in self._de_antes_en:
            anterior, _ = self._del_anterior(ruta_del_de_seccion(carpeta))
            dicho = manifiesto.leer(leer(anterior, ruta_del_de_seccion(carpeta)))
            self._de_antes_en[carpeta] = dicho.archivos
        if self._anterior is None or nombre not in self._de_antes_en[carpeta]:
            raise OSError(f"el corte anterior no tiene {ruta}")
        self._secciones.setdefault(carpeta, {})[nombre] = self._de_antes_en[carpeta][nombre]
        en = en_disco(ruta)
        # Copia y no enlace: lo de una sección lleva toda la hora del corte que la escribió, aquí y en los espejos.
        self._volcar(en, (self._anterior / en).read_bytes())

    def compartir_seccion(self, carpeta: str) -> None:
        """Toma entera una sección que no cambió. Nunca es enlace a enlace: se va a la carpeta donde se escribió.

        Raises:
            OSError: si el corte anterior no la tiene.
        """
        ruta = ruta_del_de_seccion(carpeta)
        anterior, self._archivos[ruta] = self._del_anterior(ruta)
        self._carpeta_de(carpeta)
        origen, destino = f"{anterior}/{carpeta}", f"{self._provisional}/{carpeta}"
        # Con cadenas y no con Path: son diez mil por corte.
        try:
            # El enlace que ya había sirve tal cual, y dos nombres de un enlace ocupan un solo inodo.
            os.link(origen, destino, follow_symlinks=False)
        except OSError:
            es_enlace = os.path.islink(origen)  # noqa: PTH114
            a_donde = os.readlink(origen) if es_enlace else _hacia(anterior.name, carpeta)  # noqa: PTH115
            os.symlink(a_donde, destino)  # noqa: PTH211

    def compartir(self, ruta: str) -> None:
        """Toma un archivo que no cambió. Raises: OSError, si el corte anterior no lo tiene."""
        anterior, self._archivos[ruta] = self._del_anterior(ruta)
        self._carpeta_de(ruta)
        en = en_disco(ruta)
        os.link(f"{anterior}/{en}", f"{self._provisional}/{en}")

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

    @property
    def archivos(self) -> Mapping[str, Archivo]:
        """Lo que dice el manifiesto del corte."""
        return self._archivos

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
            datos = comprimir(datos)
        self._volcar(nombre, datos)

    def _volcar(self, nombre: str, datos: bytes) -> None:
        self._carpeta_de(nombre)
        # Sin los intermediarios de `open`: son miles de archivos chicos.
        descriptor = os.open(f"{self._provisional}/{nombre}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            escritos = 0
            while escritos < len(datos):
                escritos += os.write(descriptor, memoryview(datos)[escritos:])
            os.utime(descriptor, (self._hora, self._hora))
        finally:
            os.close(descriptor)

    def _carpeta_de(self, ruta: str) -> None:
        carpeta = ruta.rpartition("/")[0]
        if carpeta not in self._hechas:
            (self._provisional / carpeta).mkdir(0o755, parents=True, exist_ok=True)
            self._hechas.add(carpeta)


def _hacia(corte: str, carpeta: str) -> str:
    return f"{'../' * (carpeta.count('/') + 1)}{corte}/{carpeta}"


def barrer(centro: Path) -> None:
    """Quita las carpetas provisionales de un proceso que murió: quien vive tiene el turno."""
    for resto in centro.glob(f"{_PROVISIONAL}*"):
        shutil.rmtree(resto, ignore_errors=True)
