"""Un corte inventado, del tamaño de un estado y con la disposición del de verdad, para medir sin vivir una noche."""

from __future__ import annotations

import gzip
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HORA: Final = 1_717_380_000
"""mtime de lo escrito: la hora del corte, como en el sitio."""

_ELECCIONES: Final = ("GUB", "DIP", "AYU")
_CASILLAS: Final = ("B0100", "C0100", "C0200")
_PORTADA: Final = 30_000
_ACTA: Final = 4_200


@dataclass(frozen=True)
class Tamano:
    """Secciones por elección; cada una lleva su página y tres actas."""

    secciones: int = 2750

    @property
    def paginas(self) -> int:
        """Las de sección y acta."""
        return self.secciones * len(_ELECCIONES) * (1 + len(_CASILLAS))


def generar(corte: Path, tamano: Tamano, semilla: int) -> None:
    """Escribe el corte en una carpeta que no existe. La misma semilla da los mismos bytes."""
    azar = random.Random(semilla)
    escribir(corte / "index.html.gz", pagina(azar, "Avance", _PORTADA))
    escribir(corte / "estilo.css.gz", comprimir("body{margin:0}\n" * 200))
    for eleccion in _ELECCIONES:
        escribir(corte / eleccion / "index.html.gz", pagina(azar, eleccion, _PORTADA))
        for seccion in range(1, tamano.secciones + 1):
            carpeta = corte / eleccion / "s" / f"{seccion:04}"
            escribir(carpeta / "index.html.gz", pagina(azar, f"Sección {seccion}", _ACTA))
            for casilla in _CASILLAS:
                escribir(carpeta / f"{casilla}.html.gz", pagina(azar, f"{eleccion} {seccion} {casilla}", _ACTA))


def pagina(azar: random.Random, titulo: str, caracteres: int) -> bytes:
    """Una tabla de votos comprimida, de unos tantos caracteres antes de comprimir."""
    renglones = [f"<!doctype html><html lang=es-MX><title>{titulo}</title><h1>{titulo}</h1><table>"]
    for n in range(caracteres // 120):
        votos, otros = azar.randrange(1000), azar.randrange(100_000)
        renglones.append(
            f'<tr><th scope="row">Candidatura {n:02}</th><td class="numero">{votos}</td>'
            f'<td class="numero">{otros}</td><td>{azar.randrange(10**6):06}</td></tr>'
        )
    return comprimir("\n".join([*renglones, "</table></html>"]))


def comprimir(texto: str) -> bytes:
    """Como se guarda una página: gzip de nivel 9, sin nombre ni hora."""
    return gzip.compress(texto.encode(), 9, mtime=0)


def escribir(ruta: Path, contenido: bytes, hora: int = HORA) -> None:
    """Escribe un archivo con la hora de su corte."""
    ruta.parent.mkdir(parents=True, exist_ok=True)
    ruta.write_bytes(contenido)
    os.utime(ruta, (hora, hora))
