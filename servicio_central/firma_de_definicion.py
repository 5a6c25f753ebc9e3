"""La definición que la autoridad firma para que los kioscos la puedan recibir por el enlace (`nucleo.paquete`).

Cada versión queda en `definiciones_firmadas/NNNNNN.prd` del centro y en la carpeta de la autoridad. El centro la
reparte (`servicio_central.despacho`); no puede hacer otra ni volver a una anterior.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nucleo import paquete
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.formato import leer_formatos
from nucleo.padron import AUTORIDAD
from nucleo.paquete import DefinicionFirmada, PaqueteInvalido
from servicio_central import ajustes, ceremonia, disco, inscripcion, vigente
from servicio_central.firmante import FirmanteDeArchivo, leer_publica
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "definiciones_firmadas"
ADOPTADA: Final = "adoptada"
"""En esa carpeta, la versión que el centro ya adoptó: aunque su archivo se borre, no se vuelve a una anterior."""


def firmar(autoridad: Path, centro: Path, origen: Path) -> tuple[DefinicionFirmada, Path]:
    """Empaca y firma la definición de `origen` con una versión nueva, y la deja en el centro.

    Raises:
        Tropiezo: si la definición tiene errores, es de otro proceso o modo, o no cabe en un paquete.
    """
    inscripcion.abrir_autoridad(autoridad)
    with inscripcion.turno(centro):
        donde, clave = ajustes.leer(centro), inscripcion.leer_padron(centro).proceso
        try:
            proceso = cargar_proceso(origen)
            leer_formatos(origen)
            archivos = {str(r.relative_to(origen)): r.read_bytes() for r in vigente.archivos(origen)}
            comprimido = paquete.comprimir(archivos)
        except (DefinicionInvalida, OSError, PaqueteInvalido) as error:
            raise _mal(f"la definición {origen} no sirve: {error}", "tiene errores o sobra un archivo") from error
        if (proceso.clave, proceso.modo) != (clave, donde.modo):
            raise _mal(
                f"la definición es de {proceso.modo}/{proceso.clave} y el centro de {donde.modo}/{clave}",
                "se indicó la carpeta de otro proceso o de otro modo",
            )
        propia = disco.carpeta_privada(autoridad / "definiciones")
        # Los archivos se pueden perder: con otra del mismo número, el centro la tomaría y los kioscos no.
        usadas = [adoptada(centro), *_versiones(centro / CARPETA), *_versiones(propia, f"{donde.modo}-{clave}-")]
        version = 1 + max(usadas)
        firmada = DefinicionFirmada(
            clave, donde.modo, version, hashlib.sha256(comprimido).hexdigest(), len(comprimido), proceso.huella
        )
        firma = paquete.sellar_definicion(firmada, FirmanteDeArchivo(autoridad / "autoridad.pem", AUTORIDAD))
        ceremonia.anotar(autoridad, "definicion", "", f"versión {version}: {proceso.huella}", firma.encode())
        datos = paquete.armar(firma, comprimido)
        if len(datos) > paquete.MAXIMO_PAQUETE:
            raise _mal(f"el paquete mide {len(datos)} bytes", "los formatos son imágenes muy grandes")
        disco.escribir(propia / f"{donde.modo}-{clave}-{version:06d}.prd", datos)
        destino = disco.carpeta_privada(centro / CARPETA) / f"{version:06d}.prd"
        disco.escribir(destino, datos)
        return firmada, destino


def ultima(centro: Path) -> tuple[DefinicionFirmada, bytes] | None:
    """La de mayor versión de las que hay en el centro, con la firma comprobada, y los bytes que se reparten.

    `None` si no hay ninguna buena.

    Raises:
        Tropiezo: LLAVE, si falta la llave pública de la autoridad. OSError si no se pudo leer.
    """
    # La versión es la que se firmó: la copia que guarda la autoridad se llama de otro modo y taparía a las demás.
    return max(buenas(centro), key=lambda buena: buena[0].version, default=None)


def buenas(centro: Path) -> Iterator[tuple[DefinicionFirmada, bytes]]:
    """Cada una de las que hay en el centro, con la firma comprobada, y sus bytes. Raises: como `ultima`."""
    llave = leer_publica(centro / "autoridad.pub.pem")
    for ruta in sorted((centro / CARPETA).glob("*.prd")):
        datos = ruta.read_bytes()
        try:
            firmada, _ = paquete.abrir_paquete(datos, llave)
        except PaqueteInvalido:
            continue
        yield firmada, datos


def adoptada(centro: Path) -> int:
    """La versión que el centro ya adoptó; 0 si ninguna.

    Raises:
        Tropiezo: DEFINICION_FIRMADA, si no se entiende cuál. OSError si no se pudo leer.
    """
    ruta = centro / CARPETA / ADOPTADA
    try:
        return int(ruta.read_text("ascii"))
    except FileNotFoundError:
        return 0
    except ValueError as error:
        # Dañado no es lo mismo que ninguna: con cero se podría volver a la carpeta.
        raise Tropiezo(
            "DEFINICION_FIRMADA",
            "no se entiende cuál definición firmada se adoptó",
            f"se dañó {ruta}",
            "escriba en ese archivo el número de la última versión firmada",
        ) from error


def marca(centro: Path) -> frozenset[tuple[str, int, int]]:
    """(nombre, inodo, instante en ns) de cada paquete: distinta si cambió alguno, o su permiso. Raises: OSError."""
    datos = [(r.name, r.stat()) for r in (centro / CARPETA).glob("*.prd")]
    return frozenset((nombre, d.st_ino, d.st_ctime_ns) for nombre, d in datos)


def _versiones(carpeta: Path, prefijo: str = "") -> list[int]:
    return [int(n) for r in carpeta.glob(f"{prefijo}*.prd") if (n := r.stem.removeprefix(prefijo)).isdecimal()]


def _mal(que: str, causa: str) -> Tropiezo:
    return Tropiezo("DEFINICION", que, causa, "corrija la carpeta de la definición y repita")
