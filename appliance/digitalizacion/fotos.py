"""Fotografías de acta que llegan en una memoria USB: se copian como un lote más y siguen la misma cadena.

Nada se ejecuta ni se monta aquí: la memoria ya la montó el sistema, de sólo lectura, bajo una raíz permitida. De ella
sólo se leen archivos JPEG y PNG de la raíz y de `DCIM`, sin seguir enlaces, con tope de tamaño y de número.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.digitalizacion.cadena import Cadena
from appliance.digitalizacion.entrada import escribir_hoja
from appliance.falla import Falla
from appliance.rechazos import con_rechazo
from nucleo.acta import Digitalizacion
from nucleo.problema import Rechazo

MAXIMO_FOTOS: Final = 400
"""Fotografías por importación: más de las que un CATD recibe en una noche."""
MAXIMO_BYTES: Final = 24 * 1024 * 1024
"""De una fotografía. Un teléfono de 50 megapíxeles hace JPEG de 8 a 20 MB."""

_CARPETA_DE_FOTOS: Final = "DCIM"
_PROFUNDIDAD: Final = 2
"""Subcarpetas bajo `DCIM` (`DCIM/100ANDRO`)."""
_MAXIMO_VISTOS: Final = 5_000
"""Entradas de directorio que se miran: una memoria maliciosa puede traer millones."""
_HAY_MAS: Final = "/"
"""En lugar de un nombre, que nunca es éste: quedaron entradas sin mirar."""
_SEGUIDAS: Final = 3
"""Fotografías seguidas que no se leen con que se da por desconectada la memoria."""
_FOTOS: Final = {".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n"}
_SIN_SOPORTE: Final = {".heic", ".heif", ".avif", ".dng", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".pdf"}


@dataclass(frozen=True, slots=True)
class Memoria:
    """Una memoria montada. `clave` es lo que viaja en el formulario: sólo vale si está en la lista de ahora."""

    clave: str
    nombre: str
    ruta: Path


@dataclass(frozen=True, slots=True)
class Importacion:
    """Cómo salió: cuántas se copiaron y, con palabras, lo que no se tomó."""

    lote: str
    copiadas: int
    negadas: tuple[tuple[str, str], ...]
    """(archivo, por qué)."""


class Memorias:
    """Las memorias de las que se pueden tomar fotografías.

    Args:
        listar: las rutas montadas ahora bajo las raíces permitidas (`appliance.memorias.memorias`).
    """

    def __init__(self, listar: Callable[[], Iterable[Path]]) -> None:
        self._listar = listar

    def montadas(self) -> tuple[Memoria, ...]:
        """Las que hay ahora mismo, por nombre."""
        rutas = sorted(r for r in self._listar() if str(r).isprintable() and not r.is_symlink() and r.is_dir())
        return tuple(Memoria(str(ruta), ruta.name, ruta) for ruta in rutas)

    def memoria(self, clave: str) -> Memoria | Rechazo:
        """La que está en la lista con esa clave; ninguna otra ruta se abre."""
        return next((m for m in self.montadas() if m.clave == clave), None) or Rechazo(
            "SIN_MEMORIA",
            "Esa memoria ya no está",
            "se desconectó o aún no la reconoce el equipo",
            "conéctela otra vez, espere unos segundos y vuelva a intentar",
        )


@con_rechazo
def importar(
    cadena: Cadena,
    memoria: Memoria,
    persona: str,
    cerrar: Callable[[Callable[[], None]], None] = lambda asentar: asentar(),
) -> Importacion | Rechazo:
    """Copia las fotografías de la memoria como un lote `MOVIL` y les da su renglón.

    Args:
        cerrar: asienta el fin del lote, o lo intenta después si el disco no deja.

    La misma fotografía dos veces se nota al mirarla: da la misma imagen.

    Rechaza SIN_FOTOS y, a media copia, lo que diga el disco; lo ya copiado sigue su camino.
    """
    try:
        raiz = os.open(memoria.ruta, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        return _arrancada(error)
    try:
        candidatas, negadas = _elegir(raiz)
        if not candidatas:
            return _sin_fotos(negadas)
        lote, carpeta = cadena.abrir_lote(persona, Digitalizacion.MOVIL)
        copiadas, falla, seguidas = 0, None, 0
        for nombre in candidatas:
            try:
                leido = _leer(raiz, nombre)
            except OSError as error:
                # Un pedazo dañado no deja afuera a las fotografías que siguen; varias seguidas es que ya no está.
                negadas.append((nombre, "no se pudo leer: la memoria está dañada ahí"))
                falla, seguidas = _arrancada(error), seguidas + 1
                if seguidas == _SEGUIDAS:
                    break
                continue
            falla, seguidas = None, 0
            if isinstance(leido, str):
                negadas.append((nombre, leido))
                continue
            destino = carpeta / f"foto-{copiadas + 1:04d}{Path(nombre).suffix.lower()}"
            try:
                escribir_hoja(destino, leido)
                cadena.recibir(lote, copiadas + 1, destino)
            except Falla as error:
                falla = error.rechazo
                break
            copiadas += 1
        fin = "sin_papel" if falla is None else "desconectado"
        a_medias = int(falla is not None)
        cerrar(lambda: cadena.cerrar_lote(lote, entraron=copiadas, a_medias=a_medias, fin=fin, falla=falla))
    finally:
        os.close(raiz)
    return Importacion(lote.lote, copiadas, tuple(negadas))


def _elegir(raiz: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Nombres de las fotografías, relativos a la raíz y en orden, y lo que no se toma con su porqué."""
    fotos: list[str] = []
    negadas: list[tuple[str, str]] = []
    for nombre in _recorrer(raiz):
        extension = Path(nombre).suffix.lower()
        if nombre == _HAY_MAS:
            negadas.append(("…", f"la memoria tiene más de {_MAXIMO_VISTOS} archivos: deje sólo las fotografías"))
        elif not nombre.isprintable():
            if extension in _FOTOS or extension in _SIN_SOPORTE:
                legible = "".join(c if c.isprintable() else "?" for c in nombre)
                negadas.append((legible, "su nombre tiene signos que no se pueden escribir: cámbieselo"))
        elif extension in _FOTOS:
            if len(fotos) < MAXIMO_FOTOS:
                fotos.append(nombre)
            else:
                negadas.append((nombre, f"son más de {MAXIMO_FOTOS}: impórtelas en dos partes"))
        elif extension in _SIN_SOPORTE:
            negadas.append((nombre, "no es JPEG ni PNG: en el teléfono elija guardar «JPEG» o «más compatible»"))
    return fotos, negadas


