"""La carpeta `entrada/`: hojas completas que aún no son de ninguna acta, una carpeta por lote.

Lo que ahí se llama `.algo` está a medias y no es una hoja. Un archivo sale de aquí sólo cuando su hoja ya se resolvió.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance import durable
from appliance.candado import Candado
from appliance.falla import Falla

_NUMERO: Final = re.compile(r"([0-9]{1,6})(?:\D|$)")
_LOTE: Final = re.compile(r"[0-9A-Za-z-]{1,60}")


class Entrada:
    """La carpeta de entrada de un kiosco. Raises: Falla, si no se pudo crear."""

    def __init__(self, carpeta: Path) -> None:
        self.carpeta = carpeta
        self._candado: Candado | None = None
        try:
            carpeta.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise falla_de_disco(error) from error

    def tomar(self) -> None:
        """La aparta para este programa hasta `soltar`; si el proceso muere, el sistema la suelta.

        Otro que la retomara le borraría a éste la hoja que va a la mitad y le cerraría su lote.

        Raises:
            Falla: KIOSCO_REPETIDO, si otro la tiene; DISCO.
        """
        self.soltar()
        self._candado = Candado(
            self.carpeta,
            Falla(
                "KIOSCO_REPETIDO",
                f"Otro kiosco ya digitaliza en {self.carpeta}",
                "se arrancó dos veces, a mano y por el sistema",
                "siga en el primero; si debe ser éste, ciérrelo antes",
            ),
        )

    def soltar(self) -> None:
        """La deja a otro programa. Se puede repetir."""
        if self._candado is not None:
            self._candado.soltar()
        self._candado = None

    def abrir_lote(self, lote: str) -> Path:
        """La carpeta de ese lote, ya durable. Raises: Falla."""
        carpeta = self.carpeta / lote
        try:
            carpeta.mkdir(mode=0o700, exist_ok=True)
            durable.asegurar(self.carpeta)
        except OSError as error:
            raise falla_de_disco(error) from error
        return carpeta

    def origen(self, ruta: Path) -> str:
        """Cómo se nombra ese archivo en su renglón: `lote/archivo`."""
        return str(ruta.relative_to(self.carpeta))

    def ruta(self, origen: str) -> Path:
        return self.carpeta / origen

    def archivos(self) -> Iterator[tuple[str, int, Path]]:
        """(lote, número, ruta) de cada hoja completa que hay, por lote y número."""
        for lote in sorted(self.carpeta.iterdir()):
            if not lote.is_dir() or lote.is_symlink() or _LOTE.fullmatch(lote.name) is None:
                continue
            hojas = [r for r in lote.iterdir() if _es_hoja(r)]
            for orden, ruta in enumerate(sorted(hojas), start=1):
                hallado = _NUMERO.search(ruta.stem)
                yield lote.name, int(hallado[1]) if hallado else orden, ruta

    def borrar(self, origen: str) -> None:
        """Quita el archivo de una hoja ya resuelta. Repetirlo no falla. Raises: Falla."""
        try:
            # La carpeta del lote se queda: puede que le falten hojas por llegar. La quita `barrer`.
            self.ruta(origen).unlink(missing_ok=True)
        except OSError as error:
            raise falla_de_disco(error) from error

    def barrer(self) -> int:
        """Al arrancar: quita lo que quedó a medias y las carpetas vacías; devuelve cuántos archivos eran."""
        cuantos = 0
        for lote in self.carpeta.iterdir():
            if not lote.is_dir() or lote.is_symlink():
                continue
            for resto in lote.glob(".*"):
                with contextlib.suppress(OSError):
                    if resto.is_dir() and not resto.is_symlink():
                        shutil.rmtree(resto)
                    else:
                        resto.unlink()
                    cuantos += 1
            with contextlib.suppress(OSError):
                lote.rmdir()
        return cuantos


def _es_hoja(ruta: Path) -> bool:
    # Un nombre con bytes sueltos no lo puso el kiosco y no cabe en un renglón: detendría a todas las demás.
    return not ruta.name.startswith(".") and ruta.name.isprintable() and ruta.is_file() and not ruta.is_symlink()


def escribir_hoja(destino: Path, contenido: bytes) -> None:
    """Deja el archivo completo y durable con su nombre, o no deja nada. Raises: Falla."""
    try:
        durable.escribir(destino, contenido)
    except OSError as error:
        raise falla_de_disco(error) from error


def falla_de_disco(error: OSError) -> Falla:
    """La falla de la carpeta de entrada, en palabras."""
    if durable.disco_lleno(error):
        return Falla(
            "DISCO_LLENO",
            "No se guardó la hoja: el disco del kiosco está lleno",
            "se acumularon imágenes o archivos ajenos",
            "no apague el equipo ni tire el papel; llame al área técnica para liberar espacio",
        )
    return Falla(
        "DISCO",
        f"No se guardó la hoja ({error.strerror})",
        "la carpeta del kiosco es de otra cuenta, o el disco está desconectado o dañado",
        "aparte el papel, revise la carpeta del kiosco y pase otra vez la hoja; si vuelve a fallar, cambie de equipo",
    )
