"""La definición que llegó por el enlace: se guarda entera y firmada, y se usa sólo si con ella vale todo lo asentado.

    definiciones/000003-ab12…/   eleccion.toml, casillas.csv, formatos/ y firma.jws
    definicion                   enlace a la que se usa; sin él, la que dejó la inscripción

Se toma al arrancar las pantallas, nunca con alguien capturando. Una versión menor que otra guardada no se acepta nunca.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance import durable
from appliance.identidad import Identidad
from appliance.llave import leer_publica
from nucleo.cabida import Cabida
from nucleo.definicion import DefinicionInvalida, cargar_proceso
from nucleo.eleccion import Proceso
from nucleo.formato import leer_formatos
from nucleo.hechos import Hecho
from nucleo.paquete import DefinicionFirmada, PaqueteInvalido, abrir_definicion, abrir_paquete
from nucleo.problema import Rechazo
from nucleo.sobre import SobreInvalido

ENLACE: Final = "definicion"
VERSIONES: Final = "definiciones"
_FIRMA: Final = "firma.jws"
_A_MEDIAS: Final = ".a-medias-"
_LARGO_DE_MARCA: Final = 8


def version_guardada(carpeta: Path) -> int:
    """La mayor que se ha recibido completa; 0 si ninguna."""
    return max((_version(r) for r in (carpeta / VERSIONES).glob("[0-9]*-*")), default=0)


def en_uso(carpeta: Path, identidad: Identidad) -> Identidad:
    """La identidad, con `proceso` en la definición recibida si ya se tomó una."""
    enlace = carpeta / ENLACE
    return replace(identidad, proceso=enlace.resolve()) if enlace.is_dir() else identidad


def guardar(
    carpeta: Path, datos: bytes, identidad: Identidad, clave: str, hechos: Iterable[Hecho]
) -> DefinicionFirmada | Rechazo:
    """Comprueba un paquete completo y lo guarda, durable, para tomarlo en el siguiente arranque.

    Args:
        clave: del proceso de este kiosco.
        hechos: todo lo asentado.

    Returns:
        Lo firmado, o por qué no se usa: entonces no queda nada de él.

    Raises:
        Falla: LLAVE, si falta la llave pública de la autoridad.
    """
    try:
        firmada, archivos = abrir_paquete(datos, leer_publica(carpeta / "autoridad.pub.pem"))
    except PaqueteInvalido as error:
        return _mal("DEFINICION_DANADA", str(error), "llegó incompleta, o no la firmó la autoridad")
    if (firmada.proceso, firmada.modo) != (clave, identidad.modo):
        return _mal("DEFINICION_AJENA", f"es de {firmada.modo}/{firmada.proceso}", "se mandó la de otro proceso")
    ultima = version_guardada(carpeta)
    if firmada.version <= ultima:
        return _mal("DEFINICION_VIEJA", f"es la {firmada.version} y ya se tiene la {ultima}", "se repitió o se retrasó")
    version = carpeta / VERSIONES / f"{firmada.version:06d}-{firmada.huella[:16]}"
    provisional = version.with_name(f"{_A_MEDIAS}{version.name}")
    try:
        shutil.rmtree(provisional, ignore_errors=True)
        for nombre, contenido in archivos.items():
            destino = provisional / nombre
            destino.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.escribir(destino, contenido)
        largo = int.from_bytes(datos[4:_LARGO_DE_MARCA], "big")
        durable.escribir(provisional / _FIRMA, datos[_LARGO_DE_MARCA : _LARGO_DE_MARCA + largo])
        proceso = _cargar(provisional, identidad, clave, firmada.huella)
        if (objecion := no_cabe(proceso, hechos)) is not None:
            raise _NoSirve("DEFINICION_INCOMPATIBLE", objecion)
        provisional.rename(version)
        durable.asegurar(version.parent)
    except _NoSirve as error:
        return _mal(error.codigo, str(error), "se quitó o cambió algo que aquí ya se capturó, o está mal hecha")
    except OSError as error:
        return _mal("DISCO", f"no se pudo guardar ({error.strerror})", "el disco está lleno o dañado")
    finally:
        shutil.rmtree(provisional, ignore_errors=True)
    return firmada


def pendiente(carpeta: Path, identidad: Identidad, clave: str) -> tuple[Path, Proceso] | Rechazo | None:
    """La versión mayor guardada que aún no se toma, ya cargada; `None` si no hay.

    Raises:
        Falla: LLAVE, si falta la llave pública de la autoridad.
    """
    versiones = sorted((carpeta / VERSIONES).glob("[0-9]*-*"), key=_version)
    enlace = carpeta / ENLACE
    actual = enlace.readlink().name if enlace.is_symlink() else ""
    if not versiones or versiones[-1].name == actual:
        return None
    version = versiones[-1]
    try:
        firma = (version / _FIRMA).read_text("ascii")
        firmada = abrir_definicion(firma, leer_publica(carpeta / "autoridad.pub.pem"))
        return version, _cargar(version, identidad, clave, firmada.huella)
    except (OSError, UnicodeDecodeError, SobreInvalido, _NoSirve) as error:
        return _mal("DEFINICION_DANADA", str(error), "el disco falló o alguien la cambió")


def tomar(carpeta: Path, version: Path) -> None:
    """La deja en uso, de golpe. Raises: OSError."""
    provisional = carpeta / f".{ENLACE}-{os.getpid()}"
    provisional.unlink(missing_ok=True)
    provisional.symlink_to(f"{VERSIONES}/{version.name}")
    provisional.replace(carpeta / ENLACE)
    durable.asegurar(carpeta)


def no_cabe(proceso: Proceso, hechos: Iterable[Hecho]) -> str | None:
    """Por qué algún hecho asentado ya no vale con esa definición; `None` si valen todos."""
    cabida = Cabida(proceso)
    objeciones = (cabida.objecion(h) for h in hechos)
    return next((o.causa for o in objeciones if o is not None), None)


class _NoSirve(Exception):
    def __init__(self, codigo: str, que: str) -> None:
        super().__init__(que)
        self.codigo = codigo


def _cargar(carpeta: Path, identidad: Identidad, clave: str, huella: str) -> Proceso:
    try:
        proceso = cargar_proceso(carpeta)
        leer_formatos(carpeta)
    except DefinicionInvalida as error:
        raise _NoSirve("DEFINICION_INVALIDA", str(error)[:300]) from error
    if (proceso.clave, proceso.modo) != (clave, identidad.modo):
        raise _NoSirve("DEFINICION_AJENA", f"la definición es de {proceso.modo}/{proceso.clave}")
    if proceso.huella != huella:
        raise _NoSirve("DEFINICION_DANADA", "su huella no es la que firmó la autoridad")
    return proceso


def _version(ruta: Path) -> int:
    numero = ruta.name.partition("-")[0]
    return int(numero) if numero.isdecimal() else 0


def _mal(codigo: str, que: str, causa: str) -> Rechazo:
    return Rechazo(
        codigo,
        f"La definición nueva no se usa: {que}",
        causa,
        "se sigue con la de antes; avise al centro si no se corrige",
    )
