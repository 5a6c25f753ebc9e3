"""Hasta dónde incluye cada corte a cada cadena: lo que deja decirle a un kiosco «publicada en el corte 20:40».

Se anota antes de leer los hechos del corte (`cubierto/AAAAMMDD_HHMM.json`): lo contiguo en ese instante ya está
guardado, así que el corte lo lee todo. No se publica ni entra en los bytes del corte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from nucleo.acuse import MAXIMO_EN_DUDA, CorteCubierto
from nucleo.hechos import IdActa
from servicio_central import almacenes, disco

CARPETA: Final = "cubierto"

Cadenas = Mapping[tuple[str, str], int]
"""(equipo, época) → última secuencia contigua."""

Huellas = Mapping[tuple[str, str], str]
"""(equipo, época) → huella del hecho que estaba en esa última secuencia."""

Dudas = Mapping[str, tuple[str, ...] | None]
"""Equipo → «elección/casilla», en orden, de lo que tocó y no salió por estar en duda; `None` si no cabe."""


@dataclass(frozen=True)
class Cubierto:
    """Lo que un corte publicado incluye."""

    hora: datetime
    cadenas: Cadenas
    en_duda: Dudas = field(default_factory=dict)
    huellas: Huellas = field(default_factory=dict)

    def de(
        self, equipo: str, epoca: str, contiguo: int, huella_en: Callable[[str, str, int], str | None]
    ) -> CorteCubierto | None:
        """Lo de una cadena; `None` si el corte no incluye nada de ella, o si ya no es la misma.

        Con el disco del centro y el del kiosco restaurados, en esos lugares hay hoy otras hojas, que no salieron en
        ningún corte: sólo se promete si en el último sigue la huella de entonces (`huella_en`, del almacén).
        """
        hasta = self.cadenas.get((equipo, epoca), 0)
        if not 1 <= hasta <= contiguo or huella_en(equipo, epoca, hasta) != self.huellas.get((equipo, epoca), ""):
            return None
        return CorteCubierto(self.hora, hasta, self.en_duda.get(equipo, ()))


def contar(carpeta: Path) -> Cadenas:
    """Lo contiguo de cada cadena en este instante. Raises: uno de `puerto_almacen.ERRORES`."""
    with closing(almacenes.leer(carpeta)) as bd:
        return {(e, p): n for e, p, n in bd.execute("SELECT equipo, epoca, contiguo FROM cadenas")}


def huellas(carpeta: Path, cadenas: Cadenas) -> Huellas:
    """Qué hecho está en el último lugar de cada cadena. Raises: uno de `puerto_almacen.ERRORES`."""
    cual = "SELECT huella FROM hechos WHERE equipo = ? AND epoca = ? AND secuencia = ?"
    with closing(almacenes.leer(carpeta)) as bd:
        return {(e, p): str(h) for (e, p), n in cadenas.items() for (h,) in bd.execute(cual, (e, p, n))}


def tocadas(carpeta: Path, dudosas: Collection[IdActa]) -> Dudas:
    """De quién son las actas en duda de un corte: de todo equipo que asentó algo de ellas.

    Raises:
        uno de `puerto_almacen.ERRORES`, si el almacén no se puede leer.
    """
    por_equipo: dict[str, list[str]] = {}
    with closing(almacenes.leer(carpeta)) as bd:
        for acta in sorted(dudosas):
            quienes = "SELECT DISTINCT equipo FROM hechos WHERE casilla = ? AND eleccion = ?"
            for (equipo,) in bd.execute(quienes, (acta.casilla, acta.eleccion)):
                por_equipo.setdefault(equipo, []).append(str(acta))
    return {e: tuple(sorted(actas)) if len(actas) <= MAXIMO_EN_DUDA else None for e, actas in por_equipo.items()}


def guardar(carpeta: Path, nombre: str, cubierto: Cubierto) -> None:
    """Lo deja en disco, durable, antes de que el corte se publique. Raises: OSError."""
    dato = {
        "v": 2,
        "hora": cubierto.hora.isoformat(),
        "cadenas": [[e, p, n, cubierto.huellas.get((e, p), "")] for (e, p), n in sorted(cubierto.cadenas.items())],
        "en_duda": cubierto.en_duda,
    }
    disco.carpeta_privada(carpeta / CARPETA)
    disco.escribir(carpeta / CARPETA / f"{nombre}.json", (json.dumps(dato) + "\n").encode(), 0o600)


def leer(carpeta: Path, nombre: str) -> Cubierto | None:
    """Lo anotado de ese corte; `None` si no hay o no se entiende: el acuse sale sin decirlo."""
    try:
        dato = json.loads((carpeta / CARPETA / f"{nombre}.json").read_bytes())
        cadenas = {(str(e), str(p)): int(n) for e, p, n, _ in dato["cadenas"]}
        suyas = {(str(e), str(p)): str(h) for e, p, _, h in dato["cadenas"] if h}
        hora = datetime.fromisoformat(dato["hora"])
        # Sin ese dato (lo escribió un programa anterior) no se puede prometer nada de nadie.
        dudas = {str(e): None if d is None else tuple(map(str, d)) for e, d in dato["en_duda"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Cubierto(hora, cadenas, dudas, suyas) if hora.utcoffset() is not None else None


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
