"""Rehace los datos de Oaxaca 2022 a partir de las bases de datos que publicó el PREP.

    python datos/oaxaca_2022/preparar.py CARPETA

`CARPETA` contiene un directorio por corte (`20220605_2120_PREP_GUB_OAX/`…) con los tres archivos originales,
cuyas huellas se comprueban. Escribe junto a este programa `casillas.csv.gz` y `cortes/*.zip`, siempre con los
mismos bytes. Qué se tomó tal cual y qué se transformó: `FUENTE.md`.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import Final

AQUI: Final = Path(__file__).resolve().parent

LEEME: Final = "LEEME.txt"
RESULTADOS: Final = "OAX_GUB_2022.csv"
CANDIDATURAS: Final = "OAX_GUB_Candidatura_2022.csv"

_HUELLA_LEEME: Final = "b44601961393cd5f9d222d2c9b1854df2033c11cccc52584c29b87e69dd56a45"
_HUELLA_CANDIDATURAS: Final = "e6fc06d643ab4444ba5f279229d0f5264979303c9c3fc8c8f18aaa2ef202ddbf"
HUELLAS_RESULTADOS: Final = {
    "20220605_2120_PREP_GUB_OAX": "b1cce090e674bba826023b4cc2fbfafd02f0f9bc7b0031453305fdcc6a8e7048",
    "20220605_2340_PREP_GUB_OAX": "8045b2b60c5aa22f3e9a5035f35ab681045a357152b7c754c2b92b95f7660a64",
    "20220606_0000_PREP_GUB_OAX": "951044c35375b01f342135c5bd29a5342533c60636741e5bb694771b567229da",
}
"""Corte → SHA-256 de su CSV de resultados. El LEEME y las candidaturas son idénticos en los tres cortes."""

COLUMNAS: Final = (
    "CLAVE_CASILLA",
    "ID_DISTRITO",
    "DISTRITO",
    "ID_MUNICIPIO",
    "MUNICIPIO",
    "UBICACION",
    "LISTA_NOMINAL",
    "REPRESENTANTES",
)
REPRESENTANTES: Final = "22"
"""2 × (9 partidos + 2 independientes): constante en las 5 674 casillas que muestran el dato."""
FECHA_ZIP: Final = (1980, 1, 1, 0, 0, 0)
"""La mínima que admite el formato; con la hora del reloj el zip sería distinto cada vez."""

Renglon = dict[str, str]


def leer_originales(carpeta: Path, corte: str) -> dict[str, bytes]:
    """Los tres archivos de un corte, en el orden en que se empaquetan.

    Raises:
        SystemExit: si alguno no es, byte por byte, el que publicó el instituto.
    """
    esperadas = {
        LEEME: _HUELLA_LEEME,
        RESULTADOS: HUELLAS_RESULTADOS[corte],
        CANDIDATURAS: _HUELLA_CANDIDATURAS,
    }
    archivos = {nombre: (carpeta / corte / nombre).read_bytes() for nombre in esperadas}
    for nombre, huella in esperadas.items():
        if hashlib.sha256(archivos[nombre]).hexdigest() != huella:
            raise SystemExit(f"{corte}/{nombre} no es el archivo publicado: su SHA-256 no coincide con FUENTE.md.")
    return archivos


def empaquetar(archivos: dict[str, bytes]) -> bytes:
    """Zip con esos archivos sin tocar, igual cada vez que se hace."""
    salida = io.BytesIO()
    with zipfile.ZipFile(salida, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as paquete:
        for nombre, datos in archivos.items():
            entrada = zipfile.ZipInfo(nombre, FECHA_ZIP)
            entrada.compress_type = zipfile.ZIP_DEFLATED
            entrada.create_system = 3
            entrada.external_attr = 0o100644 << 16
            paquete.writestr(entrada, datos)
    return salida.getvalue()


def renglones_esperados(resultados: bytes) -> list[Renglon]:
    """Renglones de actas esperadas (sin los fuera de catálogo) y sin el apóstrofo con que se publicaron."""
    lineas = resultados.decode("utf-8").splitlines()[5:]
    renglones = [{k: v.removeprefix("'").removesuffix("'") for k, v in r.items()} for r in csv.DictReader(lineas)]
    return [r for r in renglones if r["CONTABILIZADA"] != "2"]


def catalogo(cortes: list[list[Renglon]]) -> bytes:
    """Catálogo en el orden publicado. De cada dato se toma el único valor numérico visible en cualquiera de
    los cortes.

    Raises:
        SystemExit: si dos cortes se contradicen o no traen las mismas casillas en el mismo orden.
    """
    salida = io.StringIO()
    escritor = csv.writer(salida, lineterminator="\n")
    escritor.writerow(COLUMNAS)
    for versiones in zip(*cortes, strict=True):
        renglon = versiones[0]
        clave = renglon["CLAVE_CASILLA"]
        if any(v["CLAVE_CASILLA"] != clave for v in versiones):
            raise SystemExit(f"Los cortes no traen las casillas en el mismo orden a partir de {clave}.")
        mesa_exterior = renglon["TIPO_CASILLA"] == "M"
        escritor.writerow(
            [
                clave,
                "" if mesa_exterior else str(int(renglon["ID_DISTRITO_LOCAL"])),
                renglon["DISTRITO_LOCAL"],
                "",
                "",
                renglon["UBICACION_CASILLA"],
                _unico(versiones, "LISTA_NOMINAL", defecto="0"),
                _unico(versiones, "REPRESENTANTES_PP_CI", defecto=REPRESENTANTES),
            ]
        )
    return salida.getvalue().encode("utf-8")


def _unico(versiones: tuple[Renglon, ...], columna: str, defecto: str) -> str:
    visibles = {v[columna] for v in versiones if v[columna].isdigit()}
    if len(visibles) > 1:
        raise SystemExit(f"{columna} de {versiones[0]['CLAVE_CASILLA']} cambia entre cortes: {sorted(visibles)}.")
    return visibles.pop() if visibles else defecto


def principal(carpeta: Path) -> None:
    """Escribe los zip de cada corte y el catálogo."""
    cortes = []
    (AQUI / "cortes").mkdir(exist_ok=True)
    for corte in HUELLAS_RESULTADOS:
        archivos = leer_originales(carpeta, corte)
        (AQUI / "cortes" / f"{corte}.zip").write_bytes(empaquetar(archivos))
        cortes.append(renglones_esperados(archivos[RESULTADOS]))
    (AQUI / "casillas.csv.gz").write_bytes(gzip.compress(catalogo(cortes), 9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    principal(Path(sys.argv[1]))
