"""Los padrones que el centro ha tenido: recuerda el más nuevo y no acepta uno anterior, tampoco al volver a arrancar.

Un padrón viejo, aunque bien firmado, devolvería la vigencia a un equipo dado de baja.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nucleo.padron import Padron, abrir_padron
from nucleo.sobre import SobreInvalido
from servicio_central import ajustes, disco, inscripcion
from servicio_central.firmante import leer_publica

CARPETA: Final = "padrones"


def mas_nuevo(centro: Path) -> Padron:
    """El de mayor versión entre `padron.jws` y los de `padrones/`, con la firma comprobada.

    Raises:
        Tropiezo: PADRON, si `padron.jws` falta o no lo firmó la autoridad.
    """
    padron = inscripcion.leer_padron(centro)
    llave = leer_publica(centro / "autoridad.pub.pem")
    for ruta in sorted((centro / CARPETA).glob("*.jws"), reverse=True):
        try:
            otro = abrir_padron(ruta.read_text("ascii"), llave)
        except (OSError, UnicodeDecodeError, SobreInvalido):
            continue  # estorba más detener el centro por un archivo que no firmó la autoridad
        if (otro.proceso, otro.modo) == (padron.proceso, padron.modo):
            return otro if otro.version > padron.version else padron
    return padron


def recordar(centro: Path, padron: Padron) -> None:
    """Guarda `padron.jws` en `padrones/` si es ese padrón y aún no está.

    Raises:
        OSError: si no se pudo escribir.
    """
    destino = disco.carpeta_privada(centro / CARPETA) / f"{padron.version:06d}.jws"
    firmado = (centro / ajustes.PADRON).read_bytes()
    if not destino.exists() and inscripcion.leer_padron(centro).version == padron.version:
        disco.escribir(destino, firmado)