def _recorrer(raiz: int) -> Iterator[str]:
    vistos = 0
    pendientes = [("", 0)]
    while pendientes:
        carpeta, hondo = pendientes.pop(0)
        try:
            descriptor = _bajar(raiz, carpeta)
        except OSError:
            continue
        try:
            with os.scandir(descriptor) as entradas:
                nombres = []
                for entrada in entradas:
                    vistos += 1
                    if vistos > _MAXIMO_VISTOS:
                        break
                    nombres.append((entrada.name, entrada.is_dir(follow_symlinks=False), entrada.is_symlink()))
        except OSError:
            continue
        finally:
            os.close(descriptor)
        for nombre, es_carpeta, es_enlace in sorted(nombres):
            camino = f"{carpeta}/{nombre}" if carpeta else nombre
            # «._foto.jpg» es la sombra que dejan las Mac, no una fotografía.
            if es_enlace or nombre.startswith("."):
                continue
            if not es_carpeta:
                yield camino
            elif (carpeta or nombre.upper() == _CARPETA_DE_FOTOS) and hondo < _PROFUNDIDAD and nombre.isprintable():
                pendientes.append((camino, hondo + 1))
    if vistos > _MAXIMO_VISTOS:
        yield _HAY_MAS


def _bajar(raiz: int, carpeta: str) -> int:
    """Abre esa subcarpeta escalón por escalón, sin seguir ningún enlace. Raises: OSError."""
    actual = os.dup(raiz)
    for escalon in filter(None, carpeta.split("/")):
        try:
            siguiente = os.open(escalon, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=actual)
        finally:
            os.close(actual)
        actual = siguiente
    return actual


def _leer(raiz: int, nombre: str) -> bytes | str:
    """El contenido, o por qué no se toma. Raises: OSError si la memoria dejó de leerse."""
    carpeta, _, archivo = nombre.rpartition("/")
    padre = _bajar(raiz, carpeta)
    try:
        # O_NONBLOCK: una tubería con nombre de foto no debe detener a nadie.
        descriptor = os.open(archivo, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=padre)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOENT, errno.ENXIO, errno.EACCES):
            return "no es un archivo que se pueda leer"
        raise
    finally:
        os.close(padre)
    with os.fdopen(descriptor, "rb") as abierto:
        datos = os.fstat(abierto.fileno())
        if not stat.S_ISREG(datos.st_mode):
            return "no es un archivo que se pueda leer"
        if datos.st_size > MAXIMO_BYTES:
            return f"mide más de {MAXIMO_BYTES // 2**20} MB"
        contenido = abierto.read(MAXIMO_BYTES + 1)
    if len(contenido) > MAXIMO_BYTES:
        return f"mide más de {MAXIMO_BYTES // 2**20} MB"
    if not contenido.startswith(_FOTOS[Path(nombre).suffix.lower()]):
        return "dice ser una fotografía y no lo es"
    return contenido


def _sin_fotos(negadas: Sequence[tuple[str, str]]) -> Rechazo:
    if negadas:
        nombre, porque = negadas[0]
        return Rechazo(
            "SIN_FOTOS",
            f"De la memoria no se tomó ninguna fotografía; hay {len(negadas)} que no se pueden tomar",
            f"«{nombre[-30:]}»: {porque}",
            "corríjalo y cópielas otra vez a la memoria",
        )
    return Rechazo(
        "SIN_FOTOS",
        "En la memoria no hay fotografías",
        "están en una carpeta distinta de la principal o de DCIM",
        "cópielas a la carpeta principal de la memoria y vuelva a intentar",
    )


def _arrancada(error: OSError) -> Rechazo:
    return Rechazo(
        "MEMORIA",
        f"La memoria dejó de leerse ({error.strerror})",
        "se sacó antes de terminar, o está dañada",
        "conéctela otra vez e importe de nuevo: lo que ya se copió no se repite",
    )
