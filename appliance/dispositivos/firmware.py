"""El firmware que un controlador le carga a su escáner: si es el del perfil, y cómo se instala el que da el instituto.

Nada se instala por su nombre: sólo los bytes cuya SHA-256 está escrita en el perfil. Sin ella no se instala nada.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.dispositivos import durable
from appliance.dispositivos.perfil import Perfil
from nucleo.problema import Rechazo

MAXIMO_BYTES: Final = 16 * 2**20
"""Tope de un firmware. Los de epjitsu miden unos 64 KiB; el más grande que SANE carga, unos cientos."""

_NO_ESTA: Final = "no hay un archivo con ese nombre"


@dataclass(frozen=True, slots=True)
class Instalado:
    """Un firmware que quedó en su lugar. `repetido`: ya estaba igual y no se tocó."""

    destino: Path
    sha256: str
    repetido: bool


def revisar(perfil: Perfil, raiz: Path = Path("/")) -> Rechazo | None:
    """`None` si el modelo no necesita archivo o el instalado es el del perfil; si no, qué no coincide.

    Args:
        raiz: la del sistema que se revisa; otra, para una imagen sin arrancar.
    """
    esperado = perfil.firmware
    if not esperado.archivo:
        return None
    destino = _destino(perfil, raiz)
    if isinstance(destino, Rechazo):
        return destino
    contenido = _leer(destino)
    if isinstance(contenido, Rechazo):
        return Rechazo(
            "FIRMWARE_AUSENTE",
            f"El {perfil.nombre} necesita el firmware {esperado.archivo} y no está instalado",
            "es del fabricante y no viene con este sistema" if contenido.causa == _NO_ESTA else contenido.causa,
            _como_instalar(perfil),
        )
    if not esperado.sha256:
        return _sin_fijar(perfil)
    if hashlib.sha256(contenido).hexdigest() != esperado.sha256:
        return Rechazo(
            "FIRMWARE_DISTINTO",
            f"El firmware instalado del {perfil.nombre} no es el de su perfil",
            "es de otra versión o de otro modelo, o se dañó",
            _como_instalar(perfil),
        )
    return None


def revisar_version(perfil: Perfil, vista: str) -> Rechazo | None:
    """Compara la versión que el aparato dice (`bcdDevice`) con la del perfil; si no la fija, no se compara."""
    esperada = perfil.firmware.version
    if not esperada or not vista or vista.lower() == esperada:
        return None
    return Rechazo(
        "VERSION_DISTINTA",
        f"El {perfil.nombre} dice ser la versión {vista[:20]} y se probó con la {esperada}",
        "se actualizó o es de otro lote",
        "digitalice una hoja de prueba; si no sale bien, use otro escáner y avise al área técnica",
    )


def instalar(perfil: Perfil, archivo: Path, raiz: Path = Path("/")) -> Instalado | Rechazo:
    """Instala el firmware que dio el instituto, entero o nada, sólo si es exactamente el del perfil."""
    esperado = perfil.firmware
    if not esperado.archivo:
        que = f"El {perfil.nombre} no necesita firmware y no se instaló nada"
        return Rechazo("FIRMWARE_DE_MAS", que, "se eligió otro perfil", "revise con --perfil cuál lo necesita")
    if not esperado.sha256:
        return _sin_fijar(perfil)
    contenido = _leer(archivo)
    if isinstance(contenido, Rechazo):
        return contenido
    # Se juzgan y se instalan los mismos bytes: el archivo podría cambiar entre una lectura y otra.
    huella = hashlib.sha256(contenido).hexdigest()
    if huella != esperado.sha256:
        return Rechazo(
            "FIRMWARE_RECHAZADO",
            f"{archivo.name} no es el firmware del {perfil.nombre} y no se instaló (mide {len(contenido)} bytes)",
            "se cortó al copiarlo, es de otra versión o de otro modelo",
            f"pida al instituto el archivo de SHA-256 {esperado.sha256[:16]}…; el recibido tiene {huella[:16]}…",
        )
    destino = _destino(perfil, raiz)
    if isinstance(destino, Rechazo):
        return destino
    if _leer(destino) == contenido:
        return Instalado(destino, huella, repetido=True)
    return _escribir(destino, contenido, huella)


def _escribir(destino: Path, contenido: bytes, huella: str) -> Instalado | Rechazo:
    try:
        destino.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return durable.no_se_escribio(destino, error)
    rechazo = durable.escribir(destino, contenido)
    if rechazo is not None:
        return rechazo
    if _leer(destino) != contenido:
        que = f"Se escribió {destino} y al releerlo no es igual"
        return Rechazo("DISCO", que, "el disco está dañado", "cambie de equipo y avise al área técnica")
    return Instalado(destino, huella, repetido=False)


def _destino(perfil: Perfil, raiz: Path) -> Path | Rechazo:
    """Dónde va, dentro de `raiz`: un enlace simbólico no lo saca de ahí."""
    destino = raiz / perfil.firmware.destino.lstrip("/")
    try:
        dentro = destino.parent.resolve().is_relative_to(raiz.resolve())
    except (OSError, RuntimeError):
        dentro = False
    if dentro:
        return destino
    que = f"La carpeta de {destino} lleva fuera de {raiz}"
    return Rechazo("RUTA", que, "alguien puso ahí un enlace simbólico", "quite el enlace, o avise al área técnica")


def _leer(archivo: Path) -> bytes | Rechazo:
    try:
        # O_NONBLOCK: que una tubería con ese nombre no deje esperando para siempre.
        descriptor = os.open(archivo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as abierto:
            if not stat.S_ISREG(os.fstat(abierto.fileno()).st_mode):
                return _ilegible(archivo, "no es un archivo")
            contenido = abierto.read(MAXIMO_BYTES + 1)
    except (OSError, ValueError) as error:
        return _ilegible(archivo, _por_que(error))
    if len(contenido) > MAXIMO_BYTES:
        return _ilegible(archivo, f"mide más de {MAXIMO_BYTES // 2**20} MiB: es otra cosa")
    return contenido


def _por_que(error: OSError | ValueError) -> str:
    if not isinstance(error, OSError):
        return "el nombre no se puede usar"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return _NO_ESTA
    if error.errno in (errno.EACCES, errno.EPERM):
        return "esta cuenta no lo puede abrir"
    return f"el disco o la memoria USB falla ({error.strerror})"


def _ilegible(archivo: Path, causa: str) -> Rechazo:
    return Rechazo(
        "FIRMWARE_ILEGIBLE", f"No se pudo leer {archivo}", causa, "revise el nombre y la memoria USB, y repita"
    )


def _sin_fijar(perfil: Perfil) -> Rechazo:
    return Rechazo(
        "FIRMWARE_SIN_HUELLA",
        f"El perfil del {perfil.nombre} no dice la SHA-256 de su firmware y no se admite ninguno",
        "el instituto todavía no la fija",
        f"el instituto escribe «sha256» en firmware_scanners/{perfil.clave}.toml y publica el perfil",
    )


def _como_instalar(perfil: Perfil) -> str:
    orden = f"./prep catd firmware --perfil {perfil.clave} --instalar {perfil.firmware.archivo}"
    return f"con el archivo que dé el instituto corra `{orden}`"
