"""Leer una mochila que viene de fuera sin creerle nada: ni sus nombres, ni sus tamaños, ni que se quede quieta.

Todo se abre por descriptor desde su carpeta, sin seguir enlaces y sólo si es un archivo común del tamaño que firmó el
kiosco; se lee una vez a memoria y lo que se compara es eso mismo, así que da igual si después cambia. Lo que el
manifiesto no nombra no se abre.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Final

from nucleo import mochila
from nucleo.mochila import Archivo, Manifiesto
from nucleo.padron import Equipo, Padron
from nucleo.sobre import SobreInvalido
from servicio_central.tropiezo import Tropiezo

FIRMA: Final = "manifiesto.jws"
MANIFIESTO: Final = "manifiesto.json"

_ABRIR: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CARPETA: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
_BLOQUE: Final = 2**20


class ArchivoMalo(Exception):
    """Uno de los archivos falta o no es el que se firmó; los demás se pueden leer."""


def legible(ruta: Path) -> str:
    """El nombre de esa carpeta, que puso quien sea, sin nada que no se pueda escribir en una pantalla o un informe."""
    return _escribible(ruta.name)[:120]


def camino(ruta: Path) -> str:
    """La ruta entera, como se dio, con el mismo cuidado."""
    return _escribible(str(ruta))[:300]


def _escribible(texto: str) -> str:
    return "".join(letra if letra.isprintable() else "?" for letra in texto)


class LectorDeMochila:
    """La carpeta de una mochila, abierta. Se usa con `with`.

    Raises:
        Tropiezo: MOCHILA, si no es una carpeta que se pueda abrir.
    """

    def __init__(self, ruta: Path) -> None:
        self.ruta = ruta
        self._abiertas: dict[str, int] = {}
        try:
            self._abiertas[""] = os.open(ruta, _CARPETA)
        except OSError as error:
            raise Tropiezo(
                "MOCHILA",
                f"{legible(ruta)} no se puede abrir ({error.strerror})",
                "no es una carpeta, es un enlace, o la memoria se quitó",
                "vuelva a meter la memoria e indique la carpeta de la mochila",
            ) from error

    def __enter__(self) -> LectorDeMochila:
        return self

    def __exit__(
        self, _tipo: type[BaseException] | None, _error: BaseException | None, _rastro: TracebackType | None
    ) -> None:
        for descriptor in self._abiertas.values():
            os.close(descriptor)
        self._abiertas.clear()

    def firmado(self) -> str:
        """El manifiesto firmado, sin verificar.

        Raises:
            Tropiezo: MOCHILA_INCOMPLETA, si falta o no se puede leer.
        """
        try:
            return self._contenido("", FIRMA, None, mochila.MAXIMO_FIRMADO).decode("ascii")
        except (OSError, ArchivoMalo, UnicodeDecodeError) as error:
            raise Tropiezo(
                "MOCHILA_INCOMPLETA",
                f"{legible(self.ruta)}: no se pudo leer {FIRMA} ({error})",
                "la memoria se quitó a media copia, o está dañada; sin la firma no se sabe de quién es",
                "no borre la memoria y pida al CATD que copie otra mochila",
            ) from error

    def leer(self, archivo: Archivo) -> bytes:
        """Los bytes de ese archivo, que son los que se firmaron. Raises: ArchivoMalo."""
        carpeta, _, nombre = archivo.ruta.partition("/")
        try:
            contenido = self._contenido(carpeta, nombre, archivo.bytes, archivo.bytes)
        except FileNotFoundError as error:
            raise ArchivoMalo("no está") from error
        except OSError as error:
            raise ArchivoMalo(f"no se puede leer ({error.strerror})") from error
        if hashlib.sha256(contenido).hexdigest() != archivo.sha256:
            raise ArchivoMalo("no es el que firmó el kiosco")
        return contenido

    def sobran(self, manifiesto: Manifiesto) -> int:
        """Cuántas cosas hay que el manifiesto no nombra; se deja de contar al llegar al tope de archivos."""
        suyos = {a.ruta for a in manifiesto.archivos} | {FIRMA, MANIFIESTO, mochila.SOBRES, mochila.IMAGENES}
        cuantas = 0
        for carpeta in ("", mochila.SOBRES, mochila.IMAGENES):
            try:
                with os.scandir(self._carpeta(carpeta)) as entradas:
                    for vistas, entrada in enumerate(entradas):
                        if vistas > mochila.MAXIMO_ARCHIVOS:
                            break
                        cuantas += (f"{carpeta}/{entrada.name}" if carpeta else entrada.name) not in suyos
            except OSError:
                continue
        return cuantas

    def _carpeta(self, nombre: str) -> int:
        if nombre not in self._abiertas:
            self._abiertas[nombre] = os.open(nombre, _CARPETA, dir_fd=self._abiertas[""])
        return self._abiertas[nombre]

    def _contenido(self, carpeta: str, nombre: str, exacto: int | None, maximo: int) -> bytes:
        descriptor = os.open(nombre, _ABRIR, dir_fd=self._carpeta(carpeta))
        try:
            dato = os.fstat(descriptor)
            if not stat.S_ISREG(dato.st_mode):
                raise ArchivoMalo("no es un archivo común")
            # El tamaño se mira antes de leer: un byte de más ya no es lo que se firmó.
            if dato.st_size > maximo or (exacto is not None and dato.st_size != exacto):
                raise ArchivoMalo(f"mide {dato.st_size} bytes y debía medir {maximo if exacto is None else exacto}")
            partes, falta = [], maximo
            while falta > 0 and (parte := os.read(descriptor, min(falta, _BLOQUE))):
                partes.append(parte)
                falta -= len(parte)
            return b"".join(partes)
        finally:
            os.close(descriptor)


def verificar(firmado: str, padron: Padron, sello: str) -> tuple[Manifiesto, Equipo]:
    """El manifiesto, si lo firmó un equipo del padrón y la mochila es para este centro.

    Un equipo dado de baja, una época sin inscribir o una llave ya cerrada pasan: lo que traiga lo juzga la ingesta
    sobre por sobre, y queda en cuarentena a la vista en vez de quedarse en la memoria.

    Args:
        sello: identificador de la llave de sellado de este centro.

    Raises:
        Tropiezo: EQUIPO_DESCONOCIDO, MOCHILA_ALTERADA, SIN_SELLAR, MOCHILA_AJENA o SELLO_AJENO.
    """
    try:
        nombre = mochila.de_quien(firmado)
    except SobreInvalido as error:
        raise _alterada(f"el manifiesto no se entiende ({error})") from error
    equipo = padron.equipos.get(nombre)
    if equipo is None:
        raise Tropiezo(
            "EQUIPO_DESCONOCIDO",
            f"la mochila dice ser de {nombre}, que no está en el padrón {padron.version}",
            "es de otro proceso, o el padrón del centro es anterior a su inscripción",
            "si es de este proceso, copie al centro el último padrón y repita; no borre la memoria",
        )
    try:
        manifiesto, _ = equipo.abrir(firmado, mochila.abrir)
    except SobreInvalido as error:
        if error.codigo == "SIN_SELLAR":
            raise Tropiezo(
                "SIN_SELLAR",
                f"la mochila de {nombre} {error}",
                "la copió un kiosco con un programa anterior",
                "actualice ese kiosco, repita `./prep inscribir` para darle el sello y copie otra; no borre la memoria",
            ) from error
        raise _alterada(f"la firma o la forma del manifiesto de {nombre} no valen ({error})") from error
    if (manifiesto.proceso, manifiesto.modo) != (padron.proceso, padron.modo):
        raise Tropiezo(
            "MOCHILA_AJENA",
            f"la mochila es de {manifiesto.modo}/{manifiesto.proceso} y este centro de {padron.modo}/{padron.proceso}",
            "es de otra elección o de otro modo; nunca se mezclan",
            "llévela al centro que le toca; aquí no entró nada",
        )
    if manifiesto.sello != sello:
        raise Tropiezo(
            "SELLO_AJENO",
            f"la mochila de {nombre} está sellada para otro centro",
            "el kiosco trae el sello de otro centro, o aquí falta el sello.pem con que se inscribió",
            "llévela al centro que le toca, o restaure ese sello.pem y repita; no borre la memoria",
        )
    return manifiesto, equipo


def _alterada(que: str) -> Tropiezo:
    return Tropiezo(
        "MOCHILA_ALTERADA",
        que,
        "se cambió después de copiarse, la memoria está dañada, o la firmó otro",
        "no borre la memoria, avise a quien supervisa y pida al CATD otra mochila",
    )
