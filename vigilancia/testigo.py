"""El testigo: recuerda lo último que cofirmó de un registro y sólo cofirma lo que lo continúa (C2SP tlog-witness).

Lo que recuerda se escribe en disco antes de entregar la cofirma. Si la máquina muere a la mitad, lo peor que pasa es
que haya recordado algo que nadie alcanzó a recibir; nunca que haya cofirmado algo y lo olvide.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from nucleo.transparencia.arbol import RAIZ_VACIA, PruebaInvalida, comprobar_consistencia
from nucleo.transparencia.cofirma import Cofirmante
from nucleo.transparencia.nota import LlaveDeRegistro, NotaInvalida, comprobar_nota, de_base64, leer_nota
from nucleo.transparencia.punto import abrir_punto, leer_natural, leer_punto
from vigilancia import durable

LLAVE: Final = "testigo.pem"
PUNTO: Final = "checkpoint"
CANDADO: Final = ".turno"
MAXIMO_CUERPO: Final = 128 * 1024
"""Bytes de un pedido: una nota y 63 huellas caben con holgura."""
MAXIMO_CAMINO: Final = 63


class TestigoOcupado(Exception):
    """Otro testigo usa ya esa carpeta: dos a la vez podrían cofirmar historias distintas."""


@dataclass(frozen=True, slots=True)
class Respuesta:
    """Lo que se contesta a `POST /add-checkpoint`."""

    codigo: int
    cuerpo: bytes
    tipo: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Visto:
    """Lo último cofirmado."""

    tamano: int
    raiz: bytes
    nota: bytes
    """Como llegó, sin nuestra cofirma; vacía si todavía nada."""


class Testigo:
    """El de una carpeta y un registro. Uno solo a la vez por carpeta.

    Args:
        nombre: cómo se llama en sus cofirmas; sólo la primera vez, con la carpeta nueva.

    Raises:
        TestigoOcupado: si otro la tiene. OSError: si no se puede escribir ahí.
        ValueError: si lo que hay en la carpeta no se entiende: nunca se empieza de cero por un archivo dañado.
    """

    def __init__(self, carpeta: Path, registro: LlaveDeRegistro, nombre: str, ahora: Callable[[], int]) -> None:
        carpeta.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._carpeta = carpeta
        self._candado = os.open(carpeta / CANDADO, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._candado, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._candado)
            raise TestigoOcupado(f"otro testigo ya usa {carpeta}") from error
        self._registro = registro
        self._ahora = ahora
        self._uno_a_uno = Lock()
        try:
            self._quien = Cofirmante(nombre, self._llave())
            self.llave = self._quien.llave
            self._visto = self._leer()
        except BaseException:
            self.cerrar()
            raise

    def cerrar(self) -> None:
        """Suelta la carpeta."""
        os.close(self._candado)

    @property
    def visto(self) -> Visto:
        return self._visto

    # ------------------------------------------------------------------------------------------------------ contestar

    def atender(self, cuerpo: bytes) -> Respuesta:
        """Contesta un `add-checkpoint`.

        Raises:
            OSError: si no se pudo guardar; entonces no se cofirma.
        """
        try:
            viejo, camino, datos = leer_pedido(cuerpo)
            nota = leer_nota(datos)
            origen = leer_punto(nota.texto).origen
        except NotaInvalida as error:
            return _texto(400, str(error))
        if origen != self._registro.nombre:
            return _texto(404, f"no conozco el registro {origen[:80]}")
        try:
            comprobar_nota(nota, (self._registro,))
        except NotaInvalida as error:
            return _texto(403, str(error))
        try:
            return self.cofirmar(viejo, camino, datos)
        except PruebaInvalida as error:
            return _texto(422, str(error))

    def cofirmar(self, viejo: int, camino: Sequence[bytes], datos: bytes) -> Respuesta:
        """Cofirma ese punto de control si continúa lo visto.

        Args:
            viejo: desde qué tamaño prueba la consistencia.
            datos: la nota, con la firma del registro.

        Raises:
            NotaInvalida: si no la firma el registro. PruebaInvalida: si no continúa lo visto. OSError: si no se guardó.
        """
        punto = abrir_punto(datos, self._registro).punto
        with self._uno_a_uno:
            if viejo > punto.tamano:
                return _texto(400, f"old {viejo} es mayor que el tamaño del punto de control, {punto.tamano}")
            if viejo != self._visto.tamano or (
                viejo == punto.tamano and self._visto.nota and self._visto.raiz != punto.raiz
            ):
                # La raíz distinta con el mismo tamaño es una bifurcación: también se contesta lo que se vio.
                return Respuesta(409, f"{self._visto.tamano}\n".encode(), "text/x.tlog.size")
            if not viejo:
                if camino:
                    raise PruebaInvalida("desde cero no hay qué probar y trae una prueba")
            else:
                comprobar_consistencia(viejo, punto.tamano, self._visto.raiz, punto.raiz, camino)
            firma = self._quien.cofirmar(punto, self._ahora())
            if not self._visto.nota or punto.tamano != self._visto.tamano:
                durable.escribir(self._carpeta / PUNTO, datos)
                self._visto = Visto(punto.tamano, punto.raiz, datos)
        return Respuesta(200, firma.renglon.encode())

    # ------------------------------------------------------------------------------------------------------- interior

    def _llave(self) -> Ed25519PrivateKey:
        ruta = self._carpeta / LLAVE
        if not ruta.exists():
            if (self._carpeta / PUNTO).exists():
                raise ValueError(f"falta {ruta} y ya se había cofirmado: restáurela")
            nueva = Ed25519PrivateKey.generate()
            durable.escribir(ruta, nueva.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        try:
            llave = load_pem_private_key(ruta.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{ruta} no es una llave: se dañó ({error})") from error
        if not isinstance(llave, Ed25519PrivateKey):
            raise ValueError(f"{ruta} no es una llave Ed25519")
        return llave

    def _leer(self) -> Visto:
        try:
            datos = (self._carpeta / PUNTO).read_bytes()
        except FileNotFoundError:
            return Visto(0, RAIZ_VACIA, b"")
        try:
            punto = abrir_punto(datos, self._registro).punto
        except NotaInvalida as error:
            ruta = self._carpeta / PUNTO
            raise ValueError(f"{ruta} no es de este registro o se dañó ({error}): restáurelo, no lo borre") from error
        return Visto(punto.tamano, punto.raiz, datos)


def leer_pedido(cuerpo: bytes) -> tuple[int, tuple[bytes, ...], bytes]:
    """Desde qué tamaño, la prueba de consistencia y la nota de un `add-checkpoint`.

    Raises:
        NotaInvalida: si no tiene exactamente esa forma.
    """
    if len(cuerpo) > MAXIMO_CUERPO:
        raise NotaInvalida(f"el pedido mide más de {MAXIMO_CUERPO} bytes")
    cabeza, vacio, nota = cuerpo.partition(b"\n\n")
    try:
        primero, *camino = cabeza.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise NotaInvalida("el pedido no es texto ASCII hasta la nota") from error
    if not vacio or not primero.startswith("old "):
        raise NotaInvalida("el pedido no empieza con «old» y el tamaño, o no trae el punto de control")
    if len(camino) > MAXIMO_CAMINO:
        raise NotaInvalida(f"la prueba trae más de {MAXIMO_CAMINO} huellas")
    huellas = tuple(map(de_base64, camino))
    if any(len(h) != len(RAIZ_VACIA) for h in huellas):
        raise NotaInvalida("una huella de la prueba no mide 32 bytes")
    return leer_natural(primero.removeprefix("old ")), huellas, nota


def _texto(codigo: int, que: str) -> Respuesta:
    return Respuesta(codigo, f"{que}\n".encode())
