"""El CSV oficial, otra vez, por otro camino: SQL sobre los sobres guardados y los archivos de la definición.

No usa nada del programa que publica, ni sus tipos ni sus cuentas: si los dos dan los mismos bytes, ninguno se equivocó
solo. Sólo entiende lo que hay en una noche del material de esta medida: una vuelta, y en ella a lo más una corrección.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import sqlite3
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_COMPLEMENTARIOS: Final = ("BOLETAS_SOBRANTES", "PERSONAS_VOTARON", "REPRESENTANTES_VOTARON", "VOTOS_SACADOS")
_TOTAL: Final = "TOTAL_ASENTADO"
_RAIZ: Final = Path(__file__).resolve().parents[2]

_PREPARAR: Final = """
CREATE TEMP TABLE lecturas (casilla, persona, lugar, hora, tipo, campo, dicho);
CREATE TEMP TABLE llegadas (casilla PRIMARY KEY, hora, origen, documento, traslado);
CREATE TEMP TABLE imagenes (casilla PRIMARY KEY, hora, sha256, digitalizacion);
CREATE TEMP TABLE ausencias (casilla PRIMARY KEY, motivo);
CREATE TEMP TABLE catalogo (lugar INTEGER PRIMARY KEY, casilla, tipo, lista INTEGER, representantes INTEGER);
CREATE TEMP TABLE renglones (lugar INTEGER PRIMARY KEY, campo UNIQUE);
"""

_ACUERDO: Final = """
CREATE TEMP TABLE decididos AS
WITH apoyos AS (
  SELECT casilla, campo, dicho, count(DISTINCT persona) AS apoyo FROM lecturas GROUP BY casilla, campo, dicho
), ganadores AS (
  SELECT casilla, campo, dicho, apoyo, max(apoyo) OVER (PARTITION BY casilla, campo) AS mayor FROM apoyos
)
SELECT casilla, campo, min(dicho) AS dicho FROM ganadores
 WHERE apoyo = mayor AND mayor > 1 GROUP BY casilla, campo HAVING count(*) = 1;
CREATE INDEX temp.de_casilla ON decididos (casilla);
CREATE TEMP TABLE verificadas (casilla PRIMARY KEY, captura, verificacion);
INSERT INTO verificadas
WITH leidas AS (
  SELECT casilla, count(DISTINCT campo) AS campos, min(hora) AS captura, max(hora) AS verificacion
    FROM lecturas GROUP BY casilla
), acordadas AS (SELECT casilla, count(*) AS campos FROM decididos GROUP BY casilla)
SELECT casilla, captura, verificacion FROM leidas JOIN acordadas USING (casilla, campos);
CREATE TEMP TABLE sumas AS
SELECT d.casilla, sum(CASE WHEN typeof(d.dicho) = 'integer' THEN d.dicho ELSE 0 END) AS total,
       sum(typeof(d.dicho) = 'integer') AS legibles, count(*) AS campos
  FROM decididos d JOIN renglones r ON r.campo = d.campo JOIN verificadas v ON v.casilla = d.casilla GROUP BY d.casilla;
