"""Lo que usan las pantallas: guarda el PDF, lo imprime si hay con qué, y dice dónde quedó."""

from __future__ import annotations

import contextlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance import durable
from appliance.falla import Falla
from appliance.impresion.puerto import Impresora
from nucleo.problema import Rechazo

_NOMBRE: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9\-]{1,60}-[0-9a-f]{8}\.pdf")


@dataclass(frozen=True, slots=True)
class Impreso:
    """El documento está en `archivo` (nombre dentro de la carpeta). `impresora` es dónde salió, si salió."""

    archivo: str
    impresora: str | None
    porque: Rechazo | None
    """Por qué no salió en papel; `None` si salió o si el kiosco no tiene impresora."""


class Imprenta:
    """Carpeta de documentos y, si hay, una impresora.

    Raises:
        Falla: DISCO, si la carpeta no se puede crear.
    """

    def __init__(self, carpeta: Path, impresora: Impresora | None = None) -> None:
        self._carpeta = carpeta
        self.impresora = impresora
        try:
            carpeta.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _falla(error) from error

    def imprimir(self, pdf: bytes, titulo: str, hora: datetime) -> Impreso:
        """Guarda el PDF de forma durable y después lo manda a la impresora.

        Raises:
            Falla: DISCO o DISCO_LLENO, si no se pudo guardar; entonces tampoco se imprime.
        """
        archivo = f"{hora:%Y%m%d-%H%M%S}-{_apodo(titulo)}-{secrets.token_hex(4)}.pdf"
        self._guardar(archivo, pdf)
        if self.impresora is None:
            return Impreso(archivo, None, None)
        hecho = self.impresora.imprimir(pdf, titulo)
        return Impreso(archivo, None, hecho) if isinstance(hecho, Rechazo) else Impreso(archivo, hecho, None)

    def leer(self, archivo: str) -> bytes | None:
        """El PDF guardado con ese nombre, o `None` si no es uno de los nuestros."""
        if _NOMBRE.fullmatch(archivo) is None:
            return None
        with contextlib.suppress(OSError):
            return (self._carpeta / archivo).read_bytes()
        return None

    def _guardar(self, archivo: str, pdf: bytes) -> None:
        try:
            durable.escribir(self._carpeta / archivo, pdf)
        except OSError as error:
            raise _falla(error) from error


def _apodo(titulo: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", titulo.lower()).strip("-")[:60] or "documento"


def _falla(error: OSError) -> Falla:
    lleno = durable.disco_lleno(error)
    return Falla(
        "DISCO_LLENO" if lleno else "DISCO",
        "No se pudo guardar el documento" + (": el disco está lleno" if lleno else f" ({error.strerror})"),
        "se acumularon archivos" if lleno else "la carpeta es de otra cuenta o el disco falla",
        "llame al área técnica y repita; lo asentado sigue guardado",
    )
