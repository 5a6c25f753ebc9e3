"""Lo que cada corte le deja al siguiente: cuándo cambió cada acta. Se guarda antes de que el corte exista.

Se llama como su corte: si la luz se va entre escribirla y asentarlo, al volver se usa la del último que sí se asentó.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from nucleo.eleccion import Proceso
from nucleo.publicacion import recuerdo
from nucleo.publicacion.mentira import Mentira
from nucleo.publicacion.recuerdo import Recuerdos
from nucleo.publicacion.repaso import rehacer_recuerdos
from nucleo.transparencia.baldosas import BaldosaInvalida
from servicio_central import disco
from servicio_central.publicacion import documentos
from servicio_central.registro.registro import Registro
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "recuerdos"


def guardar(centro: Path, corte: str, recuerdos: Recuerdos) -> None:
    """Durable al volver. Raises: OSError."""
    disco.carpeta_privada(centro / CARPETA)
    disco.escribir(centro / CARPETA / f"{corte}.json", recuerdos.a_bytes(), 0o600)


def leer(centro: Path, corte: str, proceso: Proceso, registro: Registro) -> Recuerdos:
    """La de ese corte, el último del registro. Si falta o se dañó, se rehace de las hojas.

    Raises:
        Tropiezo: RECUERDOS, si tampoco se puede: sin ella las páginas dirían que todo cambió en este corte.
    """
    try:
        return recuerdo.leer((centro / CARPETA / f"{corte}.json").read_bytes())
    except (OSError, recuerdo.RecuerdoInvalido):
        pass
    try:
        return rehacer_recuerdos(registro.hojas(), partial(documentos.leer, centro), proceso)
    except (OSError, Mentira, BaldosaInvalida) as error:
        raise Tropiezo(
            "RECUERDOS",
            f"la memoria del corte {corte} falta, y del registro no se pudo rehacer ({error})",
            "se restauró un respaldo a medias o se dañó el disco",
            "restaure la carpeta del centro completa; lo publicado sigue como estaba",
        ) from error


def barrer(centro: Path, vigente: str) -> None:
    """Quita las de cortes anteriores."""
    for ruta in (centro / CARPETA).glob("*.json"):
        if ruta.stem != vigente:
            ruta.unlink(missing_ok=True)
