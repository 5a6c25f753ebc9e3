"""`./prep medir enlace`: corre las seis medidas, o las que se escojan, y dice de cada meta si se cumple."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

from ensayo.medicion_enlace import acuse, angosto, borrado, drenado, durable, rendimiento
from ensayo.medicion_enlace.banco import BancoRoto
from ensayo.medicion_enlace.medida import Decir, Medida
from ensayo.medicion_enlace.red import SinRed

Medir = Callable[[Path, Decir], Medida]


@dataclass(frozen=True)
class Opcion:
    """Una medida, entera y en chico."""

    letra: str
    que: str
    entera: Medir
    chica: Medir


_T = TypeVar("_T")


def _opcion(letra: str, que: str, medir: Callable[[Path, _T, Decir], Medida], entera: _T, chica: _T) -> Opcion:
    return Opcion(letra, que, lambda c, d: medir(c, entera, d), lambda c, d: medir(c, chica, d))


OPCIONES: Final = {
    o.letra: o
    for o in (
        _opcion("a", "creación → acuse firmado, a 60 sobres/s", acuse.medir, acuse.Tamano(), acuse.CHICO),
        _opcion("b", "sobres/s por núcleo del centro", rendimiento.medir, rendimiento.ENTERO, rendimiento.CHICO),
        _opcion("c", "600 kioscos vuelven a la vez con 100 pendientes", drenado.medir, drenado.ENTERO, drenado.CHICO),
        _opcion("d", "cifras mientras las imágenes saturan 1 Mbit/s", angosto.medir, angosto.Tamano(), angosto.CHICO),
        _opcion("e", "lo que cuesta que el lote sea durable", durable.medir, durable.Tamano(), durable.CHICO),
        _opcion("f", "el bróker borrado a media noche", borrado.medir, borrado.Tamano(), borrado.CHICO),
    )
}


def principal(argumentos: Sequence[str] | None = None) -> int:
    """Devuelve 0 si se cumplen las metas medidas (en chico no se juzgan), 1 si alguna no, 2 si algo no se midió."""
    lista = "; ".join(f"{o.letra}, {o.que}" for o in OPCIONES.values())
    lector = argparse.ArgumentParser(prog="prep medir enlace", description=f"Mide el enlace: {lista}.")
    lector.add_argument("--solo", type=_letras, default=list(OPCIONES), help="cuáles, como `d` o `a,b` (todas)")
    lector.add_argument("--chico", action="store_true", help="en segundos: comprueba que se puede medir, no mide")
    lector.add_argument("--carpeta", type=Path, help="dónde escribir; decide qué disco se mide (por omisión, temporal)")
    opciones = lector.parse_args(argumentos)
    if opciones.carpeta is not None and not opciones.carpeta.is_dir():
        lector.error(f"--carpeta {opciones.carpeta} no es una carpeta; dé una que exista en el disco que quiere medir")
    if opciones.chico:
        print("En chico: las cifras no valen, sólo que se pueda medir.", flush=True)
    hechas, sin_medir = [], []
    with TemporaryDirectory(prefix="prep-medir-", dir=opciones.carpeta) as temporal:
        # Que la cuenta de mosquitto pueda pasar: así corre sin privilegios, como en la noche.
        Path(temporal).chmod(0o711)
        for letra in opciones.solo:
            opcion = OPCIONES[letra]
            print(f"{letra}) {opcion.que}…", flush=True)
            try:
                carpeta = Path(temporal) / letra
                carpeta.mkdir()
                medida = (opcion.chica if opciones.chico else opcion.entera)(carpeta, _decir_desde(time.monotonic()))
            except (BancoRoto, SinRed) as error:
                sin_medir.append(letra)
                print(f"{letra}) NO SE PUDO MEDIR: {error}\n", flush=True)
                continue
            hechas.append(medida)
            print(f"{medida.texto(juzgar=not opciones.chico)}\n", flush=True)
    if opciones.chico:
        # En chico no se juzga: esas cifras no dicen nada de las metas.
        print(_resumen_en_chico(len(hechas), len(opciones.solo), sin_medir))
        return 2 if sin_medir else 0
    fallan = [m.letra for m in hechas if not m.cumple]
    resumen = f"{len(hechas) - len(fallan)} de {len(opciones.solo)} medidas cumplen todas sus metas"
    for cuales, dicho in ((fallan, "no cumplen"), (sin_medir, "sin medir")):
        resumen += f"; {dicho}: {', '.join(cuales)}" if cuales else ""
    print(resumen)
    return 2 if sin_medir else int(bool(fallan))


def _resumen_en_chico(medidas: int, pedidas: int, sin_medir: Sequence[str]) -> str:
    faltan = f"; sin medir: {', '.join(sin_medir)}" if sin_medir else ""
    return f"{medidas} de {pedidas} medidas se pueden hacer aquí{faltan}. Las metas no se juzgan en chico."


def _decir_desde(inicio: float) -> Decir:
    return lambda que: print(f"   {time.monotonic() - inicio:6.1f} s · {que}", file=sys.stderr, flush=True)


def _letras(texto: str) -> list[str]:
    letras = [parte.strip() for parte in texto.split(",") if parte.strip()]
    if not letras or any(letra not in OPCIONES for letra in letras):
        raise argparse.ArgumentTypeError(f"debe ser una o varias de {', '.join(OPCIONES)}")
    return list(dict.fromkeys(letras))
