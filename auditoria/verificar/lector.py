"""De dónde se lee lo que se verifica: la carpeta de un centro o de un espejo. La red la pone `vigilancia`.

Las rutas son las de esa carpeta (`cortes/…`, `registro/…`, `imagenes_publicas/…`). Nunca se sigue un enlace al leer:
por el que alguien ponga se saldría de lo publicado.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from nucleo.publicacion.mentira import Mentira

MAXIMO_BYTES: Final = 2**30
"""De un archivo. El mayor, la base de un estado con tres elecciones, ocupa unos megabytes."""

CORTES: Final = "cortes"
REGISTRO: Final = "registro"
IMAGENES: Final = "imagenes_publicas"
DOCUMENTOS: Final = "documentos_publicos"
PUBLICO: Final = "publico"


class NoSePuede(Exception):
    """No se pudo leer lo que hay que verificar: no es que mienta. El texto lo dice para una persona."""


class Lector(Protocol):
    """Lo publicado, de donde sea."""

    @property
    def lugar(self) -> str:
        """Cómo se llama el lugar, para decirlo."""
        ...

    def leer(self, ruta: str) -> bytes:
        """El archivo, tal como está. Raises: FileNotFoundError, NoSePuede; Mentira, si no es un archivo."""
        ...

    def enlace(self, ruta: str) -> str | None:
        """A dónde apunta, si es un enlace simbólico; `None` si no lo es o de aquí no se puede saber."""
        ...

    def listar(self, carpeta: str) -> Iterator[str] | None:
        """Todo lo que hay debajo y no es carpeta, sin seguir enlaces; `None` si de aquí no se puede listar."""
        ...


class LectorDeCarpeta:
    """La carpeta de un centro o de un espejo.

    Raises:
        NoSePuede: si no es una carpeta.
    """

    def __init__(self, raiz: Path) -> None:
        if not raiz.is_dir():
            raise NoSePuede(f"{raiz} no es una carpeta que se pueda leer")
        self._raiz = Path(os.path.realpath(raiz))
        self._lugar = str(raiz)

    @property
    def lugar(self) -> str:
        return self._lugar

    def leer(self, ruta: str) -> bytes:
        completa = self._raiz / ruta
        if os.path.realpath(completa.parent) != str(completa.parent):
            raise _enlazado(ruta)
        try:
            # Sin O_NONBLOCK, abrir una tubería con ese nombre esperaría para siempre.
            descriptor = os.open(completa, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise
        except OSError as error:
            if completa.is_symlink():
                raise _enlazado(ruta) from error
            raise NoSePuede(f"no se pudo leer {completa} ({error.strerror})") from error
        with os.fdopen(descriptor, "rb") as archivo:
            dato = os.fstat(archivo.fileno())
            if not stat.S_ISREG(dato.st_mode):
                raise Mentira(ruta, "otra cosa que un archivo", "un archivo", "Ahí no se puede publicar nada.")
            if dato.st_size > MAXIMO_BYTES:
                raise NoSePuede(f"{completa} mide {dato.st_size} bytes: no es algo que aquí se publique")
            try:
                return archivo.read()
            except OSError as error:
                raise NoSePuede(f"no se pudo leer {completa} ({error.strerror})") from error

    def enlace(self, ruta: str) -> str | None:
        try:
            return os.readlink(self._raiz / ruta)  # noqa: PTH115 - tal cual: Path le quitaría los «./» y las diagonales
        except OSError:
            return None

    def listar(self, carpeta: str) -> Iterator[str] | None:
        return self._listar(carpeta)

    def _listar(self, carpeta: str) -> Iterator[str]:
        pendientes = [carpeta]
        while pendientes:
            esta = pendientes.pop()
            try:
                with os.scandir(self._raiz / esta) as entradas:
                    en_orden = sorted(entradas, key=lambda e: e.name)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise NoSePuede(f"no se pudo listar {self._raiz / esta} ({error.strerror})") from error
            for entrada in en_orden:
                ruta = f"{esta}/{entrada.name}"
                if entrada.is_dir(follow_symlinks=False):
                    pendientes.append(ruta)
                else:
                    yield ruta


def _enlazado(ruta: str) -> Mentira:
    return Mentira(
        ruta,
        "un enlace a otra parte",
        "un archivo de esta carpeta",
        "Lo que se lea por ahí puede cambiar sin que nadie lo note, o no ser de esta publicación.",
    )


def servido(lector: Lector, ruta: str) -> bytes:
    """Por donde se llegue: en una carpeta, la sección que no cambió es un enlace a otro corte."""
    carpeta, _, nombre = ruta.rpartition("/")
    destino = lector.enlace(carpeta)
    if destino is None:
        return lector.leer(ruta)
    return lector.leer(f"{CORTES}/{destino.removeprefix('../' * destino.count('../'))}/{nombre}")
