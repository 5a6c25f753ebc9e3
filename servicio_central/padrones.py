"""Los padrones que el centro ha tenido: recuerda el más nuevo y no acepta uno anterior, tampoco al volver a arrancar.

Un padrón viejo, aunque bien firmado, devolvería la vigencia a un equipo dado de baja.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from nucleo.padron import Padron, abrir_padron
from nucleo.sobre import SobreInvalido
from servicio_central import ajustes, disco, inscripcion
from servicio_central.firmante import leer_publica
from servicio_central.tropiezo import Tropiezo

CARPETA: Final = "padrones"


def mas_nuevo(centro: Path) -> Padron:
    """El de mayor versión entre `padron.jws` y los de `padrones/`, con la firma comprobada.

    Raises:
        Tropiezo: PADRON, si `padron.jws` falta o no lo firmó la autoridad.
    """
    padron = inscripcion.leer_padron(centro)
    llave = leer_publica(centro / "autoridad.pub.pem")
    for ruta in sorted((centro / CARPETA).glob("*.jws"), reverse=True):
        otro = _abrir(ruta, llave)
        if otro is None:
            continue  # estorba más detener el centro por un archivo que no firmó la autoridad
        if (otro.proceso, otro.modo) == (padron.proceso, padron.modo):
            return otro if otro.version > padron.version else padron
    return padron


def para_contar(carpeta: Path) -> Padron | None:
    """El padrón con que se hacen los cortes: el de mayor versión de los que firmó la autoridad.

    `None` sólo si ahí no hay ningún padrón ni un centro inscrito (un libro suelto): entonces no hay exclusiones. Que
    `padron.jws` se dañe no detiene los cortes si en `padrones/` está el bueno.

    Raises:
        Tropiezo: PADRON, si hay centro y ningún padrón se puede leer: contar sin él contaría lo excluido.
    """
    rutas = [carpeta / ajustes.PADRON, *(carpeta / CARPETA).glob("*.jws")]
    puestos = [ruta for ruta in rutas if ruta.exists()]
    if not puestos and not (carpeta / ajustes.ARCHIVO).exists():
        return None
    llave = leer_publica(carpeta / "autoridad.pub.pem")
    leidos: list[Padron] = []
    for ruta in sorted(puestos, key=lambda r: (r.parent == carpeta, r.name), reverse=True):
        padron = _abrir(ruta, llave)
        if padron is not None:
            leidos.append(padron)
            if ruta.parent != carpeta and ruta.name == f"{padron.version:06d}.jws":
                break  # los que faltan son anteriores; abrirlos todos costaría en cada corte lo que un corte
    if not leidos:
        raise Tropiezo(
            "PADRON",
            f"ningún padrón de {carpeta} se puede leer",
            "faltan, se alteraron o los firmó otra autoridad",
            "copie el último padrón firmado por la autoridad de este proceso",
        )
    return max(leidos, key=lambda p: p.version)


def _abrir(ruta: Path, llave: ECKey) -> Padron | None:
    try:
        return abrir_padron(ruta.read_text("ascii"), llave)
    except (OSError, UnicodeDecodeError, SobreInvalido):
        return None


def recordar(centro: Path, padron: Padron) -> None:
    """Guarda `padron.jws` en `padrones/` si es ese padrón y aún no está.

    Raises:
        OSError: si no se pudo escribir.
    """
    destino = disco.carpeta_privada(centro / CARPETA) / f"{padron.version:06d}.jws"
    firmado = (centro / ajustes.PADRON).read_bytes()
    if not destino.exists() and inscripcion.leer_padron(centro).version == padron.version:
        disco.escribir(destino, firmado)
