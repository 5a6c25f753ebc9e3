"""`./prep medir-vision`: qué tanto ve el kiosco, sobre un banco de imágenes que se genera al vuelo.

    python -m ensayo.medir_vision --imagenes 920 --procesos 2 --salida tabla.md

Corre la cadena de producción completa sobre veintitrés clases de daño, con la verdad de cada imagen, y otras que hay
que rechazar. Las imágenes son de nuestro propio dibujo: sirven para comparar y para que nada empeore, no para prometer
tasas de campo.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Final

from ensayo.degradar import CLASES, MALAS
from ensayo.medida_vision import Banco, Medida, medir_una, preparar_banco
from ensayo.tabla_vision import en_markdown, metas

PROCESO: Final = Path(__file__).resolve().parents[1] / "datos" / "oaxaca_2022"
_MALAS_POR_BUENA: Final = 0.35

_banco: Banco | None = None


def medir(
    carpeta: Path, clases: Sequence[str], por_clase: int, por_mala: int, semilla: int, procesos: int
) -> Iterator[Medida]:
    """Las medidas, conforme salen; las mismas para la misma semilla, sin importar cuántos procesos."""
    # Por índice y no por clase: de cada acta dibujada salen todas sus imágenes y sólo se dibuja una vez.
    tandas = [
        (semilla, indice, [c for c in clases if indice < (por_clase if c in CLASES else por_mala)])
        for indice in range(max(por_clase, por_mala))
    ]
    # «spawn» y no «fork»: OpenCV no garantiza nada a un hijo bifurcado.
    contexto = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(procesos, contexto, _preparar, (carpeta,)) as trabajadores:
        for tanda in trabajadores.map(_una_tanda, tandas):
            yield from tanda


def _preparar(carpeta: Path) -> None:
    global _banco
    _banco = preparar_banco(carpeta)


def _una_tanda(tanda: tuple[int, int, list[str]]) -> list[Medida]:
    assert _banco is not None
    semilla, indice, clases = tanda
    return [medir_una(_banco, semilla, clase, indice) for clase in clases]


def principal(argumentos: Sequence[str] | None = None) -> int:
    """Punto de entrada: imprime la tabla y termina con 1 si alguna meta no se alcanza."""
    lector = argparse.ArgumentParser(prog="prep medir-vision", description=(__doc__ or "").splitlines()[0])
    lector.add_argument("--imagenes", type=int, default=920, help="legibles, entre todas sus clases (%(default)s)")
    lector.add_argument("--semilla", type=int, default=2024, help="otra da otras actas y otros daños (%(default)s)")
    lector.add_argument("--clases", default="", help=f"separadas por comas; por omisión todas: {', '.join(CLASES)}")
    lector.add_argument("--procesos", type=int, default=2, help="cuántos a la vez (%(default)s)")
    lector.add_argument("--definicion", type=Path, default=PROCESO, help="carpeta del proceso, con sus formatos/")
    lector.add_argument("--salida", type=Path, help="guarda ahí la tabla en Markdown")
    lector.add_argument("--json", action="store_true", help="imprime cada medida como JSON")
    opciones = lector.parse_args(argumentos)
    clases = [c.strip() for c in opciones.clases.split(",") if c.strip()] or [*CLASES, *MALAS]
    desconocidas = [c for c in clases if c not in CLASES and c not in MALAS]
    if desconocidas:
        lector.error(f"no existe la clase {desconocidas[0]!r}; hay {', '.join((*CLASES, *MALAS))}")
    if opciones.imagenes < 1 or opciones.procesos < 1:
        lector.error("--imagenes y --procesos son al menos 1")
    if not (opciones.definicion / "formatos").is_dir():
        lector.error(f"{opciones.definicion} no tiene formatos/; dibújelos con «prep formato {opciones.definicion}»")
    leibles = sum(c in CLASES for c in clases)
    por_clase = -(-opciones.imagenes // leibles) if leibles else 0
    por_mala = max(1, round((por_clase or opciones.imagenes) * _MALAS_POR_BUENA))
    inicio = time.monotonic()
    medidas = []
    for medida in medir(opciones.definicion, clases, por_clase, por_mala, opciones.semilla, opciones.procesos):
        medidas.append(medida)
        if len(medidas) % 100 == 0:
            print(f"{len(medidas)} imágenes en {time.monotonic() - inicio:.0f} s", file=sys.stderr)
    tabla = en_markdown(medidas, opciones.semilla)
    if opciones.salida is not None:
        opciones.salida.write_text(tabla, "utf-8")
    print(json.dumps([asdict(m) for m in medidas], ensure_ascii=False) if opciones.json else tabla)
    return 1 if any(meta.cumple is False for meta in metas(medidas)) else 0


if __name__ == "__main__":
    sys.exit(principal())
