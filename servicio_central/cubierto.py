"""Hasta dónde incluye cada corte a cada cadena: lo que deja decirle a un kiosco «publicada en el corte 20:40».

Se anota antes de leer los hechos del corte (`cubierto/AAAAMMDD_HHMM.json`): lo contiguo en ese instante ya está
guardado, así que el corte lo lee todo. No se publica ni entra en los bytes del corte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from nucleo.acuse import CorteCubierto
from servicio_central import almacenes, disco

CARPETA: Final = "cubierto"

Cadenas = Mapping[tuple[str, str], int]
"""(equipo, época) → última secuencia contigua."""


@dataclass(frozen=True)
class Cubierto:
    """Lo que un corte publicado incluye."""

    hora: datetime
    cadenas: Cadenas

    def de(self, equipo: str, epoca: str, contiguo: int) -> CorteCubierto | None:
        """Lo de una cadena, nunca más allá de lo que ahora se le acusa; `None` si no incluye nada de ella."""
        hasta = min(self.cadenas.get((equipo, epoca), 0), contiguo)
        return CorteCubierto(self.hora, hasta) if hasta >= 1 else None


def contar(carpeta: Path) -> Cadenas:
    """Lo contiguo de cada cadena en este instante. Raises: uno de `puerto_almacen.ERRORES`."""
    with closing(almacenes.leer(carpeta)) as bd:
        return {(e, p): n for e, p, n in bd.execute("SELECT equipo, epoca, contiguo FROM cadenas")}


def guardar(carpeta: Path, nombre: str, cubierto: Cubierto) -> None:
    """Lo deja en disco, durable, antes de que el corte se publique. Raises: OSError."""
    dato = {
        "v": 1,
        "hora": cubierto.hora.isoformat(),
        "cadenas": [[e, p, n] for (e, p), n in sorted(cubierto.cadenas.items())],
    }
    disco.carpeta_privada(carpeta / CARPETA)
    disco.escribir(carpeta / CARPETA / f"{nombre}.json", (json.dumps(dato) + "\n").encode(), 0o600)


def leer(carpeta: Path, nombre: str) -> Cubierto | None:
    """Lo anotado de ese corte; `None` si no hay o no se entiende: el acuse sale sin decirlo."""
    try:
        dato = json.loads((carpeta / CARPETA / f"{nombre}.json").read_bytes())
        cadenas = {(str(e), str(p)): int(n) for e, p, n in dato["cadenas"]}
        hora = datetime.fromisoformat(dato["hora"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Cubierto(hora, cadenas) if hora.utcoffset() is not None else None


class Publicado:
    """El cubierto del corte que se está publicando. Sólo relee cuando se publica otro."""

    def __init__(self, carpeta: Path) -> None:
        self._carpeta = carpeta
        self._nombre = ""
        self._cubierto: Cubierto | None = None

    def __call__(self) -> Cubierto | None:
        # El enlace `publico` manda: un corte hecho y no publicado (o sustituido) no cuenta.
        try:
            nombre = (self._carpeta / "publico").readlink().name
        except OSError:
            return None
        if nombre != self._nombre:
            self._nombre, self._cubierto = nombre, leer(self._carpeta, nombre)
        return self._cubierto
