"""El proceso que mira las imágenes, aparte de la pantalla: si una lo tumba, la pantalla sigue.

    python -m appliance.vision.proceso CARPETA_DEL_PROCESO [--memoria-mb 2048]

Por la entrada llegan peticiones y por la salida van respuestas, en bloques con su longitud; las imágenes de entrada
viajan por su ruta. Quien lo usa es `appliance.vision.trabajador`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import stat
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import cv2

from appliance.falla import Falla
from appliance.vision.apertura_imagen import MAXIMO_BYTES
from appliance.vision.mensaje import LARGO, MAXIMO_TEXTO, MensajeInvalido, bloque, leer_objeto, respuesta
from appliance.vision.pagina import Analisis, analizar
from appliance.vision.piezas import comprimir, leer_codigos
from appliance.vision.plantilla import Plantilla, preparar
from nucleo.definicion import DefinicionInvalida
from nucleo.formato import leer_formatos
from nucleo.problema import Rechazo

LISTO: Final = b"listo"
MEMORIA_MB: Final = 2048


def atender(peticion: Mapping[str, object], plantillas: Sequence[Plantilla]) -> Analisis | Rechazo:
    """Contesta una petición `{"ruta": …, "formatos": […]|null}`.

    Raises:
        MensajeInvalido: si la petición no tiene esa forma.
    """
    ruta, formatos = peticion.get("ruta"), peticion.get("formatos")
    if set(peticion) != {"ruta", "formatos"} or not isinstance(ruta, str) or not isinstance(formatos, list | None):
        raise MensajeInvalido("no es una petición")
    datos = _leer(Path(ruta))
    if isinstance(datos, Rechazo):
        return datos
    suyas = [p for p in plantillas if formatos is None or p.formato.clave in formatos]
    return analizar(datos, suyas, leer_codigos, comprimir)


def _leer(ruta: Path) -> bytes | Rechazo:
    try:
        # Ni ligas ni tuberías con nombre: sólo un archivo de verdad, que no detiene a quien lo abre.
        descriptor = os.open(ruta, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return _perdida()
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return _perdida()
    with os.fdopen(descriptor, "rb") as archivo:
        try:
            return archivo.read(MAXIMO_BYTES + 1)
        except OSError:
            return _perdida()


def _perdida() -> Rechazo:
    return Rechazo(
        "IMAGEN_PERDIDA",
        "La imagen que se iba a analizar ya no está",
        "se borró o se desconectó la memoria de donde venía",
        "digitalice otra vez el acta",
    )


def _limitar(memoria_mb: int) -> None:
    """Topes propios: una imagen hecha a propósito no se lleva la memoria del kiosco ni escribe en su disco."""
    tope = memoria_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (tope, tope))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _servir(entrada: BinaryIO, salida: BinaryIO, plantillas: Sequence[Plantilla]) -> None:
    while len(cabeza := entrada.read(LARGO)) == LARGO:
        largo = int.from_bytes(cabeza, "big")
        if largo > MAXIMO_TEXTO:
            return
        try:
            resultado = atender(leer_objeto(entrada.read(largo)), plantillas)
        except (MemoryError, cv2.error) as error:
            _anotar(f"visión: {error}")
            resultado = _no_pudo()
        except Exception:
            # Un defecto nuestro con una imagen no debe dejar sin visión a las demás; queda en la bitácora del sistema.
            _anotar(traceback.format_exc())
            resultado = _no_pudo()
        texto, imagen = respuesta(resultado)
        salida.write(bloque(texto) + bloque(imagen))
        salida.flush()


def _anotar(texto: str) -> None:
    # Si la salida de errores es un archivo, el tope de escritura tampoco deja; no es razón para dejar de atender.
    with contextlib.suppress(OSError):
        print(texto, file=sys.stderr, flush=True)


def _no_pudo() -> Rechazo:
    return Rechazo(
        "VISION",
        "No se pudo analizar la imagen",
        "la imagen es muy grande o está dañada de un modo que no se conoce",
        "digitalice otra vez; si se repite, identifique el acta a mano y avise al área técnica",
    )


def principal(argumentos: Sequence[str] | None = None) -> int:
    analizador = argparse.ArgumentParser(prog="python -m appliance.vision.proceso")
    analizador.add_argument("carpeta", type=Path)
    analizador.add_argument("--memoria-mb", type=int, default=MEMORIA_MB)
    opciones = analizador.parse_args(argumentos)
    # Lo que una biblioteca escriba en la salida estándar no debe mezclarse con las respuestas.
    salida = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limitar(opciones.memoria_mb)
    try:
        plantillas = [preparar(f, opciones.carpeta) for f in leer_formatos(opciones.carpeta)]
    except (DefinicionInvalida, Falla) as error:
        _anotar(str(error))
        return 2
    salida.write(bloque(LISTO))
    salida.flush()
    _servir(sys.stdin.buffer, salida, plantillas)
    return 0


if __name__ == "__main__":
    sys.exit(principal())
