"""Lee cualquier base de datos que un PREP mexicano haya publicado, de 2012 a hoy, sin que le digan cuál es.

No interpreta más de lo necesario: guarda cada celda como vino y ofrece accesos por el nombre de columna de
2024. `NA` es Nueva Alianza y nunca un valor nulo.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from nucleo.base_oficial import columnas, dialecto, fechas
from nucleo.base_oficial.celdas import limpiar
from nucleo.base_oficial.dialecto import Dialecto
from nucleo.base_oficial.ilegible import BaseIlegible

_MAXIMO_PREAMBULO: Final = 40
"""Líneas en que se busca el encabezado; las bases conocidas lo traen entre la 5 y la 8."""

_MAXIMO_COLUMNAS: Final = 1_000
"""La base más ancha conocida (Puebla 2018) ronda 120; más es un archivo hecho para agotar a quien lo lea."""

_MAXIMO_LINEA: Final = 64 * 1024
"""Posiciones; el renglón más largo conocido no llega a 2 000."""

_MINIMO_CONOCIDAS: Final = 4
"""Nombres reconocibles que debe tener el renglón de columnas para no confundirlo con otro archivo."""


_DIVISION: Final = frozenset(c.nombre for c in (*columnas.DISTRITO, *columnas.MUNICIPIO))


class Renglon(NamedTuple):
    """Un renglón del archivo: su línea (desde 1) y sus celdas tal como vinieron."""

    linea: int
    celdas: tuple[str, ...]


@dataclass(frozen=True)
class BaseLeida:
    """Una base publicada, sin interpretar."""

    nombre: str
    dialecto: Dialecto
    tipo_eleccion: str
    corte_texto: str
    corte: datetime | None
    """Instante del corte; lleva huso sólo si el archivo lo dice."""
    resumen: Mapping[str, str]
    """Nombre de 2024 (o el suyo, si no tiene equivalente) → texto publicado sin adornos."""
    columnas: tuple[str, ...]
    """Nombres de columna sin adornos, como vinieron."""
    posiciones: Mapping[str, int]
    """Nombre de 2024 de cada columna fija → lugar."""
    votos: tuple[int, ...]
    """Lugares de las columnas de votos, con no registradas y nulos."""
    renglones: tuple[Renglon, ...]

    def valor(self, renglon: Renglon, columna: str) -> str:
        """Celda sin adornos de una columna por su nombre de 2024; vacío si la base no la tiene."""
        lugar = self.posiciones.get(columna)
        return "" if lugar is None else limpiar(renglon.celdas[lugar])

    def celdas_de_votos(self, renglon: Renglon) -> dict[str, str]:
        """Columna de votos (con su nombre publicado) → celda sin adornos, en el orden del archivo."""
        return {self.columnas[lugar]: limpiar(renglon.celdas[lugar]) for lugar in self.votos}


def leer_csv(crudo: bytes, nombre: str = "base.csv") -> BaseLeida:
    """Lee el CSV de resultados de una elección.

    Raises:
        BaseIlegible: si no parece una base PREP o un renglón está cortado.
    """
    texto, codificacion, bom = dialecto.decodificar(crudo, nombre)
    fin = dialecto.fin_de_linea(texto)
    texto = texto.replace("\r\n", "\n").replace("\r", "\n")
    inicio = [linea.rstrip("\n") for linea in islice(_lineas(texto, nombre), _MAXIMO_PREAMBULO)]
    lugar = _lugar_del_encabezado(inicio)
    if lugar is None:
        raise BaseIlegible(
            nombre,
            0,
            "no se encontró el renglón con los nombres de columna (CLAVE_CASILLA, SECCION, LISTA_NOMINAL…)",
            "no es el archivo de resultados por acta, o se descargó incompleto",
            "revise que sea el CSV de resultados y no el de candidaturas ni una página web guardada",
        )
    separador = dialecto.separador(inicio[lugar])
    encabezado, renglones = _renglones(texto, lugar, separador, nombre)
    posiciones, votos = _ubicar(encabezado)
    preambulo = _Preambulo.de(inicio[:lugar], nombre)
    return BaseLeida(
        nombre=nombre,
        dialecto=Dialecto(
            separador=separador,
            codificacion=codificacion,
            bom=bom,
            fin_de_linea=fin,
            linea_sep=preambulo.linea_sep,
            adornos=dialecto.adornos(celda for renglon in renglones[:50] for celda in renglon.celdas),
        ),
        tipo_eleccion=preambulo.tipo_eleccion,
        corte_texto=preambulo.corte,
        corte=fechas.leer(preambulo.corte),
        resumen=preambulo.resumen,
        columnas=encabezado,
        posiciones=posiciones,
        votos=votos,
        renglones=renglones,
    )


def parece_base(crudo: bytes) -> bool:
    """Si el contenido trae, en sus primeras líneas, los nombres de columna de una base por acta."""
    try:
        texto, _, _ = dialecto.decodificar(crudo[:65_536], "")
    except BaseIlegible:
        return False
    inicio = islice(io.StringIO(texto.replace("\r\n", "\n").replace("\r", "\n")), _MAXIMO_PREAMBULO)
    return _lugar_del_encabezado([linea.rstrip("\n") for linea in inicio]) is not None


def _lineas(texto: str, nombre: str) -> Iterator[str]:
    for numero, linea in enumerate(io.StringIO(texto), 1):
        if len(linea) > _MAXIMO_LINEA:
            raise _desmedido(nombre, numero, f"la línea mide más de {_MAXIMO_LINEA // 1024} KB")
        yield linea


def _lugar_del_encabezado(lineas: Sequence[str]) -> int | None:
    for lugar, linea in enumerate(lineas):
        separador = dialecto.separador(linea)
        if linea.count(separador) > 2 * _MAXIMO_COLUMNAS:
            continue
        nombres = {columnas.canonica(n) for n in linea.split(separador)} - {None}
        if len(nombres) >= _MINIMO_CONOCIDAS and nombres & columnas.ANTERIORES and nombres & columnas.POSTERIORES:
            return lugar
    return None


def _renglones(texto: str, salta: int, separador: str, nombre: str) -> tuple[tuple[str, ...], tuple[Renglon, ...]]:
    lector = csv.reader(islice(_lineas(texto, nombre), salta, None), delimiter=separador)
    encabezado: tuple[str, ...] = ()
    renglones = []
    try:
        for celdas in lector:
            linea = salta + lector.line_num
            if len(celdas) > 2 * _MAXIMO_COLUMNAS:
                raise _desmedido(nombre, linea, f"hay {len(celdas)} columnas")
            if not encabezado:
                encabezado = _sin_cola(tuple(limpiar(celda) for celda in celdas), 0)
                if len(encabezado) > _MAXIMO_COLUMNAS:
                    raise _desmedido(nombre, linea, f"hay {len(encabezado)} columnas")
                _exigir_distintas(encabezado, columnas.canonica, nombre, linea)
            elif any(celda.strip() for celda in celdas):
                ajustadas = _sin_cola(tuple(celdas), len(encabezado))
                if len(ajustadas) != len(encabezado):
                    raise _descuadrado(nombre, linea, len(ajustadas), len(encabezado))
                renglones.append(Renglon(linea, ajustadas))
    except csv.Error as error:
        raise BaseIlegible(
            nombre,
            salta + lector.line_num,
            f"el renglón no se puede separar en columnas ({error})",
            "hay unas comillas sin cerrar o el archivo está dañado",
            "descargue otra vez el archivo original",
        ) from error
    return encabezado, tuple(renglones)


def _desmedido(nombre: str, linea: int, que: str) -> BaseIlegible:
    return BaseIlegible(
        nombre, linea, que, "no es una base PREP o está dañada", "descargue otra vez el archivo original"
    )


def _exigir_distintas(nombres: Sequence[str], canonica: Callable[[str], str | None], archivo: str, linea: int) -> None:
    """Con dos columnas del mismo nombre, cada quien leería una distinta y ninguna sería la publicada."""
    vistas = set()
    for nombre in nombres:
        clave = canonica(nombre)
        # Una base puede traer a la vez el distrito local y el federal: sólo ahí dos nombres no son el mismo dato.
        if clave is None or clave in _DIVISION:
            clave = columnas.normalizar(nombre)
        if clave and clave in vistas:
            raise BaseIlegible(
                archivo,
                linea,
                f"la columna {nombre[:60]} está dos veces",
                "el archivo fue editado o se generó mal",
                "descargue otra vez el archivo original; si viene así, pida al instituto que lo corrija",
            )
        vistas.add(clave)


def _sin_cola(celdas: tuple[str, ...], minimo: int) -> tuple[str, ...]:
    largo = len(celdas)
    while largo > minimo and not celdas[largo - 1].strip():
        largo -= 1
    return celdas[:largo]


def _descuadrado(nombre: str, linea: int, tiene: int, espera: int) -> BaseIlegible:
    causa = (
        "el archivo se cortó al descargarlo"
        if tiene < espera
        else "un nombre trae el separador sin comillas, o falta el nombre de una columna"
    )
    return BaseIlegible(
        nombre,
        linea,
        f"el renglón tiene {tiene} columnas y el encabezado {espera}",
        causa,
        "descargue otra vez el archivo original y compare su tamaño con el publicado",
    )


def _ubicar(encabezado: Sequence[str]) -> tuple[dict[str, int], tuple[int, ...]]:
    fijas = [columnas.canonica(nombre) for nombre in encabezado]
    posiciones: dict[str, int] = {}
    for lugar, fija in enumerate(fijas):
        if fija is not None:
            posiciones.setdefault(fija, lugar)
    desde = max((p for c, p in posiciones.items() if c in columnas.ANTERIORES), default=-1)
    hasta = min((p for c, p in posiciones.items() if c in columnas.POSTERIORES and p > desde), default=len(fijas))
    finales = {posiciones[c.nombre] for c in columnas.FINALES_DE_VOTO if c.nombre in posiciones}
    partidos = {lugar for lugar in range(desde + 1, hasta) if fijas[lugar] is None and encabezado[lugar]}
    return posiciones, tuple(sorted(partidos | finales))


@dataclass(frozen=True)
class _Preambulo:
    """Lo que hay antes de los nombres de columna."""

    linea_sep: bool
    tipo_eleccion: str
    corte: str
    resumen: Mapping[str, str]

    @staticmethod
    def de(lineas: Sequence[str], archivo: str) -> _Preambulo:
        llenas = [linea for linea in lineas if linea.strip("\t ,;|\"'")]
        linea_sep = bool(llenas) and llenas[0].strip().lower().startswith("sep=")
        llenas = llenas[linea_sep:]
        nombres = next((i for i, linea in enumerate(llenas) if _es_de_resumen(linea)), len(llenas))
        antes = [limpiar(linea.strip().strip('"').rstrip(",;|")) for linea in llenas[:nombres]]
        corte = next((linea for linea in antes if fechas.leer(linea) is not None), "")
        otras = [linea for linea in antes if linea != corte]
        return _Preambulo(
            linea_sep=linea_sep,
            tipo_eleccion=otras[0] if otras else "",
            corte=corte or (otras[1] if len(otras) > 1 else ""),
            resumen=_emparejar(llenas[nombres : nombres + 2], archivo),
        )


def _es_de_resumen(linea: str) -> bool:
    nombres = [columnas.normalizar(n) for n in linea.split(dialecto.separador(linea))]
    return sum(n.startswith(("ACTAS_", "PORCENTAJE_")) for n in nombres) >= 2


def _emparejar(nombres_y_valores: Sequence[str], archivo: str) -> dict[str, str]:
    if len(nombres_y_valores) < 2:
        return {}
    separador = dialecto.separador(nombres_y_valores[0])
    try:
        nombres, valores = csv.reader(nombres_y_valores, delimiter=separador)
    except (csv.Error, ValueError):
        return {}
    _exigir_distintas(nombres, columnas.canonica_de_resumen, archivo, 0)
    pares = zip(nombres, valores, strict=False)
    return {columnas.canonica_de_resumen(n): limpiar(v).removesuffix("%").strip() for n, v in pares if n.strip()}
