"""Qué se está publicando: los cortes que hay en la carpeta del centro y a cuál apunta `publico`.

La carpeta es el registro de lo hecho; no hay otra lista. Un corte es `cortes/AAAAMMDD_HHMM`, completo e inmutable, y se
publica moviendo un enlace: quien lea ve el anterior o el nuevo, nunca la mitad.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from nucleo.eleccion import Proceso
from nucleo.publicacion import rutas
from servicio_central import disco

CORTES: Final = "cortes"
PUBLICO: Final = "publico"
RESUMEN: Final = "resumen.json"
HOLGURA: Final = timedelta(minutes=2)
"""Cuánto puede adelantarse la hora de un corte al reloj de la máquina."""

_NOMBRE: Final = re.compile(r"[0-9]{8}_[0-9]{4}(?:[0-9]{2})?")


def nombre_de(proceso: Proceso, hora: datetime) -> str:
    """Nombre de la carpeta del corte, en hora de la entidad: `20220605_2120`; con segundos sólo si no son cero."""
    return rutas.nombre_de_corte(proceso.huso, hora)


def ultimo_publicado(carpeta: Path) -> str | None:
    """Nombre del corte que se está publicando; `None` si todavía ninguno."""
    try:
        nombre = (carpeta / PUBLICO).readlink().name
    except OSError:
        return None
    return nombre if _NOMBRE.fullmatch(nombre) else None


def es_futuro(proceso: Proceso, nombre: str, ahora: datetime) -> bool:
    """Si ese corte dice una hora que aún no llega: nació de un dedazo o de un salto del reloj."""
    return nombre > nombre_de(proceso, ahora + HOLGURA)


def leer_resumen(corte: Path) -> dict[str, Any]:
    """`resumen.json` de la carpeta de un corte. Raises: OSError o ValueError, si no está o no se entiende."""
    try:
        dato = json.loads(gzip.decompress((corte / f"{RESUMEN}.gz").read_bytes()))
    except EOFError as error:
        raise ValueError(str(error)) from error
    if not isinstance(dato, dict):
        raise ValueError("no es un objeto JSON")
    return dato


def contenido(corte: Path) -> dict[str, bytes]:
    """Ruta en disco → bytes de todo lo que lleva un corte, también de lo que comparte con otros. Raises: OSError."""
    return {
        str(Path(raiz, nombre).relative_to(corte)): Path(raiz, nombre).read_bytes()
        for raiz, _, nombres in os.walk(corte, followlinks=True)
        for nombre in nombres
    }


def es_de_cierre(carpeta: Path, nombre: str) -> bool:
    """Si ese corte se hizo como el último; falso también si no se puede leer."""
    try:
        return leer_resumen(carpeta / CORTES / nombre)["corte"]["ultimo"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def actas_en_duda(carpeta: Path, nombre: str) -> tuple[str, ...]:
    """`elección/casilla` de lo que ese corte no publica porque sus lecturas no concuerdan; vacío si no se lee."""
    try:
        dato = leer_resumen(carpeta / CORTES / nombre)["elecciones"]
        return tuple(f"{eleccion}/{clave}" for eleccion, e in dato.items() for clave in e["en_duda"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def publicar(carpeta: Path, proceso: Proceso, nombre: str, ahora: datetime) -> str:
    """Publica el corte si es el más nuevo y devuelve el aviso que haga falta.

    Volver a hacer un corte viejo no retrocede lo publicado; pero uno cuya hora no ha llegado no es una barrera: si lo
    fuera, un dedazo detendría la publicación hasta esa fecha.
    """
    publicado = ultimo_publicado(carpeta)
    futuro = publicado is not None and es_futuro(proceso, publicado, ahora)
    if publicado is not None and publicado >= nombre and not futuro:
        return "" if publicado == nombre else f"no se publicó: ya se publica el {publicado}, que es posterior"
    apuntar(carpeta, f"{CORTES}/{nombre}")
    return f"se publicaba el {publicado}, cuya hora aún no llega; se sustituyó por el {nombre}" if futuro else ""


def apuntar(carpeta: Path, destino: str) -> None:
    """Hace que `publico` sea esa carpeta, de una vez. La ruta es relativa para que la carpeta del centro se pueda
    mudar."""
    provisional = carpeta / f".{PUBLICO}-{os.getpid()}"
    provisional.unlink(missing_ok=True)
    provisional.symlink_to(destino)
    provisional.replace(carpeta / PUBLICO)
    disco.sincronizar(carpeta)
