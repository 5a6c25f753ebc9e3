"""Los errores físicos de SQLite, dichos a una persona."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from appliance.falla import Falla

ESPERA_S: Final = 10.0
"""Cuánto se espera a que otro proceso suelte la escritura, en segundos."""


@contextlib.contextmanager
def explicada() -> Iterator[None]:
    """Convierte un error físico de SQLite en una `Falla` que se le puede leer a una persona."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise _falla(error) from error


def _falla(error: sqlite3.Error) -> Falla:
    nombre = str(getattr(error, "sqlite_errorname", ""))
    if nombre == "SQLITE_FULL":
        return Falla(
            "DISCO_LLENO",
            "No se guardó: el disco del kiosco está lleno",
            "se acumularon imágenes o archivos ajenos",
            "no apague el equipo; llame al área técnica para liberar espacio y repita la acción",
        )
    if nombre in ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"):
        return Falla(
            "OCUPADO",
            f"No se guardó: el almacén estuvo ocupado más de {ESPERA_S:.0f} segundos",
            "otra pantalla o un respaldo se quedó a medias",
            "repita la acción; si vuelve a pasar, reinicie el kiosco",
        )
    if nombre in ("SQLITE_CORRUPT", "SQLITE_NOTADB"):
        return danado(str(error))
    if nombre in ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH") or nombre.startswith(
        "SQLITE_READONLY"
    ):
        return Falla(
            "DISCO",
            f"No se pudo abrir el almacén para escribir ({error})",
            "la carpeta no existe, es de otra cuenta o el disco quedó de sólo lectura",
            "revise la carpeta del kiosco; si el disco quedó de sólo lectura, cambie de equipo",
        )
    return Falla(
        "DISCO",
        f"No se guardó: falló el disco del kiosco ({error})",
        "el disco está lleno, desconectado o dañado",
        "repita la acción; si vuelve a fallar, deje de capturar aquí y llame al área técnica",
    )


def danado(detalle: str) -> Falla:
    """La falla de un almacén que no pasa sus comprobaciones."""
    return Falla(
        "ALMACEN_DANADO",
        f"El almacén del kiosco está dañado: {detalle}",
        "un corte de luz con un disco defectuoso, o alguien lo modificó por fuera",
        "no lo borre: apártelo, continúe en otro kiosco y llame al área técnica",
    )
