"""Publica cortes nuevos sobre uno que ya está, como en la noche: lo que no cambió es un enlace y el cambio es de golpe.

    python -m ensayo.medicion_publicacion.republicar CENTRO BASE PRIMERO CUANTOS CAMBIAN

Corre aparte para medir cuánto estorba a quien sirve. Nunca escribe en BASE.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ensayo.medicion_publicacion.sintetico import HORA, escribir, pagina
from servicio_central.publicado import CORTES, apuntar


def secciones(base: Path) -> list[Path]:
    """Las carpetas `ELE/s/NNNN` de un corte, en orden."""
    return sorted(s for s in base.glob("*/s/*") if s.is_dir())


def republicar(centro: Path, base: Path, viejas: Sequence[Path], numero: int, cambian: int) -> Path:
    """Hace y publica el corte con ese número: portada nueva, `cambian` secciones reescritas y el resto enlazado.

    Args:
        centro: la carpeta que se sirve.
        base: el corte de donde sale todo; puede estar en otra parte.
        viejas: sus `secciones`.
    """
    azar = random.Random(numero)
    nombre = nombre_del(numero)
    provisional, destino = centro / f".corte-{nombre}", centro / CORTES / nombre
    nuevas = set(azar.sample(viejas, min(cambian, len(viejas))))
    provisional.mkdir()
    for entrada in base.iterdir():
        if not (entrada / "s").is_dir() and entrada.name != "index.html.gz":
            (provisional / entrada.name).symlink_to(entrada.resolve())
            continue
        if entrada.is_dir():
            (provisional / entrada.name / "s").mkdir(parents=True)
            for hoja in entrada.iterdir():
                if hoja.name != "s":
                    (provisional / entrada.name / hoja.name).symlink_to(hoja.resolve())
    escribir(provisional / "index.html.gz", pagina(azar, f"Avance {nombre}", 30_000), HORA + 60 * numero)
    de_su_carpeta = {
        carpeta: os.path.relpath(carpeta.resolve(), destino / carpeta.relative_to(base))
        for carpeta in {seccion.parent for seccion in viejas}
    }
    for seccion in viejas:
        suya = provisional / seccion.parent.parent.name / "s" / seccion.name
        if seccion in nuevas:
            shutil.copytree(seccion, suya)
        elif seccion.is_symlink():
            # Nunca un enlace a otro enlace.
            suya.symlink_to(seccion.resolve())
        else:
            # Relativo, porque así cabe en el propio inodo.
            suya.symlink_to(f"{de_su_carpeta[seccion.parent]}/{seccion.name}")
    provisional.rename(destino)
    apuntar(centro, f"{CORTES}/{nombre}")
    return destino


def nombre_del(numero: int) -> str:
    """Nombre de la carpeta de ese corte."""
    return f"20240603_{numero // 60:02}{numero % 60:02}"


def main() -> None:
    """Publica los cortes pedidos, uno tras otro."""
    centro, base, (primero, cuantos, cambian) = Path(sys.argv[1]), Path(sys.argv[2]), map(int, sys.argv[3:6])
    viejas = secciones(base)
    for numero in range(primero, primero + cuantos):
        republicar(centro, base, viejas, numero, cambian)
        # Sólo aquí se quita el de antes del anterior: cien cortes son casi un millón de enlaces y borrarlos todos al
        # final tarda minutos.
        shutil.rmtree(centro / CORTES / nombre_del(numero - 2), ignore_errors=True)


if __name__ == "__main__":
    main()
