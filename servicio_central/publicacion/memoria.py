"""Lo que cada corte le deja al siguiente: cuándo cambió cada acta. Se guarda antes de que el corte exista.

Se llama como su corte: si la luz se va entre escribirla y asentarlo, al volver se usa la del último que sí se asentó.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nucleo.publicacion import recuerdo
from nucleo.publicacion.recuerdo import Recuerdos
from servicio_central import disco
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "recuerdos"


def guardar(centro: Path, corte: str, recuerdos: Recuerdos) -> None:
    """Durable al volver. Raises: OSError."""
    disco.carpeta_privada(centro / CARPETA)
    disco.escribir(centro / CARPETA / f"{corte}.json", recuerdos.a_bytes(), 0o600)


def leer(centro: Path, corte: str) -> Recuerdos:
    """La de ese corte.

    Raises:
        Tropiezo: RECUERDOS, si falta o se dañó: sin ella las páginas dirían que todo cambió en este corte.
    """
    ruta = centro / CARPETA / f"{corte}.json"
    try:
        return recuerdo.leer(ruta.read_bytes())
    except (OSError, recuerdo.RecuerdoInvalido) as error:
        raise Tropiezo(
            "RECUERDOS",
            f"{ruta} no se puede leer ({error})",
            "se restauró un respaldo a medias o se dañó el disco",
            "restaure la carpeta del centro completa; lo publicado sigue como estaba",
        ) from error


def barrer(centro: Path, vigente: str) -> None:
    """Quita las de cortes anteriores."""
    for ruta in (centro / CARPETA).glob("*.json"):
        if ruta.stem != vigente:
            ruta.unlink(missing_ok=True)