"""


@dataclass(frozen=True)
class Definicion:
    """Lo que hace falta de `eleccion.toml` y `casillas.csv`, leído sin el lector del programa."""

    dato: Mapping[str, Any]
    casillas: Sequence[Mapping[str, str]]
    textos: Mapping[str, str]

    @classmethod
    def leer(cls, carpeta: Path) -> Definicion:
        dato = tomllib.loads((carpeta / "eleccion.toml").read_text("utf-8"))
        suelto, comprimido = carpeta / "casillas.csv", carpeta / "casillas.csv.gz"
        texto = suelto.read_text("utf-8") if suelto.exists() else gzip.decompress(comprimido.read_bytes()).decode()
        inconsistencias = tomllib.loads((_RAIZ / "nucleo" / "inconsistencias.toml").read_text("utf-8"))
        textos = {i["codigo"]: i["texto"] for i in inconsistencias["inconsistencia"]}
        return cls(dato, list(csv.DictReader(io.StringIO(texto))), textos)


def csv_oficial(centro: Path, definicion: Definicion, eleccion: str, publicado: bytes) -> bytes:
    """El CSV de esa elección, rehecho.

    Args:
        publicado: el que se compara: de él sólo se toman la segunda línea (la hora) y los nombres de las columnas.

    Raises:
        sqlite3.Error: si el almacén no se puede leer.
    """
    lineas = publicado.decode().split("\n")
    columnas = next(csv.reader([lineas[5]]))
    with closing(sqlite3.connect(f"file:{centro / 'almacen.sqlite'}?mode=ro", uri=True)) as bd:
        bd.executescript(_PREPARAR)
        _cargar(bd, definicion, eleccion, columnas[16 : columnas.index("TOTAL_VOTOS_ASENTADO")])
        bd.executescript(_ACUERDO)
        trece = _resumen(bd, _boletas(definicion))
        filas = _filas(bd, definicion, eleccion, _boletas(definicion))
        salida = io.StringIO(newline="")
        escritor = csv.writer(salida, lineterminator="\n")
        suya = next(e for e in definicion.dato["elecciones"] if e["clave"] == eleccion)
        escritor.writerows([[suya["nombre"]], [lineas[1]], lineas[2].split(","), trece, [], columnas, *filas])
        return salida.getvalue().encode()


def _boletas(definicion: Definicion) -> int:
    return int(definicion.dato["boletas_especial"])


def _cargar(bd: sqlite3.Connection, definicion: Definicion, eleccion: str, votos: Sequence[str]) -> None:
    bd.executemany("INSERT INTO renglones VALUES (?, ?)", enumerate(votos))
    bd.executemany(
        "INSERT INTO catalogo VALUES (?,?,?,?,?)",
        (
            (n, c["CLAVE_CASILLA"], c["CLAVE_CASILLA"][6], c["LISTA_NOMINAL"], c["REPRESENTANTES"])
            for n, c in enumerate(definicion.casillas)
        ),
    )
    sobres = bd.execute("SELECT sobre FROM hechos WHERE eleccion = ?", (eleccion,)).fetchall()
    for (sobre,) in sobres:
        carga = sobre.split(".")[1]
        h = json.loads(base64.urlsafe_b64decode(carga + "=" * (-len(carga) % 4)))["contenido"]
        casilla = h["casilla"]
        match h["hecho"]:
            case "acopio":
                fila = (casilla, h["hora"], h["origen"], h["tipo_documento"], h["mecanismo_traslado"])
                bd.execute("INSERT INTO llegadas VALUES (?,?,?,?,?)", fila)
            case "imagen":
                bd.execute(
                    "INSERT INTO imagenes VALUES (?,?,?,?)", (casilla, h["hora"], h["sha256"], h["digitalizacion"])
                )
            case "sin_acta":
                bd.execute("INSERT INTO ausencias VALUES (?,?)", (casilla, h["motivo"]))
            case "captura" | "correccion" as tipo:
                bd.executemany(
                    "INSERT INTO lecturas VALUES (?,?,?,?,?,?,?)",
                    ((casilla, h["persona"], n, h["hora"], tipo, c, v) for n, (c, v) in enumerate(h["campos"].items())),
                )
    bd.execute("CREATE INDEX temp.por_campo ON lecturas (casilla, campo, dicho)")


_CLASES: Final = """
WITH clases AS (
  SELECT c.*, v.casilla IS NOT NULL AS verificada, a.motivo, s.total, s.legibles, s.campos,
    CASE WHEN c.tipo = 'S' THEN :boletas + c.representantes ELSE c.lista + c.representantes END AS tope,
    v.captura, v.verificacion
  FROM catalogo c LEFT JOIN verificadas v USING (casilla) LEFT JOIN ausencias a USING (casilla)
  LEFT JOIN sumas s USING (casilla)
), juzgadas AS (
  SELECT *, verificada OR motivo IS NOT NULL AS capturada, verificada AND legibles = 0 AS nada,
    verificada AND legibles > 0 AND total > tope AS excede,
    verificada AND legibles > 0 AND legibles < campos AS alguno
  FROM clases
), finales AS (
  SELECT *, verificada AND NOT nada AND NOT excede AS suma, nada OR excede OR alguno AS rara FROM juzgadas
)
"""


def _resumen(bd: sqlite3.Connection, boletas: int) -> list[str]:
    consulta = f"""{_CLASES}
    SELECT count(*), sum(capturada), sum(suma), sum(capturada) - sum(suma), sum(rara),
      sum(CASE WHEN suma AND tipo <> 'S' THEN lista ELSE 0 END), sum(CASE WHEN suma THEN total ELSE 0 END),
      sum(CASE WHEN suma AND tipo <> 'S' THEN total ELSE 0 END) FROM finales"""
    fila = bd.execute(consulta, {"boletas": boletas}).fetchone()
    esperadas, capturadas, suman, no_suman, raras, lista, con, sin = (int(n or 0) for n in fila)
    return [
        *map(str, (esperadas, capturadas, 0, capturadas)),
        _porcentaje(capturadas, esperadas),
        str(suman),
        _porcentaje(suman, esperadas),
        _porcentaje(raras, esperadas),
        *map(str, (no_suman, lista, con, sin)),
        _porcentaje(sin, lista),
    ]


def _porcentaje(parte: int, entre: int) -> str:
    """Cuatro decimales truncados, sin pasar por flotantes."""
    diezmilesimas = parte * 1_000_000 // entre if entre else 0
    return f"{diezmilesimas // 10_000}.{diezmilesimas % 10_000:04d}"


def _filas(bd: sqlite3.Connection, definicion: Definicion, eleccion: str, boletas: int) -> Iterable[list[str]]:
    hora = "strftime('%d/%m/%Y %H:%M:%S', {0}, '-6 hours')"  # el centro del país no cambia de hora desde 2022
    consulta = f"""{_CLASES}
    SELECT f.lugar, f.verificada, f.motivo, f.total, f.suma, f.nada, f.excede, f.alguno,
      {hora.format("f.captura")}, {hora.format("f.verificacion")}, i.sha256, {hora.format("l.hora")}, l.origen,
      i.digitalizacion, l.documento, l.traslado,
      (SELECT json_group_object(campo, dicho) FROM decididos d WHERE d.casilla = f.casilla)
    FROM finales f LEFT JOIN imagenes i USING (casilla) LEFT JOIN llegadas l USING (casilla) ORDER BY f.lugar"""
    dato, votos = definicion.dato, [c for (c,) in bd.execute("SELECT campo FROM renglones ORDER BY lugar")]
    suya = next(e for e in dato["elecciones"] if e["clave"] == eleccion)
    for fila in bd.execute(consulta, {"boletas": boletas}):
        lugar, verificada, motivo, total, suma, nada, excede, alguno, *rastro, decididos = fila
        casilla = definicion.casillas[lugar]
        clave = casilla["CLAVE_CASILLA"]
        acta = suya["tipo_acta_especial"] if clave[6] == "S" else suya["tipo_acta"]
        campos = json.loads(decididos)
        identidad = _identidad(dato, suya, casilla, acta)
        lista = "0" if clave[6] == "S" else casilla["LISTA_NOMINAL"]
        if verificada:
            nombres = (*_COMPLEMENTARIOS, *votos, _TOTAL)
            cuerpo = [*(str(campos[n]) for n in nombres), str(total)]
            captura, verificacion, sha256, acopio, origen, digitalizacion, documento, traslado = rastro
            final = [traslado, sha256, acopio, captura, verificacion, origen, digitalizacion, documento]
            codigos = ["TODOS_ILEGIBLES_O_SIN_DATO"] * nada + ["EXCEDE_LISTA_NOMINAL"] * excede
            codigos += ["ALGUN_CAMPO_ILEGIBLE_O_SIN_DATO"] * alguno
            observado = ". ".join(definicion.textos[c] for c in codigos)
            estado = [observado, "1" if suma else "0"]
        elif motivo is not None:
            cuerpo = ["SIN ACTA"] * (len(votos) + 6)
            estado, final = [definicion.textos["SIN_ACTA_PAQUETE_SIN_BOLSA"], "0"], ["", *["N/A"] * 7]
        else:
            cuerpo, estado, final = [""] * (len(votos) + 6), ["", ""], [""] * 8
        yield [*identidad, *cuerpo, lista, casilla["REPRESENTANTES"], *estado, *final]


def _identidad(dato: Mapping[str, Any], suya: Mapping[str, Any], casilla: Mapping[str, str], acta: str) -> list[str]:
    clave = casilla["CLAVE_CASILLA"]
    division = "MUNICIPIO" if suya["ambito"] == "municipio" else "DISTRITO"
    return [
        clave,
        clave + acta,
        *(str(dato["entidad"]), dato["entidad_nombre"], f"{int(casilla[f'ID_{division}']):03d}", casilla[division]),
        *(clave[2:6], clave[7:9], clave[6], clave[9:11], casilla["UBICACION"], acta),
    ]
