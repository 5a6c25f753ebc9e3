"""Saca las bases de un zip (aun con zips dentro), un tar.gz, un gz o un CSV suelto, sin dejarse inundar.

El tamaño que declara un paquete no se cree: se cuenta lo que de verdad sale de él.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from dataclasses import dataclass
from typing import Final, Protocol

from nucleo.base_oficial.ilegible import BaseIlegible
from nucleo.base_oficial.lectura import parece_base

MAXIMO_BYTES: Final = 128 * 1024 * 1024
"""Total descomprimido. La base nacional del INE en 2018 ronda 60 MB por elección.

Auditar 60 MB lleva 43 s y 1.2 GB de memoria en dos núcleos lentos; más del doble ya no termina en una computadora
común.
"""

MAXIMO_ARCHIVOS: Final = 2_000
MAXIMA_PROFUNDIDAD: Final = 4
"""El paquete nacional del INE es un zip de zips: dos niveles."""


@dataclass(frozen=True, slots=True)
class Archivo:
    """Un archivo suelto; `nombre` lleva la ruta dentro de los paquetes, separada con `/`."""

    nombre: str
    contenido: bytes


def bases(contenido: bytes, nombre: str) -> list[Archivo]:
    """Los CSV de resultados que hay en un archivo o paquete, en el orden en que vienen; al menos uno.

    Raises:
        BaseIlegible: si el paquete está dañado, protegido, rebasa los límites o no trae ninguna base.
    """
    if not _es_paquete(contenido):
        return [Archivo(nombre, contenido)]
    candidatas = [a for a in _Extractor().sacar(Archivo(nombre, contenido), 0) if _es_candidata(a)]
    if not candidatas:
        raise BaseIlegible(
            nombre,
            0,
            "el paquete no contiene ninguna base de resultados por acta",
            "es otro paquete (imágenes, candidaturas) o viene vacío",
            "descargue el paquete «base de datos» del sitio del PREP",
        )
    return candidatas


def _es_paquete(contenido: bytes) -> bool:
    return contenido.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")) or _es_tar(contenido)


def _es_tar(contenido: bytes) -> bool:
    return contenido[257:262] == b"ustar"


def _es_candidata(archivo: Archivo) -> bool:
    hoja = archivo.nombre.rsplit("/", 1)[-1].upper()
    if hoja.startswith("._") or "CANDIDAT" in hoja or b"CANDIDATURA_PROPIETARIA" in archivo.contenido[:2048]:
        return False
    return hoja.endswith(".CSV") or parece_base(archivo.contenido)


class _Flujo(Protocol):
    def read(self, cuantos: int, /) -> bytes: ...


class _Extractor:
    """Lleva la cuenta de lo descomprimido en todo el recorrido."""

    def __init__(self) -> None:
        self._bytes = 0
        self._archivos = 0

    def sacar(self, archivo: Archivo, nivel: int) -> list[Archivo]:
        if not _es_paquete(archivo.contenido):
            return [archivo]
        if nivel >= MAXIMA_PROFUNDIDAD:
            raise _excedido(archivo.nombre, f"hay más de {MAXIMA_PROFUNDIDAD} paquetes uno dentro de otro")
        return [hoja for dentro in self._abrir(archivo) for hoja in self.sacar(dentro, nivel + 1)]

    def _abrir(self, archivo: Archivo) -> list[Archivo]:
        try:
            if archivo.contenido.startswith(b"PK"):
                return self._zip(archivo)
            if archivo.contenido.startswith(b"\x1f\x8b"):
                return [Archivo(archivo.nombre.removesuffix(".gz"), self._gunzip(archivo))]
            return self._tar(archivo)
        except BaseIlegible:
            raise
        except Exception as error:
            # zipfile, tarfile y zlib lanzan más de diez clases distintas ante un paquete dañado a propósito.
            raise BaseIlegible(
                archivo.nombre,
                0,
                f"el paquete no se puede abrir ({type(error).__name__})",
                "la descarga se interrumpió, está dañado o tiene contraseña",
                "descárguelo otra vez y compare su tamaño o huella con lo publicado",
            ) from error

    def _zip(self, archivo: Archivo) -> list[Archivo]:
        dentro = []
        with zipfile.ZipFile(io.BytesIO(archivo.contenido)) as paquete:
            for ficha in paquete.infolist():
                if not ficha.is_dir():
                    self._uno_mas(archivo.nombre)
                    with paquete.open(ficha) as flujo:
                        dentro.append(Archivo(f"{archivo.nombre}/{ficha.filename}", self._leer(flujo, archivo.nombre)))
        return dentro

    def _gunzip(self, archivo: Archivo) -> bytes:
        self._uno_mas(archivo.nombre)
        with gzip.GzipFile(fileobj=io.BytesIO(archivo.contenido)) as flujo:
            return self._leer(flujo, archivo.nombre)

    def _tar(self, archivo: Archivo) -> list[Archivo]:
        dentro = []
        with tarfile.open(fileobj=io.BytesIO(archivo.contenido), mode="r:") as paquete:
            for ficha in paquete:
                self._uno_mas(archivo.nombre)
                flujo = paquete.extractfile(ficha) if ficha.isreg() else None
                if flujo is not None:
                    dentro.append(Archivo(f"{archivo.nombre}/{ficha.name}", self._leer(flujo, archivo.nombre)))
        return dentro

    def _leer(self, flujo: _Flujo, nombre: str) -> bytes:
        contenido = flujo.read(MAXIMO_BYTES - self._bytes + 1)
        self._bytes += len(contenido)
        if self._bytes > MAXIMO_BYTES:
            raise _excedido(
                nombre, f"descomprimido pasa de {MAXIMO_BYTES // 1024 // 1024} MB y una elección nacional ronda 60"
            )
        return contenido

    def _uno_mas(self, nombre: str) -> None:
        self._archivos += 1
        if self._archivos > MAXIMO_ARCHIVOS:
            raise _excedido(nombre, f"trae más de {MAXIMO_ARCHIVOS} archivos")


def _excedido(nombre: str, que: str) -> BaseIlegible:
    return BaseIlegible(
        nombre,
        0,
        f"el paquete no se abrió porque {que}",
        "no es una base PREP o se preparó para saturar a quien la abra",
        "revise de dónde se descargó; si es legítimo, extraiga el CSV y audítelo suelto",
    )
