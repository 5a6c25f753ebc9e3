"""Rehace `casillas.csv.gz` de la noche de ensayo de Jalisco a partir de dos catálogos públicos.

    python datos/jalisco_de_ensayo/preparar.py CARPETA

`CARPETA` tiene `marco_casillas_jalisco_2018.csv` y `jalisco_municipios.json`, cuyas huellas se comprueban. Escribe
siempre los mismos bytes. Qué es real y qué inventado: `FUENTE.md`.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Final

MARCO: Final = "marco_casillas_jalisco_2018.csv"
MUNICIPIOS: Final = "jalisco_municipios.json"
HUELLAS: Final = {
    MARCO: "a869f687ee8b7cb2757064bb7bd9095b4c34b6768c34c73bc7b6cb0adc3cf9bb",
    MUNICIPIOS: "155b66c4479adb61e2806d10d35023b6b0cdbca3c64b5041e866b225e81b9b61",
}
COLUMNAS: Final = (
    *("CLAVE_CASILLA", "ID_DISTRITO", "DISTRITO", "ID_MUNICIPIO", "MUNICIPIO"),
    *("UBICACION", "LISTA_NOMINAL", "REPRESENTANTES"),
)
REPRESENTANTES: Final = 18
"""Dos por cada uno de los nueve partidos."""


def preparar(carpeta: Path) -> bytes:
    """El catálogo comprimido. Raises: OSError; SystemExit, si un original no es el esperado."""
    originales = {nombre: (carpeta / nombre).read_bytes() for nombre in HUELLAS}
    for nombre, contenido in originales.items():
        if hashlib.sha256(contenido).hexdigest() != HUELLAS[nombre]:
            raise SystemExit(f"{nombre} no es el original: su SHA-256 es otro")
    nombres = [m["Municipio"] for m in json.loads(originales[MUNICIPIOS])]
    marco = list(csv.DictReader(io.StringIO(originales[MARCO].decode("utf-8"))))
    secciones = sorted({int(r["SECCION"]) for r in marco})
    texto = io.StringIO()
    escritor = csv.writer(texto, lineterminator="\n")
    escritor.writerow(COLUMNAS)
    for r in sorted(marco, key=lambda r: (int(r["SECCION"]), r["CLAVE_CASILLA"])):
        distrito = int(r["ID_DISTRITO_LOCAL"])
        # El marco no trae municipio: se reparten las secciones, en orden y por partes iguales.
        municipio = secciones.index(int(r["SECCION"])) * len(nombres) // len(secciones)
        escritor.writerow(
            (
                *(r["CLAVE_CASILLA"], distrito, f"Distrito {distrito}", municipio + 1, nombres[municipio]),
                *(2 if r["NO_URBANA"] == "1" else 1, r["LISTA_NOMINAL"], REPRESENTANTES),
            )
        )
    comprimido = io.BytesIO()
    with gzip.GzipFile(fileobj=comprimido, mode="wb", mtime=0) as archivo:
        archivo.write(texto.getvalue().encode("utf-8"))
    return comprimido.getvalue()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    (Path(__file__).resolve().parent / "casillas.csv.gz").write_bytes(preparar(Path(sys.argv[1])))
